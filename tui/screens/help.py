"""Every key, every command, every sign."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.commands import COMMANDS

KEYS: tuple[tuple[str, str], ...] = (
    ("F1", "this help; also /help"),
    ("F3", "who is here; also /who"),
    ("F4", "next room; also ctrl+page down, page up, alt+1 … alt+9"),
    ("F6", "the other pane; also a click on it"),
    ("F11", "one pane over the whole width, and back; also alt+z, a double click on its head"),
    ("^R", "retry a lost link now"),
    ("^P", "commands"),
    ("^C", "copy what is selected with the mouse"),
    ("^Q", "quit; also /quit"),
    ("enter", "send; ctrl+j or alt+enter begin a new line"),
    ("tab", "complete a command, a room, a nick (ana or @ana)"),
    ("up, down", "at the edge of the composer: what you said before"),
    ("page up, page down", "scroll the conversation; the end follows again"),
    ("left, right", "with the bar between the panes in focus: move it; also drag it"),
)
SIGNS: tuple[tuple[str, str], ...] = (
    ("⇄", "the chat: a WebSocket, both ways"),
    ("←", "the status: Server-Sent Events, one way"),
    ("◉ ◌ ○ ✕ ■", "live, connecting, lost, refused, closed"),
    ("… ↑ ✓ !", "what you said is queued, sent, stored, failed"),
    ("⚑", "a mark on the timeline"),
    ("● ▲", "warning, critical"),
)


class HelpScreen(ModalScreen[None]):
    """One page, scrolled if the terminal is small; any of the usual keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q,enter", "dismiss(None)", "close")]

    def compose(self) -> ComposeResult:
        """Three lists."""
        with VerticalScroll(classes="dialogue", id="help"):
            yield Static("pushtui · help", markup=False, classes="title")
            yield Static(_table("keys", KEYS))
            yield Static(_table("commands", [(command.usage, command.does) for command in COMMANDS.values()]))
            yield Static(_table("signs", SIGNS))
            yield Static("A line that begins with // is said with one slash.   esc closes this.", classes="about")


def _table(title: str, rows: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> Content:
    lines = [Content.styled(title, "bold")]
    lines += [Content.assemble((f"{left:20}", "$primary"), right) for left, right in rows]
    return Content("\n").join(lines)
