import pytest

from pushtui.client.happenings import (
    CaughtUp,
    ChatHappening,
    RoomEvent,
)
from pushtui.protocol.positions import Lost, Outcome
from tests.client.chatting import both, client, is_delivery, texts
from tests.client.peers import (
    EPOCH,
    Room,
    chat_peer,
    collect,
)


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
