"""One connection, read by hand. What came before it broke can still be read after it."""

import asyncio
from typing import Any, Self, cast

from pushtui.doctor.endpoint import Endpoint
from pushtui.doctor.head import LARGEST, Head, NotHttpError

#: What may wait to be read; the rest stays in the network.
_MOST_WAITING = 1 << 20
_SWITCHING = 101


class EndedError(Exception):
    """The connection is over, and nothing of it is left to read; the message says how it ended.

    Attributes:
        orderly: the other end closed it, and did not cut it.
    """

    def __init__(self, how: str, *, orderly: bool) -> None:
        super().__init__(how)
        self.orderly = orderly


class Link(asyncio.Protocol):
    """One TCP connection, encrypted or not."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._data = bytearray()
        self._over: EndedError | None = None
        self._paused = False
        self._came = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self.at = self._loop.time()

    @classmethod
    async def open(cls, endpoint: Endpoint, seconds: float) -> Self:
        """Connect.

        Args:
            endpoint: where to.
            seconds: how long it may take.

        Raises:
            OSError: it cannot be had; TimeoutError is one.
        """
        async with asyncio.timeout(seconds):
            _, link = await asyncio.get_running_loop().create_connection(
                cls,
                endpoint.host,
                endpoint.port,
                ssl=endpoint.tls,
                server_hostname=endpoint.host if endpoint.tls else None,
            )
        return link

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._transport is not None:
            self._transport.abort()
        # With TLS the transport is gone only after another turn.
        while self._over is None:
            self._came.clear()
            await self._came.wait()

    def info(self, name: str) -> Any:
        """See `asyncio.BaseTransport.get_extra_info`."""
        return None if self._transport is None else self._transport.get_extra_info(name)

    def send(self, data: bytes) -> None:
        """Send; nothing happens when the connection is over."""
        if self._over is None and self._transport is not None:
            self._transport.write(data)

    @property
    def has_room(self) -> bool:
        """Whether the other end takes what is sent."""
        return self._has_room.is_set()

    async def sent(self) -> None:
        """Wait until the other end took most of what was sent, or the connection is over."""
        await self._has_room.wait()

    async def some(self, most: int = 1 << 16) -> bytes:
        """What came, at least one byte.

        Raises:
            EndedError: nothing more comes.
        """
        while not self._data:
            await self._more()
        return self._take(min(most, len(self._data)))

    async def exactly(self, size: int) -> bytes:
        """So many bytes.

        Raises:
            EndedError: as many do not come any more.
        """
        while len(self._data) < size:
            await self._more()
        return self._take(size)

    async def head(self, seconds: float) -> Head:
        """The head of an answer; those that only say that it will take a while are passed over.

        Raises:
            EndedError: it does not come any more.
            NotHttpError: it is none.
            TimeoutError: it did not come in time.
        """
        async with asyncio.timeout(seconds):
            while True:
                while (end := self._data.find(b"\r\n\r\n")) < 0:
                    if len(self._data) > LARGEST or (len(self._data) >= 5 and self._data[:5] != b"HTTP/"):
                        raise NotHttpError(f"no HTTP is spoken here: {bytes(self._data[:40])!r}")
                    await self._more()
                head = Head.parse(self._take(end))
                self._take(4)
                if head.status >= 200 or head.status == _SWITCHING:
                    return head

    async def _more(self) -> None:
        if self._over is not None:
            raise self._over
        self._came.clear()
        await self._came.wait()

    def _take(self, size: int) -> bytes:
        taken = bytes(self._data[:size])
        del self._data[:size]
        if self._paused and len(self._data) < _MOST_WAITING and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return taken

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self.at = self._loop.time()
        self._data += data
        if len(self._data) >= _MOST_WAITING and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._came.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._over = EndedError("closed" if exc is None else f"cut ({exc})", orderly=exc is None)
        self._has_room.set()
        self._came.set()

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self._has_room.clear()

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self._has_room.set()
