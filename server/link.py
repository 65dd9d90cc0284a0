"""A connection that outlives its request: from then on nothing of HTTP is held for it."""

import asyncio
from collections.abc import Callable
from typing import cast

from aiohttp import web

from server.arrivals import SEAT
from server.visitor import Visitor


class Link(asyncio.Protocol):
    """What follows an HTTP request on the same connection.

    For as long as an answer takes, aiohttp keeps the request, its headers, its parser, and the tasks and frames
    that answer it: some 10 KB. An answer that has no end leaves all that behind.

    Attributes:
        descriptor: see `server.sink.Flow`.
        transport: the connection's, once it is taken over.
        writing_paused: the transport holds more than its high-water mark, and not yet less than the low one.
    """

    __slots__ = ("_gone", "_waiting", "descriptor", "transport", "writing_paused")

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.descriptor = -1
        self.writing_paused = False
        self._gone: tuple[Callable[[], None], ...] = ()
        self._waiting: list[asyncio.Future[None]] | None = None

    def take_over(self, request: web.Request) -> None:
        """Have the connection of a request whose head has been answered; its handler returns without waiting.

        For aiohttp the client is gone now. The seats of the connection are left when it is over.

        Raises:
            ConnectionResetError: the client is gone already.
        """
        visitor = cast(Visitor, request.protocol)
        self.transport, gone, rest = visitor.leave_to(self)
        self.writing_paused = visitor.writing_paused
        seat = request.pop(SEAT, None)
        self._gone = (gone,) if seat is None else (gone, seat.leave)
        if not self.transport.is_reading():
            self.transport.resume_reading()
        if rest:
            self.data_received(rest)

    async def drain(self) -> None:
        """Wait until there is room to write, or the client is gone."""
        while self.writing_paused and not self.transport.is_closing():
            # One for each who waits: who is cancelled must not cancel it for the others.
            waiter = asyncio.get_running_loop().create_future()
            if self._waiting is None:
                self._waiting = []
            self._waiting.append(waiter)
            await waiter

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self.writing_paused = True

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self.writing_paused = False
        self._wake()

    def connection_lost(self, exc: BaseException | None) -> None:
        """See `asyncio.Protocol`."""
        # The number is somebody else's soon.
        self.descriptor = -1
        for leave in self._gone:
            leave()
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        for waiter in waiting or ():
            if not waiter.done():
                waiter.set_result(None)
