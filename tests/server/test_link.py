"""Connections that outlive their request: what of it they leave behind, and what they still have to keep."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp.http import HttpRequestParser
from aiohttp.web import BaseRequest
from msgspec.structs import replace

from pushtui.protocol.close import CloseCode
from pushtui.protocol.frames import Opcode
from server.addresses import Addresses, parse_networks
from server.link import Link
from server.visitor import Visitor
from tests.server.conftest import NO_FLOODS, Build, House, until
from tests.server.peer import PATIENCE
from tests.server.wire_client import WireClient, masked

HELLO = b'{"type":"hello","nick":"bo%d","session":"s%d","rooms":{"main":null}}'
HANDSHAKE = (
    b"GET /chat HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
CHAT, STREAM = "/chat", "/rooms/main"


async def stay(house: House, path: str, *headers: str, number: int = 0) -> WireClient:
    """Come in by a chat or an event stream."""
    wire = await house.wire()
    if path == CHAT:
        assert (await wire.upgrade(*headers)).startswith("HTTP/1.1 101 ")
        wire.send(masked(Opcode.TEXT, HELLO % (number, number)))
        while b'"resume"' not in (await wire.frame()).payload:
            pass
    else:
        assert (await wire.request(path, *headers)).startswith("HTTP/1.1 200 ")
        async with asyncio.timeout(PATIENCE):
            await wire.reader.readuntil(b"event: resume")
    return wire


def of_http() -> list[object]:
    """What there is of connections that speak it."""
    gc.collect()
    kinds = (Visitor, BaseRequest, HttpRequestParser)
    return [held for held in gc.get_objects() if isinstance(held, kinds)]


@pytest.mark.parametrize("path", [CHAT, STREAM])
async def test_nothing_of_http_is_held(house: House, path: str) -> None:
    before = len(of_http())
    for number in range(3):
        await stay(house, path, number=number)
    await until(lambda: len(of_http()) == before)
    assert house.service.connections.count().total() == 3


async def test_whatever_comes_behind_the_handshake_is_read(house: House) -> None:
    """Also when it is more than is held for a handshake that is not over."""
    wire = await house.wire()
    pings = [b"%d" % number for number in range(30_000)]
    wire.send(HANDSHAKE + masked(Opcode.TEXT, HELLO % (0, 0)))
    wire.send(b"".join(masked(Opcode.PING, ping) for ping in pings))
    assert (await wire.head()).startswith("HTTP/1.1 101 ")
    for ping in pings:
        assert (await wire.frame_of(Opcode.PONG)).payload == ping


async def test_what_a_reader_says_is_passed_over(house: House) -> None:
    """Also more requests than may wait for their answers: then reading has paused before the stream began."""
    wire = await house.wire()
    wire.send(100 * b"GET /rooms/main HTTP/1.1\r\nHost: localhost\r\n\r\n")
    for number in range(3):
        await house.post(f"still there {number}")
        async with asyncio.timeout(PATIENCE):
            await wire.reader.readuntil(b"still there %d" % number)
        wire.send(bytes(1 << 20))
    wire.drop()
    await until(house.is_empty)


@pytest.mark.parametrize("path", [CHAT, STREAM])
async def test_the_client_of_a_proxy_has_its_seat_until_it_goes(build: Build, path: str) -> None:
    house = await build(
        protection=replace(NO_FLOODS, connections_per_address=1),
        addresses=Addresses(parse_networks("127.0.0.1")),
    )
    seats = house.server._seats
    wire = await stay(house, path, "X-Forwarded-For: 192.0.2.1")
    client = await house.http()
    refused = await client.get("/healthz", headers={"X-Forwarded-For": "192.0.2.1"})
    assert (refused.status_code, seats._by_address["192.0.2.1"]) == (429, 1)
    wire.drop()
    await until(lambda: not seats._by_address)
    assert (await client.get("/healthz", headers={"X-Forwarded-For": "192.0.2.1"})).status_code == 200


@pytest.mark.parametrize("answers", [True, False])
async def test_who_is_told_to_go_has_a_moment_to_close(
    house: House, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    monkeypatch.setattr("server.websocket.CLOSE_HANDSHAKE_SECONDS", 1000 if answers else 0.1)
    wire = await stay(house, CHAT)
    (chat,) = house.service.connections._all
    chat.end(CloseCode.REMOVED, "enough")
    said = await wire.frame_of(Opcode.CLOSE)
    assert said.close_code == CloseCode.REMOVED
    streams = house.store.streams()
    if answers:
        wire.send(masked(Opcode.TEXT, b'{"type":"join","room":"another"}'))
        await house.post("time goes by")
        assert house.service.connections.count().total() == 1
        assert house.store.streams() == streams, "nothing is done for it any more"
        wire.send(masked(Opcode.CLOSE, said.payload))
    assert await wire.ended() == b""
    await until(house.is_empty)


async def test_an_event_stream_ends_as_http_asks(house: House) -> None:
    wire = await stay(house, STREAM)
    (reader,) = house.service.connections._all
    reader.end(CloseCode.REMOVED, "enough")
    reader.end(CloseCode.REMOVED, "said already")
    rest = await wire.ended()
    assert rest.endswith(b'"reason": "enough"}\n\n\r\n0\r\n\r\n')


class TestDrain:
    @pytest.fixture
    async def other(self) -> AsyncIterator[socket.socket]:
        with socket.socket() as other:
            other.setblocking(False)
            yield other

    @pytest.fixture
    async def full(self, other: socket.socket) -> AsyncIterator[Link]:
        """A link whose transport is full."""
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            await loop.sock_connect(other, listener.getsockname())
            peer, _ = await loop.sock_accept(listener)
        link = Link()
        link.transport, _ = await loop.connect_accepted_socket(lambda: link, peer)
        link.transport.write(bytes(16 << 20))
        assert link.writing_paused
        yield link
        link.transport.abort()
        await asyncio.sleep(0)

    async def test_who_gives_up_takes_nobody_along(self, full: Link, other: socket.socket) -> None:
        patient, hasty = (asyncio.create_task(full.drain()) for _ in range(2))
        await asyncio.sleep(0)
        hasty.cancel()
        async with asyncio.timeout(PATIENCE):
            while not patient.done():
                await asyncio.get_running_loop().sock_recv(other, 1 << 20)
        assert not full.writing_paused
        assert hasty.cancelled()
        await patient

    async def test_it_ends_with_the_connection(self, full: Link) -> None:
        waits = asyncio.create_task(full.drain())
        await asyncio.sleep(0)
        full.transport.abort()
        async with asyncio.timeout(PATIENCE):
            await waits
