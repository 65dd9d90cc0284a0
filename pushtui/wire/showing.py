"""Bytes from anywhere as text that one can look at: every byte can be told, and none can drive a terminal."""

import re
from collections.abc import Iterator

import msgspec

from pushtui.protocol.text import safe_line

_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
_ROW = 16


def line(data: bytes) -> str:
    r"""UTF-8 in one line: what cannot be seen as ``\x1b`` or ``\u202e``, and so is what is no UTF-8."""
    return text_line(data.decode(errors="backslashreplace"))


def text_line(text: str) -> str:
    """The same of text that is decoded already."""
    return safe_line(_HARMFUL.sub(_escaped, text))


def lines(data: bytes) -> list[str]:
    """UTF-8 in as many lines as it has newlines."""
    return [line(part) for part in data.split(b"\n")]


def dump(data: bytes, row: int = _ROW) -> Iterator[tuple[str, str, str]]:
    """So many bytes after the other: the offset, the bytes in hexadecimal, and those that are ASCII."""
    half = row // 2
    for offset in range(0, len(data), row):
        part = data[offset : offset + row]
        columns = f"{part[:half].hex(' ')}  {part[half:].hex(' ')}".ljust(3 * row)
        yield f"{offset:04x}", columns, "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)


def decoded(data: bytes, subprotocol: str | None = None) -> tuple[str, str] | None:
    """What binary data may mean: the name of its encoding, and the same as JSON.

    Nearly every byte is some MessagePack, so only an object or a list counts, unless the subprotocol says so.
    """
    says_so = subprotocol is not None and "msgpack" in subprotocol.lower()
    try:
        value = msgspec.msgpack.decode(data)
        if says_so or isinstance(value, dict | list):
            return "MessagePack", text_line(msgspec.json.encode(value, enc_hook=repr).decode())
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError):
        pass
    try:
        if isinstance(msgspec.json.decode(data), dict | list):
            return "JSON", line(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    return None


def _escaped(found: re.Match[str]) -> str:
    point = ord(found[0])
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}"
