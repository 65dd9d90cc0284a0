import asyncio
from typing import Any

from pushtui.client.address import Address
from pushtui.client.chat import ChatClient
from pushtui.client.feed import LIMIT
from pushtui.client.happenings import (
    CaughtUp,
    Delivery,
    Link,
    LinkState,
    RoomEvent,
)
from pushtui.client.websocket import Timeouts
from pushtui.protocol import messages
from pushtui.protocol.bodies import Message
from pushtui.protocol.messages import Presence, Resume, Typing, Welcome
from pushtui.protocol.positions import Outcome
from tests.client.chatting import both, client, is_delivery, links
from tests.client.peers import (
    PATIENCE,
    Caller,
    Room,
    chat_peer,
    collect,
    forever,
    fresh,
    remainder,
    until,
)


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
        chat = client(address, subprotocol=subprotocol, replay=20, session="s")
        async with chat:
            told = await collect(chat, lambda one: isinstance(one, RoomEvent) and one.seq == 2)
            assert links(told) == [Link(LinkState.CONNECTING), Link(LinkState.LIVE)]
            key = chat.say("main", "hello\nben", reply_to=1)
            told += await collect(chat, is_delivery("stored"))
            assert chat.pending == 0
        told += await remainder(chat)

    assert heard == [
        messages.Hello("ana", "s", {"main": None}, 20),
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
