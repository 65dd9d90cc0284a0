"""Where to, and as whom: shown when nobody said so, or when it did not work."""

from __future__ import annotations

import getpass
from contextlib import suppress
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Center, Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Button, Input, Label, Static

from pushtui.client.address import DEFAULT_ADDRESS, Address, AddressRefusedError
from pushtui.protocol import names
from pushtui.protocol.limits import LIMITS
from pushtui.protocol.token import Token, TokenRefusedError
from tui.widgets.key_line import Key, KeyLine

DEFAULT_ROOM = "main"
UNENCRYPTED = "Others can read your token on its way there: use https:// if the server has it."


class Destination(NamedTuple):
    """What the fields hold, as it was written; but for the token, which is not kept anywhere."""

    address: str
    nick: str
    room: str


def login_nick() -> str:
    """Return the login name as a valid nick: what a nick cannot have is left out."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "guest"
    kept = "".join(character for character in name if character.isalnum() or character in "._-")
    try:
        return names.nick(kept[: LIMITS.nick_characters])
    except names.NameRefusedError:
        return "guest"


class ConnectScreen(Screen[None]):
    """Four fields; Enter in any of them, or the button, posts `Wanted`.

    Args:
        destination: what the fields begin with.
        wrong: what went wrong before, in one sentence.
        advice: what could be done about it.
        field: the id of the field to begin in.
        has_token: there is a token for that server, which an empty field leaves as it is.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f1", "app.help", "help")]

    class Wanted(Message):
        """All fields are valid. ``token`` is None if none was written."""

        def __init__(self, address: Address, nick: str, room: str, token: Token | None) -> None:
            self.address = address
            self.nick = nick
            self.room = room
            self.token = token
            super().__init__()

    def __init__(
        self,
        destination: Destination,
        *,
        wrong: str = "",
        advice: str = "",
        field: str = "address",
        has_token: bool = False,
    ) -> None:
        super().__init__()
        self._destination = destination
        self._wrong = wrong
        self._advice = advice
        self._field = field
        self._has_token = has_token

    def compose(self) -> ComposeResult:
        """The fields under each other, in the middle."""
        with Center(), Vertical(id="connect"):
            yield Static("pushtui", markup=False, classes="title")
            yield Static("a team room in a terminal", markup=False, classes="about")
            for name, value, hint in zip(
                ("address", "nick", "room"),
                self._destination,
                (DEFAULT_ADDRESS, "your name", DEFAULT_ROOM),
                strict=True,
            ):
                with Horizontal(classes="field"):
                    yield Label(name, markup=False)
                    yield Input(value, placeholder=hint, id=name, compact=True)
            with Horizontal(classes="field"):
                yield Label("token", markup=False)
                hint = "the one you gave" if self._has_token else "if the server wants one"
                yield Input(placeholder=hint, id="token", password=True, compact=True)
            yield Button("connect", variant="primary", compact=True)
            yield Static(self._wrong, markup=False, classes="wrong")
            yield Static(self._advice, markup=False, classes="about", id="advice")
        yield KeyLine(Key("f1", "help"), Key("ctrl+p", "commands"), Key("ctrl+q", "quit"))

    def on_mount(self) -> None:
        """Begin in the field that wants something."""
        self.query_one(f"#{self._field}", Input).focus()

    @property
    def destination(self) -> Destination:
        """The fields as they are now."""
        return Destination(*(self.query_one(f"#{name}", Input).value for name in Destination._fields))

    def on_input_changed(self) -> None:
        """Say so where others could read the token on its way."""
        advice = self._advice
        if self.query_one("#token", Input).value:
            with suppress(AddressRefusedError):
                if not Address.parse(self.destination.address or DEFAULT_ADDRESS).private:
                    advice = UNENCRYPTED
        self.query_one("#advice", Static).update(advice)

    def on_input_submitted(self) -> None:
        """Enter connects, in whichever field."""
        self._submit()

    def on_button_pressed(self) -> None:
        """So does the button."""
        self._submit()

    def _submit(self) -> None:
        address, nick, room = (value.strip() for value in self.destination)
        field = "address"
        try:
            wanted_address = Address.parse(address or DEFAULT_ADDRESS)
            field = "nick"
            wanted_nick = names.nick(nick)
            field = "room"
            wanted_room = names.room(room or DEFAULT_ROOM)
            field = "token"
            written = self.query_one("#token", Input).value.strip()
            token = Token(written) if written else None
        except (AddressRefusedError, names.NameRefusedError, TokenRefusedError) as refused:
            self.query_one(".wrong", Static).update(str(refused))
            self.query_one("#advice", Static).update("")
            self.query_one(f"#{field}", Input).focus()
            return
        self.post_message(self.Wanted(wanted_address, wanted_nick, wanted_room, token))
