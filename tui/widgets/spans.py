"""Lines of text with roles: what the status panes are made of before a theme gives them colours."""

from typing import NamedTuple

from rich.cells import cell_len

from tui.state.levels import Level
from tui.widgets.wrapping import clean, shorten

LEVEL_ROLES = {Level.CALM: "", Level.WARNING: "warning", Level.CRITICAL: "critical"}
LEVEL_SIGNS = {Level.CALM: " ", Level.WARNING: "●", Level.CRITICAL: "▲"}
STALE_SIGN = "○"


class Span(NamedTuple):
    """A piece of a line. ``role`` is one of `tui.widgets.line_view.ROLES`, or empty for plain text."""

    text: str
    role: str = ""


Line = list[Span]


def width_of(line: Line) -> int:
    """How many cells the line takes."""
    return sum(cell_len(span.text) for span in line)


def fitted(text: str, cells: int) -> str:
    """One line of text in exactly that many cells: padded, or cut with an ellipsis."""
    text = shorten(clean(text.replace("\n", " ")), cells) if cells > 0 else ""
    return text + " " * (cells - cell_len(text))


def filled(line: Line, cells: int) -> Line:
    """The line, padded with blanks to that many cells."""
    missing = cells - width_of(line)
    return [*line, Span(" " * missing)] if missing > 0 else line


def dimmed(line: Line) -> Line:
    """The line without its colours: what it says may be out of date."""
    return [Span(span.text, "name" if span.role == "name" else "muted") for span in line]


def flowed(label: Span, items: list[Line], width: int, rows: int) -> list[Line]:
    """Items side by side, three blanks apart, under each other when they do not fit; the label stands before all.

    Args:
        label: its text's length is the indentation of the rows.
        items: what does not fit into the last row is left out.
        width: of the rows, in cells.
        rows: how many there may be.
    """
    indent = cell_len(label.text)
    result: list[Line] = [[label]]
    used = indent
    for item in items:
        needed = width_of(item)
        if used > indent and used + 3 + needed > width:
            if len(result) == rows:
                break
            result.append([Span(" " * indent)])
            used = indent
        if used > indent:
            result[-1].append(Span("   "))
            used += 3
        result[-1] += item
        used += needed
    return result
