"""A virtual list of lines made of spans: repaints only the lines that changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from tui.widgets.spans import Line

ROLES = (
    "name",
    "muted",
    "track",
    "graph",
    "graph-warning",
    "graph-critical",
    "success",
    "warning",
    "critical",
    "mark",
)


class LineView(ScrollView):
    """Shows lines that were laid out for its width. Text is never read as markup."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line-view--{role}" for role in ROLES}

    DEFAULT_CSS = """
    LineView {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .line-view--name { text-style: bold; }
        & > .line-view--muted { color: $text-muted; }
        & > .line-view--graph { color: $primary; }
        & > .line-view--graph-warning { color: $warning; }
        & > .line-view--graph-critical { color: $error; }
        & > .line-view--track { color: $foreground 20%; }
        & > .line-view--mark { color: $primary; }
        & > .line-view--success { color: $text-success; }
        & > .line-view--warning { color: $text-warning; }
        & > .line-view--critical { color: $text-error; text-style: bold; }
        &:ansi > .line-view--muted, &:ansi > .line-view--track { color: ansi_default; text-style: dim; }
    }
    """

    class Clicked(Message):
        """A line was clicked; ``line`` is its index."""

        def __init__(self, view: LineView, line: int) -> None:
            super().__init__()
            self.view = view
            self.line = line

        @property
        def control(self) -> LineView:
            """Whose message it is."""
            return self.view

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._lines: Sequence[Line] = []
        self._strips: dict[int, Strip] = {}

    @property
    def lines(self) -> Sequence[Line]:
        """What is shown, from the top."""
        return self._lines

    def set_lines(self, lines: Sequence[Line]) -> None:
        """Show these lines from now on; only those that differ from the ones before are painted again."""
        before, self._lines = self._lines, lines
        if len(lines) != len(before):
            self._strips.clear()
            self.virtual_size = Size(self.size.width, len(lines))
            self.refresh()
            return
        top, bottom = self.scroll_offset.y, self.scroll_offset.y + self.size.height
        for y, line in enumerate(lines):
            if line != before[y]:
                self._strips.pop(y, None)
                if top <= y < bottom:
                    self.refresh_line(y)

    def render_line(self, y: int) -> Strip:
        """One line of the screen, ``y`` counted from the top of what is visible."""
        y += self.scroll_offset.y
        width = self.size.width
        strip = self._strips.get(y)
        if strip is None or strip.cell_length != width:
            strip = self._strips[y] = self._strip(y, width)
        selection = self.text_selection
        span = None if selection is None else selection.get_span(y)
        return (strip if span is None else self._selected(strip, y, *span)).apply_offsets(0, y)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What was selected with the mouse, to be copied."""
        return selection.extract("\n".join(map(_text, self._lines))), "\n"

    def on_click(self, event: Click) -> None:
        """Say which line was meant."""
        offset = event.get_content_offset(self)
        if offset is not None and (line := offset.y + self.scroll_offset.y) < len(self._lines):
            self.post_message(self.Clicked(self, line))

    def notify_style_update(self) -> None:
        """Forget what was painted in the colours of another theme."""
        super().notify_style_update()
        self._strips.clear()

    def _strip(self, y: int, width: int) -> Strip:
        plain = self.rich_style
        if y >= len(self._lines):
            return Strip.blank(width, plain)
        segments = [
            Segment(text, self.get_component_rich_style(f"line-view--{role}") if role else plain)
            for text, role in self._lines[y]
        ]
        return Strip(segments).adjust_cell_length(width, plain)

    def _selected(self, strip: Strip, y: int, start: int, end: int) -> Strip:
        text = _text(self._lines[y]) if y < len(self._lines) else ""
        left = cell_len(text[:start])
        right = strip.cell_length if end == -1 else cell_len(text[:end])
        style = self.screen.get_component_rich_style("screen--selection")
        marked = Strip(Segment.apply_style(strip.crop(left, right), post_style=style))
        return Strip.join([strip.crop(0, left), marked, strip.crop(right)])


def _text(line: Line) -> str:
    return "".join(text for text, _ in line)
