"""A bad network between a client and a server: a TCP proxy that cuts, delays, halves and swallows."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

#: A delayed packet is late by up to this, in seconds.
LATE = 0.003
#: What becomes of a connection, once it has carried so many bytes as it was given.
CUT = "cut"  # both ends get a reset, and the packet on its way is gone
HALVED = "halved"  # the first half of the packet arrives, then both ends get a reset
CLOSED = "closed"  # the packet arrives, and no answer ever does: the ends get an orderly end of file
BLACK_HOLE = "black hole"  # nothing arrives any more, and nobody is told


class Proxy:
    """Stands before one port of this machine.

    Args:
        port: of the server.
        cuts: how many connections end badly; those after them are left alone.
        fates: how they may end.
        seed: decides when and how.
        most: the most bytes that such a connection carries.

    Attributes:
        port: where to connect to.
        ended: how many connections came to which end.
    """

    def __init__(self, port: int, *, cuts: int, fates: Sequence[str], seed: int, most: int = 5000) -> None:
        self.port = 0
        self.ended: Counter[str] = Counter()
        self._server_port = port
        self._cuts = cuts
        self._fates = fates
        self._chance = random.Random(seed)
        self._most = most
        self._connections: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        """Carry connections until the context is left."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for connection in self._connections:
                connection.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
            await server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.ensure_future(self._carry(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _carry(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection("127.0.0.1", self._server_port)
        fate = None
        if self._cuts:
            self._cuts -= 1
            fate = Fate(self._chance.choice(self._fates), self._chance.randrange(self._most))
        pumps = (
            asyncio.ensure_future(self._pump(client, to_server, fate)),
            asyncio.ensure_future(self._pump(server, to_client, fate)),
        )
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            await _ended(*pumps)
            if fate is not None and fate.came:
                self.ended[fate.kind] += 1
                if fate.kind == BLACK_HOLE:
                    await client.read()  # until the client gives up; the server is not told even then
                    await asyncio.Event().wait()
        finally:
            await _ended(*pumps)
            for writer in (to_client, to_server):
                if fate is not None and fate.kind in (CUT, HALVED):
                    writer.transport.abort()
                else:
                    writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fate: "Fate | None") -> None:
        try:
            while data := await reader.read(65536):
                if fate is not None and fate.strikes(len(data)):
                    if fate.kind in (HALVED, CLOSED):
                        writer.write(data[: len(data) // 2] if fate.kind == HALVED else data)
                        await writer.drain()
                    return
                if self._chance.random() < 0.02:
                    await asyncio.sleep(self._chance.random() * LATE)
                middle = self._chance.randrange(len(data))
                writer.write(data[:middle])
                await asyncio.sleep(0)
                writer.write(data[middle:])
                await writer.drain()
        except ConnectionError:
            pass


class Fate:
    """How a connection ends, and after how many bytes, both ways together."""

    def __init__(self, kind: str, after: int) -> None:
        self.kind = kind
        self.came = False
        self._left = after

    def strikes(self, size: int) -> bool:
        """Count bytes; True from the moment on when there were too many."""
        self._left -= size
        self.came = self.came or self._left < 0
        return self.came


async def _ended(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
