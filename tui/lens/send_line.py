"""Where one writes what is sent over a WebSocket: text, or bytes in hexadecimal."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from tui.state.recall import Recall

_PREFIX = "0x"
_HINT = "a message; 0x68 69 sends bytes"
#: The keys of the lens are letters, so one has to know whether one writes.
_AWAY = f"tab or a click comes here: {_HINT}"


class SendLine(Horizontal):
    """One line; enter sends it. A leading ``0x``, or ctrl+b, makes it bytes. Up recalls what was sent."""

    DEFAULT_CSS = """
    SendLine {
        height: 3;
        padding: 0 1;
        border: round $foreground 25%;
        &:focus-within { border: round $primary; }
        Label { width: 7; color: $text-primary; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+b", "binary", "binary", priority=True),
        Binding("up", "recall(False)", show=False),
        Binding("down", "recall(True)", show=False),
    ]

    class Submitted(Message):
        """Something is to be sent: text, or bytes."""

        def __init__(self, message: str | bytes) -> None:
            self.message = message
            super().__init__()

    class Refused(Message):
        """What was written is no bytes; ``said`` tells why."""

        def __init__(self, said: str) -> None:
            self.said = said
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self._binary = False
        self._recall = Recall()

    def compose(self) -> ComposeResult:
        """What it will be, and the line."""
        yield Label("text", markup=False)
        yield Input(placeholder=_AWAY, compact=True)

    def on_descendant_focus(self) -> None:
        """One writes here now."""
        self._field.placeholder = _HINT

    def on_descendant_blur(self) -> None:
        """One does not."""
        self._field.placeholder = _AWAY

    def on_input_changed(self) -> None:
        """It may have become bytes."""
        self._relabel()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Send it, if it is something that can be sent."""
        event.stop()
        written = event.value
        if not self._is_bytes:
            message: str | bytes = written
        else:
            try:
                message = bytes.fromhex(written.strip().removeprefix(_PREFIX))
            except ValueError:
                self.post_message(self.Refused("bytes are pairs of hexadecimal digits, such as 00 ff"))
                return
        self._recall.add(written)
        self._field.clear()
        self.post_message(self.Submitted(message))

    def restore(self, message: str | bytes) -> None:
        """It could not be sent: write it again, unless something else is being written."""
        if not self._field.value:
            self._field.value = message if isinstance(message, str) else _PREFIX + message.hex(" ")

    def action_binary(self) -> None:
        """Text becomes bytes, or the other way."""
        self._binary = not self._binary
        self._relabel()

    def action_recall(self, newer: bool) -> None:
        """What was sent before, or after."""
        step = self._recall.newer if newer else self._recall.older
        if (text := step(self._field.value)) is not None:
            self._field.value = text
            self._field.cursor_position = len(text)

    @property
    def _field(self) -> Input:
        return self.query_one(Input)

    @property
    def _is_bytes(self) -> bool:
        return self._binary or self._field.value.startswith(_PREFIX)

    def _relabel(self) -> None:
        self.query_one(Label).update("binary" if self._is_bytes else "text")
