"""What a measured message looks like: a mark that can be counted, the time, and padding."""

import time

#: Occurs once in each message and nowhere else in what a server sends: bytes can be counted instead of parsed.
MARK = b"^"
TEXT_BYTES = 150
_STAMP_DIGITS = 16
_PADDING = (" p99 is back to 80 ms on the checkout, the rollback did it" * 3).encode()


def stamped(size: int = TEXT_BYTES) -> bytes:
    """A message of so many bytes that was said now: mark, nanoseconds of the monotonic clock as hex, padding.

    All processes of a machine have the same monotonic clock, so listeners can tell how long it was on its way.
    """
    return (b"%b%016x%b" % (MARK, time.monotonic_ns(), _PADDING))[:size].ljust(size, b".")


def stamp_of(buffer: bytearray, mark: int, end: int) -> int | None:
    """When the message whose mark is there was said; None when it is cut off by the end of what was read."""
    begin = mark + len(MARK)
    if begin + _STAMP_DIGITS > end:
        return None
    return int(buffer[begin : begin + _STAMP_DIGITS], 16)
