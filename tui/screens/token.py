"""Asks for another token when the one that let us in holds no longer."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from pushtui.protocol.token import Token, TokenRefusedError


class TokenScreen(ModalScreen[Token | None]):
    """Answers with a token; None if dropped.

    Args:
        reason: why the server wants one, in its words.
        authority: the server's host and port.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "drop it")]

    def __init__(self, reason: str, authority: str) -> None:
        super().__init__()
        self._reason = reason
        self._authority = authority

    def compose(self) -> ComposeResult:
        """The reason, what to do, the line, and room for what is wrong with it."""
        with Vertical(classes="dialogue"):
            yield Static(self._reason, markup=False, classes="title")
            yield Static(
                f"Another token for {self._authority} lets you go on; what you wrote stays. Esc: later.",
                markup=False,
                classes="about",
            )
            yield Input(placeholder="token", password=True, compact=True)
            yield Static("", markup=False, classes="wrong")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer, or say why not."""
        try:
            token = Token(event.value)
        except TokenRefusedError as refused:
            self.query_one(".wrong", Static).update(str(refused))
            return
        self.dismiss(token)
