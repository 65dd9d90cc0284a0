"""One try after the other to talk to a chat over a WebSocket: RFC 6455, by the library websockets."""

import asyncio
from collections.abc import Callable, Iterator
from typing import NamedTuple

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, NegotiationError
from websockets.typing import Subprotocol

from pushtui.client import decoding, endings, handshake
from pushtui.client.address import Address
from pushtui.client.clock import Clock
from pushtui.client.conversation import Control, Conversation
from pushtui.client.endings import Ending
from pushtui.client.feed import Feed
from pushtui.client.happenings import ChatHappening, Delivery, LinkState
from pushtui.client.outbox import Keyed
from pushtui.client.traffic import Traffic
from pushtui.protocol import messages
from pushtui.protocol.close import CloseCode, is_final
from pushtui.protocol.codec import Codec
from pushtui.protocol.token import Token
from pushtui.wire.watch import Watch

#: A page of history may hold 200 messages of 16 KiB.
LARGEST_FRAME = 4 * 1024 * 1024
#: How many frames the library reads ahead.
_READ_AHEAD = 16
#: A connection that was lost without a close frame: RFC 6455 section 7.1.5.
_ABNORMAL = 1006


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


class WebSocket:
    """Carries a conversation: opens a connection, says what is to be said, and tells what comes.

    Args:
        address: where the server is.
        conversation: what is said, and what the answers mean.
        codec: how frames are written.
        token: what lets one in, None for nothing.
        feed: is told what happens.
        traffic: counts the frames.
        watch: is told what passes, frame by frame.
        timeouts: how long to wait for the server.
        clock: the time by which to say again what the server could not take.
        live: is called when the server has welcomed a connection.
    """

    def __init__(
        self,
        address: Address,
        conversation: Conversation,
        codec: Codec,
        *,
        token: Token | None,
        feed: Feed[ChatHappening],
        traffic: Traffic,
        watch: Watch,
        timeouts: Timeouts,
        clock: Clock,
        live: Callable[[], None],
    ) -> None:
        self.close_code: int | None = None
        self._address = address
        self._conversation = conversation
        self._codec = codec
        self._token = token
        self._feed = feed
        self._traffic = traffic
        self._watch = watch
        self._timeouts = timeouts
        self._clock = clock
        self._live = live
        self._connection: ClientConnection | None = None
        self._wake = asyncio.Event()
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def latency(self) -> float | None:
        """The round trip of the last ping in s, None before the first and without a connection."""
        return None if self._connection is None else self._connection.latency or None

    def wake(self) -> None:
        """There is something to say."""
        self._wake.set()

    async def closed(self) -> None:
        """Return when no connection is closing any more."""
        if self._closing:
            await asyncio.wait(self._closing)

    def _tell(self, happenings: Iterator[ChatHappening]) -> None:
        for happening in happenings:
            self._feed.put(happening)

    async def session(self) -> Ending:
        """Try once; returns how it ended."""
        try:
            connection = await self._open()
        except NegotiationError:
            return Ending(LinkState.REFUSED, f"the server does not speak {self._codec.subprotocol}")
        except handshake.ERRORS as error:
            return handshake.ending(error, self._address.authority)
        self._connection = connection
        try:
            return await self._converse(connection)
        except ConnectionClosed as error:
            return self._lost(error)
        finally:
            self._connection = None
            self._tell(self._conversation.link_lost())
            # A peer that does not answer the closing is not worth waiting for before one comes back.
            task = asyncio.create_task(connection.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _open(self) -> ClientConnection:
        connection = await handshake.Opening(
            self._address.chat,
            token=self._token,
            watch=self._watch,
            subprotocols=[Subprotocol(self._codec.subprotocol)],
            compression=None,
            proxy=None if self._address.loopback else True,
            open_timeout=self._timeouts.opening,
            ping_interval=self._timeouts.ping_interval,
            ping_timeout=self._timeouts.ping_timeout,
            close_timeout=self._timeouts.closing,
            max_size=LARGEST_FRAME,
            max_queue=_READ_AHEAD,
        )
        if connection.subprotocol != self._codec.subprotocol:
            connection.transport.abort()
            raise NegotiationError("no subprotocol")
        return connection

    async def _converse(self, connection: ClientConnection) -> Ending:
        await self._write(connection, self._conversation.hello())
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
                self._traffic.received_frames += 1
                self._traffic.received_bytes += len(data) if isinstance(data, bytes) else len(data.encode())
                try:
                    frame = decoding.frame(self._codec, data)
                except decoding.UnreadableError:
                    self._traffic.skipped_frames += 1
                    continue
                if isinstance(frame, messages.Bye):
                    ending = endings.closed(frame.code, frame.reason, frame.retry_ms)
                    return self._kept_nick(ending) or self._farewell(frame, ending)
                if isinstance(frame, messages.Welcome) and sender is None:
                    self._live()
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
        self._traffic.sent_frames += 1
        self._traffic.sent_bytes += len(data)
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
        sent_away = error.rcvd is not None and is_final(error.rcvd.code)
        if self._conversation.wants_new_link and not sent_away:
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
