"""The first line of an entry, in columns. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from pushtui.wire import frame_lines, lines, showing, stream_lines
from pushtui.wire.frames import BINARY, CONTINUATION, NAMES
from pushtui.wire.records import Dispatch, Flow, Frame, Line, Request, Response
from pushtui.wire.spans import SIGNS, Row, Span
from tui.lens.entry import Entry

#: From so many cells on there is room for the columns beside what was said.
_WIDE = 56
#: Payloads up to here are decoded for a first line; longer ones are shown as bytes until they are unfolded.
_DECODED_BYTES = 4096
#: More of a payload is never on one line.
_SHOWN_BYTES = 600


class Columns(NamedTuple):
    """Where things stand, by the width and by what flows.

    Attributes:
        flow: what flows.
        width: of the whole row, in cells.
        wide: whether there is room for all columns.
    """

    flow: Flow
    width: int
    wide: bool

    @classmethod
    def of(cls, flow: Flow, width: int) -> "Columns":
        """Divide a row of ``width`` cells."""
        return cls(flow, width, width >= _WIDE)

    @property
    def title(self) -> str:
        """What stands above them."""
        if self.flow == "websocket":
            mask = "mask" + " " * 5 if self.wide else ""
            return f"   seconds   frame  FIN  {mask}bytes  payload"
        return f"   seconds   {'bytes  ' if self.wide else ''}line"

    def first_line(self, entry: Entry) -> Row:
        """The entry in one line, behind its marks; it may be longer than there is room."""
        record = entry.record
        sign = "⇒" if isinstance(record, Dispatch) else SIGNS[_direction(entry)]
        return (Span(f"{record.at:8.3f} ", "time"), Span(f"{sign} ", "sign"), *self._rest(entry))

    def _rest(self, entry: Entry) -> Iterator[Span]:
        match entry.record:
            case Frame() as frame:
                yield from self._frame(frame, entry)
            case Line() as record:
                if self.wide:
                    yield Span(f"{record.wire_bytes:5}  ", "dim")
                ignored = stream_lines.ignored(record.line)
                if ignored:
                    yield Span("✗ ", "bad")
                for span in stream_lines.parts(record.line[:_SHOWN_BYTES]):
                    yield span if record.line else span._replace(role="dim")
                yield from ignored
            case Request() | Response():
                first, *_ = lines.rows(entry.record, entry.context)
                yield from self._blank(first[2:])
            case Dispatch():
                first, *_ = lines.rows(entry.record, entry.context)
                yield from self._blank(first[2:])
            case _:
                first, *_ = lines.rows(entry.record, entry.context)
                yield from first[2:]

    def _blank(self, spans: Row) -> Iterator[Span]:
        if self.flow != "websocket" and self.wide:
            yield Span(" " * 7, "dim")
        yield from spans

    def _frame(self, frame: Frame, entry: Entry) -> Iterator[Span]:
        name = {CONTINUATION: "cont."}.get(frame.opcode) or NAMES.get(frame.opcode)
        yield Span(f"{name:6} ", "name") if name else Span(f"op {frame.opcode:#x} ", "bad")
        yield Span("FIN  " if frame.fin else "–    ", "dim")
        if self.wide:
            yield Span(f"{'–' if frame.mask is None else frame.mask.hex():8} ", "dim")
        yield Span(f"{frame.wire_bytes:5}  ", "dim")
        if frame.rsv:
            yield Span(" ".join(f"RSV{bit}" for bit in (1, 2, 3) if frame.rsv & 8 >> bit) + " ", "bad")
        yield from _payload(frame, entry)


def _direction(entry: Entry) -> str | None:
    return entry.direction if isinstance(entry.record, Frame | Line | Request | Response) else None


def _payload(frame: Frame, entry: Entry) -> Iterator[Span]:
    payload, subprotocol = frame.payload, entry.context.subprotocol
    if frame.opcode not in NAMES or frame.opcode > BINARY:
        for span in frame_lines.inline(frame, subprotocol):
            yield span._replace(text=span.text.removeprefix("  "))
    elif entry.context.opcode == BINARY:
        found = showing.decoded(payload, subprotocol) if frame.fin and len(payload) <= _DECODED_BYTES else None
        if found is not None and frame.opcode == BINARY:
            yield Span(found[1], "payload")
        else:
            yield Span(payload[:64].hex(" "), "hex")
    else:
        yield Span(showing.line(payload[:_SHOWN_BYTES]), "payload")
