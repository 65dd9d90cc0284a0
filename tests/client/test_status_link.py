import itertools
from typing import Any

import pytest

from pushtui.client.address import Address
from pushtui.client.backoff import Backoff
from pushtui.client.clock import SystemClock
from pushtui.client.happenings import CaughtUp, Link, LinkState
from pushtui.protocol.eventstream import block
from pushtui.protocol.positions import Lost, Outcome, Position
from tests.client.peers import (
    EPOCH,
    FakeClock,
    Request,
    chat_peer,
    collect,
    forever,
    http_peer,
    remainder,
)
from tests.client.reading import client, events, is_event, is_link, links, notice, opening, told_notice


async def test_one_comes_back_to_where_one_was() -> None:
    named: list[str | None] = []

    async def peer(request: Request) -> None:
        named.append(request.headers.get("last-event-id"))
        if len(named) == 1:
            await request.open_stream(opening(0, 1), notice(1), notice(2), notice(3)[:-1])
        else:
            await request.open_stream(opening(2, 3, "caught_up"), notice(2), notice(3))
            await forever()

    async with http_peer(peer) as address, client(address) as status:
        told = await collect(status, is_event(3))
    assert named == [None, f"{EPOCH}.2"]
    assert events(told) == [told_notice(1, True), told_notice(2), told_notice(3, True)]
    assert [link.state for link in links(told)] == ["connecting", "live", "lost", "connecting", "live"]
    assert links(told)[2].reason == "the server hung up"


async def test_one_who_has_seen_nothing_has_a_position_too() -> None:
    named: list[str | None] = []

    async def peer(request: Request) -> None:
        named.append(request.headers.get("last-event-id"))
        await request.open_stream(opening(0, 0))

    async with http_peer(peer) as address, client(address) as status:
        await collect(status, is_link(LinkState.LOST))
        await collect(status, is_link(LinkState.LOST))
    assert named[:2] == [None, f"{EPOCH}.0"]


async def test_a_position_from_before_is_gone_on_from() -> None:
    named: list[str | None] = []

    async def peer(request: Request) -> None:
        named.append(request.headers.get("last-event-id"))
        lost = {"after": 3, "before": 10}
        await request.open_stream(opening(9, 9, "gap", lost=lost))
        await forever()

    async with http_peer(peer) as address, client(address, position=Position(EPOCH, 3)) as status:
        told = await collect(status, lambda one: isinstance(one, CaughtUp))
    assert named == [f"{EPOCH}.3"]
    assert told[-1] == CaughtUp(None, Outcome.GAP, 0, Lost(3, 10))


async def test_a_reset_starts_over() -> None:
    async def peer(request: Request) -> None:
        await request.open_stream(opening(0, 1, "reset"), notice(1))
        await forever()

    async with http_peer(peer) as address, client(address, position=Position("oldepoch", 900)) as status:
        told = await collect(status, lambda one: isinstance(one, CaughtUp))
    assert told[-2:] == [told_notice(1, True), CaughtUp(None, Outcome.RESET, 1)]


@pytest.mark.parametrize("identity", ["a\x1bb", "a\x7f", "x" * 5000])
async def test_an_id_that_is_no_header_does_not_stop_one_from_coming_back(identity: str) -> None:
    named: list[str | None] = []

    async def peer(request: Request) -> None:
        named.append(request.headers.get("last-event-id"))
        await request.open_stream(opening(), block("{}", event="x", event_id=identity))

    async with http_peer(peer) as address, client(address) as status:
        await collect(status, is_link(LinkState.LOST))
        await collect(status, is_link(LinkState.LOST))
    assert named[:2] == [None, None]


async def test_nothing_is_lost_or_doubled_wherever_the_stream_is_cut() -> None:
    log = [notice(seq) for seq in range(1, 5)]
    whole = opening(0, 4) + b"".join(log)
    for cut in range(0, len(whole), 7):
        tries = itertools.count()

        async def peer(request: Request, cut: int = cut, tries: Any = tries) -> None:
            if next(tries) == 0:
                await request.open_stream(whole[:cut])
                return
            held = request.headers.get("last-event-id")
            after = 0 if held is None else Position.parse(held).seq
            await request.open_stream(opening(after, 4, "fresh" if held is None else "caught_up"), *log[after:])
            await forever()

        async with http_peer(peer) as address, client(address) as status:
            told = await collect(status, is_event(4))
        positions = [event.position.seq for event in events(told) if event.position]
        assert positions == [1, 2, 3, 4], cut


async def test_the_server_says_when_to_come_back() -> None:
    async def peer(request: Request) -> None:
        await request.open_stream(opening(retry=7000))

    clock = FakeClock()
    async with http_peer(peer) as address, client(address, clock=clock) as status:
        told = await collect(status, is_link(LinkState.LOST))
    assert links(told)[-1].retry_in == 7
    assert status.retry_ms == 7000


@pytest.mark.parametrize(
    ("data", "state", "reason", "code"),
    [
        ('{"code": 1012, "reason": "back\\nsoon"}', LinkState.LOST, "back�soon", 1012),
        ('{"code": 1001}', LinkState.LOST, "the server goes away", 1001),
        ("{}", LinkState.LOST, "the server restarts", 1012),
        ("bye", LinkState.LOST, "the server restarts", 1012),
        ('{"code": 4500}', LinkState.REFUSED, "the server wants a valid token", 4500),
    ],
)
async def test_a_server_says_goodbye(data: str, state: LinkState, reason: str, code: int) -> None:
    async def peer(request: Request) -> None:
        await request.open_stream(opening(), block(data, event="bye", retry=4000))
        await forever()

    async with http_peer(peer) as address, client(address) as status:
        told = await collect(status, is_link(state))
    link = links(told)[-1]
    assert (link.reason, link.code) == (reason, code)
    assert link.retry_in == (4 if state is LinkState.LOST else None)


@pytest.mark.parametrize(
    ("status_line", "state", "reason"),
    [
        ("204 No Content", LinkState.CLOSED, "the server has nothing more to say (HTTP 204)"),
        ("500 Internal Server Error", LinkState.LOST, "HTTP 500"),
        ("503 Service Unavailable", LinkState.LOST, "HTTP 503"),
        ("429 Too Many Requests", LinkState.LOST, "HTTP 429"),
        ("408 Request Timeout", LinkState.LOST, "HTTP 408"),
        ("404 Not Found", LinkState.REFUSED, "there is no pushtui here (HTTP 404)"),
        ("403 Forbidden", LinkState.REFUSED, "the server does not let you in (HTTP 403)"),
        ("206 Partial Content", LinkState.REFUSED, "there is no pushtui here (HTTP 206)"),
        ("304 Not Modified", LinkState.REFUSED, "there is no pushtui here (HTTP 304)"),
    ],
)
async def test_every_other_status(status_line: str, state: LinkState, reason: str) -> None:
    async def peer(request: Request) -> None:
        await request.answer(status_line, "Content-Type: text/event-stream", "Retry-After: 6")

    async with http_peer(peer) as address, client(address) as status:
        told = await collect(status, is_link(state))
        if state is not LinkState.LOST:
            assert await remainder(status) == []
    link = links(told)[-1]
    assert (link.reason, link.code) == (reason, int(status_line[:3]))
    if state is LinkState.LOST:
        assert link.retry_in == 6


@pytest.mark.parametrize(
    ("content_type", "found"),
    [("text/html; charset=utf-8", "text/html"), ("text/event-stream-2", "text/event-stream-2"), ("", "nothing")],
)
async def test_something_that_is_no_event_stream(content_type: str, found: str) -> None:
    async def peer(request: Request) -> None:
        await request.answer("200 OK", f"Content-Type: {content_type}", body=opening())

    async with http_peer(peer) as address, client(address) as status:
        told = await remainder(status)
    assert told[-1] == Link(
        LinkState.REFUSED, f"there is no status stream here: it answers with {found}", code=200
    )


async def test_an_id_travels_as_utf_8() -> None:
    named: list[str | None] = []

    async def peer(request: Request) -> None:
        named.append(request.headers.get("last-event-id"))
        await request.open_stream(opening(), block("{}", event="x", event_id="é€"))

    async with http_peer(peer) as address, client(address) as status:
        await collect(status, is_link(LinkState.LOST))
        await collect(status, is_link(LinkState.LOST))
    assert named[:2] == [None, "é€".encode().decode("latin-1")]


@pytest.mark.parametrize("status_line", ["301 Moved", "302 Found", "303 See Other", "307 Temp", "308 Perm"])
async def test_redirects_are_followed_with_the_position(status_line: str) -> None:
    asked: list[tuple[str, str | None]] = []

    async def peer(request: Request) -> None:
        asked.append((request.target, request.headers.get("last-event-id")))
        if request.target.startswith("/status"):
            await request.answer(status_line, "Location: /elsewhere")
        else:
            await request.open_stream(opening())

    async with http_peer(peer) as address, client(address, replay=5, hosts=["a", "b"]) as status:
        await collect(status, is_link(LinkState.LOST))
        await collect(status, is_link(LinkState.LOST))
    assert asked[:4] == [
        ("/status?replay=5&host=a%2Cb", None),
        ("/elsewhere", None),
        ("/status?replay=5&host=a%2Cb", f"{EPOCH}.0"),
        ("/elsewhere", f"{EPOCH}.0"),
    ]


async def test_a_server_that_redirects_without_end() -> None:
    async def peer(request: Request) -> None:
        await request.answer("302 Found", "Location: /status")

    async with http_peer(peer) as address, client(address) as status:
        told = await collect(status, is_link(LinkState.LOST))
    assert links(told)[-1].reason == "the server redirects without end"


async def test_no_server() -> None:
    async with http_peer(lambda request: forever()) as address:
        pass
    async with client(address, backoff=Backoff(chance=lambda: 1.0)) as status:
        told = await collect(status, lambda one: isinstance(one, Link) and one.attempt == 3)
    assert links(told)[1] == Link(LinkState.LOST, f"no server at {address.authority}", 0.5, 2)


async def test_no_proxy_stands_before_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async def peer(request: Request) -> None:
        await request.open_stream(opening())
        await forever()

    async with http_peer(peer) as address, client(address) as status:
        told = await collect(status, lambda one: isinstance(one, Link) and one.state is not LinkState.CONNECTING)
    assert links(told)[-1] == Link(LinkState.LIVE)


async def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "gopher://proxy.invalid:1")
    async with client(Address.parse("http://server.invalid")) as status:
        told = await collect(status, is_link(LinkState.LOST))
    assert "the environment's proxy cannot be used" in links(told)[-1].reason


async def test_a_silent_server_is_left() -> None:
    async def peer(request: Request) -> None:
        await request.open_stream(opening())
        await forever()

    async with http_peer(peer) as address, client(address, silence=0.1) as status:
        told = await collect(status, is_link(LinkState.LOST))
    assert [link.state for link in links(told)] == ["connecting", "live", "lost"]
    assert links(told)[-1].reason == "no answer for 0.1 s"


async def test_a_server_that_is_cut_off() -> None:
    async def peer(request: Request) -> None:
        await request.open_stream(opening())
        request.cut()

    async with http_peer(peer) as address, client(address) as status:
        told = await collect(status, is_link(LinkState.LOST))
    assert links(told)[-1].reason == "the server hung up"


async def test_a_chunked_stream_that_breaks_off() -> None:
    async def peer(request: Request) -> None:
        await request.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        await request.send(f"{len(opening()):x}\r\n".encode() + opening() + b"\r\n")

    async with http_peer(peer) as address, client(address) as status:
        told = await collect(status, is_link(LinkState.LOST))
    assert [link.reason for link in links(told)] == ["", "", "the server hung up"]


async def test_a_server_that_accepts_and_hangs_up_is_tried_less_than_once_a_second() -> None:
    async def peer(request: Request) -> None:
        await request.open_stream(opening(retry=0))

    clock = FakeClock()
    async with http_peer(peer) as address, client(address, clock=clock) as status:
        await collect(status, lambda one: isinstance(one, Link) and one.attempt == 12)
    assert min(clock.waited) >= 1


async def test_something_that_is_no_web_server() -> None:
    async def peer(request: Request) -> None:
        await request.send(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")

    async with http_peer(peer) as address, client(address) as status:
        told = await collect(status, is_link(LinkState.LOST))
    assert links(told)[-1].reason == "the server hung up"


async def test_a_line_without_an_end_is_left() -> None:
    async def peer(request: Request) -> None:
        await request.open_stream(opening())
        for _ in range(20):
            await request.send(b"x" * 65536)
        await forever()

    async with http_peer(peer) as address, client(address) as status:
        told = await collect(status, is_link(LinkState.LOST))
    assert links(told)[-1].reason == "the server sent an event of more than 1048576 bytes"


async def test_a_countdown_can_be_skipped() -> None:
    tries = itertools.count()

    async def peer(request: Request) -> None:
        if next(tries) == 0:
            request.cut()
        else:
            await request.open_stream(opening())
            await forever()

    backoff = Backoff(initial=10_000, cap=10_000, chance=lambda: 1.0)
    async with http_peer(peer) as address, client(address, backoff=backoff, clock=SystemClock()) as status:
        await collect(status, is_link(LinkState.LOST))
        status.retry_now()
        await collect(status, is_link(LinkState.LIVE))


async def test_a_websocket_only_server_is_no_status_stream() -> None:
    async def peer(caller: Any) -> None:
        await forever()

    async with chat_peer(peer) as address, client(address) as status:
        told = await remainder(status)
    assert told[-1] == Link(LinkState.REFUSED, "there is no pushtui here (HTTP 426)", code=426)
