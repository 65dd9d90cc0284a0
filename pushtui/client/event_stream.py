"""The event-stream format, read: WHATWG HTML, section 9.2.6 (interpreting an event stream).

Written out rather than taken from httpx-sse, whose reader makes events of comments, loses the first one behind a
byte order mark, takes negative reconnection times, and holds a line without an end in memory.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from pushtui.wire import masking
from pushtui.wire.records import Dispatch, Line
from pushtui.wire.watch import Watch

#: The most bytes that one line, or the data of one event, may have.
LARGEST_EVENT = 1024 * 1024

_LINE_END = re.compile(rb"(\r\n|\r|\n)")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# More digits than a century in ms needs are a mistake.
_RETRY_DIGITS = 12


class EventTooLongError(Exception):
    """A line or an event goes on and on; the stream cannot be read any further."""


class StreamEvent(NamedTuple):
    """One event.

    Attributes:
        event: its name, ``message`` if it has none.
        data: its lines, joined by newlines.
        id: the id that its block gave, None when it gave none: then it is not a place to resume from.
    """

    event: str
    data: str
    id: str | None


class Comment(NamedTuple):
    """A line for nobody, what stands behind its colon: a sign of life."""

    text: str


class Retry(NamedTuple):
    """The server asks for a reconnection time in ms. It counts at once, even if its block never ends."""

    ms: int


StreamItem = StreamEvent | Comment | Retry


class EventStream:
    """Bytes in, events out, however the bytes are cut. One for each connection.

    Args:
        last_event_id: that of the connection before.
        watch: is told every line, and what came of it.

    Attributes:
        last_event_id: what a reconnect has to name; it counts from the end of its block, with data or without.
    """

    def __init__(self, last_event_id: str = "", watch: Watch | None = None) -> None:
        self.last_event_id = last_event_id
        self._watch = watch or Watch()
        # An LF that comes later than its CR, which had ended the line.
        self._late = 0
        self._line: list[bytes] = []
        self._line_size = 0
        self._first_line = True
        self._after_carriage_return = False
        self._event = ""
        self._data: list[str] = []
        self._data_size = 0
        self._id: str | None = None

    def feed(self, chunk: bytes) -> Iterator[StreamItem]:
        """Take the next bytes and yield what they complete; to be iterated to its end.

        What is incomplete when the stream ends never becomes an event, as the rules say.

        Raises:
            EventTooLongError: a line or the data of an event is over the limit.
        """
        if self._after_carriage_return and chunk:
            # A line ends at once with its CR; were the LF of a CRLF waited for, a stream of CRs would lag behind.
            self._late = chunk.startswith(b"\n")
            chunk = chunk[self._late :]
            self._after_carriage_return = False
        if not chunk:
            return
        self._after_carriage_return = chunk.endswith(b"\r")
        *parts, rest = _LINE_END.split(chunk)
        for end, line_end in zip(parts[::2], parts[1::2], strict=True):
            self._hold(end)
            line = b"".join(self._line)
            self._line.clear()
            self._line_size = 0
            if self._watch.on:
                self._tell_line(line, len(line_end))
            item = self._take(line)
            if item is not None:
                yield item
        self._hold(rest)

    def _tell_line(self, line: bytes, end: int) -> None:
        length = self._late + len(line) + end
        self._watch.tell(Line(self._watch.now(), masking.payload(line), length))
        self._late = 0

    def _hold(self, piece: bytes) -> None:
        self._line_size += len(piece)
        if self._line_size > LARGEST_EVENT:
            raise EventTooLongError(f"a line has more than {LARGEST_EVENT} bytes")
        if piece:
            self._line.append(piece)

    def _take(self, line: bytes) -> StreamItem | None:
        if self._first_line:
            self._first_line = False
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if not line:
            return self._dispatch()
        name, _, value = line.decode(errors="replace").partition(":")
        return self._field(name, value.removeprefix(" ")) if name else Comment(value.removeprefix(" "))

    def _field(self, name: str, value: str) -> Retry | None:
        match name:
            case "event":
                self._event = value
            case "data":
                self._data_size += len(value) + 1
                if self._data_size > LARGEST_EVENT:
                    raise EventTooLongError(f"an event has more than {LARGEST_EVENT} characters")
                self._data.append(value)
            case "id" if "\0" not in value:
                self._id = value
            case "retry" if value.isascii() and value.isdigit() and len(value) <= _RETRY_DIGITS:
                return Retry(int(value))
        return None

    def _dispatch(self) -> StreamEvent | None:
        if self._id is not None:
            self.last_event_id = self._id
        event = StreamEvent(self._event or "message", "\n".join(self._data), self._id) if self._data else None
        if self._watch.on:
            name, size = ("", 0) if event is None else (event.event, len(event.data.encode()))
            name, identity = masking.text(name), masking.text(self.last_event_id)
            self._watch.tell(Dispatch(self._watch.now(), name, identity, size))
        self._event, self._data, self._data_size, self._id = "", [], 0, None
        return event
