"""An answer of several lines: who is kept out or muted."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.widgets.wrapping import clean


class ListingScreen(ModalScreen[None]):
    """One page, scrolled if it is long; any of the usual keys closes it.

    Args:
        title: what was asked for.
        text: its lines.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss(None)", "close")]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._lines = text.splitlines()

    def compose(self) -> ComposeResult:
        """A title, the lines, and how to close it."""
        with VerticalScroll(classes="dialogue", id="listing"):
            yield Static(self._title, markup=False, classes="title")
            yield Static(Content("\n").join([Content(clean(line)) for line in self._lines]))
            yield Static("esc closes this.", classes="about")
