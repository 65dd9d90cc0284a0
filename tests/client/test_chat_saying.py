import itertools
from typing import Any

import msgspec
import pytest

from pushtui.client.address import Address
from pushtui.client.chat import TextTooLongError
from pushtui.client.happenings import (
    Delivery,
    Undeliverable,
)
from pushtui.protocol import messages
from pushtui.protocol.limits import LIMITS
from pushtui.protocol.messages import Error, Welcome
from tests.client.chatting import client, is_delivery
from tests.client.peers import (
    Caller,
    FakeClock,
    Room,
    chat_peer,
    collect,
    forever,
    fresh,
)


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
