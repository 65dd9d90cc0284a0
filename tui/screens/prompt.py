"""Asks for one line: what a command from the palette is to be done with."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.commands import Call, Command, LineRefusedError, parse


class PromptScreen(ModalScreen[Call | None]):
    """Answers with the command and its argument, once it is one that can be done; None if dropped."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "drop it")]

    def __init__(self, command: Command) -> None:
        super().__init__()
        self._command = command

    def compose(self) -> ComposeResult:
        """A title, the line, and room for what is wrong with it."""
        with Vertical(classes="dialogue"):
            yield Static(self._command.usage, markup=False, classes="title")
            yield Static(self._command.does, markup=False, classes="about")
            yield Input(placeholder=self._command.argument.strip("[]").lower(), compact=True)
            yield Static("", markup=False, classes="wrong")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer, or say why not."""
        try:
            call = parse(f"/{self._command.name} {event.value}".rstrip())
        except LineRefusedError as refused:
            self.query_one(".wrong", Static).update(str(refused))
            return
        self.dismiss(call if isinstance(call, Call) else None)
