"""One conversation with a server, apart from how it is shown: its client, what is known, and what one can do."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pushtui.client.happenings import Link, LinkState, Pending, Undeliverable
from pushtui.protocol.messages import Error, Presence, PresenceState, Resume, Welcome
from pushtui.protocol.text import safe_text
from tui.commands import LineRefusedError, line_of
from tui.failure import sentence
from tui.state.chat import ChatState
from tui.state.items import Item, State
from tui.state.link import LinkView
from tui.state.rates import Rate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from pushtui.client.happenings import ChatHappening
    from tui.clients import Chat
    from tui.clock import Clock

_T = TypeVar("_T")


class Note(NamedTuple):
    """One sentence to read above the composer; ``grave`` when the server refused something."""

    text: str
    grave: bool


class Unsent(NamedTuple):
    """An own message that no server has: it failed, or it waits to be sent."""

    room: str
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
        note: what there is to say about sending, until it is read.
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
        self.kept = False
        self.ended = False
        self._make = make
        self._clock = clock
        self._client: Chat | None = None
        self._linked = False
        self._too_early: list[str] = []
        self._away_text: str | None = None
        self._up, self._down = Rate(), Rate()

    @property
    def rooms(self) -> list[str]:
        """The names of the rooms that were joined, in that order."""
        return list(self.state.rooms)

    @property
    def latency_ms(self) -> float | None:
        """The last round trip."""
        return self._client.latency_ms if self._client else None

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

    def retry_now(self) -> None:
        """Do not wait for the next try."""
        if self._client is not None:
            self._client.retry_now()

    def say(self, room: str, text: str) -> None:
        """Say something. It is known at once, and never waits for the link."""
        key = self._asking(lambda client: client.say(room, text))
        self.state.queued(key, room, text, self._clock.wall_ms())
        if not self._linked:
            self._too_early.append(key)

    def rename(self, nick: str) -> None:
        """Take another nick."""
        self._asking(lambda client: client.rename(nick))

    def join(self, room: str) -> None:
        """Be in one more room."""
        if room not in self.state.rooms:
            self._asking(lambda client: client.join(room))
            self.state.room(room)

    def leave(self, room: str) -> None:
        """Be in one room less; never in none."""
        if room not in self.state.rooms:
            raise LineRefusedError(f"you are not in {room}")
        if len(self.state.rooms) == 1:
            raise LineRefusedError("this is your only room; /quit leaves pushtui")
        view = self.state.rooms[room]
        if view.waiting or view.failed:
            raise LineRefusedError(f"what you said in {room} is not sent yet: F5 takes it back")
        self._asking(lambda client: client.leave(room))
        self.state.left(room)

    def topic(self, room: str, text: str) -> None:
        """Set the topic."""
        self._asking(lambda client: client.topic(room, text))

    def mark(self, room: str, text: str) -> None:
        """Set a mark."""
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
        return [Unsent(room, item) for room, view in self.state.rooms.items() for item in view.failed]

    @property
    def unsent(self) -> list[Unsent]:
        """Own messages that can be retried or taken back: what failed, then what waits."""
        waiting = [Unsent(room, item) for room, view in self.state.rooms.items() for item in view.queued]
        return self.failed + waiting

    def unstored(self, room: str) -> list[str]:
        """The lines that would say again what waits in a room."""
        return [line_of(item.written) for item in self.state.room(room).unstored]

    def _take(self, client: Chat, happening: ChatHappening) -> None:
        if isinstance(happening, Pending) and happening.room not in self.state.rooms:
            # Else it would be shown in a room where it cannot be said. If there are too many it fails once more.
            with suppress(ValueError):
                client.join(happening.room)
        if isinstance(happening, Welcome) and self._linked and happening.you.nick != self.state.me:
            self.note = Note(f"you are {happening.you.nick} now", grave=False)
        self.state.apply(happening, self._clock.wall_ms())
        self.kept = client.kept
        match happening:
            case Link():
                self.link.apply(happening, self._clock.steady())
                if happening.state is LinkState.LIVE:
                    self._linked = True
                    self._too_early.clear()
            case Welcome() | Resume() if self.away:
                self._note_own_presence()
            case Error(code=code, message=said):
                self.note = Note(said, grave=code != "not_kept")
            case Undeliverable() | Pending(state="failed") if self.state.own(happening.key) is None:
                # A topic or a mark: that it was not done has been told, and nothing here can retry it.
                client.take_back(happening.key)

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
