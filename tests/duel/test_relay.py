import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from pushtui.client.address import Address
from pushtui.duel.relay import Relay
from pushtui.duel.standing import Carried
from tests.client.peers import Request, http_peer, until

PATIENCE = 10.0
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def peer(script: Script) -> AsyncIterator[Address]:
    """A server that does with each connection as the script says, and then closes it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await script(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield Address.parse(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def visit(relay: Relay) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = relay.address.authority.split(":")
    return await asyncio.open_connection(host, int(port))


async def test_every_byte_is_passed_on_and_counted() -> None:
    data = bytes(range(256)) * 4096
    async with peer(echo) as address, Relay(address) as relay, asyncio.timeout(PATIENCE):
        for _ in range(2):
            reader, writer = await visit(relay)
            writer.write(data)
            assert await reader.readexactly(len(data)) == data
            writer.close()
        assert relay.carried == Carried(2 * len(data), 2 * len(data), 2)


async def test_the_server_is_called_by_its_own_name() -> None:
    named: list[tuple[str, str]] = []

    async def serve(request: Request) -> None:
        named.append((request.headers["host"], request.target))
        await request.answer("200 OK")

    async with http_peer(serve) as peer_address:
        address = Address.parse(f"http://localhost:{peer_address.authority.split(':')[1]}/below")
        async with Relay(address) as relay, httpx.AsyncClient(trust_env=False) as client:
            await client.get(relay.address.room("main"))
    assert named == [(address.authority, "/below/rooms/main")]


async def test_a_cut_resets_what_is_there_and_leaves_alone_what_comes_later() -> None:
    ends: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await echo(reader, writer)
        except ConnectionResetError:
            ends.append("reset")
            raise

    async with peer(serve) as address, Relay(address) as relay, asyncio.timeout(PATIENCE):
        reader, writer = await visit(relay)
        writer.write(b"x")
        await reader.readexactly(1)
        relay.cut()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        await until(lambda: ends == ["reset"])
        writer.close()
        reader, writer = await visit(relay)
        writer.write(b"y")
        assert await reader.readexactly(1) == b"y"
        writer.close()
        relay.cut()


async def test_a_server_that_is_not_there() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = Address.parse(f"127.0.0.1:{unused.getsockname()[1]}")
    async with Relay(address) as relay, asyncio.timeout(PATIENCE):
        reader, writer = await visit(relay)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def test_the_end_of_one_side_is_the_end_of_the_other() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"bye")

    async with peer(hang_up) as address, Relay(address) as relay, asyncio.timeout(PATIENCE):
        reader, writer = await visit(relay)
        assert await reader.read() == b"bye"
        writer.close()


async def test_it_ends_with_connections_open() -> None:
    before = asyncio.all_tasks()
    async with peer(echo) as address:
        async with Relay(address) as relay:
            reader, writer = await visit(relay)
            writer.write(b"x")
            await reader.readexactly(1)
        assert await reader.read() == b""
        writer.close()
    await until(lambda: asyncio.all_tasks() <= before | {asyncio.current_task()})
