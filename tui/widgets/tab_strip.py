"""One line with the names of both panes, for when only one of them has room."""

from __future__ import annotations

from textual.app import RenderResult
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

PANES = ("chat", "status")
#: Which way each flows: in sight for both, whichever is shown.
ARROWS = {"chat": "⇄", "status": "←"}


class TabStrip(Widget):
    """Both names, the one that is shown marked; the other with what happens there.

    Attributes:
        shown: the pane that is shown.
        news: what happens in each: ``3 new``, ``▲``, or nothing.
    """

    DEFAULT_CSS = """
    TabStrip {
        height: 1;
        padding: 0 1;
        color: $text-muted;
        &:ansi { text-style: dim; }
    }
    """

    shown: reactive[str] = reactive("chat")
    news: reactive[dict[str, str]] = reactive(dict)

    class Picked(Message):
        """A name was clicked."""

        def __init__(self, pane: str) -> None:
            self.pane = pane
            super().__init__()

    def tell(self, pane: str, news: str) -> None:
        """Say what happens in a pane."""
        self.news = self.news | {pane: news}

    def render(self) -> RenderResult:
        """Return the line; the shown pane is set off by more than a colour."""
        return Content("   ").join(self._label(pane) for pane in PANES)

    def on_click(self, event: Click) -> None:
        """Tell which one was meant."""
        offset = event.get_content_offset(self)
        if offset is not None:
            first = self._label(PANES[0]).cell_length + 1
            self.post_message(self.Picked(PANES[offset.x > first]))

    def _label(self, pane: str) -> Content:
        arrow = (f"{ARROWS[pane]} ", "bold not dim $primary")
        if pane == self.shown:
            return Content.assemble(arrow, (f"[{pane}]", "bold not dim $primary"))
        news = self.news.get(pane, "")
        return Content.assemble(arrow, f" {pane} ", (news, "bold not dim $text-warning"))
