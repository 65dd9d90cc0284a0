"""A duel as a table: the same rows for the screen and for lines."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from pushtui.duel.standing import TRANSPORTS, Lane, Phase, Standing, Transport

NAMES: dict[Transport, str] = {"websocket": "WebSocket", "sse": "SSE", "polling": "long polling"}
#: Which way each goes.
ARROWS: dict[Transport, str] = {"websocket": "⇄", "sse": "←", "polling": "↻"}
NOTE = (
    "Bytes are what a relay on this machine saw of HTTP and WebSocket, both ways: heads, frames, chunks;"
    " no TLS, TCP or IP."
)
_OPEN = "–"
_RANKS = ("Cheapest", "Second", "Dearest")


class Row(NamedTuple):
    """One thing that was measured, for each of the three in the order of `TRANSPORTS`."""

    label: str
    values: tuple[str, ...]


def number(value: float | None, digits: int = 0) -> str:
    """A figure with its thousands apart; a dash if it is not known."""
    return _OPEN if value is None else f"{value:,.{digits}f}".replace(",", " ")


def heading(standing: Standing) -> str:
    """What the duel is about, in one line."""
    return (
        f"{standing.messages} messages of {standing.size_bytes} bytes, {standing.rate_per_second:g} a second"
        f" · {standing.server} · {standing.room}"
    )


def rows(standing: Standing, *, brief: bool = False) -> list[Row]:
    """All that is known so far; what is not is a dash. Or the most telling of it, if it is to be ``brief``."""
    return [
        Row(label, tuple(value(lane) for lane in standing.lanes))
        for label, value, telling in _MEASURES
        if telling or not brief
    ]


def lines(standing: Standing) -> Iterator[str]:
    """The whole result, to be printed."""
    yield heading(standing)
    yield ""
    table = [Row("", tuple(f"{ARROWS[name]} {NAMES[name]}" for name in TRANSPORTS)), *rows(standing)]
    left = max(len(row.label) for row in table)
    widths = [max(len(row.values[column]) for row in table) for column in range(len(TRANSPORTS))]
    for row in table:
        values = (f"{value:>{width}}" for value, width in zip(row.values, widths, strict=True))
        yield "  ".join((f"{row.label:{left}}", *values))
    for lane in standing.lanes:
        if lane.recovery is None:
            continue
        yield ""
        yield f"{ARROWS[lane.transport]} {NAMES[lane.transport]}, when its link was cut"
        for step in lane.recovery.steps:
            yield f"  {number(step.at_ms):>7} ms  {step.what}"
    yield ""
    for lane in standing.lanes:
        yield f"{ARROWS[lane.transport]} {NAMES[lane.transport]}: {verdict(lane, standing)}"
    yield ""
    yield NOTE


def verdict(lane: Lane, standing: Standing) -> str:
    """One sentence in plain words; empty as long as nothing can be said."""
    if standing.phase is not Phase.OVER or lane.overhead_bytes is None or lane.answer is None:
        return ""
    if lane.lost or lane.doubled:
        return f"It lost {lane.lost} messages and doubled {lane.doubled}: that must not be."
    costs = sorted(other.overhead_bytes or 0.0 for other in standing.lanes)
    price = f"{_RANKS[costs.index(lane.overhead_bytes)]}, {lane.overhead_bytes:.0f} bytes beside each message"
    answer = lane.answer.sent_bytes + lane.answer.received_bytes
    match lane.transport:
        case "websocket":
            return f"{price}, and the only one that answers over the link on which it listens ({answer} bytes)."
        case "sse":
            return (
                f"{price}; how to come back is part of the standard, but to answer it takes a request of its own"
                f" over another connection ({answer} bytes)."
            )
        case "polling":
            return (
                f"{price}, since it asks again after each answer ({lane.requests} requests); it passes wherever a"
                f" web page does, and answers by another connection as well ({answer} bytes)."
            )


def _back(lane: Lane) -> str:
    return number(lane.recovery.back_ms if lane.recovery else None)


def _faults(lane: Lane) -> str:
    return _OPEN if lane.lost is None else f"{lane.lost} / {lane.doubled}"


def _answer(lane: Lane) -> str:
    return number(lane.answer.sent_bytes + lane.answer.received_bytes if lane.answer else None)


def _way(lane: Lane) -> str:
    if lane.answer is None:
        return _OPEN
    return "same link" if lane.answer.same_link else "another one"


def _came_back(lane: Lane) -> float | None:
    if lane.recovery is None or lane.recovery.back_ms is None:
        return None
    return lane.recovery.carried.bytes


#: Its label, how it is told, and whether it is told where there is little room.
_MEASURES: tuple[tuple[str, Callable[[Lane], str], bool], ...] = (
    ("messages heard", lambda lane: number(lane.heard), False),
    ("bytes sent", lambda lane: number(lane.carried.sent_bytes), True),
    ("bytes received", lambda lane: number(lane.carried.received_bytes), True),
    ("for each useful byte", lambda lane: number(lane.per_useful_byte, 2), True),
    ("beside each message, bytes", lambda lane: number(lane.overhead_bytes), True),
    ("to open the link, bytes", lambda lane: number(lane.opening.bytes if lane.opening else None), False),
    ("requests", lambda lane: number(lane.requests), True),
    ("connections", lambda lane: number(lane.carried.connections), False),
    ("latency p50, ms", lambda lane: number(lane.latency.p50_ms if lane.latency else None, 1), True),
    ("latency p99, ms", lambda lane: number(lane.latency.p99_ms if lane.latency else None, 1), True),
    ("all there after the cut, ms", _back, True),
    ("missed and replayed", lambda lane: number(lane.recovery.replayed if lane.recovery else None), False),
    ("coming back, bytes", lambda lane: number(_came_back(lane)), False),
    ("lost / doubled", _faults, True),
    ("to answer, bytes", _answer, True),
    ("answered over", _way, False),
)
