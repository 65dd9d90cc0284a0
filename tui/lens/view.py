"""The records of a flow, one below the other: virtual, so that ten thousand cost what fits on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from pushtui.wire.spans import plain
from tui.lens.columns import Columns
from tui.lens.layout import MARKS, Layout
from tui.lens.paint import CLASSES, CSS, PREFIX, Marks, Painter

if TYPE_CHECKING:
    from textual.selection import Selection

    from pushtui.wire.records import Flow
    from tui.lens.capture import Capture
    from tui.lens.entry import Entry

_STRIPS = 1024


class LensView(ScrollView, can_focus=True):
    """What a capture shows. At its end it follows; elsewhere it stays where the reader is.

    Call `sync` after something was captured: a few times a second will do.

    Args:
        capture: what was captured.
        flow: what flows, which decides on the columns.
        empty: what to say as long as there is nothing.
    """

    ALLOW_SELECT = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {PREFIX + name for name in CLASSES}
    DEFAULT_CSS = CSS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home,g", "first", show=False),
        Binding("end,G", "follow", show=False),
        Binding("enter", "fold", show=False),
    ]

    class FollowChanged(Message):
        """The reader let go of the end, or came back to it."""

    def __init__(self, capture: Capture, flow: Flow, empty: str = "") -> None:
        super().__init__()
        self.following = True
        self.needle = ""
        self._capture = capture
        self._flow: Flow = flow
        self._empty = empty
        self._layout_of_rows = Layout(capture, flow)
        self._cursor: int | None = None
        self._seen = 0
        self._anchor = (0, 0)
        self._placing = False
        self._painter: Painter | None = None
        self._strips: dict[tuple[object, ...], Strip] = {}

    @property
    def current(self) -> Entry | None:
        """The entry that keys act on: where the reader went, or else the last one in sight."""
        shown = self._capture.shown
        return shown[self._index()] if shown else None

    @property
    def columns(self) -> Columns:
        """Where things stand in a row."""
        return Columns.of(self._flow, self._width)

    def sync(self) -> None:
        """Come up to what was captured since the last time."""
        self._capture.trim()
        moved = self._layout_of_rows.update(self.columns)
        if moved:
            self._strips.clear()
        self._put()

    def flows(self, flow: Flow) -> None:
        """Show it in the columns of another flow from now on; to be followed by `sync`."""
        self._flow = flow

    def go_to(self, index: int) -> None:
        """Bring an entry of what is shown into sight, and act on it from now on."""
        self._cursor = self._capture.shown[index].number
        self._let_go()
        layout = self._layout_of_rows
        top, rows, height = layout.top(index), layout.rows(index), self._height
        y = round(self.scroll_y)
        # All of it, or else its beginning.
        y = min(max(y, top + rows - height), top)
        self._go(y)
        self.refresh()

    def search(self, needle: str, step: int) -> bool:
        """Go to the next entry that has the text, and mark it; False if none has."""
        self.needle = needle.lower()
        self._strips.clear()
        self.refresh()
        found = self._capture.find(needle, self._index(), step) if needle and self._capture.shown else None
        if found is not None:
            self.go_to(found)
        return found is not None

    def action_move(self, step: int) -> None:
        """To the next entry, or the one before."""
        if self._capture.shown:
            self._step(self._index() + step)

    def action_page(self, step: int) -> None:
        """So far that nearly all in sight is new."""
        if not self._capture.shown:
            return
        layout = self._layout_of_rows
        y = layout.top(self._index()) + step * max(1, self._height - 2)
        found = layout.locate(min(max(y, 0), layout.height - 1))
        if found is not None:
            self._step(found[0] if found[0] != self._index() else self._index() + step)

    def action_first(self) -> None:
        """To the oldest."""
        if self._capture.shown:
            self._step(0)

    def action_follow(self) -> None:
        """To the newest, and stay there."""
        self._cursor = None
        self._set_following(True)
        self._put()

    def action_fold(self) -> None:
        """Show all of the entry, or one line of it again."""
        if self._capture.shown:
            self._fold(self._index())

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What was selected with the mouse, to be copied."""
        layout = self._layout_of_rows
        first = selection.start.y if selection.start else 0
        last = min(selection.end.y if selection.end else layout.height - 1, layout.height - 1)
        texts = []
        for y in range(first, last + 1):
            start, end = selection.get_span(y) or (0, -1)
            text = self._text(y)
            texts.append(text[start:] if end == -1 else text[start:end])
        return "\n".join(texts), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Paint what is selected."""
        self.refresh()

    def notify_style_update(self) -> None:
        """Paint in the colours of another theme."""
        self._painter = None
        self._strips.clear()
        super().notify_style_update()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Keep the reader's place in mind when it was the reader who moved."""
        super().watch_scroll_y(old_value, new_value)
        if self._placing or not self._capture.shown:
            return
        self._remember(round(new_value))
        if new_value >= self.max_scroll_y and self._cursor is None:
            self._set_following(True)
        else:
            self._let_go()

    def render_line(self, y: int) -> Strip:
        """Paint row ``y`` of the screen."""
        width = self._width
        painter = self._painter
        if painter is None:
            painter = self._painter = Painter(self.rich_style, self.get_component_rich_style)
        if y == self._height - 1 and self._has_bar:
            new = len(self._capture.shown) - self._capture.index_of(self._seen + 1)
            return painter.note(f"▼ {new} new · End" if new else "▼ End", width, "bar")
        if not self._capture.shown:
            middle = y == (self._height - 1) // 2
            return painter.note(self._empty if middle else "", width, "dim")
        y += self.scroll_offset.y
        strip = self._row(painter, y, width)
        selection = self.text_selection
        span = None if selection is None else selection.get_span(y)
        return (strip if span is None else self._selected(strip, self._text(y), *span)).apply_offsets(0, y)

    def on_click(self, event: events.Click) -> None:
        """Go back to the end; or unfold what was clicked, and fold it again by its first row."""
        if self.text_selection is not None or not self._capture.shown:
            return
        if event.y == self._height - 1 and self._has_bar:
            self.action_follow()
            return
        found = self._layout_of_rows.locate(event.y + self.scroll_offset.y)
        if found is not None:
            index, row = found
            if row:
                self.go_to(index)
            else:
                self._fold(index)

    def on_focus(self) -> None:
        """The cursor is seen from now on."""
        self.refresh()

    def on_blur(self) -> None:
        """It is not."""
        self.refresh()

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        """Told with every layout; a resize event is not always."""
        changed = super()._size_updated(size, virtual_size, container_size, layout)
        if changed:
            self.call_later(self.sync)
        return changed

    def _scroll_to(self, x: float | None = None, y: float | None = None, **more: Any) -> bool:
        """Never animated: what comes meanwhile would throw the reader back to where the movement began."""
        return super()._scroll_to(x, y, **{**more, "animate": False})

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    @property
    def _height(self) -> int:
        return self.scrollable_content_region.height

    @property
    def _has_bar(self) -> bool:
        """Whether the last row leads back to the end, which is out of sight."""
        below = self._layout_of_rows.height - self.scroll_offset.y > self._height - 1
        return not self.following and below and bool(self._capture.shown)

    def _index(self) -> int:
        shown = self._capture.shown
        if self._cursor is not None:
            return min(self._capture.index_of(self._cursor), len(shown) - 1)
        if self.following:
            return len(shown) - 1
        found = self._layout_of_rows.locate(self.scroll_offset.y + self._height - 2)
        return found[0] if found else len(shown) - 1

    def _step(self, index: int) -> None:
        if index >= len(self._capture.shown):
            self.action_follow()
        else:
            self.go_to(max(0, index))

    def _fold(self, index: int) -> None:
        self._capture.fold(self._capture.shown[index].number)
        self._let_go()
        self.sync()
        self.go_to(index)

    def _let_go(self) -> None:
        self._remember(round(self.scroll_y))
        self._set_following(False)

    def _remember(self, y: int) -> None:
        """Which row is the first in sight, by its entry: older ones may go away above it."""
        found = self._layout_of_rows.locate(y)
        self._anchor = (self._capture.shown[found[0]].number, found[1]) if found else (0, 0)

    def _set_following(self, following: bool) -> None:
        if following != self.following:
            self.following = following
            self._seen = self._capture.shown[-1].number if self._capture.shown else 0
            self.refresh()
            self.post_message(self.FollowChanged())

    def _put(self) -> None:
        """Stand where the reader wants to be."""
        layout = self._layout_of_rows
        # One row more, so that the bar over the last row of the screen hides nothing that one went to.
        size = Size(self._width, layout.height + (not self.following))
        if self.virtual_size != size:
            # Assigned the usual way it would lay out and paint the whole screen anew.
            self.set_reactive(LensView.virtual_size, size)
            self._placing = True
            self._scroll_update(size)
            self._placing = False
        if self.following or not self._capture.shown:
            self._go(self.max_scroll_y)
        else:
            number, row = self._anchor
            index = min(self._capture.index_of(number), len(self._capture.shown) - 1)
            self._go(layout.top(index) + min(row, layout.rows(index) - 1))
        self.refresh()

    def _go(self, y: int) -> None:
        self._placing = True
        try:
            self.scroll_to(y=y, animate=False, force=True)
        finally:
            self._placing = False
        if not self.following and self._capture.shown:
            self._remember(round(self.scroll_y))

    def _row(self, painter: Painter, y: int, width: int) -> Strip:
        found = self._layout_of_rows.locate(y)
        if found is None:
            return Strip.blank(width, painter.base)
        index, row = found
        entry = self._capture.shown[index]
        cursor = self.has_focus and index == self._index()
        key = (entry.number, row, width, cursor)
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) >= _STRIPS:
                self._strips.clear()
            marks = Marks(cursor, self._sign(index), self.needle)
            spans = self._layout_of_rows.row(index, row)
            strip = self._strips[key] = painter.row(spans, width, marks, first=not row)
        return strip

    def _sign(self, index: int) -> str:
        if not self._layout_of_rows.folds(index):
            return " "
        return "▾" if self._capture.shown[index].number in self._capture.unfolded else "▸"

    def _text(self, y: int) -> str:
        found = self._layout_of_rows.locate(y)
        if found is None:
            return ""
        marks = "" if found[1] else " " * MARKS
        return marks + plain(self._layout_of_rows.row(*found))

    def _selected(self, strip: Strip, text: str, start: int, end: int) -> Strip:
        left = cell_len(text[:start])
        right = strip.cell_length if end == -1 else cell_len(text[:end])
        style = self.screen.get_component_rich_style("screen--selection")
        marked = Strip(Segment.apply_style(strip.crop(left, right), post_style=style))
        return Strip.join([strip.crop(0, left), marked, strip.crop(right)])
