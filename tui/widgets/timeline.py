"""The timeline of a room: virtual, so that twenty thousand messages cost what fits on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView

from tui.state.items import Item, State
from tui.state.room import Older, RoomView
from tui.widgets.local_time import LocalTime
from tui.widgets.timeline_colours import CSS, PREFIX
from tui.widgets.timeline_copy import copied, row_number, selected_in
from tui.widgets.timeline_layout import Anchor, Layout
from tui.widgets.timeline_paint import CLASSES, Painter
from tui.widgets.timeline_rows import face

if TYPE_CHECKING:
    from datetime import tzinfo

    from textual.selection import Selection
    from textual.strip import Strip

_STRIPS = 1024


class Timeline(ScrollView, can_focus=True):
    """What was said in a room, and what happened.

    At its end it follows; scrolled up it stays where the reader is, whatever comes, is loaded above, or changes
    its width. Give it a room with `show`, and call `sync` after the room changed: a few times a second will do,
    and it costs what has changed since.

    Args:
        empty: what to say as long as the room is empty, line by line.
        zone: the reader's time zone; None for the machine's.
        id: as of every widget.
    """

    ALLOW_SELECT = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {PREFIX + name for name in CLASSES}
    DEFAULT_CSS = CSS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("home,g", "scroll_home", "To the oldest", show=False),
        Binding("end,G", "scroll_end", "To the newest", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
    ]

    class OlderWanted(Message):
        """The reader is at the top: ask for what is older than ``before``. Posted once for each page.

        Attributes:
            room: the room's name.
            before: a seq.
        """

        def __init__(self, room: str, before: int) -> None:
            super().__init__()
            self.room = room
            self.before = before

    class FollowChanged(Message):
        """The reader let go of the end or came back to it, or more has come meanwhile.

        Attributes:
            following: whether the reader is at the end.
            unseen: how many messages have come since the reader let go.
        """

        def __init__(self, following: bool, unseen: int) -> None:
            super().__init__()
            self.following = following
            self.unseen = unseen

    class UnsentPicked(Message):
        """An own message that failed or waits was clicked.

        Attributes:
            key: the message's key.
        """

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, empty: str = "", *, zone: tzinfo | None = None, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.layout_of_items = Layout(LocalTime(zone))
        self._empty = empty
        self._view: RoomView | None = None
        self._revision = 0
        self._top_note = ""
        self._following = True
        self._unseen = 0
        self._arrived = 0
        self._anchor: Anchor | None = None
        self._origin = 0
        self._placing = False
        self._painter: Painter | None = None
        self._strips: dict[tuple[object, ...], Strip] = {}

    @property
    def following(self) -> bool:
        """Whether the reader is at the end, and stays there when more comes."""
        return self._following

    @property
    def unseen(self) -> int:
        """How many messages have come since the reader let go of the end."""
        return self._unseen

    def show(self, view: RoomView, empty: str | None = None) -> None:
        """Show a room from its end on.

        Args:
            view: the room.
            empty: what to say as long as it is empty; None for what was said before.
        """
        if self._view is not None:
            self._view.following = True
        if empty is not None:
            self._empty = empty
        self._view = view
        self._origin = 0
        self._anchor = None
        self._relay()
        self.follow()

    def sync(self, empty: str | None = None) -> None:
        """Come up to what happened to the room since the last time.

        Args:
            empty: what to say as long as it is empty; None for what was said before.
        """
        if empty is not None and empty != self._empty:
            self._empty = empty
            self.refresh()
        view = self._view
        if view is None:
            return
        if view.revision != self._revision:
            self._follow_changes(view)
        self._note_top(view)
        if not self._following:
            self._set_unseen(view.arrived - self._arrived)
        self._ask_older(again=False)

    def follow(self) -> None:
        """Go to the end, and stay there."""
        self._set_following(True)
        self._put()

    def action_scroll_end(self) -> None:
        """Go to the end, and stay there."""
        self.follow()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text, and what ends it."""
        return copied(selection, self.layout_of_items, self._origin), "\n"

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
        laid_out = self.layout_of_items.columns.width == self._width
        if self._placing or self._view is None or not laid_out:
            return
        self._anchor = self.layout_of_items.anchor(round(new_value))
        self._set_following(new_value >= self.max_scroll_y)
        if new_value < old_value:
            self._ask_older(again=True)

    def render_line(self, y: int) -> Strip:
        """Paint row ``y`` of the screen."""
        width = self._width
        painter = self._painter
        if painter is None:
            painter = self._painter = self._new_painter()
        if not self._following and y == self.size.height - 1:
            text = f"▼ {self._unseen} new · End" if self._unseen else "▼ End"
            return painter.bar(text, width, self._row_number(len(self.layout_of_items), 0))
        return self._row(painter, y + self.scroll_offset.y, width)

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        """Told with every layout. A resize event is not, if somebody asked for a region just before the layout."""
        changed = super()._size_updated(size, virtual_size, container_size, layout)
        if changed:
            self.call_later(self._fit)
        return changed

    def _fit(self) -> None:
        """Wrap anew, and keep the reader's place."""
        if self._view is None:
            return
        if self.layout_of_items.columns.width != self._width:
            if self.text_selection is not None:
                self.screen.clear_selection()
            self._relay()
        self._put()

    def on_click(self, event: events.Click) -> None:
        """Go back to the end, open a link, or pick an own message that is not sent."""
        if not self._following and event.y == self.size.height - 1:
            self.follow()
        elif self.text_selection is not None:
            return
        elif url := event.style.meta.get("url"):
            self.app.open_url(url)
        elif (item := self._item_at(event.y)) and item.key and item.state in (State.QUEUED, State.FAILED):
            self.post_message(self.UnsentPicked(item.key))

    def _scroll_to(self, x: float | None = None, y: float | None = None, **more: Any) -> bool:
        """Never animated: what comes meanwhile would throw the reader back to where the movement began."""
        return super()._scroll_to(x, y, **{**more, "animate": False})

    @property
    def _width(self) -> int:
        """Cells in a row, beside the scrollbar."""
        return self.scrollable_content_region.width

    def _relay(self) -> None:
        view = self._view
        if view is not None and self._width:
            self.layout_of_items.show(view.items, self._width)
            self._revision = view.revision
            self._strips.clear()
            self._note_top(view)

    def _follow_changes(self, view: RoomView) -> None:
        splices = view.changes_since(self._revision)
        if splices is None or not len(self.layout_of_items):
            self._anchor = None
            self._relay()
        else:
            self._revision = view.revision
            self._anchor = self.layout_of_items.update(splices, self._anchor)
            self._origin -= sum(inserted - removed for start, removed, inserted in splices if not start)
        self._put()

    def _put(self) -> None:
        """Stand where the reader wants to be."""
        layout = self.layout_of_items
        self._placing = True
        try:
            size = Size(self._width, layout.height)
            if self.virtual_size != size:
                # Assigned the usual way it would lay out and paint the whole screen anew, twice the cost of all
                # else; but only the scrollbar has to know, for the widget keeps its size.
                self.set_reactive(Timeline.virtual_size, size)
                self._scroll_update(size)
            if self._following:
                y = self.max_scroll_y
            elif self._anchor is not None:
                y = layout.place(self._anchor)
            else:
                y = round(self.scroll_y)
            self.scroll_to(y=y, animate=False, force=True)
        finally:
            self._placing = False
        self.refresh()
        self._ask_older(again=False)

    def _set_following(self, following: bool) -> None:
        if self._view is None:
            return
        self._view.following = following
        if following != self._following:
            self._following = following
            self._arrived = self._view.arrived
            self._unseen = 0
            self.refresh()
            self.post_message(self.FollowChanged(following, 0))

    def _set_unseen(self, unseen: int) -> None:
        if unseen != self._unseen:
            self._unseen = unseen
            self.refresh()
            self.post_message(self.FollowChanged(False, unseen))

    def _ask_older(self, *, again: bool) -> None:
        laid_out = self.layout_of_items.columns.width == self._width and self.size.height > 0
        if self._view is None or round(self.scroll_y) > 0 or not laid_out:
            return
        before = self._view.claim_older(again=again)
        if before is not None:
            self._note_top(self._view)
            self.post_message(self.OlderWanted(self._view.name, before))

    def _note_top(self, view: RoomView) -> None:
        notes = {
            Older.MORE: "",
            Older.LOADING: "loading older…",
            Older.FAILED: "older messages could not be loaded",
            Older.BEGINNING: f"the beginning of {view.rules.label(view.name)}",
        }
        if self._top_note != notes[view.older]:
            self._top_note = notes[view.older]
            self.refresh()

    def _new_painter(self) -> Painter:
        chosen = self.screen.get_component_rich_style("screen--selection")
        # Its foreground is one to be blended with the background, so words in it could not be read.
        selection = Style(reverse=True) if self.app.native_ansi_color else Style(bgcolor=chosen.bgcolor)
        return Painter(self.rich_style, selection, self._component)

    def _component(self, name: str) -> Style:
        return self.get_component_rich_style(PREFIX + name)

    def _row_number(self, item: int, row: int) -> int:
        return row_number(item + self._origin, row)

    def _item_at(self, y: int) -> Item | None:
        found = self.layout_of_items.locate(y + self.scroll_offset.y)
        return None if found is None else self.layout_of_items.item(found[0])[0]

    def _row(self, painter: Painter, y: int, width: int) -> Strip:
        layout = self.layout_of_items
        if not len(layout):
            return self._empty_row(painter, y, width)
        found = layout.locate(y)
        if found is None:
            number = self._row_number(0 if y < layout.top(0) else len(layout), 0)
            return painter.note(self._top_note, width, number) if y == 0 else painter.blank(width, number)
        index, row = found
        number = self._row_number(index, row)
        selected = selected_in(self.text_selection, number)
        item, before = layout.item(index)
        key = (item, before, number, selected)
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) >= _STRIPS:
                self._strips.clear()
            laid = layout.rows(index)[row]
            look = face(item, before, layout.local)
            strip = painter.row(item, laid, look, layout.columns, layout.local, selected, number)
            self._strips[key] = strip
        return strip

    def _empty_row(self, painter: Painter, y: int, width: int) -> Strip:
        lines = self._empty.split("\n") if self._view is not None and not self._view.catching_up else []
        first = max(0, (self.size.height - len(lines)) // 2)
        if first <= y < first + len(lines):
            return painter.note(lines[y - first], width, 0)
        return painter.blank(width, 0)
