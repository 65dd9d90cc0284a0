"""The left pane: both ways, over a WebSocket."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Static

from pushtui.client.happenings import Link, LinkState, Undeliverable
from pushtui.protocol.messages import Error, Presence, PresenceState, Resume, Welcome
from tui.commands import Call, Completion, LineRefusedError, complete
from tui.state.chat import ChatState
from tui.state.link import LinkView
from tui.state.rates import Rate
from tui.state.room import RoomView
from tui.widgets.chat_head import chat_head
from tui.widgets.composer import Composer
from tui.widgets.drain import Drain
from tui.widgets.failure import ClientFailed, sentence
from tui.widgets.pane_head import Head, PaneHead
from tui.widgets.roster import Roster
from tui.widgets.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Callable

    from pushtui.client.address import Address
    from tui.clients import Chat
    from tui.clock import Clock


_T = TypeVar("_T")
_EMPTY = "Nobody has spoken yet. Write a line, or:\ncurl -d hello {url}"


class ChatPane(Vertical):
    """Head, timeline, who is typing, composer; fed by one `Chat` client as long as the pane lives.

    Args:
        client: makes the client of a nick and rooms; called after the first paint, because its libraries
            take a while to load.
        clock: what time it is.
        address: of the server, for hints.
        nick: who we are, until the server says so.
        room: the first room.
        draft: what the composer begins with.

    Attributes:
        state: all rooms.
        link: how the conversation comes.
        room: the name of the room that is shown.
        looked_at: whether the pane can be seen, so that what comes is read; set by the screen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "page(False)", show=False),
        Binding("pagedown", "page(True)", show=False),
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

    def __init__(
        self,
        client: Callable[[str, list[str]], Chat],
        clock: Clock,
        *,
        address: Address,
        nick: str,
        room: str,
        draft: str = "",
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self.state = ChatState(nick)
        self.state.room(room)
        self.link = LinkView()
        self.room = room
        self.looked_at = True
        self._make = client
        self._client: Chat | None = None
        self._clock = clock
        self._address = address
        self._draft = draft
        self._drafts: dict[str, str] = {}
        self._up, self._down = Rate(), Rate()
        self._rates = (0.0, 0.0)
        self._ended = False
        self._entered = False
        self._note = ""
        self._below = ""
        self._away = False
        self._away_text: str | None = None
        self._news = ""
        self._drain = Drain(self, self._paint)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield PaneHead(self._head())
        with Horizontal():
            yield Timeline()
            yield Roster()
        yield Static("", id="below", markup=False)
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
    def rooms(self) -> list[str]:
        """The names of the rooms that were joined, in that order."""
        return list(self.state.rooms)

    @property
    def view(self) -> RoomView:
        """The room that is shown."""
        return self.state.room(self.room)

    @property
    def draft(self) -> str:
        """What stands in the composer."""
        return self.query_one(Composer).text

    @property
    def unsent(self) -> str:
        """The draft, and before it what no server has stored yet."""
        view = self.view
        waiting = [item.text for item in view.items[len(view.items) - view.waiting :]]
        return "\n".join([*waiting, self.draft] if self.draft else waiting)

    def tick(self) -> None:
        """A second went by: rates, countdown, who has stopped typing."""
        if self._client is not None:
            now, traffic = self._clock.steady(), self._client.traffic
            self._rates = (
                self._up.observe(traffic.sent_frames, now),
                self._down.observe(traffic.received_frames, now),
            )
        self.state.tick(self._clock.wall_ms())
        self._drain.touch()

    def retry_now(self) -> None:
        """Do not wait for the next try; begin anew if there will be none."""
        if self._client is not None:
            self._client.retry_now()
        elif self._ended:
            self._begin_anew()

    def say(self, text: str) -> None:
        """Say something in the room that is shown. It is shown at once, and never waits for the link.

        Raises:
            LineRefusedError: it cannot be said.
        """
        key = self._asking(lambda client: client.say(self.room, text))
        self.state.queued(key, self.room, text, self._clock.wall_ms())
        self._drain.now()

    def go_to(self, room: str) -> None:
        """Show a room; what was written for the one before waits there."""
        composer = self.query_one(Composer)
        if room != self.room:
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
        argument = call.argument
        match call.command:
            case "nick":
                self._asking(lambda client: client.rename(argument))
            case "join":
                if argument not in self.state.rooms:
                    self._asking(lambda client: client.join(argument))
                self.state.room(argument)
                self.go_to(argument)
            case "leave":
                self._leave(argument or self.room)
            case "topic":
                self._asking(lambda client: client.topic(self.room, argument))
            case "me":
                self.say(f"/me {argument}")
            case "away":
                away = bool(argument) or not self._away
                self._asking(lambda client: client.away(away, argument or None))
                self._away, self._away_text = away, argument or None
                self._note_own_presence()
            case "mark":
                self._asking(lambda client: client.mark(self.room, argument))
            case "who":
                roster = self.query_one(Roster)
                roster.display = not roster.display
        self._drain.now()

    def action_page(self, forth: bool) -> None:
        """Scroll the conversation by a page, from wherever one writes."""
        timeline = self.query_one(Timeline)
        if forth:
            timeline.action_page_down()
        else:
            timeline.action_page_up()

    def on_composer_typing_changed(self, message: Composer.TypingChanged) -> None:
        """Let the others know."""
        if self._client is not None:
            self._client.typing(self.room, message.on)

    def on_text_area_changed(self) -> None:
        """Who writes on has read what was said above the composer."""
        if self._note:
            self._note = ""
            self._drain.touch()

    def on_pane_head_room_picked(self, message: PaneHead.RoomPicked) -> None:
        """A click on a room's name goes there."""
        self.go_to(message.room)

    def on_timeline_older_wanted(self, message: Timeline.OlderWanted) -> None:
        """Ask for what was before."""
        if self._client is not None:
            self._client.history(message.room, message.before)

    @work(exit_on_error=False, group="client")
    async def _listen(self) -> None:
        self._ended = False
        try:
            async with self._make(self.state.me, self.rooms) as client:
                self._client = client
                async for happening in client:
                    self.state.apply(happening, self._clock.wall_ms())
                    match happening:
                        case Link():
                            self.link.apply(happening, self._clock.steady())
                            self.post_message(self.LinkChanged(happening))
                        case Welcome() | Resume() if self._away:
                            self._note_own_presence()
                        case Error(message=said):
                            self._note = said
                        case Undeliverable(text=text, reason=reason):
                            self._undeliverable(text, reason)
                    self._drain.touch()
        except Exception as error:  # whatever it was, the status goes on and the person is told
            self.link.apply(Link(LinkState.CLOSED, f"it stopped: {sentence(error)}"), self._clock.steady())
            self.post_message(ClientFailed(f"the chat stopped: {sentence(error)}"))
        finally:
            self._client = None
            self._ended = True
            self._drain.touch()

    def _begin_anew(self) -> None:
        """What was held may have holes by now and is read again; what was not stored goes back to its author."""
        self.query_one(Composer).load_text(self.unsent)
        rooms = self.rooms
        self.state = ChatState(self.state.me)
        for room in rooms:
            self.state.room(room)
        self._show()
        self._listen()

    def _undeliverable(self, text: str, reason: str) -> None:
        composer = self.query_one(Composer)
        if not composer.text:  # what is being written is left alone: the timeline keeps the other, with the reason
            composer.restore(text)
            composer.call_later(composer.refuse, f"not sent: {reason}")

    def _note_own_presence(self) -> None:
        """The server tells it to the others only."""
        state: PresenceState = "away" if self._away else "here"
        for room in self.rooms:
            presence = Presence(room, self.state.me, state, self._away_text)
            self.state.apply(presence, self._clock.wall_ms())

    def _asking(self, ask: Callable[[Chat], _T]) -> _T:
        if self._client is None:
            raise LineRefusedError(
                "the link has ended: ctrl+r begins anew" if self._ended else "still starting: once more, please"
            )
        try:
            return ask(self._client)
        except ValueError as error:
            raise LineRefusedError(str(error)) from error

    def _leave(self, room: str) -> None:
        if room not in self.state.rooms:
            raise LineRefusedError(f"you are not in {room}")
        if len(self.state.rooms) == 1:
            raise LineRefusedError("this is your only room; /quit leaves pushtui")
        self._asking(lambda client: client.leave(room))
        if room == self.room:
            self.go_to(next(name for name in self.rooms if name != room))
        self.state.left(room)
        self._drafts.pop(room, None)

    def _show(self) -> None:
        self._entered = self.view.oldest is not None
        hint = _EMPTY.format(url=self._address.room(self.room)) if self._entered else ""
        self.query_one(Timeline).show(self.view, hint)

    def _complete(self, before: str) -> Completion:
        return complete(before, nicks=self.view.members, rooms=self.rooms)

    def _paint(self) -> None:
        view = self.view
        self.query_one(PaneHead).show(self._head())
        if view.oldest is not None and not self._entered:
            self._show()
        self.query_one(Timeline).sync()
        self.query_one(Roster).show(view.members.values())
        self._paint_below(view)
        if self.looked_at and view.following:
            view.seen()
        unread = sum(room.unread for room in self.state.rooms.values())
        if (news := f"{unread} new" if unread else "") != self._news:
            self._news = news
            self.post_message(self.Stirred(news))

    def _paint_below(self, view: RoomView) -> None:
        below = self.query_one("#below", Static)
        below.set_class(bool(self._note), "note")
        text = self._note or self.link.link.reason or _typing(view.typing(self._clock.wall_ms()))
        if text != self._below:
            self._below = text
            below.update(text)

    def _head(self) -> Head:
        return chat_head(
            self.state.rooms,
            self.room,
            self.link.standing(self._clock.steady()),
            latency_ms=self._client.latency_ms if self._client else None,
            rates=None if self.link.down else self._rates,
            away=self._away,
        )


def _typing(nicks: list[str]) -> str:
    match nicks:
        case []:
            return ""
        case [one]:
            return f"{one} is typing …"
        case [one, two]:
            return f"{one} and {two} are typing …"
        case _:
            return f"{len(nicks)} people are typing …"
