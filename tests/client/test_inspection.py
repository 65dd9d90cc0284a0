import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from pushtui.client.address import AddressRefusedError
from pushtui.client.inspection import NoFlowError, NoServerError, Target, inspect
from pushtui.client.observations import (
    Record,
    SseClosed,
    SseComment,
    SseEvent,
    SseOpen,
    SseReconnecting,
    SseRetry,
    WebSocketClosed,
    WebSocketMessage,
    WebSocketOpen,
    WebSocketPing,
    WebSocketPong,
    line,
)
from tests.client.peers import PATIENCE, FakeClock, Request, forever, http_peer

CLOSED = SseClosed(reason="the server hung up")


async def seen(url: str, count: int = 100, *, once: bool = False, clock: FakeClock | None = None) -> list[Record]:
    """The first records, that many or up to the end."""
    found: list[Record] = []
    async with (
        asyncio.timeout(PATIENCE),
        aclosing(inspect(Target.parse(url), once=once, clock=clock or FakeClock())) as records,
    ):
        async for record in records:
            found.append(record)
            if len(found) == count:
                break
    return found


# Event streams


def streams(*streams: bytes) -> tuple[Callable[[Request], Awaitable[None]], list[str | None]]:
    """A peer that answers with one stream after the other, then 204; and the ids that it was asked with."""
    named: list[str | None] = []
    left = iter(streams)

    async def peer(request: Request) -> None:
        identity = request.headers.get("last-event-id")
        named.append(None if identity is None else identity.encode("latin-1").decode())
        stream = next(left, None)
        if stream is None:
            await request.answer("204 No Content")
        else:
            await request.open_stream(stream)

    return peer, named


async def test_all_that_a_stream_sends_in_its_order() -> None:
    stream = "\ufeff: hello\nretry: 700\nid: é\ndata: one\n\nevent: e\ndata: a\ndata: b\n\n"
    peer, _ = streams(stream.encode())
    async with http_peer(peer) as address:
        found = await seen(f"{address.http}/events", once=True)
    assert found == [
        SseOpen(status=200, headers={"content-type": "text/event-stream; charset=utf-8", "connection": "close"}),
        SseComment(text="hello"),
        SseRetry(ms=700),
        SseEvent(event="message", data="one", id="é"),
        SseEvent(event="e", data="a\nb", id="é"),
        CLOSED,
    ]


async def test_it_comes_back_with_the_last_id_after_the_time_that_was_set_until_204() -> None:
    peer, named = streams(b"data: 1\n\n", "id: é2\ndata: 2\n\n".encode(), b"retry: 20\nid\n\n", b"id: 9\n")
    clock = FakeClock()
    async with http_peer(peer) as address:
        found = await seen(address.http, clock=clock)
    assert named == [None, None, "é2", None, None]
    assert clock.waited == [3.0, 3.0, 0.05, 0.05]
    assert [record for record in found if isinstance(record, SseReconnecting)] == [
        SseReconnecting(after_ms=3000, last_event_id=""),
        SseReconnecting(after_ms=3000, last_event_id="é2"),
        SseReconnecting(after_ms=50, last_event_id=""),
        SseReconnecting(after_ms=50, last_event_id=""),
    ]
    assert [record.data for record in found if isinstance(record, SseEvent)] == ["1", "2"]
    assert found[-1] == SseClosed(reason="the server has nothing more to say (HTTP 204)", status=204)


async def test_an_id_stays_over_connections() -> None:
    peer, _ = streams(b"id: 4\ndata: a\n\n", b"data: b\n\n")
    async with http_peer(peer) as address:
        found = await seen(address.http)
    assert [record.id for record in found if isinstance(record, SseEvent)] == ["4", "4"]


async def test_tries_that_find_no_stream_wait_longer_and_longer() -> None:
    tries = itertools.count()

    async def peer(request: Request) -> None:
        match next(tries):
            case 0 | 4:
                await request.open_stream(b"retry: 1000\n")
            case 5:
                await request.answer("204 No Content")
            case _:
                request.cut()

    async with http_peer(peer) as address:
        found = await seen(address.http)
    waits = [(record.after_ms, record.reason) for record in found if isinstance(record, SseReconnecting)]
    assert [after for after, _ in waits] == [1000, 2000, 4000, 8000, 1000]
    assert [record for record in found if record == CLOSED] == [CLOSED, CLOSED]
    assert all(isinstance(reason, str) == (after > 1000) for after, reason in waits)


@pytest.mark.parametrize(
    ("status", "content_type", "reason"),
    [
        ("404 Not Found", "text/event-stream", "HTTP 404"),
        ("500 Internal Server Error", "text/event-stream", "HTTP 500"),
        ("503 Service Unavailable", "text/event-stream", "HTTP 503"),
        ("206 Partial Content", "text/event-stream", "HTTP 206"),
        ("200 OK", "text/html", "it answers with text/html"),
        ("200 OK", "", "it answers with no content type"),
    ],
)
async def test_what_is_no_stream_ends_it(status: str, content_type: str, reason: str) -> None:
    tries = itertools.count()

    async def peer(request: Request) -> None:
        if next(tries) == 0:
            await request.open_stream(b"data: 1\n\n")
        else:
            await request.answer(status, f"Content-Type: {content_type}", body=b"data: 2\n\n")

    async with http_peer(peer) as address:
        with pytest.raises(NoFlowError, match=re.escape(f"no event stream at {address.authority}: {reason}")):
            await seen(address.http)
        assert next(tries) == 2


@pytest.mark.parametrize("content_type", ["text/event-stream", "Text/Event-Stream ; charset=latin1"])
async def test_what_is_a_stream_and_it_is_utf_8(content_type: str) -> None:
    async def peer(request: Request) -> None:
        await request.open_stream("data: é\n\n".encode(), content_type=content_type)

    async with http_peer(peer) as address:
        found = await seen(address.http, once=True)
    assert found[1] == SseEvent(event="message", data="é", id="")


@pytest.mark.parametrize("status", ["301 A", "302 B", "303 C", "307 D", "308 E"])
async def test_redirects_are_followed_with_the_id_and_begin_anew_each_time(status: str) -> None:
    asked: list[tuple[str, str | None]] = []

    async def peer(request: Request) -> None:
        asked.append((request.target, request.headers.get("last-event-id")))
        if request.target == "/here?a=b,c":
            await request.answer(status, "Location: /there")
        else:
            await request.open_stream(b"id: 1\ndata: x\n\n")

    async with http_peer(peer) as address:
        await seen(f"{address.http}/here?a=b,c#fragment", 6)
    assert asked[:4] == [("/here?a=b,c", None), ("/there", None), ("/here?a=b,c", "1"), ("/there", "1")]


async def test_no_server() -> None:
    async with http_peer(lambda request: forever()) as address:
        pass
    for url in (address.http, address.ws):
        with pytest.raises(NoServerError, match=f"no server at {address.authority}"):
            await seen(url)


async def test_once_ends_after_a_stream_that_was_cut() -> None:
    async def peer(request: Request) -> None:
        await request.open_stream(b"data: 1\n\n")
        request.cut()

    async with http_peer(peer) as address:
        found = await seen(address.http, once=True)
    assert found[-1] == CLOSED
    assert len(found) <= 3


async def test_an_event_without_an_end_is_left() -> None:
    async def peer(request: Request) -> None:
        await request.open_stream(b"data: 1\n\n")
        for _ in range(20):
            await request.send(b"x" * 65536)
        await forever()

    async with http_peer(peer) as address:
        found = await seen(address.http, once=True)
    assert found[1:] == [
        SseEvent(event="message", data="1", id=""),
        SseClosed(reason="the server sent an event of more than 1048576 bytes"),
    ]


# WebSockets


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
        await connection.send([b"a", b"b"])
        await connection.close(4321, "enough")

    async with websocket_peer(script) as url:
        opened, *rest = await seen(url)
    assert isinstance(opened, WebSocketOpen)
    assert (opened.status, opened.subprotocol, opened.headers["upgrade"]) == (101, None, "websocket")
    assert rest == [
        WebSocketMessage(text="one"),
        WebSocketPing(text="hi"),
        WebSocketMessage(binary=b"\0\xff"),
        WebSocketPong(binary=b"\xff"),
        WebSocketMessage(text="aéc"),
        WebSocketMessage(binary=b"ab"),
        WebSocketClosed(code=4321, reason="enough"),
    ]


async def test_a_websocket_that_is_cut_off() -> None:
    async def script(connection: ServerConnection) -> None:
        await connection.send("x")
        connection.transport.abort()

    async with websocket_peer(script) as url:
        found = await seen(url)
    assert found[-1] == WebSocketClosed(code=1006, reason="the server hung up")


async def test_a_websocket_that_breaks_the_protocol() -> None:
    async def script(connection: ServerConnection) -> None:
        connection.transport.write(b"\xff\xff")
        await connection.wait_closed()

    async with websocket_peer(script) as url:
        found = await seen(url)
    assert isinstance(found[-1], WebSocketClosed)
    assert found[-1].code == 1002


async def test_more_than_anyone_reads_at_once_slows_down_the_server() -> None:
    async def script(connection: ServerConnection) -> None:
        for number in range(2000):
            await connection.send(str(number))

    async with websocket_peer(script) as url:
        found = await seen(url, 3000)
    texts = [record.text for record in found if isinstance(record, WebSocketMessage)]
    assert texts == [str(number) for number in range(2000)]


async def test_an_address_without_a_websocket() -> None:
    async def peer(request: Request) -> None:
        await request.answer("404 Not Found")

    async with http_peer(peer) as address:
        with pytest.raises(NoFlowError, match=f"no WebSocket at {address.authority}: HTTP 404"):
            await seen(address.ws)


async def test_an_old_web_server_has_no_websocket() -> None:
    async def peer(request: Request) -> None:
        await request.send(b"HTTP/1.0 404 File not found\r\n\r\n")

    async with http_peer(peer) as address:
        with pytest.raises(NoFlowError, match=f"there is no WebSocket at {address.authority}"):
            await seen(address.ws)


# Addresses and lines


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://a", "http://a/"),
        ("HTTP://A:80/X/?q=ä b#f", "http://a:80/X/?q=%C3%A4%20b"),
        ("ws://127.0.0.1:1/chat", "ws://127.0.0.1:1/chat"),
        ("wss://a/b%20c?d=%2F", "wss://a/b%20c?d=%2F"),
        ("https://[::1]:8/?a=http://x/?y", "https://[::1]:8/?a=http://x/?y"),
    ],
)
def test_urls(text: str, url: str) -> None:
    assert Target.parse(text).url == url


@pytest.mark.parametrize(
    "text",
    ["", "a", "a:80/x", "ftp://a", "http://", "http:///x", "http://a b", "http://u:p@a/", "http://a:0/", "ws://?"],
)
def test_what_is_no_url(text: str) -> None:
    with pytest.raises(AddressRefusedError, match=r"address|URL"):
        Target.parse(text)


def test_a_line_is_json_and_drives_no_terminal() -> None:
    hostile = "".join(map(chr, (0, 7, 10, 13, 27, 0x7F, 0x9B, 0x2028, 0x202E, 0x2066, 0xE9, 0x1F600)))
    written = line(SseEvent(event="e", data=hostile, id="1"))
    assert json.loads(written) == {"flow": "sse", "what": "event", "event": "e", "data": hostile, "id": "1"}
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u202e\u2066]", written)
    assert "é😀" in written
    assert list(json.loads(written)) == ["flow", "what", "event", "data", "id"]


def test_what_is_not_known_is_left_out() -> None:
    assert json.loads(line(SseClosed(reason="x"))) == {"flow": "sse", "what": "closed", "reason": "x"}
    written = json.loads(line(WebSocketMessage(binary=b"\0")))
    assert written == {"flow": "websocket", "what": "message", "binary": "AA=="}
