"""One client's transport, as cursors and conversations write to it."""

import asyncio
import socket
from collections.abc import Callable

from aiohttp import web

HIGH_WATER = 64 * 1024
#: The kernel's part of what is on its way to one client: without a bound it takes megabytes.
KERNEL_BUFFER = 128 * 1024


class TransportSink:
    """Writes whole frames or chunks, synchronously, and knows when to stop.

    What is on its way is bounded by the high-water mark plus one span, and the kernel's buffer.

    Attributes:
        wrote: something was written since somebody last put this to False.
    """

    __slots__ = ("_protocol", "_tasks", "_transport", "_waiting_since", "_writer", "wrote")

    def __init__(self, request: web.BaseRequest) -> None:
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client is gone already")
        transport.set_write_buffer_limits(high=HIGH_WATER)
        peer: socket.socket | None = transport.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER)
        self.wrote = False
        self._transport = transport
        self._protocol = request.protocol
        self._writer = request.writer
        self._waiting_since: float | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def write(self, data: bytes) -> None:
        """Hand the bytes over; never waits, and does nothing once the client is gone."""
        if not self._transport.is_closing():
            self._transport.write(data)
            self.wrote = True

    def has_room(self) -> bool:
        """Whether less than the high-water mark is waiting."""
        return not self._protocol.writing_paused

    def when_room(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` once when there is room again; never when the client is gone."""
        task = asyncio.get_running_loop().create_task(self._wake(wake))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def room(self) -> bool:
        """Wait until there is room; False when the client is gone."""
        if self.has_room():
            return not self._transport.is_closing()
        if self._waiting_since is None:
            self._waiting_since = asyncio.get_running_loop().time()
        try:
            await self._writer.drain()
        except ConnectionError:
            return False
        self._waiting_since = None
        return not self._transport.is_closing()

    def waiting(self, now: float) -> float:
        """For how many seconds somebody has waited for room; ``now`` is the loop's time."""
        return 0.0 if self._waiting_since is None else now - self._waiting_since

    def is_closing(self) -> bool:
        """Whether the client is gone or about to be."""
        return self._transport.is_closing()

    def abort(self) -> None:
        """Drop the connection and whatever was waiting for it."""
        self._transport.abort()

    async def _wake(self, wake: Callable[[], None]) -> None:
        if await self.room():
            wake()
