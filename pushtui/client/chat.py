"""The chat of a server, over a WebSocket that comes back by itself."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from pushtui.client.address import Address
from pushtui.client.backoff import Backoff
from pushtui.client.clock import Clock, SystemClock
from pushtui.client.conversation import Act, Conversation, new_key
from pushtui.client.feed import Feed
from pushtui.client.flow import Flow
from pushtui.client.happenings import ChatHappening
from pushtui.client.outbox import Keyed, NoShelf, Shelf
from pushtui.client.outbox_file import OutboxFile, OutboxUnusableError, path_of
from pushtui.client.reconnection import Reconnection
from pushtui.client.traffic import Traffic
from pushtui.client.watched_link import watched
from pushtui.client.websocket import Timeouts, WebSocket
from pushtui.protocol import messages, names
from pushtui.protocol.codec import CODECS
from pushtui.protocol.limits import DEFAULT_REPLAY
from pushtui.protocol.token import Token
from pushtui.wire.watch import Watch


class TextTooLongError(ValueError):
    """A text is over the server's limit; the message says by how much. Nothing was queued."""


class RoomsFullError(ValueError):
    """One connection is in no more rooms than the server allows."""


class ChatClient(Flow[ChatHappening]):
    """A person or a program in the rooms of one server.

    Use it as an asynchronous context manager, and iterate over it to learn what happens; one consumer at a time.
    The iteration goes on through lost links, and ends after a `Link` that is ``refused`` or ``closed``. A consumer
    that stops iterating stops the link too, in the end. What one says is queued when there is no link, and said
    again after one was lost, in order; the server stores it once. With an ``outbox`` on disk that holds across
    runs of the program too: on entering, a `Pending` comes for each thing that an earlier run left.

    Args:
        address: where the server is.
        nick: who one wants to be; the server may refuse it.
        rooms: the rooms to be in.
        session: the id by which the server knows this client after a reconnect, drawn if not given.
        subprotocol: `pushtui.protocol.messages.JSON` or ``MSGPACK``.
        replay: how many events of a room to begin with.
        token: what lets one in, if the server wants something; its name is one's nick then.
        outbox: the folder that keeps what is not stored yet, such as `outbox_file.default_folder`; None keeps it
            in memory.
        backoff: the policy of reconnecting.
        timeouts: how long to wait for the server.
        clock: the time by which to reconnect.

    Attributes:
        traffic: what went over the link.
        watch: tells what passes, frame by frame, to whoever opens it.
    """

    def __init__(
        self,
        address: Address,
        *,
        nick: str,
        rooms: Iterable[str] = ("main",),
        session: str | None = None,
        subprotocol: str = messages.JSON,
        replay: int = DEFAULT_REPLAY,
        token: Token | None = None,
        outbox: Path | None = None,
        backoff: Backoff | None = None,
        timeouts: Timeouts | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.address = address
        self.traffic = Traffic()
        self.watch = Watch()
        self._codec = CODECS[subprotocol]
        clock = clock or SystemClock()
        self._outbox = outbox
        self._conversation = Conversation(
            nick, session or new_key(), rooms, replay, token is not None, self._shelf
        )
        feed: Feed[ChatHappening] = Feed()
        self._websocket = WebSocket(
            address,
            self._conversation,
            self._codec,
            token=token,
            feed=feed,
            traffic=self.traffic,
            watch=self.watch,
            timeouts=timeouts or Timeouts(),
            clock=clock,
            live=lambda: self._reconnection.live(),
        )
        reconnection = Reconnection(
            self._websocket.session, watched(feed.put, self.watch), backoff or Backoff(), clock
        )
        super().__init__("pushtui chat", feed, reconnection)

    async def __aenter__(self) -> Self:
        self._tell(self._conversation.keep())
        return await super().__aenter__()

    async def _leave(self) -> None:
        # First of all: whoever comes next wants it, and the goodbye to a server that is silent takes a while.
        self._conversation.outbox.close()
        await self._websocket.closed()

    # How it is

    @property
    def nick(self) -> str:
        """Who one is, as the server says it after its welcome."""
        return self._conversation.nick

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms one is in, or will be when there is a link."""
        return self._conversation.rooms

    @property
    def latency_ms(self) -> float | None:
        """The round trip of the last ping in ms, None before the first and without a link."""
        latency = self._websocket.latency
        return None if latency is None else latency * 1000

    @property
    def close_code(self) -> int | None:
        """The close code of the last connection that ended, None before; 1006 if there was none."""
        return self._websocket.close_code

    @property
    def pending(self) -> int:
        """How many things said are not stored yet."""
        return len(self._conversation.outbox)

    @property
    def kept(self) -> bool:
        """Whether what is pending outlives the program, as far as is known."""
        return self._outbox is not None and self._conversation.is_kept

    # What one says. None of this waits, and all of it can be said without a link.

    def say(self, room: str, text: str, reply_to: int | None = None) -> str:
        """Say something; returns its key, which `Delivery` and one's own event carry.

        Raises:
            TextTooLongError: the text is over the limit.
        """
        return self._say(messages.Send(new_key(), room, _encodable(text), reply_to))

    def edit(self, room: str, target: int, text: str) -> str:
        """Put an own message in other words; returns the key.

        Raises:
            TextTooLongError: the text is over the limit.
        """
        return self._say(messages.Edit(new_key(), room, target, _encodable(text)))

    def redact(self, room: str, target: int) -> str:
        """Take an own message back; returns the key."""
        return self._say(messages.Redact(new_key(), room, target))

    def react(self, room: str, target: int, emoji: str, on: bool = True) -> str:
        """Set or take back a reaction; returns the key."""
        return self._say(messages.React(new_key(), room, target, _encodable(emoji), on))

    def topic(self, room: str, text: str) -> str:
        """Set a room's topic; returns the key.

        Raises:
            TextTooLongError: the topic is over the limit.
        """
        most = self._conversation.limits.topic_characters
        if len(text) > most:
            raise TextTooLongError(f"a topic has at most {most} characters, this one has {len(text)}")
        return self._say(messages.SetTopic(new_key(), room, _encodable(text)))

    def mark(self, room: str, text: str) -> str:
        """Put a mark on the timeline; returns the key.

        Raises:
            TextTooLongError: the text is over the limit.
        """
        return self._say(messages.SetMark(new_key(), room, _encodable(text)))

    def retry(self, key: str) -> None:
        """Queue again, last in the row, what failed; a `Delivery` tells it. Any other key is passed over."""
        self._tell(self._conversation.retry(key))
        self._websocket.wake()

    def take_back(self, key: str) -> str | None:
        """Give up what failed or was never sent; nothing is told about it any more.

        Returns:
            Its text, empty for a reaction or a redaction; None when it is stored, or may be.
        """
        text = self._conversation.take_back(key)
        self._websocket.wake()
        return text

    def join(self, room: str) -> None:
        """Be in one more room.

        Raises:
            NameRefusedError: no room can be called that.
            RoomsFullError: one is in as many rooms as the server allows.
        """
        most = self._conversation.limits.rooms_per_connection
        if names.room(room) not in self.rooms and len(self.rooms) >= most:
            raise RoomsFullError(f"one can be in at most {most} rooms at once")
        self._conversation.join(room)
        self._websocket.wake()

    def leave(self, room: str) -> None:
        """Be in one room less."""
        self._conversation.leave(room)
        self._websocket.wake()

    def typing(self, room: str, on: bool) -> None:
        """Tell that one began or stopped to type; nobody learns it without a link."""
        self._conversation.control(messages.Typing(room, on))
        self._websocket.wake()

    def away(self, on: bool, text: str | None = None) -> None:
        """Be away, or back."""
        self._conversation.away(on, None if text is None else _encodable(text))
        self._websocket.wake()

    def history(self, room: str, before: int, limit: int = 100) -> str:
        """Ask for older events; returns the id that the `Page` will carry. A room's newest question counts."""
        asked = self._conversation.history(room, before, limit)
        self._websocket.wake()
        return asked

    def moderate(
        self,
        action: messages.Action,
        *,
        nick: str | None = None,
        room: str | None = None,
        address: str | None = None,
        seconds: int | None = None,
        reason: str | None = None,
        on: bool = True,
    ) -> str:
        """Ask for an act of moderation; see `messages.Moderate`. It is done now or never.

        Returns:
            The key of the `Done` or the `Error` that answers it.
        """
        nick, room, address, reason = (
            None if text is None else _encodable(text) for text in (nick, room, address, reason)
        )
        return self._act(messages.Moderate(new_key(), action, nick, room, address, seconds, reason, on))

    def direct(self, nick: str) -> str:
        """Ask for the room of two with somebody; one joins it when the `Done` that names it comes.

        Returns:
            The key of the `Done` or the `Error` that answers it.
        """
        return self._act(messages.Direct(new_key(), _encodable(nick)))

    def _act(self, said: Act) -> str:
        self._tell(self._conversation.act(said))
        self._websocket.wake()
        return said.key

    def rename(self, nick: str) -> None:
        """Become somebody else, by a new link, as soon as what was said before is stored.

        If the server refuses the nick one stays who one was, and an `Error` tells why.

        Raises:
            NameRefusedError: nobody can be called that.
            NickFixedError: one's token says who one is.
        """
        self._conversation.rename(names.nick(nick))
        self._websocket.wake()

    def _say(self, said: Keyed) -> str:
        limits = self._conversation.limits
        text = getattr(said, "text", "")
        size = len(text.encode())
        if size > limits.text_bytes:
            raise TextTooLongError(f"a message has at most {limits.text_bytes} bytes, this one has {size}")
        if len(self._codec.encode(said)) > limits.frame_bytes:
            raise TextTooLongError(f"this message is too big for a frame of {limits.frame_bytes} bytes")
        self._tell(self._conversation.say(said))
        self._websocket.wake()
        return said.key

    def _tell(self, happenings: Iterator[ChatHappening]) -> None:
        for happening in happenings:
            self._feed.put(happening)

    def _shelf(self, nick: str) -> Shelf:
        if self._outbox is None:
            return NoShelf()
        try:
            return OutboxFile(path_of(self._outbox, self.address, nick))
        except OutboxUnusableError as error:
            return NoShelf(str(error))


def _encodable(text: str) -> str:
    # Half a surrogate pair, as a terminal can hand over, is no character and cannot travel.
    return text.encode(errors="replace").decode()
