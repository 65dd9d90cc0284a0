"""The client's side of the WebSocket conversation, without a socket: what it says, and what the answers mean."""

import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from pushtui.client.decoding import ServerFrame
from pushtui.client.happenings import CaughtUp, ChatHappening, Delivery, Page, Pending, RoomEvent, Undeliverable
from pushtui.client.outbox import Keyed, Outbox, Shelf
from pushtui.client.replay import Replay
from pushtui.protocol import messages
from pushtui.protocol.limits import LIMITS, Limits

#: The server cannot store it now: it is said again later. All other codes are for good.
_PASSING = {"busy", "rate_limited"}
#: The least and the most a server can have something wait before it is said again, in ms; and what it gets untold.
_LEAST_PAUSE, _MOST_PAUSE, _USUAL_PAUSE = 100, 60_000, 1_000
#: Codes that a server may use before it has read a key.
_UNREAD = {"malformed", "unknown_type"}

_KINDS: dict[type[Keyed], str] = {
    messages.Send: "message",
    messages.Edit: "edit",
    messages.Redact: "redact",
    messages.React: "react",
    messages.SetTopic: "topic",
    messages.SetMark: "mark",
}

Act = messages.Moderate | messages.Direct
Control = messages.Join | messages.Leave | messages.Typing | messages.Away | messages.History | Act


def new_key() -> str:
    """A key or id that nobody guesses and no two clients draw: 128 random bits, safe in a URL."""
    return secrets.token_urlsafe(16)


class NickFixedError(ValueError):
    """Who comes with a token cannot choose a nick; the message says so."""


class Conversation:
    """What outlives a link: who one is, the rooms and where one stands in them, and what is not stored yet.

    Args:
        nick: who one wants to be.
        session: the id by which the server knows one again.
        rooms: the rooms to be in.
        replay: how many events of a room to begin with.
        named_by_server: the server knows who one is, by a token; ``nick`` is a guess until its welcome.
        shelf: what keeps the things said by an author of that nick; they belong to nobody else.
    """

    def __init__(
        self,
        nick: str,
        session: str,
        rooms: Iterable[str],
        replay: int,
        named_by_server: bool,
        shelf: Callable[[str], Shelf],
    ) -> None:
        self.nick = nick
        self.outbox = Outbox()
        self.limits: Limits = LIMITS
        self.welcomed = False
        self._session = session
        self._rooms = {room: Replay(room) for room in rooms}
        self._replay = replay
        self._named_by_server = named_by_server
        self._controls: deque[Control] = deque()
        self._acts: set[str] = set()
        self._open = False
        self._away: messages.Away | None = None
        self._asked: dict[str, messages.History] = {}
        self._next_nick: str | None = None
        self._last_nick: str | None = None
        self._shelf = shelf
        self._kept_for: str | None = None
        self._problem = ""

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms one is in, or will be when there is a link."""
        return tuple(self._rooms)

    # A link begins and ends

    def hello(self) -> messages.Hello:
        """The first frame of a new link. What is said from now on goes out after the welcome."""
        if self._next_nick is not None and not self.outbox:
            self._last_nick = self._last_nick or self.nick
            self.nick, self._next_nick = self._next_nick, None
        self._open = True
        self._controls.extend(filter(None, [self._away, *self._asked.values()]))
        return messages.Hello(
            self.nick,
            self._session,
            {
                room: None if replay.position is None else str(replay.position)
                for room, replay in self._rooms.items()
            },
            self._replay,
        )

    def link_lost(self) -> Iterator[ChatHappening]:
        """The link is gone; yields what that means for things said."""
        self._open = self.welcomed = False
        self._controls.clear()
        for act in sorted(self._acts):
            yield messages.Error("unanswered", "the link was lost before the answer; look whether it is done", act)
        self._acts.clear()
        for replay in self._rooms.values():
            replay.link_lost()
        key = self.outbox.link_lost()
        if key is not None:
            yield Delivery(key, "queued")

    # What one says

    def keep(self) -> Iterator[ChatHappening]:
        """Keep what is said as the present nick; yields what an earlier run left, which is said now.

        That it cannot be kept on disk is told and no more: what is said goes out all the same.
        """
        if self._kept_for == self.nick or (self._named_by_server and not self.welcomed):
            return  # what one said as one nick is not put into the mouth of another
        shelf = self._shelf(self.nick)
        # What another program has now may be free when there is the next link.
        self._kept_for = None if shelf.problem else self.nick
        held = self.outbox.keep_on(shelf)
        for entry in held:
            if entry.reason is None:
                # One who is not in the room cannot say it there.
                self.join(entry.said.room)
            yield Pending(
                entry.key,
                entry.said.room,
                _KINDS[type(entry.said)],
                _text(entry.said),
                "queued" if entry.reason is None else "failed",
                entry.at,
                entry.reason or "",
            )
        yield from self._not_kept()

    @property
    def is_kept(self) -> bool:
        """Whether what is said outlives the program, as far as is known."""
        return self._kept_for is not None and not self.outbox.problem

    def say(self, said: Keyed) -> Iterator[ChatHappening]:
        """Queue something that is to be stored."""
        if self.outbox.add(said):
            yield Delivery(said.key, "queued")
        else:
            reason = "too much is waiting for a link to the server"
            self.outbox.add_failed(said, reason)
            yield Delivery(said.key, "failed")
            yield _undeliverable(said, reason)
        yield from self._not_kept()

    def retry(self, key: str) -> Iterator[ChatHappening]:
        """Queue again what failed; nothing happens if it did not."""
        if self.outbox.retry(key):
            yield Delivery(key, "queued")

    def take_back(self, key: str) -> str | None:
        """Give up what failed or was never sent; returns its text, None if it is too late."""
        said = self.outbox.take_back(key)
        return None if said is None else _text(said)

    def unsayable(self, said: Keyed, reason: str) -> Iterator[ChatHappening]:
        """What was queued cannot be said to this server."""
        yield from self._failed(said.key, reason)

    def _failed(self, key: str, reason: str) -> Iterator[ChatHappening]:
        said = self.outbox.failed(key, reason)
        if said is not None:
            yield Delivery(key, "failed")
            yield _undeliverable(said, reason)

    def _not_kept(self) -> Iterator[messages.Error]:
        before, self._problem = self._problem, self.outbox.problem
        if self._problem and self._problem != before:
            yield messages.Error(
                "not_kept", f"what you say is lost if this ends before it is stored: {self._problem}"
            )

    def control(self, frame: Control) -> None:
        """Say something that is not stored; without a link it is forgotten."""
        if self._open:
            self._controls.append(frame)

    def act(self, frame: Act) -> Iterator[ChatHappening]:
        """Have something done now, or not at all: later it may not be meant any more."""
        if self.welcomed:
            self._acts.add(frame.key)
            self.control(frame)
        else:
            yield messages.Error("unanswered", "there is no link to the server; nothing was done", frame.key)

    def next_control(self) -> Control | None:
        """The oldest thing to say that is not stored."""
        return self._controls.popleft() if self._controls else None

    def join(self, room: str) -> None:
        """Be in one more room."""
        if room not in self._rooms:
            self._rooms[room] = Replay(room)
            self.control(messages.Join(room))

    def leave(self, room: str) -> None:
        """Be in one room less, and forget where one stood in it."""
        if self._rooms.pop(room, None) is not None:
            self._asked.pop(room, None)
            self.control(messages.Leave(room))

    def away(self, on: bool, text: str | None) -> None:
        """Be away or back; said again on each new link."""
        self._away = messages.Away(on, text) if on else None
        self.control(messages.Away(on, text))

    def history(self, room: str, before: int, limit: int) -> str:
        """Ask for older events; a room's newest question is asked again on a new link until it is answered."""
        asked = messages.History(new_key(), room, before, min(limit, self.limits.history))
        self._asked[room] = asked
        self.control(asked)
        return asked.id

    def rename(self, nick: str) -> None:
        """Be somebody else from the next link on.

        Raises:
            NickFixedError: one's token says who one is.
        """
        if self._named_by_server:
            raise NickFixedError(f"your token says who you are: {self.nick}")
        self._next_nick = nick if nick != self.nick else None

    @property
    def wants_new_link(self) -> bool:
        """Whether the nick can change now.

        Keys are unique per author: what was sent as one person must be answered before one becomes another, or it
        could be stored twice. And what was said as one is not put into the mouth of the other.
        """
        return self.welcomed and self._next_nick is not None and not self.outbox

    def nick_refused(self) -> bool:
        """The server did not let one in; True when that was a new nick, and the one before is tried again."""
        if self._last_nick is None:
            return False
        self.nick, self._last_nick = self._last_nick, None
        return True

    # What the server says

    def take(self, frame: ServerFrame, now: float) -> Iterator[ChatHappening]:
        """What one frame means, in order."""
        match frame:
            case messages.Welcome():
                self.welcomed = True
                self.nick, self.limits, self._last_nick = frame.you.nick, frame.limits, None
                yield frame
                yield from self.keep()
            case messages.Resume():
                yield from self._resume(frame)
            case RoomEvent():
                yield from self._event(frame)
            case messages.Ack():
                yield frame
                yield from self._stored(frame.key)
            case messages.Done():
                self._acts.discard(frame.key)
                yield frame
                if frame.room is not None:
                    self.join(frame.room)
            case messages.Left():
                # It is not asked for again, and what was to be said there is refused.
                self._rooms.pop(frame.room, None)
                self._asked.pop(frame.room, None)
                yield frame
            case messages.Rules() | messages.Crowd() | messages.Members():
                if frame.room in self._rooms:
                    yield frame
            case messages.Invited():
                yield frame
            case messages.Error():
                if frame.key is not None:
                    self._acts.discard(frame.key)
                yield from self._error(frame, now)
            case Page():
                asked = self._asked.get(frame.room)
                if asked is not None and asked.id == frame.id:
                    del self._asked[frame.room]
                yield frame
            case messages.Presence() | messages.Typing():
                if frame.room in self._rooms and frame.nick is not None:
                    yield frame
            case messages.Bye():
                yield frame

    def _resume(self, frame: messages.Resume) -> Iterator[ChatHappening]:
        replay = self._rooms.get(frame.room)
        if replay is not None:
            yield frame
            yield from _told(replay.resume(frame))

    def _event(self, event: RoomEvent) -> Iterator[ChatHappening]:
        replay = self._rooms.get(event.room)
        if replay is not None:
            taken = replay.take(event.seq)
            yield from _told(taken.before)
            if taken.new:
                yield replace(event, replayed=taken.replayed)
            yield from _told(taken.after)
        if event.key is not None:
            yield from self._stored(event.key)

    def _stored(self, key: str) -> Iterator[ChatHappening]:
        if self.outbox.stored(key):
            yield Delivery(key, "stored")

    def _error(self, error: messages.Error, now: float) -> Iterator[ChatHappening]:
        key = error.key
        if key is None and error.code in _UNREAD:
            key = self.outbox.sent
        if key is None:
            yield error
        elif error.code in _PASSING:
            yield error
            pause = error.retry_after_ms if error.retry_after_ms is not None else _USUAL_PAUSE
            if self.outbox.again(key, now + min(max(pause, _LEAST_PAUSE), _MOST_PAUSE) / 1000):
                yield Delivery(key, "queued")
        else:
            yield from self._failed(key, error.message) if self.outbox.is_waiting(key) else (error,)


def _told(caught_up: CaughtUp | None) -> Iterator[CaughtUp]:
    if caught_up is not None:
        yield caught_up


def _undeliverable(said: Keyed, reason: str) -> Undeliverable:
    return Undeliverable(said.key, said.room, _text(said), reason)


def _text(said: Keyed) -> str:
    return "" if isinstance(said, messages.Redact | messages.React) else said.text
