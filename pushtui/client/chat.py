"""The chat of a server, over a WebSocket that comes back by itself."""

import asyncio
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import NamedTuple, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    NegotiationError,
    WebSocketException,
)
from websockets.typing import Subprotocol

from pushtui import __version__
from pushtui.client import decoding, endings
from pushtui.client.address import Address
from pushtui.client.backoff import Backoff
from pushtui.client.clock import Clock, SystemClock
from pushtui.client.conversation import Control, Conversation, new_key
from pushtui.client.endings import Ending
from pushtui.client.feed import Feed
from pushtui.client.happenings import ChatHappening, Delivery, Link, LinkState
from pushtui.client.outbox import Keyed
from pushtui.client.reconnection import Reconnection
from pushtui.client.traffic import Traffic
from pushtui.protocol import messages, names
from pushtui.protocol.close import CloseCode
from pushtui.protocol.codec import CODECS
from pushtui.protocol.limits import DEFAULT_REPLAY
from pushtui.protocol.text import safe_line

#: A page of history may hold 200 messages of 16 KiB.
LARGEST_FRAME = 4 * 1024 * 1024
#: How many frames the library reads ahead.
_READ_AHEAD = 16
#: A connection that was lost without a close frame: RFC 6455 section 7.1.5.
_ABNORMAL = 1006


class TextTooLongError(ValueError):
    """A text is over the server's limit; the message says by how much. Nothing was queued."""


class RoomsFullError(ValueError):
    """One connection is in no more rooms than the server allows."""


class Timeouts(NamedTuple):
    """How long a chat waits, in seconds.

    Attributes:
        opening: for a connection, and then for the welcome.
        ping_interval: between two pings.
        ping_timeout: for the answer to one; then the link is lost.
        closing: for the other side to close too.
    """

    opening: float = 10.0
    ping_interval: float = 10.0
    ping_timeout: float = 20.0
    closing: float = 1.0


class ChatClient:
    """A person or a program in the rooms of one server.

    Use it as an asynchronous context manager, and iterate over it to learn what happens; one consumer at a time.
    The iteration goes on through lost links, and ends after a `Link` that is ``refused`` or ``closed``. A consumer
    that stops iterating stops the link too, in the end. What one says is queued when there is no link, and said
    again after one was lost, in order; the server stores it once.

    Args:
        address: where the server is.
        nick: who one wants to be; the server may refuse it.
        rooms: the rooms to be in.
        session: the id by which the server knows this client after a reconnect, drawn if not given.
        subprotocol: `pushtui.protocol.messages.JSON` or ``MSGPACK``.
        replay: how many events of a room to begin with.
        token: what lets one in, if the server wants something.
        backoff: the policy of reconnecting.
        timeouts: how long to wait for the server.
        clock: the time by which to reconnect.
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
        token: str | None = None,
        backoff: Backoff | None = None,
        timeouts: Timeouts | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.address = address
        self.traffic = Traffic()
        self.close_code: int | None = None
        self._codec = CODECS[subprotocol]
        self._token = token
        self._timeouts = timeouts or Timeouts()
        self._clock = clock or SystemClock()
        self._conversation = Conversation(nick, session or new_key(), rooms, replay, token)
        self._feed: Feed[ChatHappening] = Feed()
        self._reconnection = Reconnection(self._session, self._feed.put, backoff or Backoff(), self._clock)
        self._connection: ClientConnection | None = None
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="pushtui chat")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._closing:
            await asyncio.wait(self._closing)
        # A task that was cancelled before it began told nobody.
        self._reconnection.close()
        self._feed.end()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChatHappening:
        return await self._feed.next()

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
    def link(self) -> Link:
        """How the link is doing now; what the iteration yields may still be behind."""
        return self._reconnection.link

    @property
    def latency_ms(self) -> float | None:
        """The round trip of the last ping in ms, None before the first and without a link."""
        connection = self._connection
        return connection.latency * 1000 if connection is not None and connection.latency else None

    @property
    def pending(self) -> int:
        """How many things said are not stored yet."""
        return len(self._conversation.outbox)

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
        self._wake.set()

    def leave(self, room: str) -> None:
        """Be in one room less."""
        self._conversation.leave(room)
        self._wake.set()

    def typing(self, room: str, on: bool) -> None:
        """Tell that one began or stopped to type; nobody learns it without a link."""
        self._conversation.control(messages.Typing(room, on))
        self._wake.set()

    def away(self, on: bool, text: str | None = None) -> None:
        """Be away, or back."""
        self._conversation.away(on, None if text is None else _encodable(text))
        self._wake.set()

    def history(self, room: str, before: int, limit: int = 100) -> str:
        """Ask for older events; returns the id that the `Page` will carry. A room's newest question counts."""
        asked = self._conversation.history(room, before, limit)
        self._wake.set()
        return asked

    def rename(self, nick: str) -> None:
        """Become somebody else, by a new link, as soon as nothing said is on its way.

        If the server refuses the nick one stays who one was, and an `Error` tells why.

        Raises:
            NameRefusedError: nobody can be called that.
        """
        self._conversation.rename(names.nick(nick))
        self._wake.set()

    def retry_now(self) -> None:
        """Do not wait for the next try."""
        self._reconnection.retry_now()

    def _say(self, said: Keyed) -> str:
        limits = self._conversation.limits
        text = getattr(said, "text", "")
        size = len(text.encode())
        if size > limits.text_bytes:
            raise TextTooLongError(f"a message has at most {limits.text_bytes} bytes, this one has {size}")
        if len(self._codec.encode(said)) > limits.frame_bytes:
            raise TextTooLongError(f"this message is too big for a frame of {limits.frame_bytes} bytes")
        self._tell(self._conversation.say(said))
        self._wake.set()
        return said.key

    def _tell(self, happenings: Iterator[ChatHappening]) -> None:
        for happening in happenings:
            self._feed.put(happening)

    # The link

    async def _run(self) -> None:
        try:
            await self._reconnection.run()
        finally:
            self._feed.end()

    async def _session(self) -> Ending:
        try:
            connection, same_origin = await self._open()
        except InvalidStatus as error:
            response = error.response
            return endings.answered(response.status_code, response.headers.get("Retry-After"))
        except NegotiationError:
            return Ending(LinkState.REFUSED, f"the server does not speak {self._codec.subprotocol}")
        except InvalidMessage as error:
            if isinstance(error.__cause__, EOFError):
                return Ending(LinkState.LOST, "the server hung up")
            return Ending(LinkState.LOST, f"what answers at {self.address.authority} is no web server")
        except InvalidProxy as error:
            return endings.no_proxy(error)
        except WebSocketException as error:
            return Ending(LinkState.LOST, safe_line(f"the handshake failed: {error}"))
        except TimeoutError:
            return Ending(LinkState.LOST, f"no answer from {self.address.authority}", answered=False)
        except OSError as error:
            return endings.unreachable(error, self.address.authority)
        except ImportError as error:
            return endings.no_proxy(error)
        self._connection = connection
        try:
            return await self._converse(connection, same_origin)
        except ConnectionClosed as error:
            return self._lost(error)
        finally:
            self._connection = None
            self._tell(self._conversation.link_lost())
            # A peer that does not answer the closing is not worth waiting for before one comes back.
            task = asyncio.create_task(connection.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _open(self) -> tuple[ClientConnection, bool]:
        connecting = connect(
            self.address.chat,
            subprotocols=[Subprotocol(self._codec.subprotocol)],
            compression=None,
            additional_headers={"Authorization": f"Bearer {self._token}"} if self._token else None,
            user_agent_header=f"pushtui/{__version__}",
            proxy=None if self.address.loopback else True,
            open_timeout=self._timeouts.opening,
            ping_interval=self._timeouts.ping_interval,
            ping_timeout=self._timeouts.ping_timeout,
            close_timeout=self._timeouts.closing,
            max_size=LARGEST_FRAME,
            max_queue=_READ_AHEAD,
        )
        connection = await connecting
        if connection.subprotocol != self._codec.subprotocol:
            connection.transport.abort()
            raise NegotiationError("no subprotocol")
        # A redirect may lead to another server; a token is only for the one it was given for.
        return connection, connecting.uri.startswith(f"{self.address.ws}/")

    async def _converse(self, connection: ClientConnection, same_origin: bool) -> Ending:
        await self._write(connection, self._conversation.hello(with_token=same_origin))
        sender: asyncio.Task[None] | None = None
        welcome_by = asyncio.get_running_loop().time() + self._timeouts.opening
        try:
            while True:
                await self._feed.room()
                try:
                    async with asyncio.timeout_at(None if self._conversation.welcomed else welcome_by):
                        data = await connection.recv()
                except TimeoutError:
                    return Ending(LinkState.LOST, f"no answer for {self._timeouts.opening:g} s")
                self.traffic.received_frames += 1
                self.traffic.received_bytes += len(data) if isinstance(data, bytes) else len(data.encode())
                try:
                    frame = decoding.frame(self._codec, data)
                except decoding.UnreadableError:
                    self.traffic.skipped_frames += 1
                    continue
                if isinstance(frame, messages.Bye):
                    ending = endings.closed(frame.code, frame.reason, frame.retry_ms)
                    return self._kept_nick(ending) or self._farewell(frame, ending)
                if isinstance(frame, messages.Welcome) and sender is None:
                    self._reconnection.live()
                    sender = asyncio.create_task(self._send(connection))
                self._tell(self._conversation.take(frame, self._clock.now()))
                self._wake.set()
        finally:
            if sender is not None:
                sender.cancel()
                await asyncio.wait([sender])
                if not sender.cancelled():
                    sender.result()

    async def _send(self, connection: ClientConnection) -> None:
        """Say what is to be said, from the welcome until the link is lost."""
        outbox = self._conversation.outbox
        try:
            await connection.ping()
            while not self._conversation.wants_new_link:
                self._wake.clear()
                while (control := self._conversation.next_control()) is not None:
                    await self._write(connection, control)
                now = self._clock.now()
                said = outbox.next(now)
                if said is None:
                    await self._clock.wait(self._wake, outbox.pause(now))
                elif len(self._codec.encode(said)) > self._conversation.limits.frame_bytes:
                    self._tell(self._conversation.unsayable(said, "the message is too big for this server"))
                else:
                    self._feed.put(Delivery(said.key, "sent"))
                    await self._write(connection, said)
            await connection.close()
        except ConnectionClosed:
            pass  # the reader learns it too, and knows why
        except Exception:
            connection.transport.abort()
            raise

    async def _write(self, connection: ClientConnection, frame: messages.Hello | Control | Keyed) -> None:
        data = self._codec.encode(frame)
        self.traffic.sent_frames += 1
        self.traffic.sent_bytes += len(data)
        await connection.send(data, text=not self._codec.binary)

    def _farewell(self, bye: messages.Bye, ending: Ending) -> Ending:
        self.close_code = bye.code
        self._feed.put(bye)
        return ending

    def _kept_nick(self, ending: Ending) -> Ending | None:
        """If a new nick was refused: tell it, and come back as who one was."""
        about_nick = ending.code in (CloseCode.NICK_TAKEN, CloseCode.PROTOCOL_ERROR)
        if not about_nick or not self._conversation.nick_refused():
            return None
        self._feed.put(messages.Error("not_allowed", ending.reason))
        return Ending(LinkState.CONNECTING, "")

    def _lost(self, error: ConnectionClosed) -> Ending:
        if self._conversation.wants_new_link:
            return Ending(LinkState.CONNECTING, "")
        if error.rcvd is not None:
            ending = endings.closed(error.rcvd.code, error.rcvd.reason)
            kept = self._kept_nick(ending)
            if kept is None:
                self.close_code = error.rcvd.code
            return kept or ending
        self.close_code = _ABNORMAL
        match error.sent.code if error.sent is not None else None:
            case 1011:
                reason = f"no answer for {self._timeouts.ping_timeout:g} s"
            case CloseCode.TOO_BIG:
                reason = f"the server sent a frame of more than {LARGEST_FRAME} bytes"
            case None:
                reason = "the server hung up"
            case _:
                reason = "the server broke the WebSocket protocol"
        return Ending(LinkState.LOST, reason, _ABNORMAL)


def _encodable(text: str) -> str:
    # Half a surrogate pair, as a terminal can hand over, is no character and cannot travel.
    return text.encode(errors="replace").decode()
