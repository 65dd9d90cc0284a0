"""Recordings: JSON lines, first what was watched, then one line for each record.

The payload of a frame and a line of an event stream stand there as ``text`` if they are UTF-8, else as ``base64``;
a mask is hexadecimal. A recording that was cut off in the middle of a line is one that ends before that line.
"""

import base64
import json
import math
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from pushtui.wire.records import Beginning, Frame, Line, Record

#: What is written; a reader takes this and everything older.
VERSION = 1
#: The most bytes of one line: a frame of 4 MiB, each byte of it written with six.
LONGEST_LINE = 32 * 1024 * 1024

# JSON escapes C0; these drive a terminal, let one line disguise itself as another, or cannot be seen.
_UNESCAPED = re.compile(
    "[\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_BYTES = {"frame": "payload", "line": "line"}
_DIGITS = 6


class RecordingUnreadableError(Exception):
    """A file is no recording, or not all of it; the message says where and why, in one sentence."""


def encode(record: Record | Beginning) -> str:
    """One line without its end; harmless to a terminal."""
    fields: dict[str, Any] = msgspec.to_builtins(record, builtin_types=(bytes,))
    if not isinstance(record, Beginning):
        fields["at"] = round(record.at, _DIGITS)
    if isinstance(record, Frame | Line):
        data = fields.pop(_BYTES[fields["what"]])
        try:
            fields["text"] = data.decode()
        except UnicodeDecodeError:
            fields["base64"] = base64.b64encode(data).decode()
    if isinstance(record, Frame) and record.mask is not None:
        fields["mask"] = record.mask.hex()
    text = msgspec.json.encode(fields).decode()
    return _UNESCAPED.sub(lambda found: json.dumps(found[0])[1:-1], text)


def decode(line: bytes) -> Record:
    """The record of one line.

    Raises:
        ValueError: it is none; the message says why.
    """
    fields = msgspec.json.decode(line, type=dict[str, Any])
    if (name := _BYTES.get(fields.get("what", ""))) is not None:
        text, encoded = fields.pop("text", None), fields.pop("base64", None)
        fields[name] = (
            base64.b64decode(encoded, validate=True) if encoded is not None else str(text or "").encode()
        )
    if "mask" in fields:
        fields["mask"] = bytes.fromhex(fields["mask"])
    record: Record = msgspec.convert(fields, Record, builtin_types=(bytes,))
    if not math.isfinite(record.at):
        raise ValueError("a time without end")
    return record


class Recorder:
    """Writes a recording; each record is out of this process before the next one comes.

    Args:
        target: a file, open for bytes.
        beginning: what is watched.
    """

    def __init__(self, target: BinaryIO, beginning: Beginning) -> None:
        self._target = target
        self._write(beginning)

    def __call__(self, record: Record) -> None:
        """Write one more.

        Raises:
            OSError: it cannot be written.
        """
        self._write(record)

    def _write(self, record: Record | Beginning) -> None:
        self._target.write(f"{encode(record)}\n".encode())
        self._target.flush()


class Recording:
    """Reads a recording, one line after the other.

    Args:
        source: a file, open for bytes.

    Attributes:
        beginning: what was watched.

    Raises:
        RecordingUnreadableError: it is no recording, or of a newer pushtui.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.beginning = self._first()

    def __iter__(self) -> Iterator[Record]:
        """The records.

        Raises:
            RecordingUnreadableError: a line is none.
        """
        number = 1
        while line := self._source.readline(LONGEST_LINE):
            number += 1
            try:
                record = decode(line)
            except (ValueError, TypeError, AttributeError, RecursionError) as error:
                if not line.endswith(b"\n") and len(line) < LONGEST_LINE:
                    return  # cut off while it was written
                raise RecordingUnreadableError(f"line {number} of the recording is no record: {error}") from error
            yield record

    def _first(self) -> Beginning:
        line = self._source.readline(LONGEST_LINE)
        try:
            version = msgspec.json.decode(line, type=_Version).version
            if version > VERSION:
                raise RecordingUnreadableError(
                    f"the recording is of a newer pushtui: version {version}, and this one reads up to {VERSION}"
                )
            return msgspec.json.decode(line, type=Beginning)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise RecordingUnreadableError(
                "this is no recording of pushtui: its first line does not say what was recorded"
            ) from error


class _Version(msgspec.Struct):
    what: str
    version: int
