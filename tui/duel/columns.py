"""Three columns, one for each transport: how it stands while the duel is on. Pure."""

import math
from collections.abc import Iterator, Sequence

from textual.content import Content

from pushtui.client.happenings import LinkState
from pushtui.duel.standing import Lane, Standing
from pushtui.duel.table import ARROWS, NAMES, number
from tui.state.link import COLOURS, SIGNS
from tui.widgets.sparkline import sparkline
from tui.widgets.wrapping import clean, shorten, wrap

#: Latencies from a tenth of a millisecond to ten seconds, on a scale where each factor of ten is as high.
_LEAST_MS = 0.1
_DECADES = 5
_GAP = "  │  "
_SPARK_ROWS = 2
_AT = 8
_LEAST_WIDTH = 20
#: From so many rows on there is room for more than what has to be told.
_ROOMY = 24
MUTED = "$foreground 60%"


def columns(standing: Standing, width: int, height: int) -> list[Content]:
    """Draw them.

    Args:
        standing: what to show.
        width: of all three, in cells.
        height: how many rows there are at most.

    Returns:
        The rows.
    """
    each = (width - 2 * len(_GAP)) // 3
    if each < _LEAST_WIDTH:
        return [Content.styled(shorten("three columns need more room", width), MUTED)]
    drawn = [_column(lane, standing, each, height) for lane in standing.lanes]
    longest = max(map(len, drawn))
    blank = Content(" " * each)
    gap = Content.styled(_GAP, "$foreground 25%")
    return [gap.join([column[row] if row < len(column) else blank for column in drawn]) for row in range(longest)]


def _column(lane: Lane, standing: Standing, width: int, height: int) -> list[Content]:
    state = LinkState(lane.link)
    roomy = height >= _ROOMY
    told = [
        _row(f"{ARROWS[lane.transport]} {NAMES[lane.transport]}", width, "bold $primary"),
        _row(f"{SIGNS[state]} {state}", width, COLOURS[state]),
        *(_row(line, width, "$primary") for line in curve(lane.latencies_ms, standing.messages, width)),
        *([_row("latency, 0.1 ms to 10 s", width, MUTED), _row("", width)] if roomy else []),
        *(_row_of(label, value, width) for label, value in _counters(lane, standing)),
        _row("", width),
    ]
    return [*told, *_steps(lane, width, height - len(told))][:height]


def _counters(lane: Lane, standing: Standing) -> Iterator[tuple[str, str]]:
    yield "heard", f"{lane.heard} of {standing.messages}"
    yield "sent", f"{number(lane.carried.sent_bytes)} B"
    yield "received", f"{number(lane.carried.received_bytes)} B"
    yield "a useful byte", f"{number(lane.per_useful_byte, 2)} B"
    yield "beside each", f"{number(lane.overhead_bytes)} B"
    p50, p99 = (lane.latency.p50_ms, lane.latency.p99_ms) if lane.latency else (None, None)
    yield "p50, p99", f"{number(p50, 1)}, {number(p99, 1)} ms"
    yield "requests", number(lane.requests)


def curve(latencies_ms: Sequence[float], messages: int, width: int) -> list[str]:
    """The latencies of all messages as bars, each as high as the worst of those that it stands for.

    The whole width is the whole duel, so that the curve grows from left to right.

    Args:
        latencies_ms: of each message that came, in the order in which they came.
        messages: how many there will be.
        width: in cells.
    """
    share = max(1, math.ceil(messages / width))
    worst = [max(latencies_ms[at : at + share]) for at in range(0, min(len(latencies_ms), share * width), share)]
    heights = [math.log10(max(ms, _LEAST_MS) / _LEAST_MS) / _DECADES for ms in worst]
    return sparkline([*heights, *[None] * (width - len(heights))], 1.0, _SPARK_ROWS)


def _steps(lane: Lane, width: int, height: int) -> list[Content]:
    """What it did when its link was cut; the newest of it, if there is no room for all."""
    if lane.recovery is None:
        return []
    text_width = max(2, width - _AT)
    lines: list[Content] = []
    for step in lane.recovery.steps:
        what = clean(step.what)
        for row, (start, end) in enumerate(wrap(what, text_width)):
            at = f"{step.at_ms:4.0f} ms " if row == 0 else " " * _AT
            lines.append(Content.assemble((at, MUTED), _padded(what[start:end], text_width)))
    return lines[max(0, len(lines) - max(0, height)) :]


def _row_of(label: str, value: str, width: int) -> Content:
    room = width - len(value) - 1
    return Content.assemble((_padded(shorten(label, room), room + 1), MUTED), (value, "bold"))


def _row(text: str, width: int, style: str = "") -> Content:
    return Content.styled(_padded(shorten(text, width), width), style)


def _padded(text: str, width: int) -> str:
    return f"{text:{width}}"
