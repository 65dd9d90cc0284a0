"""Sparklines on a scale that stays: 3 % looks like 3 %, whatever else was measured.

Time runs in buckets that are aligned with the clock, so the past stands still while the newest column grows.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence

from tui.state.status import Point

BLOCKS = "▁▂▃▄▅▆▇█"
STEPS_SECONDS = (1, 2, 3, 5, 10, 15, 20, 30)
GAP = " "

_CELLS = GAP + BLOCKS
_MISSED_INTERVALS = 2.5  # a sample that is later than this left a gap; earlier ones are jitter

Measure = Callable[[Point], float | None]


def step_for(columns: int, span_seconds: int) -> int:
    """The smallest step in seconds with which ``columns`` reach back for at least ``span_seconds``."""
    return next((step for step in STEPS_SECONDS if step * columns >= span_seconds), STEPS_SECONDS[-1])


def slots(points: Sequence[Point], columns: int, step_seconds: int) -> list[slice]:
    """Which points each of the newest ``columns`` steps stands for, oldest step first.

    A step without a point of its own stands for the next one, unless samples were missed there: then for none.

    Args:
        points: oldest first.
        columns: the length of the result.
        step_seconds: how long one step is.
    """
    if not points:
        return [slice(0, 0)] * columns
    step = 1000 * step_seconds
    first = points[-1].at // step - columns + 1
    result = []
    start = bisect_left(points, (first * step,))
    for column in range(columns):
        end = bisect_left(points, ((first + column + 1) * step,), start)
        result.append(slice(start, start + 1 if end == start and _follows(points, start) else end))
        start = end
    return result


def means(points: Sequence[Point], measure: Measure, slots: Sequence[slice]) -> list[float | None]:
    """The mean of a measure in each slot; None where it was not taken."""
    taken = list(map(measure, points[slots[0].start : slots[-1].stop])) if slots else []
    result: list[float | None] = []
    for slot in slots:
        values = taken[slot.start - slots[0].start : slot.stop - slots[0].start]
        if None in values:
            values = [value for value in values if value is not None]
        result.append(sum(values) / len(values) if values else None)  # type: ignore[arg-type]
    return result


def sparkline(values: Sequence[float | None], top: float, rows: int = 1) -> list[str]:
    """Draw values from 0 to ``top`` as bars, one column each.

    Args:
        values: None is a gap and stays empty; what is out of range is drawn at the nearer end.
        top: the value of a full bar.
        rows: how many lines high; each adds eight steps.

    Returns:
        ``rows`` lines, the upper one first, each as long as ``values``.
    """
    steps = len(BLOCKS) * rows
    heights = [
        0 if value is None else min(int(min(max(value, 0.0), top) / top * steps) + 1, steps) for value in values
    ]
    lines = []
    for row in reversed(range(rows)):
        floor = row * len(BLOCKS)
        lines.append("".join([_CELLS[min(max(height - floor, 0), len(BLOCKS))] for height in heights]))
    return lines


def scale_for(peak: float, least: float) -> float:
    """The smallest power of ten times ``least`` that ``peak`` fits under: such a scale moves in wide steps."""
    top = least
    while top < peak and top < 1e15:
        top *= 10
    return top


def _follows(points: Sequence[Point], index: int) -> bool:
    if not 0 < index < len(points):
        return False
    point = points[index]
    return point.at - points[index - 1].at <= _MISSED_INTERVALS * point.interval_ms
