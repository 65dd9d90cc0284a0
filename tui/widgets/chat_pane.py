"""The left pane: both ways, over a WebSocket."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message

from pushtui.client.happenings import Link, LinkState
from tui.chat_commands import perform
from tui.chat_session import ChatSession, Unsent
from tui.commands import Call, Completion, LineRefusedError, complete
from tui.failure import ClientFailed, sentence
from tui.lens.pane_lens import Costs, PaneLens
from tui.requests import Answer, Enter, GivenBack, Listing, Note
from tui.screens.listing import ListingScreen
from tui.state.room import RoomView
from tui.widgets.below import Below, typing
from tui.widgets.chat_head import chat_head
from tui.widgets.composer import Composer
from tui.widgets.drain import Drain
from tui.widgets.pane_head import Head, PaneHead
from tui.widgets.roster import Roster
from tui.widgets.timeline import Timeline
from tui.widgets.wrapping import clean

if TYPE_CHECKING:
    from textual.widget import Widget

    from pushtui.client.address import Address
    from tui.clock import Clock
    from tui.state.link import LinkView

_EMPTY = "Nobody has spoken yet. Write a line, or:\ncurl -d hello {url}"
_EMPTY_PRIVATE = "Nobody has spoken yet. Write a line:\nonly who is let in here can read it."
_EMPTY_DIRECT = "Nobody has spoken yet. Write a line:\nonly you two can read it."


class ChatPane(Vertical):
    """Head, timeline, who is typing, composer; shows one room of a session, which lives as long as the pane.

    Args:
        session: the conversation.
        clock: what time it is.
        address: of the server, for hints.
        costs: what the lenses compare.
        draft: what the composer begins with.

    Attributes:
        session: the conversation.
        lens: shows what passes, to the byte.
        room: the name of the room that is shown.
        looked_at: whether the pane can be seen, so that what comes is read; set by the screen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "page(False)", show=False),
        Binding("pagedown", "page(True)", show=False),
        Binding("end,ctrl+end", "follow", show=False),
    ]

    class Stirred(Message):
        """What the other pane's tab should know changed: how much is unread, or nothing."""

        def __init__(self, news: str) -> None:
            self.news = news
            super().__init__()

    class LinkChanged(Message):
        """The link has a new state."""

        def __init__(self, link: Link) -> None:
            self.link = link
            super().__init__()

    class FailedChanged(Message):
        """More or fewer own messages have failed than before."""

        def __init__(self, count: int) -> None:
            self.count = count
            super().__init__()

    def __init__(
        self,
        session: ChatSession,
        clock: Clock,
        *,
        address: Address,
        costs: Costs,
        draft: str = "",
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self.session = session
        self.lens = PaneLens(self, "#meaning", "websocket", address.chat, clock, costs)
        self.room = session.rooms[0]
        self.looked_at = True
        self._clock = clock
        self._address = address
        self._draft = draft
        self._drafts: dict[str, str] = {}
        self._entered = False
        self._news = ""
        self._failed = 0
        self._drain = Drain(self, self._paint)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield PaneHead(self._head())
        with Horizontal(id="meaning"):
            yield Timeline()
            yield Roster()
        yield Below(id="below")
        yield Composer(completer=self._complete)

    def on_mount(self) -> None:
        """Show the room, still empty, and start to listen once the first picture stands."""
        self.query_one(Composer).load_text(self._draft)
        self.go_to(self.room)
        self.call_after_refresh(self._listen)

    def on_show(self) -> None:
        """What came while another pane had the space is painted now."""
        self._drain.touch()

    @property
    def link(self) -> LinkView:
        """How the conversation comes."""
        return self.session.link

    @property
    def rooms(self) -> list[str]:
        """The names of the rooms that were joined, in that order."""
        return self.session.rooms

    @property
    def view(self) -> RoomView:
        """The room that is shown."""
        return self.session.state.room(self.room)

    @property
    def draft(self) -> str:
        """What is written and not said."""
        return self.query_one(Composer).text

    @property
    def newest_failed(self) -> Unsent | None:
        """The own message that failed last, if possible one of the room that is shown."""
        failed = self.session.failed
        here = [unsent for unsent in failed if unsent.room == self.room]
        return next(reversed(here or failed), None)

    @property
    def home(self) -> Widget:
        """What takes the focus when one comes here."""
        return self.lens.panel.view if self.lens.panel else self.query_one(Composer)

    def toggle_lens(self) -> None:
        """Show what passes, or what it means."""
        self.lens.toggle()
        if not self.lens.on:
            self.query_one(Composer).focus()
        self.call_after_refresh(self._drain.now)  # once what is shown has its size again

    def tick(self) -> None:
        """A second went by: rates, countdown, who has stopped typing."""
        self.session.tick()
        self.lens.tick()
        self._drain.touch()

    def retry_now(self) -> None:
        """Do not wait for the next try; begin anew if there will be none."""
        if self.session.ended:
            if not self.session.kept:
                self._bring_back(self.session.unstored(self.room))
            self.session.begin_anew()
            self._show()
            self._listen()
        else:
            self.session.retry_now()

    def say(self, text: str) -> None:
        """Say something in the room that is shown.

        Raises:
            LineRefusedError: it cannot be said.
        """
        self.session.say(self.room, text)
        self._drain.now()

    def retry(self, unsent: Unsent) -> None:
        """Send once more what failed.

        Raises:
            LineRefusedError: it cannot be done.
        """
        self.session.retry(unsent.item.key or "")

    def take_back(self, unsent: Unsent) -> None:
        """Give up what was said, and put it into the composer of its room, before what is written there.

        Raises:
            LineRefusedError: it is too late.
        """
        line = self.session.take_back(unsent.item.key or "")
        if unsent.room != self.room:
            self.go_to(unsent.room)
        self._bring_back([line])
        self.query_one(Composer).focus()
        self._drain.now()

    def refuse(self, reason: str) -> None:
        """What was written cannot be said or done: say why, where there is space for all of it."""
        composer = self.query_one(Composer)
        composer.refuse(reason)
        if cell_len(reason) > composer.content_size.width:
            self.session.tell(Note(reason, grave=True))
            self._drain.touch()

    def go_to(self, room: str) -> None:
        """Show a room; what was written for the one before waits there."""
        composer = self.query_one(Composer)
        if room != self.room:
            self.session.read_note()
            self._drafts[self.room] = composer.text
            self.room = room
            composer.load_text(self._drafts.pop(room, ""))
            composer.move_cursor(composer.document.end)
        self._show()
        self._drain.now()

    def do(self, call: Call) -> None:
        """Do what a slash command asks for.

        Raises:
            LineRefusedError: it cannot be done.
        """
        perform(self.session, call, self.room)
        match call.command:
            case "join" if call.argument in self.rooms:
                self.go_to(call.argument)
            case "leave":
                self._leave(call.argument or self.room)
            case "who":
                roster = self.query_one(Roster)
                roster.display = not roster.display
        self._answered()
        self._drain.now()

    def action_page(self, forth: bool) -> None:
        """Scroll the conversation by a page, from wherever one writes."""
        if self.lens.panel:
            self.lens.panel.view.action_page(1 if forth else -1)
        elif forth:
            self.query_one(Timeline).action_page_down()
        else:
            self.query_one(Timeline).action_page_up()

    def action_follow(self) -> None:
        """Go to the newest message, from wherever one writes: the composer leaves the key to us at its end."""
        if self.lens.panel:
            self.lens.panel.view.action_follow()
        self.query_one(Timeline).follow()

    def on_composer_typing_changed(self, message: Composer.TypingChanged) -> None:
        """Let the others know, if it can come to something."""
        if not self.session.silence(self.room):
            self.session.typing(self.room, message.on)

    def on_text_area_changed(self) -> None:
        """Who writes on has read what was said above the composer."""
        self.session.read_note()
        self._drain.touch()

    def on_pane_head_room_picked(self, message: PaneHead.RoomPicked) -> None:
        """A click on a room's name goes there."""
        self.go_to(message.room)

    def on_pane_head_wire_wanted(self) -> None:
        """A click on the arrow."""
        self.toggle_lens()

    def on_lens_panel_left(self) -> None:
        """From the lens back to what one writes."""
        self.query_one(Composer).focus()

    def on_timeline_older_wanted(self, message: Timeline.OlderWanted) -> None:
        """Ask for what was before."""
        self.session.history(message.room, message.before)

    @work(exit_on_error=False, group="client")
    async def _listen(self) -> None:
        try:
            async for happening in self.session.happenings():
                self.lens.look_at(self.session.watch)
                if isinstance(happening, Link):
                    if happening.state not in (LinkState.CONNECTING, LinkState.LIVE):
                        self._bring_back(self.session.give_back())
                    self.post_message(self.LinkChanged(happening))
                self._answered()
                self._drain.touch()
        except Exception as error:  # whatever it was, the status goes on and the person is told
            self.post_message(ClientFailed(f"the chat stopped: {sentence(error)}"))
        self._drain.touch()

    def _answered(self) -> None:
        while self.session.requests.answers:
            self._deal_with(self.session.requests.answers.popleft())

    def _deal_with(self, answer: Answer) -> None:
        match answer:
            case Enter():
                try:
                    self.session.enter(answer)
                    self.go_to(answer.room)
                except LineRefusedError as refused:
                    self._bring_back([answer.line])
                    self.refuse(str(refused))
            case Listing(title, text):
                self.app.push_screen(ListingScreen(title, text))
            case GivenBack(line):
                self._bring_back([line])

    def _bring_back(self, lines: list[str]) -> None:
        if lines:
            self.query_one(Composer).restore("\n".join(lines))

    def _leave(self, room: str) -> None:
        self._drafts.pop(self.session.leave(room), None)
        if self.room not in self.rooms:
            # The room is shown no more, so what was written for it goes along to the next one.
            self.room = self.rooms[0]
            self._show()

    def _show(self) -> None:
        self._entered = self.view.oldest is not None
        self.query_one(Timeline).show(self.view, self._hint() if self._entered else "")

    def _hint(self) -> str:
        rules = self.view.rules
        if rules.direct:
            return _EMPTY_DIRECT
        return _EMPTY_PRIVATE if rules.private else _EMPTY.format(url=self._address.room(self.room))

    def _complete(self, before: str) -> Completion:
        session = self.session
        nicks = session.state.people if before.startswith("/dm ") else self.view.members
        return complete(before, nicks=nicks, rooms=session.labels, role=session.state.role)

    def _paint(self) -> None:
        view = self.view
        self.query_one(PaneHead).show(self._head())
        if view.oldest is not None and not self._entered:
            self._show()
        self.query_one(Timeline).sync(self._hint() if self._entered else "")
        self.query_one(Roster).show(view.members.values(), self.session.state.me, view.unnamed)
        self._paint_below(view)
        if self.looked_at and view.following and not self.lens.on:
            view.seen()
        unread = sum(room.unread for room in self.session.state.rooms.values())
        if (news := f"{unread} new" if unread else "") != self._news:
            self._news = news
            self.post_message(self.Stirred(news))
        if (failed := len(self.session.failed)) != self._failed:
            self._failed = failed
            self.post_message(self.FailedChanged(failed))

    def _paint_below(self, view: RoomView) -> None:
        session, composer = self.session, self.query_one(Composer)
        note, silence = session.note, session.silence(self.room)
        composer.silence(silence)
        text = (
            (note and note.text)
            or session.hold
            or self.link.link.reason
            or (f"{silence} · /leave closes it" if view.rules.shut else "")
            or (composer.text and silence)
            or typing(view.typing(self._clock.wall_ms()))
        )
        self.query_one(Below).say(clean(text), grave=note is not None and note.grave)

    def _head(self) -> Head:
        session = self.session
        return self.lens.head(
            chat_head(
                session.state.rooms,
                self.room,
                self.link.standing(self._clock.steady()),
                latency_ms=session.latency_ms,
                rates=None if self.link.down else session.rates,
                away=session.away,
                role=session.state.role,
            )
        )
