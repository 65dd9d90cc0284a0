"""The table at the end, and what it means in a sentence for each. Pure."""

from collections.abc import Iterator

from textual.content import Content

from pushtui.duel.standing import Lane, Standing
from pushtui.duel.table import ARROWS, NAMES, NOTE, rows, verdict
from tui.duel.columns import MUTED
from tui.widgets.wrapping import wrap

_LABEL = 28
_LEAST_VALUE = 14
_MOST_VALUE = 24


def result(standing: Standing, width: int, height: int) -> list[Content]:
    """Draw the whole table if there is room, else the most telling of it; and what it means.

    Args:
        standing: of a duel that is over.
        width: in cells.
        height: how many rows there are.
    """
    verdicts = [line for lane in standing.lanes for line in _sentence(lane, standing, width)]
    note = [Content.styled(NOTE[start:end], MUTED) for start, end in wrap(NOTE, width)]
    blank = Content("")
    for brief, further in ((False, [blank, *note]), (False, []), (True, [])):
        drawn = [*_table(standing, width, brief=brief), blank, *verdicts, *further]
        if len(drawn) <= height:
            break
    return drawn


def _table(standing: Standing, width: int, *, brief: bool) -> Iterator[Content]:
    value = min(_MOST_VALUE, max(_LEAST_VALUE, (width - _LABEL) // len(standing.lanes)))
    heads = (f"{f'{ARROWS[lane.transport]} {NAMES[lane.transport]}':>{value}}" for lane in standing.lanes)
    yield Content.assemble(" " * _LABEL, ("".join(heads), "bold $primary"))
    for row in rows(standing, brief=brief):
        values = "".join(f"{told:>{value}}" for told in row.values)
        yield Content.assemble((f"{row.label:{_LABEL}}", MUTED), values)


def _sentence(lane: Lane, standing: Standing, width: int) -> Iterator[Content]:
    name = f"{ARROWS[lane.transport]} {NAMES[lane.transport]}: "
    said = name + verdict(lane, standing)
    for number, (start, end) in enumerate(wrap(said, width)):
        if number == 0:
            yield Content.assemble((name, "bold $primary"), said[len(name) : end])
        else:
            yield Content(said[start:end])
