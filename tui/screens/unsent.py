"""Own messages that no server has: to be sent once more, or to be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

from tui.state.items import State
from tui.widgets.key_line import Key, KeyLine
from tui.widgets.timeline_paint import SIGNS
from tui.widgets.wrapping import clean, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.chat_session import Unsent

_WAITS = "It waits to be sent, and is sent by itself."
#: More cells than a dialogue has.
_LONGEST = 200


class Choice(NamedTuple):
    """What is to become of a message: it is retried, or else taken back."""

    unsent: Unsent
    retried: bool


class UnsentScreen(ModalScreen[Choice | None]):
    """Answers with what to do with one of them; None leaves all as they are.

    Args:
        unsent: the messages, at least one.
        chosen: the index of the one to begin at.
        rooms: whether to say in which room each was said.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # Before the list takes enter: there a click means the same, and a click only chooses.
        Binding("r,enter", "retry", "retry", priority=True),
        Binding("t", "take_back", "take back"),
        Binding("escape,f5", "dismiss(None)", "leave it"),
    ]

    def __init__(self, unsent: Sequence[Unsent], chosen: int, *, rooms: bool) -> None:
        super().__init__()
        self._unsent = unsent
        self._first = chosen
        self._rooms = rooms

    def compose(self) -> ComposeResult:
        """The messages, what is the matter with the chosen one, and the keys."""
        with Vertical(classes="dialogue"):
            yield Static("not sent", markup=False, classes="title")
            yield OptionList(*map(self._line, self._unsent), compact=True, markup=False)
            yield Static("", markup=False, classes="about")
            yield KeyLine(Key("r", "retry"), Key("t", "take back to change it"), Key("escape", "leave it"))

    def on_mount(self) -> None:
        """Begin at the one that is meant."""
        self.query_one(OptionList).highlighted = self._first

    def on_option_list_option_highlighted(self) -> None:
        """Say what is the matter with it."""
        item = self._chosen.item
        reason = item.reason or "The server did not take it."
        self.query_one(".about", Static).update(reason if item.state is State.FAILED else _WAITS)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What waits has not failed."""
        return action != "retry" or self._chosen.item.state is State.FAILED

    def action_retry(self) -> None:
        """Send it once more."""
        self.dismiss(Choice(self._chosen, retried=True))

    def action_take_back(self) -> None:
        """Give it up, and put it into the composer."""
        self.dismiss(Choice(self._chosen, retried=False))

    @property
    def _chosen(self) -> Unsent:
        options = self.query(OptionList)
        highlighted = options.first().highlighted if options else None
        return self._unsent[self._first if highlighted is None else highlighted]

    def _line(self, unsent: Unsent) -> Content:
        item = unsent.item
        sign = SIGNS[item.state or State.QUEUED]
        room = (f"  {clean(unsent.label)}", "$text-muted") if self._rooms else ""
        return Content.assemble(sign, room, "  ", shorten(clean(item.written.replace("\n", " ")), _LONGEST))
