import asyncio

import pytest

from pushtui.client.address import Address
from pushtui.client.clock import SystemClock
from pushtui.client.happenings import (
    CaughtUp,
    Delivery,
    LinkState,
)
from pushtui.protocol import messages
from pushtui.protocol.messages import Bye, Error
from pushtui.protocol.names import NameRefusedError
from tests.client.chatting import client, is_delivery, is_link, links, slow
from tests.client.peers import (
    Caller,
    Room,
    chat_peer,
    collect,
    forever,
    until,
)


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


async def test_what_was_said_before_is_stored_before_one_becomes_another() -> None:
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
        await until(lambda: chat.nick == "anna")
    assert heard == [("ana", "one"), ("ana", "two")]


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


async def test_what_was_cut_off_is_said_again_by_the_same_person() -> None:
    heard: list[tuple[str, str]] = []

    async def peer(caller: Caller) -> None:
        hello = await caller.hear()
        await caller.welcome("main", nick=hello.nick)
        while True:
            said = await caller.hear()
            heard.append((hello.nick, said.text))
            if len(heard) == 1:
                caller.cut()
            await caller.tell(messages.Ack(said.key, "main", 1, True))

    async with chat_peer(peer) as address, client(address, clock=SystemClock(), backoff=slow()) as chat:
        chat.say("main", "one")
        last = chat.say("main", "two")
        await collect(chat, is_link(LinkState.LOST))
        chat.rename("anna")
        chat.retry_now()
        await collect(chat, lambda one: one == Delivery(last, "stored"))
        await until(lambda: chat.nick == "anna")
    assert heard == [("ana", "one"), ("ana", "one"), ("ana", "two")]
