"""Sparklines on a scale that stays: 3 % looks like 3 %, whatever else was measured.

Time runs in buckets that are aligned with the clock, so the past stands still while the newest column grows.
"""

from collections.abc import Callable, Sequence

from tui.state.status import Point

BLOCKS = "▁▂▃▄▅▆▇█"
STEPS_SECONDS = (1, 2, 3, 5, 10, 15, 20, 30)
GAP = " "

_MISSED_INTERVALS = 2.5  # a sample that is later than this left a gap; earlier ones are jitter

Measure = Callable[[Point], float | None]


def step_for(columns: int, span_seconds: int) -> int:
    """The smallest step in seconds with which ``columns`` reach back for at least ``span_seconds``."""
    return next((step for step in STEPS_SECONDS if step * columns >= span_seconds), STEPS_SECONDS[-1])


def buckets(points: Sequence[Point], measure: Measure, columns: int, step_seconds: int) -> list[float | None]:
    """The mean of a measure in each of the newest ``columns`` steps, oldest first; None where none was taken.

    Args:
        points: oldest first.
        measure: what to take of a point.
        columns: the length of the result.
        step_seconds: how long one bucket is. A step with no sample of its own takes the value of the next one,
            unless samples were missed there.
    """
    result: list[float | None] = [None] * columns
    if not points or columns < 1:
        return result
    step = 1000 * step_seconds
    newest = points[-1].at // step
    sums, counts = [0.0] * columns, [0] * columns
    later: Point | None = None
    for point in reversed(points):
        column = columns - 1 - (newest - point.at // step)
        if later is not None and later.at - point.at <= _MISSED_INTERVALS * later.interval_ms:
            following = columns - 1 - (newest - later.at // step)
            for between in range(max(0, column + 1), following):
                result[between] = measure(later)
        if column < 0:
            break
        later = point
        value = measure(point)
        if value is not None:
            sums[column] += value
            counts[column] += 1
    for column, count in enumerate(counts):
        if count:
            result[column] = sums[column] / count
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
    heights = [0 if value is None else min(max(int(value / top * steps) + 1, 1), steps) for value in values]
    lines = []
    for row in reversed(range(rows)):
        floor = row * len(BLOCKS)
        lines.append("".join(_cell(height - floor) for height in heights))
    return lines


def scale_for(peak: float, least: float) -> float:
    """The smallest power of ten times ``least`` that ``peak`` fits under: such a scale moves in wide steps."""
    top = least
    while top < peak and top < 1e15:
        top *= 10
    return top


def _cell(height: int) -> str:
    return GAP if height < 1 else BLOCKS[min(height, len(BLOCKS)) - 1]
