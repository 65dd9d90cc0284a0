"""The command palette: what every key and every slash command does, found by typing."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.types import IgnoreReturnCallbackType

from tui.commands import COMMANDS, Call, offered
from tui.screens.prompt import PromptScreen
from tui.screens.room import RoomScreen
from tui.widgets.wrapping import clean


class RoomCommands(Provider):
    """What can be done in the room, and with the screen."""

    def _entries(self) -> list[tuple[str, str, IgnoreReturnCallbackType]]:
        entries: list[tuple[str, str, IgnoreReturnCallbackType]] = [
            ("theme", "light, dark, or the terminal's own 16 colours", self.app.action_change_theme),
            ("quit", "leave pushtui", self.app.action_quit),
        ]
        screen = self.screen
        if not isinstance(screen, RoomScreen):
            return entries
        entries += [
            ("other pane", "go to the other pane (F6)", screen.action_other_pane),
            ("wire", "what passes in this pane, to the byte, and back (F2)", screen.action_wire),
            ("zoom", "one pane over the whole width, and back (F11)", screen.action_zoom),
            ("next room", "go to the next of your rooms (F4)", screen.action_next_room),
            ("retry now", "do not wait for the next try of a lost link (^R)", screen.action_retry_now),
            ("copy", "copy what is selected (^C)", screen.copy_selection),
        ]
        if screen.chat.newest_failed is not None:
            entries += [
                ("retry what failed", "send once more what you said last in vain", screen.retry_failed),
                ("take back what failed", "put it into the composer", screen.take_back_failed),
            ]
        if screen.chat.session.unsent:
            entries.append(("not sent", "what you said and no server has (F5)", screen.action_unsent))
        entries += [
            (f"go to room {clean(view.rules.label(room))}", "one of your rooms", partial(screen.chat.go_to, room))
            for room, view in screen.chat.session.state.rooms.items()
            if room != screen.chat.room
        ]
        for command in offered(screen.chat.session.state.role):
            if command.name == "quit":
                continue
            if command.argument:
                entries.append((command.usage, command.does, partial(self._ask, screen, command.name)))
            else:
                entries.append((command.usage, command.does, partial(screen.do, Call(command.name, ""))))
        return entries

    def _ask(self, screen: RoomScreen, name: str) -> None:
        def answered(call: Call | None) -> None:
            if call is not None:
                screen.do(call)

        self.app.push_screen(PromptScreen(COMMANDS[name]), answered)

    async def discover(self) -> Hits:
        """Everything, before anything is typed."""
        for name, does, act in self._entries():
            yield DiscoveryHit(Content(name), act, text=name, help=does)

    async def search(self, query: str) -> Hits:
        """What matches by its name, or by what it does."""
        matcher = self.matcher(query)
        for name, does, act in self._entries():
            score = max(matcher.match(name), 0.5 * matcher.match(does))
            if score > 0:
                yield Hit(score, matcher.highlight(name), act, text=name, help=does)
