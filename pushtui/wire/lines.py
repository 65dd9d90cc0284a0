"""Records as lines for people. Pure: which part has which colour is the business of whoever shows it.

The first line of a record begins with its time in seconds and with whose it is; further ones are indented to it.
Whatever stands in a record is made safe here: see `pushtui.wire.showing`.
"""

from collections.abc import Iterator

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


class Transcript:
    """Writes records in the order in which they passed: what one means may depend on those before.

    Args:
        most_bytes: how much of a payload, or of a line, is shown; all of it if None.
    """

    def __init__(self, most_bytes: int | None = None) -> None:
        self._most_bytes = most_bytes
        self._asked: Request | None = None
        self._subprotocol: str | None = None
        self._messages: dict[Direction, int] = {}

    def rows(self, record: Record) -> list[Row]:
        """The lines of the next record, at least one."""
        return list(self._rows(record))

    def _rows(self, record: Record) -> Iterator[Row]:
        match record:
            case Request():
                self._asked = record
                yield from handshake_lines.request(record)
            case Response():
                self._subprotocol = header(record.headers, "Sec-WebSocket-Protocol")
                self._messages.clear()
                yield from handshake_lines.response(record, self._asked)
            case Frame():
                opcode = self._message(record)
                yield from frame_lines.rows(record, opcode, self._subprotocol, self._most_bytes)
            case RoundTrip():
                yield head(
                    record.at, None, Span("round trip ", "name"), Span(f"{record.seconds * 1000:.1f} ms", "value")
                )
            case Line():
                yield stream_lines.line(record, self._most_bytes)
            case Dispatch():
                yield stream_lines.dispatch(record)
            case Wait():
                yield head(record.at, None, *_wait(record))
            case Close():
                yield head(record.at, None, *_close(record, self._subprotocol))

    def _message(self, record: Frame) -> int:
        """What kind of message a frame belongs to: a continuation does not say."""
        if record.opcode in (TEXT, BINARY):
            self._messages[record.direction] = record.opcode
        elif record.opcode == CONTINUATION:
            return self._messages.get(record.direction, BINARY)
        return record.opcode


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
