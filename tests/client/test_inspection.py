import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from pushtui.client.address import AddressRefusedError
from pushtui.client.inspection import Asking, Inspection, NoFlowError, NoServerError, Target
from pushtui.wire.records import Close, Dispatch, Frame, Line, Record, Request, Response, Wait
from pushtui.wire.watch import NotSentError
from tests.client.peers import PATIENCE, FakeClock, forever, http_peer
from tests.client.peers import Request as Asked

HUNG_UP = "the server hung up"


async def seen(
    url: str,
    count: int = 100,
    *,
    asking: Asking | None = None,
    once: bool = False,
    clock: FakeClock | None = None,
    found: list[Record] | None = None,
) -> list[Record]:
    """The first records, that many or up to the end; ``found`` has them even if that is an error."""
    found = [] if found is None else found
    inspection = Inspection(Target.parse(url), asking, once=once, clock=clock or FakeClock())
    async with asyncio.timeout(PATIENCE), aclosing(inspection.records()) as records:
        async for record in records:
            found.append(record)
            if len(found) == count:
                break
    return found


def dispatched(found: list[Record]) -> list[tuple[str, str, int]]:
    """The events, their last event ids, and the lengths of their data."""
    return [(one.event, one.id, one.data_bytes) for one in found if isinstance(one, Dispatch) and one.event]


def passed(found: list[Record]) -> list[tuple[str, int, bytes]]:
    """The frames: their direction, opcode and payload."""
    return [(one.direction, one.opcode, one.payload) for one in found if isinstance(one, Frame)]


# Event streams


def streams(*streams: bytes) -> tuple[Callable[[Asked], Awaitable[None]], list[str | None]]:
    """A peer that answers with one stream after the other, then 204; and the ids that it was asked with."""
    named: list[str | None] = []
    left = iter(streams)

    async def peer(request: Asked) -> None:
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
        asked, answered, *rest = await seen(f"{address.http}/events?a=1", once=True)
    assert isinstance(asked, Request)
    assert (asked.method, asked.target, asked.version) == ("GET", "/events?a=1", "HTTP/1.1")
    assert asked.headers[0] == ("Host", address.authority)
    assert ("Accept", "text/event-stream") in asked.headers
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: close\r\n\r\n"
    assert answered == Response(
        0,
        "HTTP/1.1",
        200,
        "OK",
        [("Content-Type", "text/event-stream; charset=utf-8"), ("Connection", "close")],
        len(head),
    )
    assert rest == [
        Line(0, b"\xef\xbb\xbf: hello", 11),
        Line(0, b"retry: 700", 11),
        Line(0, b"id: \xc3\xa9", 7),
        Line(0, b"data: one", 10),
        Line(0, b"", 1),
        Dispatch(0, "message", "é", 3),
        Line(0, b"event: e", 9),
        Line(0, b"data: a", 8),
        Line(0, b"data: b", 8),
        Line(0, b"", 1),
        Dispatch(0, "e", "é", 3),
        Close(0, HUNG_UP, by="server"),
    ]


async def test_it_comes_back_with_the_last_id_after_the_time_that_was_set_until_204() -> None:
    peer, named = streams(b"data: 1\n\n", "id: é2\ndata: 2\n\n".encode(), b"retry: 20\nid\n\n", b"id: 9\n")
    clock = FakeClock()
    async with http_peer(peer) as address:
        found = await seen(address.http, clock=clock)
    assert named == [None, None, "é2", None, None]
    assert clock.waited == [3.0, 3.0, 0.05, 0.05]
    assert [(one.seconds, one.reason, one.last_event_id) for one in found if isinstance(one, Wait)] == [
        (3.0, HUNG_UP, ""),
        (3.0, HUNG_UP, "é2"),
        (0.05, HUNG_UP, ""),
        (0.05, HUNG_UP, ""),
    ]
    requests = [record for record in found if isinstance(record, Request)]
    assert [("Last-Event-ID", "é2") in request.headers for request in requests] == [
        False,
        False,
        True,
        False,
        False,
    ]
    assert dispatched(found) == [("message", "", 1), ("message", "é2", 1)]
    assert isinstance(found[-1], Close)
    assert (found[-1].reason, found[-1].by) == ("the server has nothing more to say (HTTP 204)", "client")


async def test_an_id_stays_over_connections() -> None:
    peer, _ = streams(b"id: 4\ndata: a\n\n", b"data: b\n\n")
    async with http_peer(peer) as address:
        found = await seen(address.http)
    assert dispatched(found) == [("message", "4", 1), ("message", "4", 1)]


async def test_tries_that_find_no_stream_wait_longer_and_longer() -> None:
    tries = itertools.count()

    async def peer(request: Asked) -> None:
        match next(tries):
            case 0 | 4:
                await request.open_stream(b"retry: 1000\n")
            case 5:
                await request.answer("204 No Content")
            case _:
                request.cut()

    async with http_peer(peer) as address:
        found = await seen(address.http)
    assert [record.seconds for record in found if isinstance(record, Wait)] == [1, 2, 4, 8, 1]
    assert [record.reason for record in found if isinstance(record, Close)][:2] == [HUNG_UP, HUNG_UP]


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

    async def peer(request: Asked) -> None:
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
    async def peer(request: Asked) -> None:
        await request.open_stream("data: é\n\n".encode(), content_type=content_type)

    async with http_peer(peer) as address:
        found = await seen(address.http, once=True)
    assert dispatched(found) == [("message", "", 2)]


@pytest.mark.parametrize("status", ["301 A", "302 B", "303 C", "307 D", "308 E"])
async def test_redirects_are_followed_with_the_id_and_begin_anew_each_time(status: str) -> None:
    asked: list[tuple[str, str | None]] = []

    async def peer(request: Asked) -> None:
        asked.append((request.target, request.headers.get("last-event-id")))
        if request.target == "/here?a=b,c":
            await request.answer(status, "Location: /there")
        else:
            await request.open_stream(b"id: 1\ndata: x\n\n")

    async with http_peer(peer) as address:
        found = await seen(f"{address.http}/here?a=b,c#fragment", 16)
    assert [record.target for record in found if isinstance(record, Request)][:2] == ["/here?a=b,c", "/there"]
    assert [record.status for record in found if isinstance(record, Response)][:2] == [int(status[:3]), 200]
    assert asked[:4] == [("/here?a=b,c", None), ("/there", None), ("/here?a=b,c", "1"), ("/there", "1")]


async def test_no_server() -> None:
    async with http_peer(lambda request: forever()) as address:
        pass
    for url in (address.http, address.ws):
        with pytest.raises(NoServerError, match=f"no server at {address.authority}"):
            await seen(url)


async def test_once_ends_after_a_stream_that_was_cut() -> None:
    async def peer(request: Asked) -> None:
        await request.open_stream(b"data: 1\n\n")
        request.cut()

    async with http_peer(peer) as address:
        found = await seen(address.http, once=True)
    assert isinstance(found[-1], Close)
    assert found[-1].by in ("server", "nobody")


async def test_an_event_without_an_end_is_left() -> None:
    async def peer(request: Asked) -> None:
        await request.open_stream(b"data: 1\n\n")
        for _ in range(20):
            await request.send(b"x" * 65536)
        await forever()

    async with http_peer(peer) as address:
        found = await seen(address.http, once=True)
    assert found[-1] == Close(0, "the server sent an event of more than 1048576 bytes", by="client")
    assert dispatched(found) == [("message", "", 1)]


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
