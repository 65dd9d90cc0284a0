"""What RFC 6455 asks of a client's frames and aiohttp lets pass: a look at their headers before it reads them."""

from typing import Protocol

from aiohttp import WebSocketError

from pushtui.protocol.close import CloseCode

_CONTINUATION = 0x0
_LENGTH_16, _LENGTH_64 = 126, 127
_MASK_BYTES = 4


class Reader(Protocol):
    """aiohttp's, which puts frames together."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take bytes as they came; whether it will take no more, and what it did not take."""
        ...

    def feed_eof(self) -> None:
        """Nothing more comes."""
        ...


class Queue(Protocol):
    """Where the reader puts what it read."""

    def set_exception(self, exc: BaseException) -> None:
        """Tell this once everything before it was taken."""
        ...


class StrictReader:
    """Follows the headers of frames, and hands everything on up to the first one that may not be.

    The library reads unmasked frames (section 5.1: a server must close), takes a new message for the rest of one
    whose fragments so far are empty (section 5.4), and reads empty fragments for ever. Here a message has at most
    as many of those as it may have bytes.

    Args:
        reader: takes what is right.
        queue: is told what is not.
        message_bytes: the most that a message may have.
    """

    __slots__ = ("_empty", "_head", "_most", "_over", "_payload_left", "_queue", "_reader", "_unfinished")

    def __init__(self, reader: Reader, queue: Queue, message_bytes: int) -> None:
        self._reader = reader
        self._queue = queue
        self._most = message_bytes
        self._payload_left = 0
        self._head = b""
        self._unfinished = False
        self._empty = 0
        self._over = False

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """See `Reader`."""
        if self._over:
            return True, b""
        data = bytes(data)
        try:
            self._follow(data)
        except _ViolationError as violation:
            self._over = True
            self._reader.feed_data(data[: violation.at])
            self._queue.set_exception(WebSocketError(violation.code, violation.sentence))
            return True, b""
        return self._reader.feed_data(data)

    def feed_eof(self) -> None:
        """See `Reader`."""
        self._reader.feed_eof()

    def _follow(self, data: bytes) -> None:
        at = self._payload_left
        known = len(self._head)
        if known:
            data = self._head + data
            self._head = b""
        size = len(data)
        while size - at >= 2:
            length, header = data[at + 1] & 0x7F, 2
            if length == _LENGTH_16:
                header = 4
            elif length == _LENGTH_64:
                header = 10
            if size - at < header:
                break
            if header > 2:
                length = int.from_bytes(data[at + 2 : at + header])
            try:
                self._look(data[at], data[at + 1], length)
            except _ViolationError as violation:
                violation.at = max(0, at - known)
                raise
            at += header + _MASK_BYTES + length
        self._payload_left = max(0, at - size)
        self._head = data[at:]

    def _look(self, first: int, second: int, length: int) -> None:
        if not second & 0x80:
            raise _ViolationError(CloseCode.VIOLATION, "a client masks its frames")
        opcode = first & 0x0F
        if opcode & 0x08:
            return
        if opcode != _CONTINUATION:
            if self._unfinished:
                raise _ViolationError(CloseCode.VIOLATION, "a message begins within another")
            self._empty = 0
        self._empty += not length
        if self._empty > self._most:
            raise _ViolationError(CloseCode.TOO_BIG, "a message has no end")
        self._unfinished = not first & 0x80


class _ViolationError(Exception):
    """A frame may not be.

    Attributes:
        at: where in the data it begins.
    """

    def __init__(self, code: CloseCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.at = 0
