"""Every key, every command, every sign."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from pushtui.protocol.roles import Role
from tui.commands import offered

KEYS: tuple[tuple[str, str], ...] = (
    ("F1", "this help; also /help"),
    ("F2", "what passes in this pane, to the byte, and back;"),
    ("", "also a click on its arrow; F1 there explains it"),
    ("F3", "who is here; also /who"),
    ("F4", "next room; also a click on its name"),
    ("alt+1 … alt+9", "that room"),
    ("^pgup, ^pgdn", "the room before, the next one"),
    ("F5", "what you said and is not sent: retry it, or"),
    ("", "take it back; also a click on it"),
    ("F6", "the other pane; also a click into it"),
    ("F11, alt+z", "one pane over the whole width, and back;"),
    ("", "also a double click on its head"),
    ("^R", "retry a lost link now, or begin anew"),
    ("^P", "commands: all of these, and more"),
    ("^C", "copy what is selected with the mouse"),
    ("^Q", "quit; also /quit"),
    ("enter", "send"),
    ("^J", "a new line"),
    ("tab", "complete a command, a room, ana or @ana"),
    ("up, down", "on the first and last line: what you said before"),
    ("pgup, pgdn", "scroll the conversation"),
    ("end", "at the end of what you write: the newest again"),
    ("left, right", "on the bar between the panes: move it"),
    ("", "(tab goes there; the mouse drags it)"),
)
SIGNS: tuple[tuple[str, str], ...] = (
    ("⇄", "the chat: a WebSocket, both ways"),
    ("←", "the status: Server-Sent Events, one way"),
    ("◉ ◌ ○ ✕ ■", "live, connecting, lost, refused, closed"),
    ("… ↑ ✓ !", "what you said is queued, sent, stored, failed"),
    ("…1042", "right of a head: the end of the last position"),
    ("⚑ # ~ ○", "a mark, a topic, who comes and goes, the link"),
    ("@ana *ops", "a room of you two alone, a private room"),
    ("● ▲", "warning, critical"),
)


#: Where the explanations begin.
_RIGHT = 16


class HelpScreen(ModalScreen[None]):
    """One page, scrolled if the terminal is small; any of the usual keys closes it.

    Args:
        role: whose commands to show.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q,enter", "dismiss(None)", "close")]

    def __init__(self, role: Role = Role.MEMBER) -> None:
        super().__init__()
        self._role = role

    def compose(self) -> ComposeResult:
        """Three lists."""
        with VerticalScroll(classes="dialogue", id="help"):
            yield Static("pushtui · help", markup=False, classes="title")
            yield Static(_table("keys", KEYS))
            commands = [(command.usage, command.does) for command in offered(self._role)]
            yield Static(_table("commands" + _mention(self._role), commands))
            yield Static(_table("signs", SIGNS))
            yield Static("A line that begins with // is said with one slash.   esc closes this.", classes="about")


def _table(title: str, rows: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> Content:
    lines = [Content.styled(title, "bold")]
    for left, right in rows:
        if len(left) < _RIGHT:
            lines.append(Content.assemble((f"{left:{_RIGHT}}", "$primary"), right))
        else:
            lines += [Content.styled(left, "$primary"), Content(f"{'':{_RIGHT}}{right}")]
    return Content("\n").join(lines)


def _mention(role: Role) -> str:
    return "" if role is Role.MEMBER else f", for one who is {role}"
