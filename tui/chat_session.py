"""One conversation with a server, apart from how it is shown: its client, what is known, and what one can do."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pushtui.client.happenings import Delivery, Link, LinkState, Pending, Undeliverable
from pushtui.protocol.messages import Done, Error, Invited, Presence, PresenceState, Resume, Welcome
from pushtui.protocol.text import safe_text
from tui.commands import LineRefusedError, line_of
from tui.failure import sentence
from tui.requests import Enter, Note, Requests
from tui.state.chat import ChatState
from tui.state.hold import Hold
from tui.state.items import Item, State
from tui.state.link import LinkView
from tui.state.rates import Rate
from tui.state.rules import silence

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from pushtui.client.happenings import ChatHappening
    from pushtui.wire.watch import Watch
    from tui.acts import Act
    from tui.clients import Chat
    from tui.clock import Clock
    from tui.state.room import RoomView

_T = TypeVar("_T")
#: An answer can come while one writes on: a note stays for so long at least.
_NOTE_SECONDS = 3.0
#: What nobody has to act on goes by itself.
_SHOWN_SECONDS = 30.0


class Unsent(NamedTuple):
    """An own message that no server has: it failed, or it waits to be sent; in a room with that label."""

    room: str
    label: str
    item: Item


class ChatSession:
    """A client and the state that its happenings make. Whatever cannot be done raises `LineRefusedError`.

    Args:
        make: makes the client of a nick and rooms; called late, because its libraries take a while to load.
        clock: what time it is.
        nick: who we are, until the server says so.
        room: the first room.

    Attributes:
        state: all rooms.
        link: how the conversation comes.
        rates: messages per second, up and down.
        away: whether we are.
        note: what there is to say about what one did, until it is read.
        requests: what the server was asked for besides, and what comes of it.
        kept: whether what is not stored yet outlives the program.
        ended: whether the client has given up, so that only `begin_anew` helps.
    """

    def __init__(self, make: Callable[[str, list[str]], Chat], clock: Clock, *, nick: str, room: str) -> None:
        self.state = ChatState(nick)
        self.state.room(room)
        self.link = LinkView()
        self.rates = (0.0, 0.0)
        self.away = False
        self.note: Note | None = None
        self.requests = Requests()
        self.kept = False
        self.ended = False
        self._make = make
        self._clock = clock
        self._client: Chat | None = None
        self._linked = False
        self._too_early: list[str] = []
        self._away_text: str | None = None
        self._up, self._down = Rate(), Rate()
        self._hold = Hold()
        self._noted_at = 0.0
        self._note_read = False

    @property
    def rooms(self) -> list[str]:
        """The names of the rooms that were joined, in that order."""
        return list(self.state.rooms)

    @property
    def labels(self) -> list[str]:
        """What the rooms are called that one is in, or may come into."""
        labels = {view.rules.label(name) for name, view in self.state.rooms.items()}
        labels |= {f"@{other}" if other else room for room, other in self.requests.invited.items()}
        return sorted(labels)

    @property
    def latency_ms(self) -> float | None:
        """The last round trip."""
        return self._client.latency_ms if self._client else None

    @property
    def watch(self) -> Watch | None:
        """Tells what passes, frame by frame; None while there is no client."""
        return self._client.watch if self._client else None

    async def happenings(self) -> AsyncIterator[ChatHappening]:
        """Listen; what happened is in `state` when it is yielded.

        Raises:
            Exception: whatever broke the client; the link says so too.
        """
        self.ended = False
        try:
            async with self._make(self.state.me, self.rooms) as client:
                self._client = client
                async for happening in client:
                    self._take(client, happening)
                    yield happening
        except Exception as error:
            self.link.apply(Link(LinkState.CLOSED, f"it stopped: {sentence(error)}"), self._clock.steady())
            raise
        finally:
            self._client = None
            self.ended = True

    def begin_anew(self) -> None:
        """Forget what is known, because it may have holes by now; the same rooms will be read again."""
        rooms = self.rooms
        self.state = ChatState(self.state.me)
        for room in rooms:
            self.state.room(room)

    def tick(self) -> None:
        """A second went by."""
        if self._client is not None:
            now, traffic = self._clock.steady(), self._client.traffic
            self.rates = (
                self._up.observe(traffic.sent_frames, now),
                self._down.observe(traffic.received_frames, now),
            )
        self.state.tick(self._clock.wall_ms())
        if self._note_read:
            self.read_note()
        if self.note and not self.note.grave and self._clock.steady() >= self._noted_at + _SHOWN_SECONDS:
            self.note = None

    def retry_now(self) -> None:
        """Do not wait for the next try."""
        if self._client is not None:
            self._client.retry_now()

    def tell(self, note: Note | None) -> None:
        """Have a note read; None leaves the one before."""
        if note is not None:
            self.note, self._note_read, self._noted_at = note, False, self._clock.steady()

    def read_note(self) -> None:
        """Whoever writes on has read the note, unless it came a moment ago."""
        self._note_read = self.note is not None and self._clock.steady() < self._noted_at + _NOTE_SECONDS
        if not self._note_read:
            self.note = None

    def silence(self, room: str) -> str:
        """Why one cannot write there, in one sentence; empty if one can."""
        return silence(self.state.room(room).rules, self.state.role)

    @property
    def hold(self) -> str:
        """How long the server has things wait, in one sentence; empty when it does not."""
        return self._hold.sentence(self.waiting, self._clock.steady())

    def say(self, room: str, text: str) -> None:
        """Say something. It is known at once, and never waits for the link."""
        self._speaking(room)
        key = self._asking(lambda client: client.say(room, text))
        self.state.queued(key, room, text, self._clock.wall_ms())
        if not self._linked:
            self._too_early.append(key)

    def rename(self, nick: str) -> None:
        """Take another nick."""
        self._asking(lambda client: client.rename(nick))

    def join(self, room: str) -> None:
        """Be in one more room, or again in one that was shut."""
        if room not in self.state.rooms or self.state.rooms[room].rules.shut:
            self._asking(lambda client: client.join(room))
            self.state.room(room)
            self.requests.entered(room)

    def leave(self, room: str) -> str:
        """Be in one room less; never in none. ``@bob`` is the room of two with bob. Returns the room's name."""
        room = self.direct_room(room.removeprefix("@")) or room if room.startswith("@") else room
        if room not in self.state.rooms:
            raise LineRefusedError(f"you are not in {room}")
        if len(self.state.rooms) == 1:
            raise LineRefusedError("this is your only room; /quit leaves pushtui")
        view = self.state.rooms[room]
        if view.waiting or view.failed:
            raise LineRefusedError(f"what you said in {room} is not sent yet: F5 takes it back")
        self._asking(lambda client: client.leave(room))
        self.state.left(room)
        self.requests.left(room)
        return room

    def direct_room(self, nick: str) -> str:
        """Return the name of the room of two with somebody, empty if one is not in it."""
        views = self.state.rooms.values()
        return next((view.name for view in views if view.rules.direct.casefold() == nick.casefold() != ""), "")

    def direct(self, nick: str, text: str) -> None:
        """Go to the room of two with somebody, and say something there if there is something to say."""
        room = self.direct_room(nick)
        if not room:
            self._asking(lambda client: self.requests.direct(client, nick, text))
            return
        self.requests.answers.append(Enter(room, nick, text))
        if not self.link.down:
            # They may have left it.
            self._asking(lambda client: self.requests.call(client, nick))

    def enter(self, answer: Enter) -> None:
        """The room of two is there."""
        self.join(answer.room)
        self.state.open_direct(answer.room, answer.nick, beckons=False)
        if answer.text:
            self.say(answer.room, answer.text)

    def moderate(self, room: str, command: str, act: Act) -> None:
        """Ask for an act of moderation; ``room`` is the one that is shown."""
        self._asking(lambda client: self.requests.moderate(client, command, act, room))

    def topic(self, room: str, text: str) -> None:
        """Set the topic."""
        self._speaking(room)
        self._asking(lambda client: client.topic(room, text))

    def mark(self, room: str, text: str) -> None:
        """Set a mark."""
        self._speaking(room)
        self._asking(lambda client: client.mark(room, text))

    def toggle_away(self, text: str) -> None:
        """Be away, or, without a reason to be, back."""
        away, reason = bool(text) or not self.away, text or None
        self._asking(lambda client: client.away(away, reason))
        self.away, self._away_text = away, reason
        self._note_own_presence()

    def typing(self, room: str, on: bool) -> None:
        """Let the others know that one types."""
        if self._client is not None:
            self._client.typing(room, on)

    def history(self, room: str, before: int) -> None:
        """Ask for what was before."""
        if self._client is not None:
            self._client.history(room, before)

    def retry(self, key: str) -> None:
        """Send what failed once more."""
        item = self.state.own(key)
        if item is None or item.state is not State.FAILED:
            raise LineRefusedError("that did not fail")
        self._asking(lambda client: client.retry(key))

    def take_back(self, key: str) -> str:
        """Give up what failed or was never sent; returns the line that would say it again."""
        said = self._asking(lambda client: client.take_back(key))
        if said is None:
            raise LineRefusedError("too late: it was sent, and may be stored")
        self.state.taken_back(key)
        self._end_hold()
        return line_of(safe_text(said))

    def give_back(self) -> list[str]:
        """Take back what was said before there ever was a link: it may go another way than it was meant to.

        What an earlier run left stays, for it was meant for this server.
        """
        given = []
        for key in self._too_early:
            with suppress(LineRefusedError):
                given.append(self.take_back(key))
        self._too_early.clear()
        return given

    @property
    def waiting(self) -> int:
        """How many own messages are to be stored yet."""
        return sum(view.waiting for view in self.state.rooms.values())

    @property
    def failed(self) -> list[Unsent]:
        """Own messages that will not be stored unless they are retried."""
        return self._unsent(lambda view: view.failed)

    @property
    def unsent(self) -> list[Unsent]:
        """Own messages that can be retried or taken back: what failed, then what waits."""
        return self.failed + self._unsent(lambda view: view.queued)

    def _unsent(self, items: Callable[[RoomView], list[Item]]) -> list[Unsent]:
        rooms = self.state.rooms.items()
        return [Unsent(room, view.rules.label(room), item) for room, view in rooms for item in items(view)]

    def unstored(self, room: str) -> list[str]:
        """The lines that would say again what waits in a room."""
        return [line_of(item.written) for item in self.state.room(room).unstored]

    def _take(self, client: Chat, happening: ChatHappening) -> None:
        if isinstance(happening, Pending) and happening.room not in self.state.rooms:
            # Else it would be shown in a room where it cannot be said. If there are too many it fails once more.
            with suppress(ValueError):
                client.join(happening.room)
        if isinstance(happening, Welcome) and self._linked and happening.you.nick != self.state.me:
            self.tell(Note(f"you are {happening.you.nick} now", grave=False))
        self.state.apply(happening, self._clock.wall_ms())
        self.kept = client.kept
        match happening:
            case Link():
                self.link.apply(happening, self._clock.steady())
                self._hold.end()
                if happening.state is LinkState.LIVE:
                    self._linked = True
                    self._too_early.clear()
            case Welcome() | Resume() if self.away:
                self._note_own_presence()
            case Done():
                self.tell(self.requests.done(happening))
            case Invited():
                self._invited(client, happening)
            case Error():
                self._refused(happening)
            case Delivery(state="stored" | "failed"):
                self._end_hold()
            case Undeliverable() | Pending(state="failed") if self.state.own(happening.key) is None:
                # A topic or a mark: that it was not done has been told, and nothing here can retry it.
                client.take_back(happening.key)

    def _invited(self, client: Chat, invited: Invited) -> None:
        invitation = self.requests.invitation(invited)
        self.tell(invitation.note)
        if invitation.opens and invited.other and invited.room not in self.state.rooms:
            with suppress(ValueError):  # in too many rooms; /dm says so
                client.join(invited.room)
                self.state.open_direct(invited.room, invited.other, beckons=invited.by is not None)

    def _refused(self, error: Error) -> None:
        request = self.requests.refused(error)
        if request is None and self._hold.begin(error, self._clock.steady()):
            return
        if request is None or request.title:
            self.tell(Note(error.message, grave=error.code != "not_kept"))

    def _end_hold(self) -> None:
        if not self.waiting:
            self._hold.end()

    def _speaking(self, room: str) -> None:
        if reason := self.silence(room):
            raise LineRefusedError(reason)

    def _note_own_presence(self) -> None:
        """The server tells it to the others only."""
        state: PresenceState = "away" if self.away else "here"
        for room in self.rooms:
            self.state.apply(Presence(room, self.state.me, state, self._away_text), self._clock.wall_ms())

    def _asking(self, ask: Callable[[Chat], _T]) -> _T:
        if self._client is None:
            raise LineRefusedError(
                "the link has ended: ctrl+r begins anew" if self.ended else "still starting: once more, please"
            )
        try:
            return ask(self._client)
        except ValueError as error:
            raise LineRefusedError(str(error)) from error
