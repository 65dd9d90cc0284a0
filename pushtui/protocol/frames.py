"""WebSocket frames as a server writes them: RFC 6455 section 5.2, unmasked, in one piece."""

from enum import IntEnum


class Opcode(IntEnum):
    """What a frame carries: RFC 6455 section 5.2."""

    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


def frame(opcode: Opcode, payload: bytes) -> bytes:
    """One whole, final, unmasked frame."""
    length = len(payload)
    first = 0x80 | opcode
    if length < 126:
        return bytes((first, length)) + payload
    if length < 1 << 16:
        return bytes((first, 126)) + length.to_bytes(2) + payload
    return bytes((first, 127)) + length.to_bytes(8) + payload
