"""What an inspection sees of a WebSocket, and what it sends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from pushtui.client.inspection import Asking, Inspection, NoFlowError, Target
from pushtui.wire.records import Close, Frame, Record, Request, Response
from pushtui.wire.watch import NotSentError
from tests.client.peers import PATIENCE, http_peer
from tests.client.peers import Request as Asked
from tests.client.test_inspection import passed, seen


@asynccontextmanager
async def websocket_peer(
    script: Callable[[ServerConnection], Awaitable[Any]], **options: Any
) -> AsyncIterator[str]:
    async def handle(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await script(connection)

    async with serve(handle, "127.0.0.1", 0, **options) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/any?path=1"


async def test_all_that_a_websocket_sends_in_its_order() -> None:
    async def script(connection: ServerConnection) -> None:
        assert connection.request is not None
        assert connection.request.path == "/any?path=1"
        await connection.send("one")
        await connection.ping(b"hi")
        await connection.send(b"\0\xff")
        await connection.pong(b"\xff")
        await connection.send(["a", "é", "c"])
        await connection.close(4321, "enough")

    async with websocket_peer(script) as url:
        asked, answered, *rest = await seen(url)
    assert isinstance(asked, Request)
    assert isinstance(answered, Response)
    assert (asked.target, answered.status, answered.reason) == ("/any?path=1", 101, "Switching Protocols")
    down = [one for one in rest if isinstance(one, Frame) and one.direction == "down"]
    assert down == [
        Frame(0, "down", 1, b"one", wire_bytes=5),
        Frame(0, "down", 9, b"hi", wire_bytes=4),
        Frame(0, "down", 2, b"\0\xff", wire_bytes=4),
        Frame(0, "down", 10, b"\xff", wire_bytes=3),
        Frame(0, "down", 1, b"a", fin=False, wire_bytes=3),
        Frame(0, "down", 0, "é".encode(), fin=False, wire_bytes=4),
        Frame(0, "down", 0, b"c", fin=False, wire_bytes=3),
        Frame(0, "down", 0, b"", wire_bytes=2),
        Frame(0, "down", 8, b"\x10\xe1enough", wire_bytes=10),
    ]
    up = [one for one in rest if isinstance(one, Frame) and one.direction == "up"]
    assert [(one.opcode, one.payload, one.wire_bytes) for one in up] == [
        (10, b"hi", 8),
        (8, b"\x10\xe1enough", 14),
    ]
    assert all(one.mask is not None and len(one.mask) == 4 for one in up)
    assert rest.index(up[0]) > rest.index(down[1])  # the pong comes after its ping
    assert rest[-1] == Close(0, "enough", 4321, "server")


async def test_what_is_sent_is_seen_as_well() -> None:
    heard: list[str | bytes] = []

    async def script(connection: ServerConnection) -> None:
        async for message in connection:
            heard.append(message)
            if message == b"\0":
                await connection.close()

    found: list[Record] = []
    async with websocket_peer(script) as url, asyncio.timeout(PATIENCE):
        inspection = Inspection(Target.parse(url))
        sending = asyncio.create_task(inspection.send("hé"))  # before it is open
        async for record in inspection.records():
            found.append(record)
            if isinstance(record, Frame) and record.opcode == 1:
                await inspection.send(b"\0")
        await sending
        with pytest.raises(NotSentError, match="not sent: the WebSocket is closed"):
            await inspection.send("late")
    assert heard == ["hé", b"\0"]
    assert passed(found)[:2] == [("up", 1, "hé".encode()), ("up", 2, b"\0")]


async def test_nothing_is_sent_to_who_is_not_there_or_only_speaks() -> None:
    async with http_peer(lambda request: request.answer("404 Not Found")) as address:
        inspection = Inspection(Target.parse(address.ws))
        sending = asyncio.create_task(inspection.send("hi"))
        with pytest.raises(NoFlowError):
            async for _ in inspection.records():
                pass
        with pytest.raises(NotSentError, match="not sent: there is no WebSocket"):
            await sending
        with pytest.raises(NotSentError, match="an event stream takes no messages"):
            await Inspection(Target.parse(address.http)).send("hi")


async def test_it_asks_with_what_it_is_told() -> None:
    asked: list[dict[str, str]] = []

    async def peer(request: Asked) -> None:
        asked.append(request.headers)
        await request.answer("404 Not Found")

    further = (("X-One", "1"), ("User-Agent", "mine"), ("Authorization", "Basic c2VjcmV0"))
    found: list[Record] = []
    async with http_peer(peer) as address:
        for url, asking in (
            (address.http, Asking(None, further, "https://a.example", last_event_id="9")),
            (address.ws, Asking(None, further, "https://a.example", ("b", "a"))),
        ):
            with pytest.raises(NoFlowError):
                await seen(url, asking=asking, found=found)
    for headers in asked:
        assert headers["x-one"] == "1"
        assert headers["user-agent"] == "mine"
        assert headers["authorization"] == "Basic c2VjcmV0"
        assert headers["origin"] == "https://a.example"
    assert asked[0]["last-event-id"] == "9"
    assert asked[1]["sec-websocket-protocol"] == "b, a"
    requests = [record for record in found if isinstance(record, Request)]
    assert len(requests) == 2
    assert all(("Authorization", "Basic …") in request.headers for request in requests)


async def test_further_headers_are_for_one_origin_only() -> None:
    async def elsewhere(request: Asked) -> None:
        raise AssertionError(request.headers)

    async with http_peer(elsewhere) as there:
        moved = f"Location: {there.http}/"
        async with http_peer(lambda request: request.answer("307 Temporary Redirect", moved)) as here:
            for url in (here.http, here.ws):
                with pytest.raises(NoFlowError, match="the server redirects to"):
                    await seen(url, asking=Asking(None, (("X-Api-Key", "secret"),)))


async def test_a_websocket_that_is_cut_off() -> None:
    async def script(connection: ServerConnection) -> None:
        await connection.send("x")
        connection.transport.abort()

    async with websocket_peer(script) as url:
        found = await seen(url)
    assert found[-1] == Close(0, "the connection broke", 1006, "nobody")


async def test_a_websocket_that_breaks_the_protocol() -> None:
    async def script(connection: ServerConnection) -> None:
        connection.transport.write(b"\xff\xff")
        await connection.wait_closed()

    async with websocket_peer(script) as url:
        found = await seen(url)
    assert isinstance(found[-1], Close)
    assert (found[-1].code, found[-1].by) == (1002, "client")


async def test_more_than_anyone_reads_at_once_slows_down_the_server() -> None:
    async def script(connection: ServerConnection) -> None:
        for number in range(2000):
            await connection.send(str(number))

    async with websocket_peer(script) as url:
        found = await seen(url, 3000)
    texts = [payload.decode() for _, opcode, payload in passed(found) if opcode == 1]
    assert texts == [str(number) for number in range(2000)]


async def test_an_address_without_a_websocket() -> None:
    async def peer(request: Asked) -> None:
        await request.answer("404 Not Found")

    async with http_peer(peer) as address:
        with pytest.raises(NoFlowError, match=f"no WebSocket at {address.authority}: HTTP 404"):
            await seen(address.ws)


async def test_an_old_web_server_has_no_websocket() -> None:
    async def peer(request: Asked) -> None:
        await request.send(b"HTTP/1.0 404 File not found\r\n\r\n")

    async with http_peer(peer) as address:
        with pytest.raises(NoFlowError, match=f"there is no WebSocket at {address.authority}"):
            await seen(address.ws)


# Addresses
