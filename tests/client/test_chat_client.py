import asyncio
import itertools
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import serve

from pushtui.client.address import Address
from pushtui.client.backoff import Backoff
from pushtui.client.chat import ChatClient, RoomsFullError, TextTooLongError, Timeouts
from pushtui.client.clock import SystemClock
from pushtui.client.feed import LIMIT
from pushtui.client.happenings import (
    CaughtUp,
    ChatHappening,
    Delivery,
    Link,
    LinkState,
    Page,
    RoomEvent,
    Undeliverable,
)
from pushtui.protocol import messages
from pushtui.protocol.bodies import Message
from pushtui.protocol.limits import LIMITS
from pushtui.protocol.messages import Bye, Error, Presence, Resume, Typing, Welcome
from pushtui.protocol.names import NameRefusedError
from pushtui.protocol.positions import Lost, Outcome
from tests.client.peers import (
    EPOCH,
    PATIENCE,
    Caller,
    FakeClock,
    Room,
    chat_peer,
    collect,
    forever,
    fresh,
    http_peer,
    remainder,
    until,
)
from tests.client.peers import Request as HttpRequest

both = pytest.mark.parametrize("subprotocol", messages.SUBPROTOCOLS)


def client(address: Address, **options: Any) -> ChatClient:
    settings: dict[str, Any] = {"nick": "ana", "clock": FakeClock()} | options
    return ChatClient(address, **settings)


def is_link(state: LinkState) -> Any:
    return lambda happening: isinstance(happening, Link) and happening.state is state


def slow() -> Backoff:
    """Nothing comes back by itself within a test."""
    return Backoff(initial=10_000, cap=10_000, chance=lambda: 1.0)


def links(happenings: list[ChatHappening]) -> list[Link]:
    return [happening for happening in happenings if isinstance(happening, Link)]


def is_delivery(state: str) -> Any:
    return lambda happening: isinstance(happening, Delivery) and happening.state == state


def texts(happenings: list[ChatHappening]) -> list[str]:
    return [
        happening.body.text
        for happening in happenings
        if isinstance(happening, RoomEvent) and isinstance(happening.body, Message)
    ]


# A conversation


@both
async def test_a_conversation_from_hello_to_goodbye(subprotocol: str) -> None:
    heard: list[Any] = []

    async def peer(caller: Caller) -> None:
        heard.append(await caller.hear())
        await caller.welcome("main")
        await caller.tell(fresh(head=1))
        await caller.tell(messages.Event("main", 1, 7, "message", "ben", {"text": "hi"}))
        await caller.tell(messages.Event("main", 2, 8, "message", "ben", {"text": "there"}))
        heard.append(await caller.hear())
        send = heard[-1]
        await caller.tell(messages.Event("main", 3, 9, "message", "ana", {"text": send.text}, send.key))
        await forever()

    async with chat_peer(peer) as address:
        chat = client(address, subprotocol=subprotocol, replay=20, session="s", token="t")
        async with chat:
            told = await collect(chat, lambda one: isinstance(one, RoomEvent) and one.seq == 2)
            assert links(told) == [Link(LinkState.CONNECTING), Link(LinkState.LIVE)]
            key = chat.say("main", "hello\nben", reply_to=1)
            told += await collect(chat, is_delivery("stored"))
            assert chat.pending == 0
        told += await remainder(chat)

    assert heard == [
        messages.Hello("ana", "s", {"main": None}, 20, "t"),
        messages.Send(key, "main", "hello\nben", 1),
    ]
    assert [one for one in told if not isinstance(one, Link | Welcome | Resume)] == [
        RoomEvent("main", 1, 7, "message", "ben", Message("hi"), replayed=True),
        CaughtUp("main", Outcome.FRESH, 1),
        RoomEvent("main", 2, 8, "message", "ben", Message("there")),
        Delivery(key, "queued"),
        Delivery(key, "sent"),
        RoomEvent("main", 3, 9, "message", "ana", Message("hello\nben"), key),
        Delivery(key, "stored"),
    ]
    assert told[-1] == Link(LinkState.CLOSED)
    assert (chat.traffic.received_frames, chat.traffic.sent_frames) == (5, 2)
    assert chat.traffic.received_bytes > 100
    assert chat.traffic.sent_bytes > 50


async def test_a_bot_in_ten_lines_answers_live_messages_only() -> None:
    answered = asyncio.Event()
    heard: list[Any] = []

    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main", nick="echo")
        await caller.tell(fresh(head=1))
        await caller.tell(messages.Event("main", 1, 1, "message", "ben", {"text": "old"}))
        await caller.tell(messages.Event("main", 2, 2, "message", "ben", {"text": "new"}))
        heard.append((await caller.hear()).text)
        answered.set()
        await forever()

    async def bot(address: Address) -> None:
        async with ChatClient(address, nick="echo") as chat:
            async for event in chat:
                match event:
                    case RoomEvent(kind="message", body=Message(text=text), by=by) if (
                        by != chat.nick and not event.replayed
                    ):
                        chat.say(event.room, text)

    async with chat_peer(peer) as address:
        running = asyncio.create_task(bot(address))
        await asyncio.wait_for(answered.wait(), PATIENCE)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert heard == ["new"]


async def test_the_round_trip_is_known_from_the_beginning() -> None:
    async with chat_peer(Room()) as address, client(address) as chat:
        assert chat.latency_ms is None
        await collect(chat, lambda one: isinstance(one, CaughtUp))
        await until(lambda: bool(chat.latency_ms))
    assert chat.latency_ms is None


async def test_the_nick_is_the_one_the_server_knows() -> None:
    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome(nick="Ana\x1b")
        await forever()

    async with chat_peer(peer) as address, client(address) as chat:
        await collect(chat, lambda one: isinstance(one, Welcome))
        assert chat.nick == "Ana�"


async def test_hostile_text_is_harmless_everywhere() -> None:
    hostile = "x\x1b[2J\x9b\u202e"

    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        await caller.tell(fresh())
        await caller.tell(messages.Event("main", 1, 1, "message", hostile, {"text": hostile}))
        await caller.tell(messages.Presence("main", hostile, "here"))
        await caller.tell(messages.Error("busy", hostile))
        await caller.connection.close(4501, "no\x1b[31m")

    async with chat_peer(peer) as address, client(address) as chat:
        told = await remainder(chat)
    assert any(isinstance(one, Presence) for one in told)
    shown = repr(told)
    assert "\\x1b" not in shown
    assert "\\x9b" not in shown
    assert "\\u202e" not in shown
    assert told[-1] == Link(LinkState.REFUSED, "no�[31m", code=4501)


async def test_what_cannot_be_read_is_skipped_and_counted() -> None:
    async def peer(caller: Caller) -> None:
        await caller.connection.send("{")
        await caller.tell_raw({"type": "poll", "room": "main"})
        await caller.welcome("main")
        await caller.connection.send(b"\x00binary")
        await caller.tell_raw({"type": "event"})
        await caller.tell(fresh())
        await caller.tell_raw(
            {"type": "event", "room": "main", "seq": 1, "at": 1, "kind": "poll", "by": "ben", "body": [1]}
        )
        await forever()

    async with chat_peer(peer) as address, client(address) as chat:
        told = await collect(chat, lambda one: isinstance(one, RoomEvent))
        assert told[-1] == RoomEvent("main", 1, 1, "poll", "ben", None)
        assert chat.traffic.skipped_frames == 4


async def test_frames_about_rooms_one_is_not_in_are_not_told() -> None:
    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        await caller.tell(fresh("other"))
        await caller.tell(messages.Event("other", 1, 1, "message", "ben", {"text": "x"}))
        await caller.tell(messages.Presence("other", "ben", "here"))
        await caller.tell(messages.Typing("main", True))
        await caller.tell(messages.Typing("main", True, "ben"))
        await forever()

    async with chat_peer(peer) as address, client(address) as chat:
        told = await collect(chat, lambda one: isinstance(one, Typing))
        assert [type(one) for one in told] == [Link, Link, Welcome, Typing]
        assert told[-1] == Typing("main", True, "ben")


# Losing and finding the link


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


async def test_the_redirects_of_a_server_are_followed_but_not_by_the_token() -> None:
    heard: list[Any] = []

    async def peer(caller: Caller) -> None:
        request = caller.connection.request
        assert request is not None
        heard.append((await caller.hear(), request.headers.get("Authorization")))
        await caller.welcome("main")
        await forever()

    async with chat_peer(peer) as target:

        async def redirect(request: HttpRequest) -> None:
            assert request.headers["authorization"] == "Bearer secret"
            await request.answer("302 Found", f"Location: {target.chat}")

        async with http_peer(redirect) as address, client(address, token="secret") as chat:
            await collect(chat, is_link(LinkState.LIVE))
    assert [(hello.token, header) for hello, header in heard] == [(None, None)]


# Coming back


async def test_one_comes_back_to_where_one_was() -> None:
    room = Room(3)
    room.add("one")
    async with chat_peer(room) as address, client(address, session="s") as chat:
        await collect(chat, lambda one: isinstance(one, CaughtUp))
        room.add("two")
        room.add("three")
        chat.typing("main", True)
        key = chat.say("main", "four")
        told = await collect(chat, is_delivery("stored"))
        assert key
    assert [hello.session for hello in room.hellos] == ["s", "s"]
    assert [hello.rooms for hello in room.hellos] == [{"main": None}, {"main": f"{EPOCH}.1"}]
    assert texts(told) == ["two", "three", "four"]
    caught_up = next(one for one in told if isinstance(one, CaughtUp))
    assert caught_up.outcome is Outcome.CAUGHT_UP
    assert caught_up.replayed >= 2


async def test_one_who_has_seen_nothing_has_a_position_too() -> None:
    room = Room(2)
    async with chat_peer(room) as address, client(address) as chat:
        await collect(chat, lambda one: isinstance(one, CaughtUp))
        chat.say("main", "x")
        await collect(chat, is_delivery("stored"))
    assert room.hellos[1].rooms == {"main": f"{EPOCH}.0"}


async def test_a_gap_is_told() -> None:
    room = Room(3)
    room.add("one")
    async with chat_peer(room) as address, client(address) as chat:
        await collect(chat, lambda one: isinstance(one, CaughtUp))
        for text in ("two", "three", "four", "five"):
            room.add(text)
        del room.events[:3]
        room.floor = 4
        chat.say("main", "x")
        told = await collect(chat, lambda one: isinstance(one, CaughtUp))
    assert told[-1] == CaughtUp("main", Outcome.GAP, 3, Lost(1, 4))


async def test_a_reset_drops_what_was_held() -> None:
    room = Room(3)
    room.add("one")
    async with chat_peer(room) as address, client(address) as chat:
        await collect(chat, lambda one: isinstance(one, CaughtUp))
        room.epoch = "zzzzzzzz"
        room.events.clear()
        room.add("anew")
        chat.say("main", "x")
        told = await collect(chat, lambda one: isinstance(one, CaughtUp))
    assert "anew" in texts(told)
    assert isinstance(told[-1], CaughtUp)
    assert told[-1].outcome is Outcome.RESET


@both
@pytest.mark.parametrize("cut", range(1, 14))
async def test_nothing_is_lost_doubled_or_out_of_order_wherever_the_link_is_cut(
    subprotocol: str, cut: int
) -> None:
    room = Room(cut, 3, cut, 4)
    for text in ("old 1", "old 2"):
        room.add(text)
    said = [f"said {number}" for number in range(6)]
    async with chat_peer(room) as address, client(address, subprotocol=subprotocol) as chat:
        for text in said:
            chat.say("main", text)
        told: list[ChatHappening] = []
        while chat.pending:
            told += await collect(chat, is_delivery("stored"))
        if not any(isinstance(one, RoomEvent) and one.seq == 8 for one in told):
            told += await collect(chat, lambda one: isinstance(one, RoomEvent) and one.seq == 8)
    assert room.texts == ["old 1", "old 2", *said]
    assert texts(told) == room.texts
    assert len({hello.session for hello in room.hellos}) == 1


# What one says


async def test_what_is_said_before_there_is_a_link_is_said_then() -> None:
    room = Room()
    async with chat_peer(room) as address:
        chat = client(address)
        keys = [chat.say("main", "one"), chat.say("main", "two")]
        assert chat.pending == 2
        async with chat:
            told = await collect(chat, lambda one: one == Delivery(keys[1], "stored"))
    assert room.texts == ["one", "two"]
    assert told[:2] == [Delivery(keys[0], "queued"), Delivery(keys[1], "queued")]


async def test_every_kind_of_saying() -> None:
    heard: list[Any] = []

    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        await caller.tell(fresh())
        for seq in range(1, 7):
            said = await caller.hear()
            heard.append(said)
            await caller.tell(messages.Event("main", seq, 1, "x", "ana", {}, said.key))
        await forever()

    async with chat_peer(peer) as address, client(address) as chat:
        keys = [
            chat.say("main", "a"),
            chat.edit("main", 1, "b"),
            chat.redact("main", 1),
            chat.react("main", 1, "👍", True),
            chat.topic("main", "c"),
            chat.mark("main", "d"),
        ]
        await collect(chat, lambda one: one == Delivery(keys[-1], "stored"))
    assert heard == [
        messages.Send(keys[0], "main", "a"),
        messages.Edit(keys[1], "main", 1, "b"),
        messages.Redact(keys[2], "main", 1),
        messages.React(keys[3], "main", 1, "👍", True),
        messages.SetTopic(keys[4], "main", "c"),
        messages.SetMark(keys[5], "main", "d"),
    ]
    assert len(set(keys)) == 6
    assert all(len(key) >= 16 and key.replace("-", "").replace("_", "").isalnum() for key in keys)


async def test_a_duplicate_is_an_ack() -> None:
    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        said = await caller.hear()
        await caller.tell(messages.Ack(said.key, "main", 4, True))
        await forever()

    async with chat_peer(peer) as address, client(address) as chat:
        key = chat.say("main", "x")
        told = await collect(chat, is_delivery("stored"))
    assert told[-2:] == [messages.Ack(key, "main", 4, True), Delivery(key, "stored")]


@pytest.mark.parametrize("code", ["busy", "rate_limited"])
async def test_a_busy_server_is_asked_again(code: str) -> None:
    heard: list[str] = []

    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        await caller.tell(fresh())
        for seq in itertools.count(1):
            said = await caller.hear()
            heard.append(said.text)
            if len(heard) < 3:
                await caller.tell(Error(code, "not now", said.key, 2500 * len(heard)))
            else:
                await caller.tell(messages.Event("main", seq, 1, "message", "ana", {"text": said.text}, said.key))

    clock = FakeClock()
    async with chat_peer(peer) as address, client(address, clock=clock) as chat:
        keys = [chat.say("main", "one"), chat.say("main", "two")]
        told = await collect(chat, lambda one: one == Delivery(keys[1], "stored"))
    assert heard == ["one", "one", "one", "two"]
    assert clock.waited == [2.5, 5.0]
    states = [one.state for one in told if isinstance(one, Delivery) and one.key == keys[0]]
    assert states == ["queued", "sent", "queued", "sent", "queued", "sent", "stored"]


@pytest.mark.parametrize(
    "code", ["too_long", "not_allowed", "no_such_room", "no_such_target", "malformed", "novel"]
)
async def test_what_the_server_will_not_take_comes_back(code: str) -> None:
    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        await caller.tell(fresh())
        said = await caller.hear()
        await caller.tell(Error(code, "no\nway", said.key))
        said = await caller.hear()
        await caller.tell(messages.Event("main", 1, 1, "message", "ana", {"text": said.text}, said.key))
        await forever()

    async with chat_peer(peer) as address, client(address) as chat:
        key = chat.say("main", "my words")
        chat.say("main", "more")
        told = await collect(chat, is_delivery("stored"))
    assert Undeliverable(key, "main", "my words", "no�way") in told
    assert Delivery(key, "failed") in told
    assert not any(isinstance(one, Error) for one in told)


async def test_an_old_server_that_cannot_read_a_new_frame_does_not_stop_the_rest() -> None:
    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        await caller.tell(fresh())
        await caller.hear()
        await caller.tell(Error("unknown_type", "what is react?"))
        said = await caller.hear()
        await caller.tell(messages.Event("main", 1, 1, "message", "ana", {"text": said.text}, said.key))
        await forever()

    async with chat_peer(peer) as address, client(address) as chat:
        key = chat.react("main", 1, "👍")
        chat.say("main", "x")
        told = await collect(chat, is_delivery("stored"))
    assert Undeliverable(key, "main", "", "what is react?") in told


async def test_an_error_about_nothing_said_is_told() -> None:
    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        await caller.tell(Error("malformed", "limit is 1 to 200"))
        await caller.tell(Error("not_allowed", "no", "some-key"))
        await forever()

    async with chat_peer(peer) as address, client(address) as chat:
        told = await collect(chat, lambda one: isinstance(one, Error) and one.key is not None)
    assert told[-2:] == [Error("malformed", "limit is 1 to 200"), Error("not_allowed", "no", "some-key")]


async def test_a_text_over_the_limit_is_refused_before_anything_is_queued() -> None:
    chat = client(Address.parse("127.0.0.1:1"))
    with pytest.raises(TextTooLongError, match="at most 16384 bytes, this one has 16386"):
        chat.say("main", "é" * 8193)
    with pytest.raises(TextTooLongError, match="frame of 65536 bytes"):
        chat.say("main", "\0" * 16384)
    with pytest.raises(TextTooLongError, match="at most 250 characters, this one has 251"):
        chat.topic("main", "x" * 251)
    assert chat.pending == 0
    chat.say("main", "é" * 8192)
    chat.topic("main", "é" * 250)
    assert chat.pending == 2


async def test_a_server_with_smaller_limits_does_not_get_what_was_queued_before() -> None:
    async def peer(caller: Caller) -> None:
        await caller.hear()
        limits = msgspec.structs.replace(LIMITS, frame_bytes=200, text_bytes=150)
        await caller.tell(Welcome("peer", "1", messages.You("ana", "member"), limits, []))
        said = await caller.hear()
        await caller.tell(messages.Ack(said.key, "main", 1, True))
        await forever()

    async with chat_peer(peer) as address, client(address) as chat:
        key = chat.say("main", "x" * 300)
        chat.say("main", "short")
        told = await collect(chat, is_delivery("stored"))
        assert Undeliverable(key, "main", "x" * 300, "the message is too big for this server") in told
        with pytest.raises(TextTooLongError, match="at most 150 bytes"):
            chat.say("main", "x" * 151)


async def test_an_outbox_that_is_full_fails_what_comes_then(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = client(Address.parse("127.0.0.1:1"))
    monkeypatch.setattr(chat._conversation.outbox, "_limit", 1)
    chat.say("main", "one")
    key = chat.say("main", "two")
    async with chat:
        told = await collect(chat, lambda one: isinstance(one, Undeliverable))
    assert told[-2:] == [
        Delivery(key, "failed"),
        Undeliverable(key, "main", "two", "too much is waiting for a link to the server"),
    ]


async def test_half_a_character_is_no_reason_to_fail() -> None:
    room = Room()
    async with chat_peer(room) as address, client(address) as chat:
        chat.say("main", "a\ud800b")
        await collect(chat, is_delivery("stored"))
    assert room.texts == ["a?b"]


# Rooms, presence, history


async def test_rooms_are_joined_and_left() -> None:
    heard: list[Any] = []
    rounds: list[Any] = []

    async def peer(caller: Caller) -> None:
        rounds.append((await caller.hear()).rooms)
        await caller.welcome("main")
        await caller.tell(fresh())
        if len(rounds) == 1:
            heard.extend([await caller.hear(), await caller.hear(), await caller.hear()])
            await caller.tell(fresh("ops", after=5, head=5))
            caller_done.set()
            await cut.wait()
            caller.cut()
        await forever()

    caller_done, cut = asyncio.Event(), asyncio.Event()
    async with chat_peer(peer) as address, client(address, rooms=("main", "old")) as chat:
        await collect(chat, is_link(LinkState.LIVE))
        chat.join("ops")
        chat.leave("old")
        chat.join("ops")
        chat.leave("never")
        chat.typing("ops", True)
        assert chat.rooms == ("main", "ops")
        await asyncio.wait_for(caller_done.wait(), PATIENCE)
        told = await collect(chat, lambda one: isinstance(one, CaughtUp) and one.room == "ops")
        assert any(isinstance(one, Resume) and one.room == "ops" for one in told)
        cut.set()
        await collect(chat, is_link(LinkState.LIVE))
    assert heard == [messages.Join("ops"), messages.Leave("old"), Typing("ops", True)]
    assert rounds == [{"main": None, "old": None}, {"main": f"{EPOCH}.0", "ops": f"{EPOCH}.5"}]


async def test_one_joins_before_one_speaks() -> None:
    heard: list[Any] = []

    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        heard.extend([await caller.hear(), await caller.hear()])
        await caller.tell(messages.Ack(heard[-1].key, "ops", 1, True))
        await forever()

    async with chat_peer(peer) as address, client(address) as chat:
        await collect(chat, is_link(LinkState.LIVE))
        chat.join("ops")
        chat.say("ops", "x")
        await collect(chat, is_delivery("stored"))
    assert [type(one) for one in heard] == [messages.Join, messages.Send]


@pytest.mark.parametrize("room", ["", "a/b", "x" * 65, "ä"])
def test_a_room_that_cannot_be_is_refused_at_once(room: str) -> None:
    chat = client(Address.parse("127.0.0.1:1"))
    with pytest.raises(NameRefusedError):
        chat.join(room)
    assert chat.rooms == ("main",)


def test_one_room_too_many_is_refused_at_once() -> None:
    chat = client(Address.parse("127.0.0.1:1"), rooms=[f"r{number}" for number in range(64)])
    with pytest.raises(RoomsFullError, match="at most 64 rooms"):
        chat.join("one-more")
    chat.join("r0")


async def test_who_is_away_stays_away_on_a_new_link() -> None:
    heard: list[Any] = []

    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        heard.append(await caller.hear())
        if len(heard) < 3:
            caller.cut()
        await forever()

    async with chat_peer(peer) as address, client(address) as chat:
        chat.away(True, "lunch")
        await collect(chat, is_link(LinkState.LOST))
        await collect(chat, is_link(LinkState.LOST))
        await collect(chat, is_link(LinkState.LIVE))
        await until(lambda: len(heard) == 3)
    assert heard == [messages.Away(True, "lunch")] * 3


async def test_nobody_types_without_a_link() -> None:
    heard: list[Any] = []

    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        heard.append(await caller.hear())
        await caller.tell(messages.Ack(heard[-1].key, "main", 1, True))
        await forever()

    async with chat_peer(peer) as address:
        chat = client(address)
        chat.typing("main", True)
        chat.say("main", "x")
        async with chat:
            await collect(chat, is_delivery("stored"))
    assert [type(one) for one in heard] == [messages.Send]


async def test_history_is_asked_again_on_a_new_link() -> None:
    asked: list[messages.History] = []

    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        asked.append(await caller.hear())
        if len(asked) == 1:
            caller.cut()
        event = messages.Event("main", 3, 1, "message", "ben", {"text": "older"})
        await caller.tell(messages.Page(asked[-1].id, "main", [event], True))
        said = await caller.hear()
        asked.append(said)
        await caller.tell(messages.Ack(said.key, "main", 1, True))
        await forever()

    async with chat_peer(peer) as address, client(address) as chat:
        await collect(chat, is_link(LinkState.LIVE))
        identity = chat.history("main", 9, limit=1000)
        told = await collect(chat, lambda one: isinstance(one, Page))
        chat.say("main", "x")
        await collect(chat, is_delivery("stored"))
    older = RoomEvent("main", 3, 1, "message", "ben", Message("older"))
    assert told[-1] == Page(identity, "main", [older], True)
    assert asked[0] == asked[1] == messages.History(identity, "main", 9, 200)
    assert isinstance(asked[2], messages.Send)


# Another nick


async def test_the_nick_one_has_takes_no_new_link() -> None:
    room = Room()
    async with chat_peer(room) as address, client(address) as chat:
        await collect(chat, lambda one: isinstance(one, CaughtUp))
        chat.rename("ana")
        chat.say("main", "x")
        await collect(chat, is_delivery("stored"))
    assert len(room.hellos) == 1


async def test_a_new_nick_that_could_not_be_tried_does_not_become_the_one_before() -> None:
    nicks: list[str] = []

    async def peer(caller: Caller) -> None:
        hello = await caller.hear()
        nicks.append(hello.nick)
        match hello.nick:
            case "ana":
                await caller.welcome("main", nick="ana")
                await forever()
            case "first":
                caller.cut()
            case _:
                await caller.connection.close(4502, "taken")

    async with chat_peer(peer) as address, client(address, clock=SystemClock(), backoff=slow()) as chat:
        await collect(chat, is_link(LinkState.LIVE))
        chat.rename("first")
        await collect(chat, is_link(LinkState.LOST))
        chat.rename("second")
        chat.retry_now()
        await collect(chat, is_link(LinkState.LIVE))
        assert chat.nick == "ana"
    assert nicks == ["ana", "first", "second", "ana"]


async def test_a_new_nick_takes_a_new_link_and_no_loss() -> None:
    room = Room()
    async with chat_peer(room) as address, client(address) as chat:
        await collect(chat, lambda one: isinstance(one, CaughtUp))
        chat.rename("Anna")
        told = await collect(chat, lambda one: isinstance(one, CaughtUp))
        assert chat.nick == "Anna"
    assert [link.state for link in links(told)] == ["connecting", "live"]
    assert [hello.nick for hello in room.hellos] == ["ana", "Anna"]
    assert len({hello.session for hello in room.hellos}) == 1


async def test_what_is_on_its_way_is_answered_before_one_becomes_another() -> None:
    heard: list[tuple[str, str]] = []
    go_on = asyncio.Event()

    async def peer(caller: Caller) -> None:
        hello = await caller.hear()
        await caller.welcome("main", nick=hello.nick)
        while True:
            said = await caller.hear()
            heard.append((hello.nick, said.text))
            await go_on.wait()
            await caller.tell(messages.Ack(said.key, "main", 1, True))

    async with chat_peer(peer) as address, client(address) as chat:
        chat.say("main", "one")
        keys = [chat.say("main", "two")]
        await collect(chat, is_delivery("sent"))
        chat.rename("anna")
        go_on.set()
        await collect(chat, lambda one: one == Delivery(keys[0], "stored"))
    assert heard == [("ana", "one"), ("anna", "two")]


@pytest.mark.parametrize("with_bye", [False, True])
async def test_a_new_nick_that_is_taken_leaves_one_who_one_was(with_bye: bool) -> None:
    nicks: list[str] = []

    async def peer(caller: Caller) -> None:
        hello = await caller.hear()
        nicks.append(hello.nick)
        if hello.nick == "ben":
            if with_bye:
                await caller.tell(Bye(4502, "the nick ben is taken"))
            await caller.connection.close(4502, "the nick ben is taken")
        else:
            await caller.welcome("main", nick=hello.nick)
        await forever()

    async with chat_peer(peer) as address, client(address) as chat:
        await collect(chat, is_link(LinkState.LIVE))
        chat.rename("ben")
        told = await collect(chat, is_link(LinkState.LIVE))
        assert chat.nick == "ana"
    assert Error("not_allowed", "the nick ben is taken") in told
    assert not any(isinstance(one, Bye) for one in told)
    assert nicks == ["ana", "ben", "ana"]


def test_a_nick_that_cannot_be_is_refused_at_once() -> None:
    with pytest.raises(NameRefusedError):
        client(Address.parse("127.0.0.1:1")).rename("two words")


# The end


async def test_leaving_says_goodbye_and_leaves_nothing_running() -> None:
    closed = asyncio.Event()
    codes: list[int | None] = []

    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        await caller.connection.wait_closed()
        codes.append(caller.connection.close_code)
        closed.set()

    before = asyncio.all_tasks()
    async with chat_peer(peer) as address:
        async with client(address) as chat:
            await collect(chat, lambda one: isinstance(one, Welcome))
        await asyncio.wait_for(closed.wait(), PATIENCE)
        assert await remainder(chat) == [Link(LinkState.CLOSED)]
    assert codes == [1000]
    assert asyncio.all_tasks() == before
    assert chat.link == Link(LinkState.CLOSED)


async def test_leaving_at_once() -> None:
    async with client(Address.parse("127.0.0.1:1")) as chat:
        pass
    assert await remainder(chat) == [Link(LinkState.CLOSED)]


async def test_a_consumer_that_is_slow_slows_the_server_down() -> None:
    sent = 0
    total = 4_000

    async def peer(caller: Caller) -> None:
        nonlocal sent
        await caller.hear()
        await caller.welcome("main")
        await caller.tell(fresh())
        for seq in range(1, total + 1):
            await caller.tell(messages.Event("main", seq, 1, "message", "ben", {"text": "x" * 16_000}))
            sent = seq
        await forever()

    async with chat_peer(peer) as address, client(address, timeouts=Timeouts(closing=0.01)) as chat:
        await until(lambda: len(chat._feed._items) >= LIMIT)
        seen = -1
        while sent != seen:
            seen = sent
            for _ in range(200):
                await asyncio.sleep(0)
        assert sent < total
        assert len(chat._feed._items) <= LIMIT + 1
