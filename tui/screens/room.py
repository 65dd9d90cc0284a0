"""The room: chat and status side by side, or one at a time where there is no space for both."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import Click, Resize
from textual.message import Message
from textual.screen import Screen

from pushtui.client.happenings import LinkState
from pushtui.wire.overhead import Overhead
from tui.chat_session import ChatSession
from tui.commands import Call, LineRefusedError, Say, parse
from tui.screens.unsent import Choice, UnsentScreen
from tui.widgets.chat_pane import ChatPane
from tui.widgets.composer import Composer
from tui.widgets.key_line import Key, KeyLine
from tui.widgets.splitter import Splitter
from tui.widgets.status_pane import StatusPane
from tui.widgets.tab_strip import TabStrip
from tui.widgets.timeline import Timeline
from tui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from pushtui.client.address import Address
    from pushtui.wire.records import Flow
    from tui.clients import Clients
    from tui.clock import Clock

SPLIT_WIDTH = 100
"""Columns from which on both panes are shown."""


_WAITING = {LinkState.LOST, LinkState.REFUSED, LinkState.CLOSED}
KEYS = (
    Key("f1", "help"),
    Key("f2", "wire"),
    Key("f5", "not sent"),
    Key("f3", "who"),
    Key("f4", "next room"),
    Key("f6", "other pane"),
    Key("f11", "zoom"),
    Key("ctrl+r", "retry now"),
    Key("ctrl+p", "commands"),
    Key("ctrl+q", "quit"),
)


class RoomScreen(Screen[None]):
    """Both panes on one address.

    Args:
        address: of the server.
        nick: who we are.
        room: the first one to join.
        clients: makes both clients.
        clock: what time it is.
        chat_share: the chat's share of the width, 0 to 1.
        draft: what the composer begins with.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "help"),
        Binding("f2", "wire", "wire", priority=True),
        Binding("f3", "who", "who"),
        Binding("f4", "next_room", "next room"),
        Binding("f5", "unsent", "not sent"),
        Binding("f6", "other_pane", "other pane", priority=True),
        Binding("f11,alt+z", "zoom", "zoom"),
        Binding("ctrl+r", "retry_now", "retry now", priority=True),
        Binding("ctrl+pagedown", "next_room", show=False, priority=True),
        Binding("ctrl+pageup", "next_room(-1)", show=False, priority=True),
        *(Binding(f"alt+{number}", f"nth_room({number})", show=False, priority=True) for number in range(1, 10)),
    ]

    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]  # noqa: RUF012

    class Shared(Message):
        """The bar between the panes was moved."""

        def __init__(self, chat_share: float) -> None:
            self.chat_share = chat_share
            super().__init__()

    def __init__(
        self,
        address: Address,
        nick: str,
        room: str,
        *,
        clients: Clients,
        clock: Clock,
        chat_share: float = 0.6,
        draft: str = "",
    ) -> None:
        super().__init__()
        costs: dict[Flow, Overhead] = {"websocket": Overhead(), "sse": Overhead()}
        self.address = address
        self.first_room = room
        self.chat = ChatPane(
            ChatSession(partial(clients.chat, address), clock, nick=nick, room=room),
            clock,
            address=address,
            costs=costs,
            draft=draft,
            id="chat",
        )
        self.status = StatusPane(
            partial(clients.status, address), clock, address=address.http, costs=costs, id="status"
        )
        self._clock = clock
        self._chat_share = chat_share
        self._zoomed = False
        self._active = "chat"

    def compose(self) -> ComposeResult:
        """Tabs for when they are needed, the panes with the bar between them, and the keys."""
        yield TabStrip()
        with Horizontal(id="panes"):
            yield self.chat
            yield Splitter(self._chat_share)
            yield self.status
        yield KeyLine(*KEYS)
        yield TooSmall()

    def on_mount(self) -> None:
        """Begin in the composer; look at rates and clocks once a second."""
        self._share(self._chat_share)
        self._arrange()
        self.query_one(KeyLine).mention("f5", False)
        if self._clock.runs:
            self.set_interval(1, self.tick)
        self.query_one(Composer).focus()

    @property
    def _panes(self) -> dict[str, ChatPane | StatusPane]:
        return {"chat": self.chat, "status": self.status}

    @property
    def split(self) -> bool:
        """Whether both panes are shown."""
        return self.size.width >= SPLIT_WIDTH and not self._zoomed

    def do(self, call: Call) -> None:
        """Do what was picked in the palette, or by a key; say so if it cannot be done."""
        try:
            self._do(call)
        except LineRefusedError as refused:
            self.notify(str(refused), markup=False)

    def _do(self, call: Call) -> None:
        match call.command:
            case "help":
                self.action_help()
            case "quit":
                self.app.call_later(self.app.action_quit)
            case _:
                self.chat.do(call)
                self.refresh_bindings()

    def action_help(self) -> None:
        """Show every key and command."""
        from tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.chat.session.state.role))

    def action_wire(self) -> None:
        """Show what passes in the active pane, to the byte, or what it means."""
        self._panes[self._active].toggle_lens()

    def action_who(self) -> None:
        """Show or hide the roster."""
        self.do(Call("who", ""))

    def action_next_room(self, step: int = 1) -> None:
        """Go to the next room, or the one before."""
        rooms = self.chat.rooms
        if self.chat.room in rooms:
            self.chat.go_to(rooms[(rooms.index(self.chat.room) + step) % len(rooms)])

    def action_nth_room(self, number: int) -> None:
        """Go to the first, second … room."""
        if number <= len(self.chat.rooms):
            self.chat.go_to(self.chat.rooms[number - 1])

    def action_other_pane(self) -> None:
        """Go to the pane that is not active."""
        self._go("status" if self._active == "chat" else "chat")

    def action_zoom(self) -> None:
        """Give the active pane the whole width, or share it again."""
        self._zoomed = not self._zoomed
        self._arrange()
        self.refresh_bindings()

    def action_retry_now(self) -> None:
        """Do not wait for the next try of whatever is down."""
        for pane in (self.chat, self.status):
            if pane.link.down:
                pane.retry_now()

    def action_unsent(self, key: str | None = None) -> None:
        """Show own messages that are not sent: first the one with ``key``, or else the newest that failed."""
        unsent = self.chat.session.unsent
        keys = [one.item.key for one in unsent]
        newest = self.chat.newest_failed
        meant = key or (newest and newest.item.key)
        if not unsent:
            self.notify("everything you said is sent", markup=False)
        elif key is None or key in keys:
            chosen = keys.index(meant) if meant else 0
            rooms = any(one.room != self.chat.room for one in unsent)
            self.app.push_screen(UnsentScreen(unsent, chosen, rooms=rooms), self._deal_with)

    def retry_failed(self) -> None:
        """Send once more what failed last."""
        if (failed := self.chat.newest_failed) is not None:
            self._deal_with(Choice(failed, retried=True))

    def take_back_failed(self) -> None:
        """Put what failed last into the composer."""
        if (failed := self.chat.newest_failed) is not None:
            self._deal_with(Choice(failed, retried=False))

    def _deal_with(self, choice: Choice | None) -> None:
        if choice is None:
            return
        try:
            if choice.retried:
                self.chat.retry(choice.unsent)
            else:
                self.chat.take_back(choice.unsent)
        except LineRefusedError as refused:
            self.notify(str(refused), markup=False)

    def copy_selection(self) -> None:
        """Copy what is selected, as ctrl+c does; say so if nothing is."""
        selected = self.get_selected_text()
        if selected is None:
            self.notify("nothing is selected: drag the mouse over some text", markup=False)
        else:
            self.app.copy_to_clipboard(selected)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys without a meaning now are not offered."""
        match action:
            case "retry_now":
                return any(pane.link.link.state in _WAITING for pane in (self.chat, self.status))
            case "next_room" | "nth_room":
                return len(self.chat.rooms) > 1
            case "who":
                return self.chat.display
            case "zoom":
                return self.size.width >= SPLIT_WIDTH
        return True

    def on_resize(self, event: Resize) -> None:
        """Show as many panes as there is space for; what was written and where one was stays."""
        self._arrange()
        self.query_one(TooSmall).fit(event.size)
        self.refresh_bindings()

    def on_descendant_focus(self) -> None:
        """The pane with the focus is the active one."""
        focused = self.focused
        for pane in (self.chat, self.status):
            if focused is not None and pane in focused.ancestors:
                self._active = str(pane.id)
                self.query_one(TabStrip).shown = self._active

    def on_composer_submitted(self, message: Composer.Submitted) -> None:
        """Say it, or do it; what cannot be done comes back with a sentence."""
        composer = self.query_one(Composer)
        try:
            meant = parse(message.text)
        except LineRefusedError as refused:
            self.chat.refuse(str(refused))
            return
        composer.accept()  # before it is done, because another room brings another draft
        try:
            if isinstance(meant, Say):
                self.chat.say(meant.text)
            else:
                self._do(meant)
        except LineRefusedError as refused:
            composer.restore(message.text)
            composer.call_later(self.chat.refuse, str(refused))

    def on_click(self, event: Click) -> None:
        """A click into a pane makes it the active one."""
        for pane in (self.chat, self.status):
            if event.widget is not None and pane in event.widget.ancestors_with_self and self._active != pane.id:
                self._go(str(pane.id))

    def on_pane_head_zoomed(self) -> None:
        """A double click on a head zooms its pane, which the first of the two clicks made the active one."""
        if self.size.width >= SPLIT_WIDTH:
            self.action_zoom()

    def on_tab_strip_picked(self, message: TabStrip.Picked) -> None:
        """A click on a tab goes there."""
        self._go(message.pane)

    def on_splitter_moved(self, message: Splitter.Moved) -> None:
        """Share the width anew."""
        self._share(message.ratio)
        self.post_message(self.Shared(message.ratio))

    def on_chat_pane_failed_changed(self, message: ChatPane.FailedChanged) -> None:
        """Mention the key that leads to what failed."""
        self.query_one(KeyLine).mention("f5", message.count > 0)

    def on_timeline_unsent_picked(self, message: Timeline.UnsentPicked) -> None:
        """A click on what is not sent asks what to do with it."""
        self.action_unsent(message.key)

    def on_chat_pane_link_changed(self) -> None:
        """A lost link gives a key its meaning."""
        self.refresh_bindings()

    def on_status_pane_link_changed(self) -> None:
        """As with the chat."""
        self.refresh_bindings()

    def on_chat_pane_stirred(self, message: ChatPane.Stirred) -> None:
        """Tell it at the tab."""
        self.query_one(TabStrip).tell("chat", message.news)

    def on_status_pane_stirred(self, message: StatusPane.Stirred) -> None:
        """Tell it at the tab."""
        self.query_one(TabStrip).tell("status", message.news)

    def tick(self) -> None:
        """A second went by."""
        self.chat.tick()
        self.status.tick()

    def _share(self, chat_share: float) -> None:
        # Whole numbers, because the layout rounds down what 0.6 + 0.4 leaves short of 1.
        self.chat.styles.width = f"{round(10_000 * chat_share)}fr"
        self.status.styles.width = f"{10_000 - round(10_000 * chat_share)}fr"

    def _go(self, pane: str) -> None:
        self._active = pane
        self._arrange()
        self._panes[pane].home.focus()

    def _arrange(self) -> None:
        split = self.split
        self.set_class(not split, "single")
        self.chat.display = split or self._active == "chat"
        self.status.display = split or self._active == "status"
        strip = self.query_one(TabStrip)
        strip.shown = self._active
        self.chat.looked_at = self.chat.display
