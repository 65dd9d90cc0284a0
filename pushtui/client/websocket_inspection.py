"""Looks at a WebSocket until it is closed, and sends over it."""

import asyncio

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from pushtui.client import handshake, tls
from pushtui.client.feed import Feed
from pushtui.client.inspection import Asking, NoFlowError, NoServerError, Target
from pushtui.client.websocket import LARGEST_FRAME
from pushtui.wire.records import Record
from pushtui.wire.watch import NotSentError, Watch

_OPENING = 10.0
_CLOSING = 1.0


class WebSocketInspection:
    """See `pushtui.client.inspection.Inspection`; the feed is here for its room only."""

    def __init__(self, target: Target, asking: Asking, watch: Watch, feed: Feed[Record]) -> None:
        self._target = target
        self._asking = asking
        self._watch = watch
        self._feed = feed
        self._connection: ClientConnection | None = None
        self._tried = asyncio.Event()

    async def run(self) -> None:
        """Read until it is closed.

        Raises:
            NoServerError: see `pushtui.client.inspection.Inspection.records`.
            NoFlowError: likewise.
        """
        try:
            self._connection = await self._open()
        finally:
            self._tried.set()
        async with self._connection as connection:
            try:
                while True:
                    await self._feed.room()
                    # Told already; taken so that the library goes on reading.
                    await connection.recv(decode=False)
            except ConnectionClosed:
                pass  # which the watch tells

    async def send(self, message: str | bytes) -> None:
        """Send a text or binary message, as soon as the WebSocket is open.

        Raises:
            NotSentError: there is none, or not any more.
        """
        await self._tried.wait()
        if self._connection is None:
            raise NotSentError("not sent: there is no WebSocket")
        try:
            await self._connection.send(message)
        except ConnectionClosed as closed:
            raise NotSentError("not sent: the WebSocket is closed") from closed

    async def _open(self) -> ClientConnection:
        target, asking = self._target, self._asking
        try:
            return await handshake.Opening(
                target.url,
                token=asking.token,
                watch=self._watch,
                headers=asking.headers,
                origin=None if asking.origin is None else Origin(asking.origin),
                subprotocols=[Subprotocol(name) for name in asking.subprotocols] or None,
                ssl=tls.context(insecure=asking.insecure) if target.encrypted else None,
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
