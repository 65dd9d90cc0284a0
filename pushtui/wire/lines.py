"""Records as lines for people. Pure: which part has which colour is the business of whoever shows it.

The first line of a record begins with its time in seconds and with whose it is; further ones are indented to it.
Whatever stands in a record is made safe here: see `pushtui.wire.showing`.
"""

from collections.abc import Iterator
from typing import NamedTuple

from pushtui.wire import frame_lines, handshake_lines, stream_lines
from pushtui.wire.closing import meaning
from pushtui.wire.frames import BINARY, CONTINUATION, TEXT
from pushtui.wire.handshake import header
from pushtui.wire.records import (
    Close,
    Direction,
    Dispatch,
    Frame,
    Line,
    Record,
    Request,
    Response,
    RoundTrip,
    Wait,
)
from pushtui.wire.showing import text_line
from pushtui.wire.spans import Row, Span, head


class Context(NamedTuple):
    """What of the records before one has to be known to read it.

    Attributes:
        asked: the request that a response answers.
        subprotocol: the chosen one; it tells what payloads and close codes mean.
        opcode: of a frame: that of its message, which a continuation does not say.
    """

    asked: Request | None = None
    subprotocol: str | None = None
    opcode: int = BINARY


class Reading:
    """Follows records in the order in which they passed, and says what has to be known for each."""

    def __init__(self) -> None:
        self._asked: Request | None = None
        self._subprotocol: str | None = None
        self._messages: dict[Direction, int] = {}

    def context(self, record: Record) -> Context:
        """Take the next record."""
        match record:
            case Frame():
                return Context(None, self._subprotocol, self._message(record))
            case Request():
                self._asked = record
            case Response():
                self._subprotocol = header(record.headers, "Sec-WebSocket-Protocol")
                self._messages.clear()
        return Context(self._asked, self._subprotocol)

    def _message(self, record: Frame) -> int:
        if record.opcode in (TEXT, BINARY):
            self._messages[record.direction] = record.opcode
        elif record.opcode == CONTINUATION:
            return self._messages.get(record.direction, BINARY)
        return record.opcode


class Transcript:
    """Writes records in the order in which they passed: what one means may depend on those before.

    Args:
        most_bytes: how much of a payload, or of a line, is shown; all of it if None.
    """

    def __init__(self, most_bytes: int | None = None) -> None:
        self._most_bytes = most_bytes
        self._reading = Reading()

    def rows(self, record: Record) -> list[Row]:
        """The lines of the next record, at least one."""
        return list(rows(record, self._reading.context(record), self._most_bytes))


def rows(record: Record, context: Context, most_bytes: int | None = None) -> Iterator[Row]:
    """The lines of one record, whichever stand before it."""
    match record:
        case Request():
            yield from handshake_lines.request(record)
        case Response():
            yield from handshake_lines.response(record, context.asked)
        case Frame():
            yield from frame_lines.rows(record, context.opcode, context.subprotocol, most_bytes)
        case RoundTrip():
            figure = Span(f"{record.seconds * 1000:.1f} ms", "value")
            yield head(record.at, None, Span("round trip ", "name"), figure)
        case Line():
            yield stream_lines.line(record, most_bytes)
        case Dispatch():
            yield stream_lines.dispatch(record)
        case Wait():
            yield head(record.at, None, *_wait(record))
        case Close():
            yield head(record.at, None, *_close(record, context.subprotocol))


def _wait(record: Wait) -> Iterator[Span]:
    yield Span("no link", "name")
    if record.reason:
        yield Span(f" · {text_line(record.reason)}", "value")
    yield Span(f" · next try in {record.seconds:.3g} s", "dim")
    if record.last_event_id:
        yield Span(" with ", "dim")
        yield Span("Last-Event-ID", "field")
        yield Span(": ", "dim")
        yield Span(text_line(record.last_event_id), "value")


def _close(record: Close, subprotocol: str | None) -> Iterator[Span]:
    yield Span("broken off" if record.by == "nobody" else f"closed by the {record.by}", "name")
    if record.code is not None:
        yield Span(f" · {record.code} ", "value")
        yield Span(meaning(record.code, subprotocol), "dim")
    if record.reason:
        yield Span(f" · {text_line(record.reason)}", "value")
