import asyncio
from typing import Any

import pytest

from pushtui.client.address import Address
from pushtui.client.chat import RoomsFullError
from pushtui.client.happenings import (
    CaughtUp,
    LinkState,
    Page,
    RoomEvent,
)
from pushtui.protocol import messages
from pushtui.protocol.bodies import Message
from pushtui.protocol.messages import Resume, Typing
from pushtui.protocol.names import NameRefusedError
from tests.client.chatting import client, is_delivery, is_link
from tests.client.peers import (
    EPOCH,
    PATIENCE,
    Caller,
    chat_peer,
    collect,
    forever,
    fresh,
    until,
)


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
