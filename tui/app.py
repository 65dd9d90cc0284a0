"""The screen of pushtui: which screen is shown, what is remembered, and with which code it ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import msgspec
from rich.text import Text
from textual.app import App
from textual.binding import Binding, BindingType
from textual.filter import LineFilter

from pushtui.client.address import DEFAULT_ADDRESS
from pushtui.client.endings import wants_token
from pushtui.client.happenings import Link, LinkState
from pushtui.client.outbox_file import default_folder
from pushtui.exits import Exit
from tui import preferences, themes
from tui.clients import Clients, real_clients
from tui.clock import Clock
from tui.failure import ClientFailed
from tui.keyring import Keyring
from tui.line_filter import ControlGuard
from tui.screens.connect import UNENCRYPTED, ConnectScreen, Destination, login_nick
from tui.screens.room import RoomScreen
from tui.widgets.chat_pane import ChatPane

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.command import Provider
    from textual.screen import Screen

    from pushtui.client.address import Address
    from pushtui.protocol.token import Token


_LOST_ADVICE = "Start one with: pushtui serve\nEnter tries again."
_REFUSED_ADVICE = "Change what the server did not like. Enter tries again."
_TOKEN_ADVICE = "Write the token that you were given for it. Enter tries again."  # noqa: S105


def _room_commands() -> type[Provider]:
    from tui.command_palette import RoomCommands

    return RoomCommands


class PushtuiApp(App[int]):
    """Shows the room, or asks for the way to it.

    Args:
        address: of the server; None asks for it.
        nick: who we are.
        room: the first one to join.
        clients: makes the clients.
        keyring: the tokens that they use.
        clock: what time it is.
        kept_at: the file with what is remembered between runs.
        remembers: whether this run is to be remembered.
    """

    CSS_PATH = "app.tcss"
    TITLE = "pushtui"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_room_commands}
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f1", "help", "help", show=False)]

    def __init__(
        self,
        address: Address | None,
        nick: str | None,
        room: str,
        *,
        clients: Clients,
        keyring: Keyring | None = None,
        clock: Clock | None = None,
        kept_at: Path | None = None,
        remembers: bool = True,
    ) -> None:
        super().__init__()
        self._clients = clients
        self._keyring = keyring or Keyring()
        self._clock = clock or Clock()
        self._kept_at = kept_at or preferences.default_path()
        self._preferences = preferences.load(self._kept_at)
        self._remembers = remembers
        self._address = address
        self._nick = nick
        self._room = room
        self._draft = ""
        self._was_live = False
        self._warned = False
        self._code = Exit.FINE
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = themes.chosen(self._preferences.theme, self.console.color_system, plain=self.no_color)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Nothing reaches the terminal that could drive it."""
        filters = super().get_line_filters()
        if self.no_color and self.native_ansi_color:
            filters = themes.without_colours(filters)
        return [*filters, ControlGuard()]

    def on_mount(self) -> None:
        """Go to the room if the way is known, else ask."""
        self.theme_changed_signal.subscribe(self, lambda theme: self._keep(theme=theme.name))
        nick = self._nick or self._preferences.nick or login_nick()
        if self._address is None:
            kept = self._preferences
            where = Destination(kept.address or DEFAULT_ADDRESS, nick, kept.room or self._room)
            self.push_screen(ConnectScreen(where, has_token=self._keyring.given))
        else:
            self._enter(self._address, nick, self._room)

    def get_key_display(self, binding: Binding) -> str:
        """Write keys as they are labelled: F1, ^P."""
        return super().get_key_display(binding).upper()

    def _fatal_error(self) -> None:
        """As Textual has it, but without the values of variables: what was typed is among them, and a token."""
        from rich.segment import Segments
        from rich.traceback import Traceback

        self.bell()
        self._exit_renderables.append(Segments(self.console.render(Traceback(width=None), self.console.options)))
        self._close_messages_no_wait()

    def on_unmount(self) -> None:
        """Remember for the next time."""
        if self._remembers:
            preferences.save(self._kept_at, self._preferences)

    def tell(self, said: str) -> None:
        """Show one sentence for a while; a newer one takes its place."""
        self.clear_notifications()
        self.notify(said, markup=False)

    def action_help_quit(self) -> None:
        """Ctrl+C without a selection quits other programs; here it says what does."""
        self.tell("nothing is selected to copy; ctrl+q quits")

    async def action_help(self) -> None:
        """Show every key and command."""
        from tui.screens.help import HelpScreen

        await self.push_screen(HelpScreen())

    async def action_quit(self) -> None:
        """Leave; the exit code says whether there was a server. What would be lost is asked about once."""
        session = self._room_screen and self._room_screen.chat.session
        waiting = session.waiting if session else 0
        if not session or not waiting:
            self.exit(self._code)
        elif session.kept:
            said = f"not stored yet: {waiting} of your messages. Kept, and sent when you come back as"
            self.exit(self._code, message=Text(f"{said} {session.state.me}."))
        elif self._warned:
            self.exit(self._code)
        else:
            self._warned = True
            self.tell(f"not stored yet: {waiting} of your messages; ctrl+q once more leaves without them")

    def on_connect_screen_wanted(self, message: ConnectScreen.Wanted) -> None:
        """All fields are valid: try."""
        if message.token is not None:
            self._keyring.put(message.address, message.token)
        self._enter(message.address, message.nick, message.room)

    def on_chat_pane_link_changed(self, message: ChatPane.LinkChanged) -> None:
        """Remember a way that works; ask again for one that never did."""
        room = self._room_screen
        if room is None:
            return
        match message.link.state:
            case LinkState.LIVE:
                self._was_live = True
                self._code = Exit.FINE
                self._keep(address=room.address.http, nick=room.chat.session.state.me, room=room.first_room)
            case LinkState.REFUSED | LinkState.CLOSED:
                self._code = Exit.REFUSED
                if not self._was_live:
                    self._ask_again(room, message.link)
                elif wants_token(message.link.code):
                    self._ask_for_token(room, message.link)
            case LinkState.LOST if not self._was_live:
                self._code = Exit.NO_SERVER
                self._ask_again(room, message.link)

    def on_room_screen_shared(self, message: RoomScreen.Shared) -> None:
        """Remember how the width is shared."""
        self._keep(chat_share=message.chat_share)

    def on_client_failed(self, message: ClientFailed) -> None:
        """Say what stopped."""
        self.tell(message.said)

    @property
    def _room_screen(self) -> RoomScreen | None:
        return next((screen for screen in self.screen_stack if isinstance(screen, RoomScreen)), None)

    def _enter(self, address: Address, nick: str, room: str) -> None:
        self._was_live = False
        if self._keyring.of(address) is not None and not address.private:
            self.notify(UNENCRYPTED, severity="warning", markup=False)
        self._show(
            RoomScreen(
                address,
                nick,
                room,
                clients=self._clients,
                clock=self._clock,
                chat_share=self._preferences.chat_share,
                draft=self._draft,
            )
        )

    def _ask_again(self, room: RoomScreen, link: Link) -> None:
        self._draft = room.chat.draft
        advice, field = _REFUSED_ADVICE, "nick"
        if wants_token(link.code):
            advice, field = _TOKEN_ADVICE, "token"
        elif link.state is LinkState.LOST:
            advice, field = _LOST_ADVICE, "address"
        self._show(
            ConnectScreen(
                Destination(room.address.http, room.chat.session.state.me, room.chat.room),
                wrong=link.reason,
                advice=advice,
                field=field,
                has_token=self._keyring.of(room.address) is not None,
            )
        )

    def _ask_for_token(self, room: RoomScreen, link: Link) -> None:
        """Over the room, so that nothing that stands there is lost."""
        from tui.screens.token import TokenScreen

        def go_on(token: Token | None) -> None:
            if token is not None:
                self._keyring.put(room.address, token)
                room.action_retry_now()

        if not isinstance(self.screen, TokenScreen):
            self.push_screen(TokenScreen(link.reason, room.address.authority), go_on)

    def _show(self, screen: Screen[None]) -> None:
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.push_screen(screen)

    def _keep(self, **changes: str | float) -> None:
        """For the end, so that dragging the bar writes no file at every step."""
        self._preferences = msgspec.structs.replace(self._preferences, **changes)


def run(
    address: Address | None, nick: str | None, room: str, *, token: Token | None = None, keep: bool = True
) -> int:
    """Open the screen until it is left.

    Args:
        address: of the server; None asks for it.
        nick: who we are; None takes the last one, or the login name.
        room: the first room.
        token: for a server that wants one.
        keep: whether this run leaves something for the next one: its settings, and what is not stored yet.

    Returns:
        The exit code.
    """
    outbox = default_folder() if keep else None
    keyring = Keyring(token)
    app = PushtuiApp(address, nick, room, clients=real_clients(keyring, outbox), keyring=keyring, remembers=keep)
    return Exit.UNEXPECTED if (code := app.run()) is None else code
