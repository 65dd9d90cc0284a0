"""One line below the lens that asks for something: what to filter by, to look for, a file's name."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label


class Prompt(Horizontal):
    """Takes no room until it asks. One answers with enter, and drops it with escape."""

    DEFAULT_CSS = """
    Prompt {
        display: none;
        height: 1;
        padding: 0 1;
        Label { width: auto; margin-right: 1; color: $text-primary; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "drop", show=False)]

    class Answered(Message):
        """What was asked for; ``text`` is None if it was dropped."""

        def __init__(self, purpose: str, text: str | None) -> None:
            self.purpose = purpose
            self.text = text
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self._purpose = ""

    def compose(self) -> ComposeResult:
        """What is asked for, and the line."""
        yield Label("", markup=False)
        yield Input(compact=True)

    def ask(self, purpose: str, text: str = "", hint: str = "") -> None:
        """Ask for something, which begins with ``text``."""
        self._purpose = purpose
        self.query_one(Label).update(purpose)
        field = self.query_one(Input)
        field.placeholder = hint
        field.value = text
        field.cursor_position = len(text)
        self.display = True
        field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """That is the answer."""
        event.stop()
        self._close(event.value)

    def action_drop(self) -> None:
        """Nothing is to be done."""
        self._close(None)

    def _close(self, text: str | None) -> None:
        self.display = False
        self.post_message(self.Answered(self._purpose, text))
