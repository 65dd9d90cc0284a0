"""``GET /chat``: the WebSocket side. Frames in, keeping alive, and the end (RFC 6455)."""

import asyncio
import logging
from typing import get_args

import msgspec
from aiohttp import WSMessage, WSMsgType, web

from pushtui.protocol import messages
from pushtui.protocol.close import CloseCode
from pushtui.protocol.codec import CODECS, Codec
from pushtui.protocol.frames import Opcode, frame
from server.access.access import NotAdmittedError
from server.access.door import IDENTITY, TooManyLoginsError, admitted
from server.access.identity import Identity
from server.addresses import ADDRESS
from server.conversation import Conversation
from server.farewell import FarewellError
from server.floods import Bucket
from server.pulse import Pulse
from server.refusal import RefusedError
from server.service import SERVICE, Service
from server.sink import TransportSink
from server.websocket import WebSocket, accept

logger = logging.getLogger(__name__)

_KNOWN_TYPES = frozenset(struct.__struct_config__.tag for struct in get_args(messages.ClientMessage))


async def chat(request: web.Request) -> web.StreamResponse:
    """Upgrade; then one task talks until one side ends it."""
    service = request.app[SERVICE]
    response, subprotocol = await accept(request, messages.SUBPROTOCOLS)
    ws = WebSocket(service.limits.frame_bytes)
    ws.take_over(request)
    connection = Chat(service, ws, CODECS[subprotocol or messages.JSON])
    ws.carry(connection.run(request.get(IDENTITY), request[ADDRESS]))
    return response


class _Envelope(msgspec.Struct):
    """What may be readable of a frame that is not readable as a whole."""

    type: str | None = None
    key: str | None = None


class Chat:
    """One WebSocket connection."""

    __slots__ = ("_codec", "_conversation", "_ended", "_frames", "_goodbye", "_pulse", "_service", "_ws",
                 "identity", "sink")  # fmt: skip

    kind = "websocket"

    def __init__(self, service: Service, ws: WebSocket, codec: Codec) -> None:
        self.sink = sink = TransportSink(ws.transport, ws, service.timing.unacknowledged)
        self.identity: Identity | None = None
        self._service = service
        self._ws = ws
        self._codec = codec
        self._conversation = Conversation(service, codec, sink, self._dismiss)
        self._pulse = Pulse(sink, service.timing, service.protection.least_bytes_per_second)
        self._frames = Bucket(service.protection.frames)
        self._ended = False
        self._goodbye = False
        ws.violated = self._conversation.part

    @property
    def nick(self) -> str | None:
        """Empty before ``hello``."""
        return self._conversation.nick

    def review(self, rooms: frozenset[str]) -> None:
        """Stay in none of these rooms that is shut."""
        self._conversation.review(rooms)

    async def run(self, identity: Identity | None, address: str) -> None:
        """Until one side ends it.

        Args:
            identity: who it is, if the handshake brought a token.
            address: what it counts under.
        """
        self._service.connections.add(self)
        try:
            await self._talk(identity, address)
            # It may be told to go, and has a moment to take part in closing.
            while await self._ws.receive() is not None:
                pass
        finally:
            self._service.connections.remove(self)

    async def _talk(self, identity: Identity | None, address: str) -> None:
        try:
            # What it says is not kept for as long as it stays.
            await self._greet(await self._hello(), identity, address)
            while (frame_in := await self._receive()) is not None:
                await self._answer(frame_in)
        except FarewellError as farewell:
            self.end(farewell.code, farewell.reason, farewell.retry_ms)
        except ConnectionError:
            logger.debug("a client went without a word")
        except Exception:
            logger.exception("a chat failed")
            self.end(CloseCode.INTERNAL_ERROR, "the server made a mistake; its log says more")
        finally:
            self._conversation.depart(lost=not self._goodbye)

    def tick(self, now: float) -> None:
        """Ping, or give up on a client that does not answer."""
        if not self._pulse.beat(now):
            self.end(CloseCode.NO_PONG, f"no pong within {self._service.timing.pong:g} s")

    def end(self, code: CloseCode, reason: str, retry_ms: int | None = None) -> None:
        """Say ``bye``, close with the code, and drop the connection if the client does not close in time."""
        if self._ended:
            return
        self._ended = True
        self._conversation.part(code, reason, retry_ms)
        # A close reason has at most 123 bytes: RFC 6455 section 5.5.
        self._ws.close(code, reason.encode()[:123].decode(errors="ignore").encode())

    def _dismiss(self, code: CloseCode, reason: str) -> None:
        # Not now: who decides that is in the middle of what it does.
        asyncio.get_running_loop().call_soon(self.end, code, reason)

    async def _greet(self, hello: messages.Hello, identity: Identity | None, address: str) -> None:
        self.identity = await self._identify(hello.token, identity, address)
        await self._conversation.greet(hello, self.identity)

    async def _hello(self) -> messages.Hello:
        limit = self._service.limits.hello_seconds
        try:
            async with asyncio.timeout(limit):
                frame_in = await self._receive()
        except TimeoutError:
            raise FarewellError(CloseCode.NO_HELLO, f"no hello within {limit:g} s") from None
        if frame_in is None:
            raise FarewellError(CloseCode.NORMAL, "the client went")
        try:
            said = self._decode(frame_in)
        except RefusedError as refusal:
            raise FarewellError(
                CloseCode.PROTOCOL_ERROR, f"the first frame is a hello: {refusal.message}"
            ) from None
        if not isinstance(said, messages.Hello):
            raise FarewellError(CloseCode.PROTOCOL_ERROR, "the first frame is a hello")
        return said

    async def _identify(self, token: str | None, shaken: Identity | None, address: str) -> Identity:
        """Who this is, by the token of the handshake or of the hello."""
        try:
            identity = shaken
            if identity is None or token is not None:
                identity = await admitted(self._service, token, address)
            if shaken is not None and shaken.token != identity.token:
                raise NotAdmittedError("the token of the handshake and that of the hello differ")
        except (NotAdmittedError, TooManyLoginsError) as error:
            raise FarewellError(CloseCode.BAD_TOKEN, str(error)) from error
        return identity

    async def _receive(self) -> WSMessage | None:
        """The next text or binary frame; None when the conversation is over."""
        while True:
            # Who does not read is not listened to: what answers would fill the memory.
            if not self.sink.has_room() and not await self.sink.room():
                return None
            # Who says too much is read later: the rest waits in its own transport.
            while wait := self._frames.take():
                self._pulse.unread()
                await asyncio.sleep(wait)
            message = await self._ws.receive()
            if message is None:
                return None
            match message.type:
                case WSMsgType.TEXT | WSMsgType.BINARY:
                    return message
                case WSMsgType.PING:
                    self.sink.write(frame(Opcode.PONG, message.data))
                case WSMsgType.PONG:
                    self._pulse.answered()
                case WSMsgType.CLOSE:
                    # Browsers close without a code unless they are told one; the library says 0 then.
                    self._goodbye = message.data in (0, CloseCode.NORMAL, CloseCode.GOING_AWAY)
                    return None

    async def _answer(self, frame_in: WSMessage) -> None:
        said = None
        try:
            said = self._decode(frame_in)
            await self._conversation.answer(said)
        except RefusedError as refusal:
            key = getattr(said, "key", None) if said is not None else self._envelope(frame_in).key
            self._conversation.refuse(refusal, key)

    def _decode(self, frame_in: WSMessage) -> messages.ClientMessage:
        """Read a frame.

        Raises:
            FarewellError: it is of the other kind, text or binary, than was agreed on.
            RefusedError: it is not a message.
        """
        if (frame_in.type is WSMsgType.BINARY) != self._codec.binary:
            raise FarewellError(
                CloseCode.PROTOCOL_ERROR,
                f"{self._codec.subprotocol} travels in {'binary' if self._codec.binary else 'text'} frames",
            )
        try:
            return self._codec.decode_client(frame_in.data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            kind = self._envelope(frame_in).type
            if kind is not None and kind not in _KNOWN_TYPES:
                raise RefusedError("unknown_type", f"no frame has the type {kind[:40]!r}") from error
            raise RefusedError("malformed", f"this frame cannot be read: {error}") from error

    def _envelope(self, frame_in: WSMessage) -> _Envelope:
        try:
            decode = msgspec.msgpack.decode if self._codec.binary else msgspec.json.decode
            return decode(frame_in.data, type=_Envelope)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return _Envelope()
