"""The server's end of a WebSocket: RFC 6455, its frames read by aiohttp, and by us what that lets pass."""

import asyncio
import base64
import binascii
import hashlib
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, cast

from aiohttp import EofStream, WebSocketError, WSMessage, WSMsgType, web
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader

from pushtui.protocol.close import CloseCode
from pushtui.protocol.frames import Opcode, frame
from server.framing import StrictReader
from server.link import Link

logger = logging.getLogger(__name__)

#: A client has so long to answer a close before it is dropped.
CLOSE_HANDSHAKE_SECONDS = 1.0
_VERSION = "13"
#: Section 1.3.
_KEY_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#: Bytes of messages that wait to be received; with twice as many, reading pauses.
_READ_AHEAD = 64 * 1024
_VIOLATIONS = {
    CloseCode.VIOLATION: "that is no frame of RFC 6455",
    CloseCode.NOT_UTF8: "the text of a frame is not UTF-8",
    CloseCode.TOO_BIG: "a frame is longer than the limit that welcome tells",
}
#: Codes that no close frame carries, beside those that the library refuses: section 7.4.
_NEVER_SENT = 1006
_LAST_CODE = 4999


async def accept(request: web.Request, subprotocols: Sequence[str] = ()) -> tuple[web.StreamResponse, str | None]:
    """Answer the handshake, without compression; then the connection is there for a `WebSocket` to take over.

    Args:
        request: the client's.
        subprotocols: those that can be spoken, whichever of them the client prefers.

    Returns:
        The answer, and the subprotocol; None when the client named none.

    Raises:
        web.HTTPException: this is no upgrade, or the client speaks only other subprotocols.
    """
    offered = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    subprotocol = next((name for name in offered if name in subprotocols), None)
    if offered != [""] and subprotocol is None:
        raise web.HTTPBadRequest(text=f"the subprotocols here are {' and '.join(subprotocols) or 'none'}")
    digest = hashlib.sha1(_checked_key(request).encode() + _KEY_SUFFIX, usedforsecurity=False).digest()
    headers = {
        "Upgrade": "websocket",
        "Connection": "upgrade",
        "Sec-WebSocket-Accept": base64.b64encode(digest).decode(),
    }
    if subprotocol is not None:
        headers["Sec-WebSocket-Protocol"] = subprotocol
    response = web.StreamResponse(status=101, headers=headers)
    await response.prepare(request)
    return response, subprotocol


class WebSocket(Link):
    """One WebSocket after its handshake.

    Pings are the caller's to answer: what it writes itself must not be overtaken.

    Args:
        message_bytes: the most that one message may have, fragments together; more ends in 1009.

    Attributes:
        violated: called with the close code and a sentence before a violation is answered with them.
    """

    __slots__ = ("_closing", "_frames", "_messages", "_over", "_reading_paused", "_work", "violated")

    def __init__(self, message_bytes: int) -> None:
        super().__init__()
        self.violated: Callable[[CloseCode, str], None] | None = None
        self._closing = False
        self._over = False
        self._reading_paused = False  # the library's queue asks for it by this name
        self._messages = WebSocketDataQueue(self, _READ_AHEAD, loop=asyncio.get_running_loop())  # type: ignore[arg-type]
        # The library refuses a message that reaches its limit.
        reader = WebSocketReader(self._messages, message_bytes + 1, compress=False, decode_text=True)
        self._frames = StrictReader(reader, self._messages, message_bytes)
        self._work: asyncio.Task[None] | None = None

    def carry(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this while the connection is there: cancelled when that is lost, and the end of both."""
        self._work = asyncio.get_running_loop().create_task(work)
        self._work.add_done_callback(self._done)

    async def receive(self) -> WSMessage | None:
        """The next message; None when there will be none.

        A close by the client is one too, and is answered. After a close by the server all others are passed over.
        """
        while not self._over:
            try:
                message = cast(WSMessage, await self._messages.read())  # text is decoded
            except EofStream:
                break
            except WebSocketError as error:
                self._refuse(CloseCode(error.code))
                break
            first = not self._closing
            if message.type is WSMsgType.CLOSE:
                self._answer_close(message.data)
            if first:
                return message
        return None

    def close(self, code: int, message: bytes) -> None:
        """Begin to close; a client that does not answer in time is dropped. Idempotent.

        The answer is taken by `receive`.
        """
        if not self._closing:
            self._say_close(code, message)
            asyncio.get_running_loop().call_later(CLOSE_HANDSHAKE_SECONDS, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._frames.feed_data(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """See `asyncio.Protocol`."""
        super().connection_lost(exc)
        if self._work is not None:
            self._work.cancel()
        self._messages.feed_eof()

    def pause_reading(self) -> None:
        """Called when too much waits to be received."""
        self._reading_paused = True
        self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Called when that is over."""
        self._reading_paused = False
        self.transport.resume_reading()

    def _answer_close(self, code: int) -> None:
        if code == _NEVER_SENT or code > _LAST_CODE:
            self._refuse(CloseCode.VIOLATION)
        else:
            self._finish(code or CloseCode.NORMAL)  # the library says 0 when the client named none

    def _refuse(self, code: CloseCode) -> None:
        sentence = _VIOLATIONS[code]
        if self.violated is not None and not self._closing:
            self.violated(code, sentence)
        self._finish(code, sentence.encode())

    def _finish(self, code: int, message: bytes = b"") -> None:
        """Close, with nothing to wait for any more."""
        self._say_close(code, message)
        self._over = True
        if not self.transport.is_closing():
            self.transport.close()

    def _say_close(self, code: int, message: bytes) -> None:
        if not self._closing and not self.transport.is_closing():
            self.transport.write(frame(Opcode.CLOSE, code.to_bytes(2) + message))
        self.descriptor = -1
        self._closing = True

    def _done(self, work: asyncio.Task[None]) -> None:
        self._work = None
        if not work.cancelled() and (error := work.exception()) is not None:
            logger.error("a WebSocket failed", exc_info=error)
        if not self.transport.is_closing():
            self.transport.abort()


def _checked_key(request: web.Request) -> str:
    """The client's key, when all is there that section 4.2.1 asks for."""
    headers = request.headers
    connection = {token.strip().lower() for token in headers.get("Connection", "").split(",")}
    if headers.get("Upgrade", "").strip().lower() != "websocket" or "upgrade" not in connection:
        raise web.HTTPBadRequest(text=f"this address speaks WebSocket (RFC 6455, version {_VERSION}) only")
    if headers.get("Sec-WebSocket-Version") != _VERSION:
        raise web.HTTPUpgradeRequired(
            text=f"this address speaks version {_VERSION} of WebSocket only",
            headers={"Sec-WebSocket-Version": _VERSION, "Upgrade": "websocket"},
        )
    key = headers.get("Sec-WebSocket-Key", "").strip()
    try:
        size = len(base64.b64decode(key, validate=True))
    except (ValueError, binascii.Error):
        size = 0
    if size != 16:
        raise web.HTTPBadRequest(text="Sec-WebSocket-Key has to be 16 bytes in base64")
    return key
