"""The two lines above a pane: what it shows, and how it comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from textual.app import RenderResult
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.style import Style
from textual.widget import Widget

_LEAST = 12
"""Cells that a long topic or reason keeps before others are shed for it."""
_ARROW = 1
"""The last cell of the arrow, with the blank behind it."""


class Part(NamedTuple):
    """A piece of a head line.

    Attributes:
        text: one line of safe text.
        style: a Textual style, theme colours as ``$text-success``.
        shed: parts with the highest number go first when the line is too narrow; those with 0 never go.
        room: the room that a click on it leads to.
        gap: what stands before it, unless it is the first on its side.
    """

    text: str
    style: str = ""
    shed: int = 0
    room: str = ""
    gap: str = "  "


class Line(NamedTuple):
    """One head line. The last part at the left gives way first, by cropping, then parts are shed."""

    left: tuple[Part, ...]
    right: tuple[Part, ...] = ()


class Head(NamedTuple):
    """Both lines."""

    what: Line
    how: Line


def fit(line: Line, width: int) -> Content:
    """Lay the line out in ``width`` cells: left side, blank, right side; what has the least to say goes first."""
    left, right = list(line.left), list(line.right)
    while (sheddable := [part for part in (*left, *right) if part.shed]) and _least(left, right) > width:
        goes = max(sheddable, key=lambda part: part.shed)
        (right if goes in right else left).remove(goes)
    if (excess := _width(left, right) - width) > 0 and left:
        last = left[-1]
        left[-1] = last._replace(text=_crop(last.text, max(1, cell_len(last.text) - excess)))
    blank = " " * max(0, width - _side(left) - _side(right))
    return Content.assemble(*_pieces(left), blank, *_pieces(right)).truncate(max(1, width))


def _pieces(parts: Sequence[Part]) -> list[tuple[str, str | Style]]:
    pieces: list[tuple[str, str | Style]] = []
    for number, part in enumerate(parts):
        if number:
            pieces.append((part.gap, ""))
        pieces.append((part.text, f"not dim {part.style}" if part.style else ""))
    return pieces


def _side(parts: Sequence[Part]) -> int:
    return sum(cell_len(part.text) for part in parts) + sum(cell_len(part.gap) for part in parts[1:])


def _least(left: Sequence[Part], right: Sequence[Part]) -> int:
    given_way = max(0, cell_len(left[-1].text) - _LEAST) if left else 0
    return _width(left, right) - given_way


def _width(left: Sequence[Part], right: Sequence[Part]) -> int:
    return _side(left) + _side(right) + (2 if left and right else 0)


def _crop(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…"


class PaneHead(Widget):
    """Paints a `Head`, and is repainted only when it says something else.

    Posts `RoomPicked` when one of several rooms is clicked, `WireWanted` when the arrow is, `Zoomed` on a double
    click.
    """

    DEFAULT_CSS = """
    PaneHead {
        height: 3;
        padding: 0 1;
        color: $text-muted;
        &:ansi { text-style: dim; }
        border-bottom: solid $foreground 20%;
    }
    """

    class RoomPicked(Message):
        """A room's name was clicked."""

        def __init__(self, room: str) -> None:
            self.room = room
            super().__init__()

    class WireWanted(Message):
        """The arrow was clicked: show what passes, or what it means."""

    class Zoomed(Message):
        """The head was clicked twice: its pane wants the whole width, or gives it back."""

    def __init__(self, head: Head, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._head = head

    def show(self, head: Head) -> None:
        """Show this from now on."""
        if head != self._head:
            self._head = head
            self.refresh()

    def render(self) -> RenderResult:
        """Both lines, laid out for the present width."""
        width = self.content_size.width
        return Content("\n").join([fit(self._head.what, width), fit(self._head.how, width)])

    def on_click(self, event: Click) -> None:
        """Tell which room was meant, or that the pane is to be zoomed."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.y == 1 and offset.x <= _ARROW:
            self.post_message(self.WireWanted())
            return
        if event.chain == 2:
            self.post_message(self.Zoomed())
            return
        if offset is None or offset.y != 0:
            return
        start = 0
        for number, part in enumerate(self._head.what.left):
            start += cell_len(part.gap) if number else 0
            end = start + cell_len(part.text)
            if part.room and start <= offset.x < end:
                self.post_message(self.RoomPicked(part.room))
                return
            start = end
