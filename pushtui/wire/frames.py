"""WebSocket frames, read: RFC 6455, section 5.2. Both directions, whatever a frame says that it is."""

from collections.abc import Iterator
from typing import NamedTuple

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

#: Opcodes that the standard knows.
NAMES = {
    CONTINUATION: "continuation",
    TEXT: "text",
    BINARY: "binary",
    CLOSE: "close",
    PING: "ping",
    PONG: "pong",
}


class WireFrame(NamedTuple):
    """One frame.

    Attributes:
        fin: whether it is the last of its message.
        rsv: the three reserved bits, 0 to 7.
        opcode: see `NAMES`.
        mask: the key that was over the payload, None for none.
        payload: without the mask.
        wire_bytes: its length with its header.
    """

    fin: bool
    rsv: int
    opcode: int
    mask: bytes | None
    payload: bytes
    wire_bytes: int


class FrameTooLongError(Exception):
    """A frame says that it is longer than anything that is read here."""


class FrameReader:
    """Bytes in, whole frames out, however the bytes are cut. What is held is less than one frame.

    Args:
        longest: the most bytes that a payload may have.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[WireFrame]:
        """Take the next bytes and yield the frames that they complete; to be iterated to its end.

        Raises:
            FrameTooLongError: a payload is over the limit.
        """
        self._held += data
        while (frame := self._next()) is not None:
            del self._held[: frame.wire_bytes]
            yield frame

    def _next(self) -> WireFrame | None:
        held = self._held
        if len(held) < 2:
            return None
        first, second = held[0], held[1]
        extended = {126: 2, 127: 8}.get(second & 0x7F, 0)
        header = 2 + extended + (4 if second & 0x80 else 0)
        if len(held) < header:
            return None
        length = int.from_bytes(held[2 : 2 + extended]) if extended else second & 0x7F
        if length > self._longest:
            raise FrameTooLongError(f"a frame has {length} bytes, and {self._longest} is the most that is read")
        if len(held) < header + length:
            return None
        mask = bytes(held[header - 4 : header]) if second & 0x80 else None
        payload = bytes(held[header : header + length])
        return WireFrame(
            bool(first & 0x80),
            first >> 4 & 0x7,
            first & 0xF,
            mask,
            payload if mask is None else unmasked(payload, mask),
            header + length,
        )


def unmasked(payload: bytes, mask: bytes) -> bytes:
    """A payload with the mask over it, or taken off again: RFC 6455, section 5.3."""
    # One exclusive or of two large numbers is much faster than one of each byte.
    key = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload) ^ int.from_bytes(key)).to_bytes(len(payload))


def wire_bytes(length: int, *, masked: bool) -> int:
    """The length on the wire of a frame whose payload is so long, in the shortest form, as the standard wants."""
    header = 2 if length < 126 else 4 if length < 1 << 16 else 10
    return header + (4 if masked else 0) + length
