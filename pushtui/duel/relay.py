"""A TCP relay on this machine, between one client and the server: it counts each byte, and it can cut the link."""

import asyncio
import contextlib
import socket
import ssl
import struct
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from pushtui.client.address import Address
from pushtui.duel.standing import Carried

_READ = 64 * 1024
_OPENING = 10.0
#: With it, closing a socket throws away what waits in it and tells the other end so, by a reset: RFC 9293, 3.10.7.
_RESET = struct.pack("ii", 1, 0)


class Relay:
    """Use it as an asynchronous context manager; its `address` is what the client connects to.

    The server is spoken to as if the relay was not there: under its own name, with TLS if its address says so.
    What is counted are the bytes of HTTP and WebSocket: no TLS, no TCP, no IP.

    Args:
        address: the server.
    """

    def __init__(self, address: Address) -> None:
        parts = urlsplit(address.http)
        self._host = parts.hostname or ""
        self._port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._path = parts.path
        self._server_name = f"Host: {address.authority}\r\n".encode()
        self._own_name = b""
        self._sent = 0
        self._received = 0
        self._connections = 0
        self._carrying: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self._server: asyncio.Server | None = None
        self.address = address

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=_READ)
        port = self._server.sockets[0].getsockname()[1]
        self._own_name = f"Host: 127.0.0.1:{port}\r\n".encode()
        self.address = Address.parse(f"http://127.0.0.1:{port}{self._path}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for carrying in list(self._carrying):
            carrying.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    @property
    def carried(self) -> Carried:
        """What it carried so far, both ways."""
        return Carried(self._sent, self._received, self._connections)

    def cut(self) -> None:
        """Break every connection that there is now, at both ends; those that come later are left alone."""
        for writers in self._carrying.values():
            for writer in writers:
                _reset(writer)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        carrying = asyncio.ensure_future(self._carry(reader, writer))
        self._carrying[carrying] = [writer]
        carrying.add_done_callback(self._carrying.pop)

    async def _carry(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        writers = [to_client]
        try:
            async with asyncio.timeout(_OPENING):
                server, to_server = await asyncio.open_connection(
                    self._host, self._port, ssl=self._tls, limit=_READ
                )
            writers.append(to_server)
            if (here := asyncio.current_task()) is not None:
                self._carrying[here] = writers
            pumps = (
                asyncio.ensure_future(self._up(client, to_server)),
                asyncio.ensure_future(self._down(server, to_client)),
            )
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        except (OSError, TimeoutError):
            _reset(to_client)
        finally:
            for writer in writers:
                writer.close()

    async def _up(self, client: asyncio.StreamReader, to_server: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await client.read(_READ):
                # Clients write the head of a request in one piece.
                data = data.replace(self._own_name, self._server_name)
                self._sent += len(data)
                to_server.write(data)
                await to_server.drain()

    async def _down(self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await server.read(_READ):
                self._received += len(data)
                to_client.write(data)
                await to_client.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    peer: socket.socket | None = writer.get_extra_info("socket")
    if peer is not None and peer.fileno() >= 0:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
