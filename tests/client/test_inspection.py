import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import pytest

from pushtui.client.address import AddressRefusedError
from pushtui.client.inspection import Asking, Inspection, NoFlowError, NoServerError, Target
from pushtui.wire.records import Close, Dispatch, Frame, Line, Record, Request, Response, Wait
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
