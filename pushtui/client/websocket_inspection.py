"""Looks at a WebSocket: its messages, its pings and pongs, and its end."""

from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import Event

from pushtui.client import handshake
from pushtui.client.feed import Feed
from pushtui.client.inspection import NoFlowError, NoServerError, Target
from pushtui.client.observations import (
    Record,
    WebSocketClosed,
    WebSocketMessage,
    WebSocketOpen,
    WebSocketPing,
    WebSocketPong,
)
from pushtui.client.websocket import LARGEST_FRAME
from pushtui.protocol.token import Token

_ABNORMAL = 1006
_OPENING = 10.0
_CLOSING = 1.0


async def look(target: Target, token: Token | None, feed: Feed[Record]) -> None:
    """Tell the feed what the WebSocket sends, until it is closed.

    Raises:
        NoServerError: see `pushtui.client.inspection.inspect`.
        NoFlowError: likewise.
    """

    class Watched(_Watched):
        def tell(self, record: Record) -> None:
            feed.put(record)

    try:
        connection = await handshake.Opening(
            target.url,
            token=token,
            create_connection=Watched,
            compression=None,
            proxy=None if target.loopback else True,
            open_timeout=_OPENING,
            close_timeout=_CLOSING,
            max_size=LARGEST_FRAME,
        )
    except InvalidStatus as error:
        raise NoFlowError(f"no WebSocket at {target.authority}: HTTP {error.response.status_code}") from error
    except handshake.ERRORS as error:
        ending = handshake.ending(error, target.authority)
        raise (NoFlowError if ending.answered else NoServerError)(ending.reason) from error
    async with connection:
        if isinstance(connection, _Watched) and connection.response is not None:
            connection.begin(connection.response)
        try:
            while True:
                await feed.room()
                # Told already; taken so that the library goes on reading.
                await connection.recv(decode=False)
        except ConnectionClosed as closed:
            feed.put(_closed(closed))


class _Watched(ClientConnection):
    """Tells frames as they come: the library hands out messages only, and later than the pings after them."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._early: list[Record] | None = []
        self._opcode = Opcode.CONT
        self._pieces: list[bytes] = []

    def tell(self, record: Record) -> None:
        """Take what was seen."""
        raise NotImplementedError

    def begin(self, response: Response) -> None:
        """The handshake is good: tell it, and what came in the same breath."""
        headers: dict[str, str] = {}
        for name, value in response.headers.raw_items():
            known = headers.get(name.lower())
            headers[name.lower()] = value if known is None else f"{known}, {value}"
        early, self._early = self._early or [], None
        self.tell(WebSocketOpen(status=response.status_code, subprotocol=self.subprotocol, headers=headers))
        for record in early:
            self.tell(record)

    def process_event(self, event: Event) -> None:
        """See `ClientConnection.process_event`."""
        super().process_event(event)
        record = self._seen(event) if isinstance(event, Frame) else None
        if record is None:
            return
        if self._early is None:
            self.tell(record)
        else:
            self._early.append(record)

    def _seen(self, frame: Frame) -> Record | None:
        data = bytes(frame.data)
        match frame.opcode:
            case Opcode.PING:
                return _control(WebSocketPing, data)
            case Opcode.PONG:
                return _control(WebSocketPong, data)
            case Opcode.TEXT | Opcode.BINARY:
                self._opcode, self._pieces = frame.opcode, [data]
            case Opcode.CONT:
                self._pieces.append(data)
        if not frame.fin or frame.opcode is Opcode.CLOSE:
            return None
        whole, self._pieces = b"".join(self._pieces), []
        if self._opcode is Opcode.TEXT:
            return WebSocketMessage(text=whole.decode(errors="replace"))
        return WebSocketMessage(binary=whole)


def _control(kind: type[WebSocketPing | WebSocketPong], payload: bytes) -> Record:
    try:
        return kind(text=payload.decode())
    except UnicodeDecodeError:
        return kind(binary=payload)


def _closed(closed: ConnectionClosed) -> WebSocketClosed:
    if closed.rcvd is not None:
        return WebSocketClosed(code=closed.rcvd.code, reason=closed.rcvd.reason)
    if closed.sent is not None:
        return WebSocketClosed(code=closed.sent.code, reason=closed.sent.reason)
    return WebSocketClosed(code=_ABNORMAL, reason="the server hung up")
