"""Rows of the lens as strips of styled cells. Words go into segments as they are, never through markup."""

from collections.abc import Callable
from typing import NamedTuple, get_args

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from pushtui.wire.spans import Role, Row
from tui.widgets.wrapping import clean, shorten

PREFIX = "lens--"
#: Component classes of the view, without their prefix.
CLASSES: tuple[str, ...] = (*get_args(Role), "cursor", "match", "bar")
CSS = """
LensView {
    height: 1fr;
    overflow-x: hidden;
    overflow-y: scroll;
    scrollbar-size-vertical: 1;
    scrollbar-background: $background;
    scrollbar-background-hover: $background;
    scrollbar-background-active: $background;
    scrollbar-color: $foreground 15%;
    scrollbar-color-hover: $foreground 30%;
    scrollbar-color-active: $foreground 40%;
    background: $background;
    color: $foreground;
    .lens--time { color: $foreground 45%; }
    .lens--sign { color: $text-primary; text-style: bold; }
    .lens--name { text-style: bold; }
    .lens--field { color: $text-primary; }
    .lens--hex { color: $foreground 75%; }
    .lens--dim { color: $foreground 55%; }
    .lens--good { color: $text-success; }
    .lens--bad { color: $text-error; }
    .lens--cursor { background: $foreground 10%; }
    .lens--match { background: $warning 35%; text-style: bold; }
    .lens--bar { background: $foreground 12%; color: $foreground; }
    &:ansi {
        scrollbar-background: ansi_default;
        scrollbar-background-hover: ansi_default;
        scrollbar-background-active: ansi_default;
        scrollbar-color: ansi_bright_black;
        .lens--time, .lens--dim { color: ansi_default; text-style: dim; }
        .lens--hex { color: ansi_default; }
        .lens--sign, .lens--field { color: $primary; }
        .lens--good { color: $success; }
        .lens--bad { color: $error; }
        .lens--cursor { background: ansi_default; text-style: bold; }
        .lens--match { background: ansi_default; text-style: reverse; }
        .lens--bar { background: ansi_default; color: ansi_default; text-style: reverse; }
    }
}
"""


class Marks(NamedTuple):
    """What stands before a row, and what is special about it.

    Attributes:
        cursor: whether it belongs to the entry that keys act on.
        fold: ``▸`` for more, ``▾`` for all; a blank if there is no more, and for rows that are not the first.
        needle: what was searched for, in small letters; empty for nothing.
    """

    cursor: bool = False
    fold: str = " "
    needle: str = ""


class Painter:
    """Paints rows in the colours of the present theme.

    Args:
        base: how plain words look.
        component: gives the style of each of `CLASSES`.
    """

    def __init__(self, base: Style, component: Callable[[str], Style]) -> None:
        self.base = base
        self._styles = {name: component(PREFIX + name) for name in CLASSES}

    def row(self, row: Row, width: int, marks: Marks, *, first: bool) -> Strip:
        """Paint one row.

        Args:
            row: its parts.
            width: its cells.
            marks: what is special about it.
            first: whether it is the first one of its entry, which has the marks before it.
        """
        styles = self._styles
        segments: list[Segment] = []
        left = width
        if first:
            sign = "›" if marks.cursor else " "
            segments.append(Segment(f"{sign}{marks.fold}"[:width], styles["sign"]))
            left -= 2
        for text, role in row:
            text = clean(text)
            cells = cell_len(text)
            if cells > left:
                segments.append(Segment(shorten(text, left) if left > 0 else "", styles[role]))
                break
            segments.append(Segment(text, styles[role]))
            left -= cells
        blank = self.base
        if marks.cursor and first:
            segments = list(Segment.apply_style(segments, post_style=styles["cursor"]))
            blank += styles["cursor"]
        if marks.needle:
            segments = self._marked(segments, marks.needle)
        return Strip(segments).adjust_cell_length(width, blank)

    def note(self, text: str, width: int, name: str) -> Strip:
        """Paint words in the middle."""
        words = shorten(clean(text), width)
        blank = " " * ((width - cell_len(words)) // 2)
        return Strip([Segment(blank + words, self._styles[name])]).adjust_cell_length(width, self._styles[name])

    def _marked(self, segments: list[Segment], needle: str) -> list[Segment]:
        whole = "".join(segment.text for segment in segments)
        small = whole.lower()
        if len(small) != len(whole) or needle not in small:
            return segments
        marked: list[Segment] = []
        at, start = 0, small.find(needle)
        for text, style, _ in segments:
            end = at + len(text)
            while 0 <= start < end and at < end:
                stop = start + len(needle)
                marked.append(Segment(whole[at : max(at, start)], style))
                found = whole[max(at, start) : min(stop, end)]
                marked.append(Segment(found, (style or self.base) + self._styles["match"]))
                at = min(stop, end)
                if stop > end:
                    break
                start = small.find(needle, stop)
            marked.append(Segment(whole[at:end], style))
            at = end
        return [segment for segment in marked if segment.text]
