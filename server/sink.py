"""One client's transport, as cursors and conversations write to it."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from typing import Protocol

if sys.platform == "linux":
    import fcntl
    import termios

HIGH_WATER = 64 * 1024
#: The kernel's part of what is on its way to one client: without a bound it takes megabytes.
KERNEL_BUFFER = 128 * 1024


class Flow(Protocol):
    """The protocol of a transport, as far as it tells when that is full.

    Attributes:
        descriptor: the socket's, while nothing that was handed to the transport waits to be sent; otherwise, and
            once the connection is lost, -1.
    """

    descriptor: int

    @property
    def writing_paused(self) -> bool:
        """Whether the transport holds more than it should."""
        ...

    async def drain(self) -> None:
        """Wait until it does no longer; a `ConnectionError` or a return when the client is gone."""
        ...


class TransportSink:
    """Writes whole frames or chunks, synchronously, and knows when to stop.

    What is on its way is bounded by the high-water mark plus one span, and the kernel's buffer.

    Args:
        transport: the client's; None when it is gone already.
        flow: the transport's protocol.
        unacknowledged: see `server.timing.Timing`.

    Raises:
        ConnectionResetError: the client is gone.

    Attributes:
        written: bytes handed over so far.
    """

    __slots__ = ("_behind", "_descriptor", "_flow", "_looked", "_taken", "_tasks", "_transport", "written")

    def __init__(self, transport: asyncio.Transport | None, flow: Flow, unacknowledged: float) -> None:
        if transport is None:
            raise ConnectionResetError("the client is gone already")
        transport.set_write_buffer_limits(high=HIGH_WATER)
        peer: socket.socket | None = transport.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER)
            # Without it, Linux tries for a quarter of an hour. RFC 5482; elsewhere the system's own time counts.
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(unacknowledged * 1000))
        # Bytes of TLS are not ours to write, and Windows writes to files in another way than to sockets.
        plain = peer is not None and os.name == "posix" and transport.get_extra_info("sslcontext") is None
        self._descriptor = peer.fileno() if peer is not None and plain else -1
        self._transport = transport
        self._flow = flow
        self.written = 0
        self._behind = 0.0
        self._looked = 0.0
        self._taken: int | None = None
        # Most are never full; empty, it would be a third of what is held here.
        self._tasks: set[asyncio.Task[None]] | None = None

    def write(self, data: bytes) -> None:
        """Hand the bytes over; never waits, and does nothing once the client is gone."""
        if not self._transport.is_closing():
            self._transport.write(data)
            self.written += len(data)
            waits = self._transport.get_write_buffer_size() > 0
            self._flow.descriptor = -1 if waits else self._descriptor

    def offer(self, data: bytes) -> bool:
        """Hand the bytes over past the transport, if nothing that it holds comes before them; False if not.

        A write of the transport comes to the same, by a longer way through Python.
        """
        flow = self._flow
        descriptor = flow.descriptor
        if descriptor < 0:
            return False
        try:
            sent = os.write(descriptor, data)
        except BlockingIOError:
            sent = 0
        except OSError:
            # The transport will meet the same, and knows what to do.
            flow.descriptor = -1
            return False
        self.written += len(data)
        if sent < len(data):
            flow.descriptor = -1
            self._transport.write(memoryview(data)[sent:])
        return True

    def has_room(self) -> bool:
        """Whether less than the high-water mark is waiting."""
        return not self._flow.writing_paused

    def when_room(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` once when there is room again; never when the client is gone."""
        task = asyncio.get_running_loop().create_task(self._wake(wake))
        if self._tasks is None:
            self._tasks = set()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def room(self) -> bool:
        """Wait until there is room; False when the client is gone."""
        # Whoever waited as well may have filled it again.
        while not self._transport.is_closing() and not self.has_room():
            try:
                await self._flow.drain()
            except ConnectionError:
                return False
        return not self._transport.is_closing()

    def taken(self) -> int:
        """Bytes of those `written` that the client's system has acknowledged, about."""
        return self.written - self._transport.get_write_buffer_size() - self._unacknowledged()

    def behind(self, now: float, least: int) -> float:
        """For how many seconds the client has been taking too little while more waited for it; asked now and then.

        It is an average: each second with more than ``least`` makes good for others with less, down to none.

        Args:
            now: the loop's time.
            least: bytes a second.
        """
        if self.has_room():
            self._taken = None
            return 0.0
        taken = self.taken()
        if self._taken is None:
            self._behind = 0.0
        else:
            self._behind = max(0.0, self._behind + now - self._looked - (taken - self._taken) / least)
        self._looked, self._taken = now, taken
        return self._behind

    def is_closing(self) -> bool:
        """Whether the client is gone or about to be."""
        return self._transport.is_closing()

    def abort(self) -> None:
        """Drop the connection and whatever was waiting for it."""
        self._transport.abort()

    def _unacknowledged(self) -> int:
        """Bytes that the system holds for the client, where it tells."""
        # Without it, what a slow client takes shows only each time that the system has room for a good deal more.
        peer: socket.socket | None = self._transport.get_extra_info("socket")
        if sys.platform == "linux" and peer is not None and peer.fileno() >= 0:
            return int.from_bytes(fcntl.ioctl(peer.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)
        return 0

    async def _wake(self, wake: Callable[[], None]) -> None:
        if await self.room():
            wake()
