"""All of an entry, below its first line: every header, every bit of a frame, every byte. Pure."""

from collections.abc import Iterator

import msgspec

from pushtui.wire import frame_lines, lines, showing, stream_lines
from pushtui.wire.frames import CLOSE, NAMES, PING, PONG, TEXT, unmasked
from pushtui.wire.records import Frame, Line, Request, Response
from pushtui.wire.spans import Row, Span
from tui.lens.entry import Entry

#: More of a payload is not laid out: who wants it copies it, or saves all.
MOST_BYTES = 16 << 10
_LEAD = Span("     ", "time")
#: The parts of a frame have names at the left, in so many cells.
_NAME = 8
#: Cells of a row of a dump beside those of its bytes, which take four each.
_DUMP = len(_LEAD.text) + _NAME + 4 + 2 + 2
_MASKED_SHOWN = 8
#: Bytes in a row of a dump where there is not room for twice as many, or not that many bytes.
_SHORT = 8


def detail(entry: Entry, width: int) -> list[Row]:
    """Lay out what is below the first line.

    Args:
        entry: what to lay out.
        width: of a row, in cells. Only dumps heed it: other rows are to be wrapped.

    Returns:
        Rows whose first part is the indentation.
    """
    match entry.record:
        case Frame() as frame:
            return [*_head(frame), *_frame(frame, entry, width)]
        case Line(line=line):
            return list(_line(line, width))
        case Request() | Response():
            _, *rest = lines.rows(entry.record, entry.context)
            return [(_LEAD, *row[1:]) for row in rest]
        case _:
            return [(_LEAD, *row[2:]) for row in lines.rows(entry.record, entry.context)]


def header_bytes(frame: Frame) -> bytes:
    """The bytes before the payload, as they were on the wire: RFC 6455, section 5.2."""
    masked = frame.mask is not None
    length = len(frame.payload)
    # The length may be written longer than it need be, so what it took says how it was written.
    extended = max(0, frame.wire_bytes - length - 2 - 4 * masked)
    if extended not in (2, 8):
        extended = 0 if length < 126 else 2 if length < 1 << 16 else 8
    short = {0: length, 2: 126, 8: 127}[extended]
    first = frame.fin << 7 | frame.rsv << 4 | frame.opcode
    return (
        bytes((first, masked << 7 | short))
        + (length.to_bytes(extended) if extended else b"")
        + (frame.mask or b"")
    )


def pretty(data: bytes, subprotocol: str | None) -> tuple[str, list[str]] | None:
    """What data means, if it is JSON or MessagePack: the name of that, and the value in lines, safe to show."""
    found = showing.decoded(data, subprotocol)
    if found is None:
        return None
    kind, written = found
    name = "msgpack" if kind == "MessagePack" else kind
    try:
        return name, showing.lines(msgspec.json.format(written.encode(), indent=2))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return name, [written]  # made safe, it is no JSON any more


def _named(name: str, *spans: Span) -> Row:
    return (_LEAD, Span(f"{name:{_NAME}}", "field"), *spans)


def _block(name: str, texts: list[str]) -> Iterator[Row]:
    for number, text in enumerate(texts):
        yield _named("" if number else name, Span(text, "payload"))


def _head(frame: Frame) -> Iterator[Row]:
    header = header_bytes(frame)
    known = frame.opcode in NAMES
    yield _named("header", Span(header.hex(" "), "hex"))
    yield _named(
        "",
        Span(f"{header[0]:02x}", "hex"),
        Span(f"  FIN {int(frame.fin)}", "value"),
        Span(" the last of its message" if frame.fin else " more of its message follows", "dim"),
        Span(f" · RSV {frame.rsv:03b}", "bad" if frame.rsv else "value"),
        Span(f" · opcode {frame.opcode:#x} ", "value"),
        Span(NAMES[frame.opcode] if known else "unknown to RFC 6455", "dim" if known else "bad"),
    )
    short = header[1] & 0x7F
    follows = {126: " in the next 2 B", 127: " in the next 8 B"}.get(short, "")
    yield _named(
        "",
        Span(f"{header[1]:02x}", "hex"),
        Span(f"  MASK {int(frame.mask is not None)} · length {len(frame.payload)}", "value"),
        Span(follows, "dim"),
    )
    if frame.mask is not None:
        yield _named("", Span(frame.mask.hex(" "), "hex"), Span("  the key of the mask", "dim"))


def _frame(frame: Frame, entry: Entry, width: int) -> Iterator[Row]:
    payload = frame.payload
    if not payload:
        return
    if frame.mask is not None:
        yield _named(
            "masked",
            Span(unmasked(payload[:_MASKED_SHOWN], frame.mask).hex(" "), "hex"),
            Span(" …" if len(payload) > _MASKED_SHOWN else "", "dim"),
            Span("  each byte XOR one of the key", "dim"),
        )
    if frame.opcode == CLOSE:
        yield _named("code", *frame_lines.inline(frame, entry.context.subprotocol))
        meant = None
    else:
        meant = None if frame.opcode in (PING, PONG) else pretty(payload[:MOST_BYTES], entry.context.subprotocol)
    if meant is not None:
        yield from _block(*meant)
    elif entry.context.opcode == TEXT:
        yield from _block("text", showing.lines(payload[:MOST_BYTES]))
    yield from _dump("payload", payload, width)


def _line(line: bytes, width: int) -> Iterator[Row]:
    shown = line[:MOST_BYTES]
    _, colon, value = shown.partition(b":")
    meant = pretty(value.removeprefix(b" "), None) if colon else None
    if meant is not None:
        yield from _block(*meant)
    elif shown:
        yield _named("line", *stream_lines.parts(shown))
    yield from _dump("bytes", line, width)


def _dump(name: str, data: bytes, width: int) -> Iterator[Row]:
    row = 16 if len(data) > _SHORT and width >= _DUMP + 16 * 4 else _SHORT
    for number, (offset, columns, text) in enumerate(showing.dump(data[:MOST_BYTES], row)):
        yield _named(
            "" if number else name, Span(f"{offset}  ", "dim"), Span(columns, "hex"), Span(f" {text}", "payload")
        )
    if len(data) > MOST_BYTES:
        yield _named("", Span(f"… {len(data) - MOST_BYTES} B more: y copies all, s saves them", "dim"))
