import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.server import serve

from pushtui.client.address import Address
from pushtui.client.backoff import Backoff
from pushtui.client.clock import SystemClock
from pushtui.client.happenings import (
    CaughtUp,
    Link,
    LinkState,
)
from pushtui.client.websocket import Timeouts
from pushtui.protocol.messages import Bye, Error
from tests.client.chatting import client, is_delivery, is_link, links, slow
from tests.client.peers import (
    Caller,
    FakeClock,
    Room,
    chat_peer,
    collect,
    forever,
    http_peer,
    remainder,
)
from tests.client.peers import Request as HttpRequest


async def test_no_server_then_a_server() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = Address.parse(f"127.0.0.1:{taken.getsockname()[1]}")
        async with client(address, backoff=Backoff(chance=lambda: 1.0)) as chat:
            told = await collect(chat, lambda one: isinstance(one, Link) and one.attempt == 3)
    assert links(told)[1] == Link(LinkState.LOST, f"no server at {address.authority}", 0.5, 2)
    assert links(told)[3] == Link(LinkState.LOST, f"no server at {address.authority}", 1.0, 3)


async def test_no_proxy_stands_before_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with chat_peer(Room()) as address, client(address) as chat:
        told = await collect(chat, lambda one: isinstance(one, Link) and one.state is not LinkState.CONNECTING)
    assert links(told)[-1] == Link(LinkState.LIVE)


async def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "gopher://proxy.invalid:1")
    async with client(Address.parse("http://server.invalid")) as chat:
        told = await collect(chat, is_link(LinkState.LOST))
    assert "the environment's proxy cannot be used" in links(told)[-1].reason


async def test_a_host_that_does_not_exist() -> None:
    async with client(Address.parse("http://nowhere.invalid:1")) as chat:
        told = await collect(chat, is_link(LinkState.LOST))
    assert "nowhere.invalid:1" in links(told)[-1].reason


@pytest.mark.parametrize(
    ("code", "words", "state", "reason"),
    [
        (1000, "", LinkState.LOST, "the server closed the connection"),
        (1001, "", LinkState.LOST, "the server goes away"),
        (1012, "", LinkState.LOST, "the server restarts"),
        (1012, "back soon", LinkState.LOST, "back soon"),
        (4001, "", LinkState.LOST, "this link could not keep up"),
        (4499, "", LinkState.LOST, "the server closed the connection with code 4499"),
        (4500, "", LinkState.REFUSED, "the server wants a valid token"),
        (4502, "the nick ana is taken", LinkState.REFUSED, "the nick ana is taken"),
        (4504, "", LinkState.REFUSED, "another connection of this session took over"),
        (4999, "", LinkState.REFUSED, "the server closed the connection with code 4999"),
    ],
)
@pytest.mark.parametrize("with_bye", [False, True])
async def test_how_a_server_says_goodbye(
    code: int, words: str, state: LinkState, reason: str, with_bye: bool
) -> None:
    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        if with_bye:
            await caller.tell(Bye(code, words, 3000))
            await forever()
        await caller.connection.close(code, words)

    async with chat_peer(peer) as address, client(address, backoff=Backoff(chance=lambda: 0.0)) as chat:
        told = await collect(chat, is_link(state))
        assert chat.close_code == code
    link = links(told)[-1]
    assert (link.reason, link.code) == (reason, code)
    assert any(isinstance(one, Bye) for one in told) is with_bye
    if state is LinkState.LOST:
        assert link.retry_in == (3 if with_bye else 1)
    else:
        assert await remainder(chat) == []


async def test_a_server_that_hangs_up() -> None:
    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        caller.cut()

    async with chat_peer(peer) as address, client(address) as chat:
        told = await collect(chat, is_link(LinkState.LOST))
    assert links(told)[-1].reason == "the server hung up"
    assert chat.close_code == 1006


async def test_a_server_that_accepts_and_hangs_up_is_tried_less_than_once_a_second() -> None:
    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")

    clock = FakeClock()
    async with (
        chat_peer(peer) as address,
        client(address, clock=clock, backoff=Backoff(chance=lambda: 0.0)) as chat,
    ):
        await collect(chat, lambda one: isinstance(one, Link) and one.attempt == 20)
    assert len(clock.waited) >= 19
    assert min(clock.waited) >= 1


async def test_a_server_that_hangs_up_during_the_handshake_is_not_hammered_either() -> None:
    async def peer(request: HttpRequest) -> None:
        request.cut()

    clock = FakeClock()
    async with (
        http_peer(peer) as address,
        client(address, clock=clock, backoff=Backoff(chance=lambda: 0.0)) as chat,
    ):
        told = await collect(chat, lambda one: isinstance(one, Link) and one.attempt == 5)
    assert {link.reason for link in links(told)} == {"", "the server hung up"}
    assert min(clock.waited) >= 1


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        ("502 Bad Gateway", LinkState.LOST, "HTTP 502"),
        ("429 Too Many Requests", LinkState.LOST, "HTTP 429"),
        ("408 Request Timeout", LinkState.LOST, "HTTP 408"),
        ("404 Not Found", LinkState.REFUSED, "there is no pushtui here (HTTP 404)"),
        ("401 Unauthorized", LinkState.REFUSED, "the server wants a valid token (HTTP 401)"),
        ("200 OK", LinkState.REFUSED, "there is no pushtui here (HTTP 200)"),
    ],
)
async def test_an_http_status_instead_of_a_handshake(status: str, state: LinkState, reason: str) -> None:
    async def peer(request: HttpRequest) -> None:
        await request.answer(status, "Retry-After: 9")

    async with http_peer(peer) as address, client(address, backoff=Backoff(chance=lambda: 0.0)) as chat:
        told = await collect(chat, is_link(state))
    link = links(told)[-1]
    assert (link.reason, link.code) == (reason, int(status[:3]))
    if state is LinkState.LOST:
        assert link.retry_in == 9


async def test_something_that_is_no_web_server() -> None:
    async def peer(request: HttpRequest) -> None:
        await request.send(b"SSH-2.0-OpenSSH_9.9\r\n")

    async with http_peer(peer) as address, client(address) as chat:
        told = await collect(chat, is_link(LinkState.LOST))
    assert links(told)[-1].reason == f"what answers at {address.authority} is no web server"


@pytest.mark.parametrize(
    ("head", "state", "reason"),
    [
        (b"HTTP/1.0 404 File not found\r\n", LinkState.REFUSED, "there is no WebSocket at {authority}"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n", LinkState.REFUSED, "there is no WebSocket at {authority}"),
        (b"HTTP/1.0 403 Forbidden\r\n", LinkState.REFUSED, "the server does not let you in (HTTP 403)"),
        (b"HTTP/1.0 503 Service Unavailable\r\n", LinkState.LOST, "HTTP 503"),
        (b"HTTP/1.1 101 Switching Protocols\r\n", LinkState.REFUSED, "there is no WebSocket at {authority}"),
    ],
)
async def test_a_web_server_without_a_websocket(head: bytes, state: LinkState, reason: str) -> None:
    async def peer(request: HttpRequest) -> None:
        await request.send(head + b"\r\n")

    async with http_peer(peer) as address, client(address) as chat:
        told = await collect(chat, is_link(state))
    assert links(told)[-1].reason == reason.format(authority=address.authority)


async def test_a_server_that_speaks_another_subprotocol() -> None:
    async def handle(connection: Any) -> None:
        await connection.wait_closed()

    async with serve(handle, "127.0.0.1", 0) as server:
        address = Address.parse(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        async with client(address) as chat:
            told = await remainder(chat)
    assert told[-1] == Link(LinkState.REFUSED, "the server does not speak pushtui.v1.json")


async def test_a_server_that_never_answers_the_handshake() -> None:
    async def peer(request: HttpRequest) -> None:
        await forever()

    async with http_peer(peer) as address, client(address, timeouts=Timeouts(opening=0.05)) as chat:
        told = await collect(chat, is_link(LinkState.LOST))
    assert links(told)[-1].reason == f"no answer from {address.authority}"


async def test_a_server_that_talks_but_never_welcomes() -> None:
    async def peer(caller: Caller) -> None:
        while True:
            await caller.tell(Error("busy", "wait"))
            await asyncio.sleep(0)

    async with chat_peer(peer) as address, client(address, timeouts=Timeouts(opening=0.05)) as chat:
        told = await collect(chat, is_link(LinkState.LOST))
    assert links(told)[-1].reason == "no answer for 0.05 s"


@asynccontextmanager
async def silent_link(room: Room, until: asyncio.Event) -> AsyncIterator[Address]:
    """A way to a room that passes bytes on until the event is set, then none, without closing."""
    writers: list[asyncio.StreamWriter] = []

    async with chat_peer(room) as behind:
        host, _, port = behind.authority.partition(":")

        async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(65536):
                if until.is_set():
                    await forever()
                writer.write(data)

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there, back = await asyncio.open_connection(host, int(port))
            writers.extend([writer, back])
            with suppress(ConnectionError):
                await asyncio.gather(passed_on(reader, back), passed_on(there, writer))

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        try:
            yield Address.parse(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        finally:
            server.close()
            for writer in writers:
                writer.transport.abort()


async def test_a_half_open_link_is_noticed() -> None:
    silence = asyncio.Event()
    timeouts = Timeouts(ping_interval=0.05, ping_timeout=0.05, closing=0.05)
    async with silent_link(Room(), silence) as address, client(address, timeouts=timeouts) as chat:
        await collect(chat, lambda one: isinstance(one, CaughtUp))
        silence.set()
        told = await collect(chat, is_link(LinkState.LOST))
    assert links(told)[-1].reason == "no answer for 0.05 s"
    assert links(told)[-1].code == 1006


async def test_a_frame_beyond_all_measure_is_not_read() -> None:
    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.connection.send("x" * (4 * 1024 * 1024 + 1))
        await forever()

    async with chat_peer(peer) as address, client(address) as chat:
        told = await collect(chat, is_link(LinkState.LOST))
    assert links(told)[-1].reason == "the server sent a frame of more than 4194304 bytes"


async def test_a_countdown_can_be_skipped() -> None:
    room = Room(2)
    async with chat_peer(room) as address, client(address, backoff=slow(), clock=SystemClock()) as chat:
        await collect(chat, lambda one: isinstance(one, CaughtUp))
        chat.say("main", "x")
        await collect(chat, is_link(LinkState.LOST))
        chat.retry_now()
        await collect(chat, is_delivery("stored"))
    assert room.texts == ["x"]


async def test_the_redirects_of_a_server_are_followed() -> None:
    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        await forever()

    async with chat_peer(peer) as target:

        async def redirect(request: HttpRequest) -> None:
            await request.answer("302 Found", f"Location: {target.chat}")

        async with http_peer(redirect) as address, client(address) as chat:
            await collect(chat, is_link(LinkState.LIVE))
