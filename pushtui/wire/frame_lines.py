"""Frames of a WebSocket as lines."""

from collections.abc import Iterator

from pushtui.wire import showing
from pushtui.wire.closing import meaning
from pushtui.wire.frames import BINARY, CLOSE, NAMES, PING, PONG
from pushtui.wire.records import Frame
from pushtui.wire.spans import Row, Span, head, more


def rows(record: Frame, opcode: int, subprotocol: str | None, most_bytes: int | None) -> Iterator[Row]:
    """One frame.

    Args:
        record: the frame.
        opcode: that of its message, which a continuation does not say.
        subprotocol: the chosen one; it tells what payloads and close codes mean.
        most_bytes: how much of the payload is shown.
    """
    payload = record.payload
    name = NAMES.get(record.opcode, f"opcode {record.opcode:#x}")
    known = Span(name, "name" if record.opcode in NAMES else "bad")
    yield head(record.at, record.direction, known, *_beside(record), *inline(record, subprotocol))
    if not payload or record.opcode in (PING, PONG, CLOSE):
        return
    shown = payload if most_bytes is None else payload[:most_bytes]
    if opcode == BINARY or record.opcode not in NAMES:
        for offset, columns, text in showing.dump(shown):
            yield more(Span(f"{offset}  ", "dim"), Span(columns, "hex"), Span(f" {text}", "payload"))
    else:
        for line in showing.lines(shown):
            yield more(Span(line, "payload"))
    if len(shown) < len(payload):
        yield more(Span(f"… {len(payload) - len(shown)} B more", "dim"))
    if record.opcode == BINARY and record.fin and len(shown) == len(payload):
        found = showing.decoded(payload, subprotocol)
        if found is not None:
            yield more(Span(f"{found[0]} ", "field"), Span(found[1], "payload"))


def _beside(record: Frame) -> Iterator[Span]:
    yield Span(" FIN" if record.fin else " no FIN", "dim")
    if record.rsv:
        yield Span("".join(f" RSV{bit}" for bit in (1, 2, 3) if record.rsv & 8 >> bit), "bad")
    yield Span(" not masked" if record.mask is None else f" masked {record.mask.hex()}", "dim")
    length = record.wire_bytes
    yield Span(f"  {length} B = {length - len(record.payload)} + {len(record.payload)}", "dim")


def inline(record: Frame, subprotocol: str | None) -> Iterator[Span]:
    """What the payload of a control frame says, two blanks before it; nothing of others."""
    payload = record.payload
    if not payload:
        return
    if record.opcode == CLOSE and len(payload) >= 2:
        code = int.from_bytes(payload[:2])
        yield Span(f"  {code} ", "value")
        yield Span(meaning(code, subprotocol), "dim")
        if payload[2:]:
            yield Span(f" {showing.line(payload[2:])}", "payload")
    elif record.opcode in (PING, PONG):
        is_text = payload.isascii() and payload.decode().isprintable()
        yield Span(f"  {payload.decode()}", "payload") if is_text else Span(f"  {payload.hex(' ')}", "hex")
    elif record.opcode == CLOSE:
        yield Span(f"  {payload.hex(' ')} is no close code", "bad")
