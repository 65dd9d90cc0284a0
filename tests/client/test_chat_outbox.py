"""What a chat client says outlives the client: the outbox on disk, with real servers."""

from pathlib import Path

import pytest

from pushtui.client.address import Address
from pushtui.client.chat import ChatClient
from pushtui.client.clock import SystemClock
from pushtui.client.happenings import ChatHappening, Delivery, LinkState, Pending, Undeliverable
from pushtui.client.outbox_file import path_of
from pushtui.protocol import messages
from pushtui.protocol.messages import Error, Hello
from tests.client.chatting import client, is_delivery, is_link, slow
from tests.client.peers import Caller, Room, chat_peer, collect, forever, fresh, until

NOWHERE = Address.parse("127.0.0.1:1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


def away(address: Address, folder: Path, **options: object) -> ChatClient:
    """A client that stays without a link once it lost it."""
    return client(address, outbox=folder, backoff=slow(), clock=SystemClock(), **options)


async def said_in_vain(address: Address, folder: Path, *texts: str, nick: str = "ana") -> list[str]:
    """Say things to a server that lets nobody in, and end."""
    async with away(address, folder, nick=nick) as chat:
        await collect(chat, is_link(LinkState.CONNECTING))
        return [chat.say("main", text) for text in texts]


def pendings(told: list[ChatHappening]) -> list[tuple[str, str, str, str]]:
    return [(one.key, one.text, one.state, one.reason) for one in told if isinstance(one, Pending)]


class Restarting:
    """A server whose address is known before it runs: a room that lets nobody in until it is open."""

    def __init__(self) -> None:
        self.room = Room()
        self.open = False

    async def __call__(self, caller: Caller) -> None:
        if self.open:
            await self.room(caller)
        else:
            caller.cut()


async def test_what_was_said_in_vain_is_said_by_the_next_client_in_order(folder: Path) -> None:
    server = Restarting()
    async with chat_peer(server) as address:
        keys = await said_in_vain(address, folder, "one", "two")
        server.open = True
        async with client(address, outbox=folder) as chat:
            assert chat.pending == 2
            last = chat.say("main", "three")
            told = await collect(chat, lambda one: one == Delivery(last, "stored"))
            assert chat.pending == 0
    assert server.room.texts == ["one", "two", "three"]
    assert pendings(told) == [(keys[0], "one", "queued", ""), (keys[1], "two", "queued", "")]
    assert isinstance(told[0], Pending)
    assert [one for one in told if isinstance(one, Delivery) and one.key == keys[0]] == [
        Delivery(keys[0], "sent"),
        Delivery(keys[0], "stored"),
    ]
    assert not path_of(folder, address, "ana").exists()


async def test_one_that_was_stored_before_the_client_died_is_not_stored_again(folder: Path) -> None:
    """The row in the log is there, the answer never came, and the program is another one now."""
    room = Room(2)
    async with chat_peer(room) as address:
        async with away(address, folder) as chat:
            key = chat.say("main", "one")
            chat.say("main", "two")
            await collect(chat, is_link(LinkState.LOST))
        room.add("meanwhile")
        async with client(address, outbox=folder) as chat:
            last = chat.say("main", "three")
            told = await collect(chat, lambda one: one == Delivery(last, "stored"))
    assert Delivery(key, "stored") in told
    assert [text for text in room.texts if text != "meanwhile"] == ["one", "two", "three"]


async def test_what_was_sent_and_may_be_stored_keeps_its_author_over_a_restart(folder: Path) -> None:
    server = Restarting()
    async with chat_peer(server) as address:
        await said_in_vain(address, folder, "one")
        server.open = True
        async with client(address, outbox=folder) as chat:
            chat.rename("anna")
            await until(lambda: chat.nick == "anna" and chat.link.state is LinkState.LIVE)
    assert [hello.nick for hello in server.room.hellos] == ["ana", "anna"]
    assert [event.by for event in server.room.events] == ["ana"]


async def test_things_said_to_other_rooms_take_one_there(folder: Path) -> None:
    hellos: list[Hello] = []

    async def peer(caller: Caller) -> None:
        hellos.append(await caller.hear())
        if len(hellos) == 1:
            await forever()
        await caller.welcome("main", "ops")
        said = await caller.hear()
        await caller.tell(messages.Ack(said.key, said.room, 1, True))
        await forever()

    async with chat_peer(peer) as address:
        async with client(address, outbox=folder, rooms=("main", "ops")) as chat:
            await until(lambda: bool(hellos))
            key = chat.mark("ops", "deploy")
        async with client(address, outbox=folder) as chat:
            assert chat.rooms == ("main", "ops")
            told = await collect(chat, is_delivery("stored"))
    assert told[-1] == Delivery(key, "stored")
    assert set(hellos[1].rooms) == {"main", "ops"}
    pending = next(one for one in told if isinstance(one, Pending))
    assert (pending.room, pending.kind, pending.text) == ("ops", "mark", "deploy")


class Refusing:
    """A server that does not take a text as long as it is told not to."""

    def __init__(self, *refused: str) -> None:
        self.refused = set(refused)
        self.stored: list[str] = []

    async def __call__(self, caller: Caller) -> None:
        hello = await caller.hear()
        await caller.welcome("main", nick=hello.nick)
        await caller.tell(fresh())
        while True:
            said = await caller.hear()
            if said.text in self.refused:
                await caller.tell(Error("not_allowed", f"no {said.text} here", said.key))
            else:
                self.stored.append(said.text)
                await caller.tell(messages.Ack(said.key, "main", len(self.stored), True))


async def test_one_that_failed_stays_with_its_reason_until_it_is_retried(folder: Path) -> None:
    server = Refusing("two")
    async with chat_peer(server) as address:
        async with client(address, outbox=folder) as chat:
            keys = [chat.say("main", text) for text in ("one", "two", "three")]
            await collect(chat, lambda one: one == Delivery(keys[2], "stored"))
            assert chat.pending == 0
        async with client(address, outbox=folder) as chat:
            told = await collect(chat, is_link(LinkState.LIVE))
            assert pendings(told) == [(keys[1], "two", "failed", "no two here")]
            chat.retry(keys[1])
            told = await collect(chat, lambda one: isinstance(one, Undeliverable))
            assert told[-1] == Undeliverable(keys[1], "main", "two", "no two here")
            server.refused.clear()
            chat.retry(keys[1])
            told = await collect(chat, is_delivery("stored"))
            assert [one.state for one in told if isinstance(one, Delivery)] == ["queued", "sent", "stored"]
            chat.retry(keys[1])
            assert chat.pending == 0
    assert server.stored == ["one", "three", "two"]
    assert not path_of(folder, address, "ana").exists()


async def test_one_that_failed_can_be_taken_back(folder: Path) -> None:
    server = Refusing("two")
    async with chat_peer(server) as address:
        async with client(address, outbox=folder) as chat:
            key = chat.say("main", "two")
            await collect(chat, lambda one: isinstance(one, Undeliverable))
            assert chat.take_back(key) == "two"
            assert chat.take_back(key) is None
        async with client(address, outbox=folder) as chat:
            assert pendings(await collect(chat, is_link(LinkState.LIVE))) == []


async def test_what_was_never_sent_can_be_taken_back_and_what_may_be_stored_cannot() -> None:
    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        await caller.hear()
        caller.cut()

    async with chat_peer(peer) as address, client(address, backoff=slow(), clock=SystemClock()) as chat:
        keys = [chat.say("main", text) for text in ("one", "two", "three")]
        await collect(chat, is_link(LinkState.LOST))
        assert [chat.take_back(key) for key in keys] == [None, "two", "three"]
        assert chat.pending == 1


async def test_a_second_client_of_the_same_nick_keeps_its_own_in_memory(folder: Path) -> None:
    async with away(NOWHERE, folder) as first, away(NOWHERE, folder) as second:
        first.say("main", "one")
        second.say("main", "two")
        told = await collect(second, is_delivery("queued"))
    assert [one.code for one in told if isinstance(one, Error)] == ["not_kept"]
    async with away(NOWHERE, folder) as third:
        told = await collect(third, is_link(LinkState.CONNECTING))
    assert [text for _, text, _, _ in pendings(told)] == ["one"]


async def test_a_second_client_takes_over_what_the_first_left(folder: Path) -> None:
    """It cannot when it starts; it can when the server lets it in, which is after the first has gone."""
    server = Restarting()
    async with chat_peer(server) as address:
        async with away(address, folder) as first:
            first.say("main", "one")
            second = client(address, outbox=folder, backoff=slow(), clock=SystemClock())
            await second.__aenter__()
            await collect(second, is_link(LinkState.LOST))
        server.open = True
        try:
            key = second.say("main", "two")
            second.retry_now()
            told = await collect(second, lambda one: one == Delivery(key, "stored"))
        finally:
            await second.__aexit__(None, None, None)
    assert [text for _, text, _, _ in pendings(told)] == ["one"]
    assert server.room.texts == ["one", "two"]


async def test_authors_do_not_get_each_others_words(folder: Path) -> None:
    server = Restarting()
    async with chat_peer(server) as address:
        await said_in_vain(address, folder, "ana's")
        await said_in_vain(address, folder, "ben's", nick="ben")
        server.open = True
        for nick in ("ben", "ana"):
            async with client(address, outbox=folder, nick=nick) as chat:
                await collect(chat, is_delivery("stored"))
    assert [(event.by, event.body["text"]) for event in server.room.events] == [("ben", "ben's"), ("ana", "ana's")]


async def test_who_becomes_somebody_says_what_that_one_left_and_takes_along_what_failed(folder: Path) -> None:
    server = Refusing("bad")
    async with chat_peer(server) as address:
        async with away(address, folder, nick="ben") as ben:
            await until(lambda: ben.link.state is LinkState.CONNECTING)
            ben.say("main", "left by ben")
        async with client(address, outbox=folder) as chat:
            failed = chat.say("main", "bad")
            await collect(chat, lambda one: isinstance(one, Undeliverable))
            assert server.stored == []
            chat.rename("ben")
            told = await collect(chat, is_delivery("stored"))
            assert [text for _, text, _, _ in pendings(told)] == ["left by ben"]
            assert not path_of(folder, address, "ana").exists()
            assert path_of(folder, address, "ben").exists()
            server.refused.clear()
            chat.retry(failed)
            await collect(chat, is_delivery("stored"))
    assert server.stored == ["left by ben", "bad"]


@pytest.fixture
def no_folder(folder: Path) -> Path:
    folder.write_text("a file")
    return folder


async def test_a_folder_that_cannot_be_used_is_told_once_and_stops_nobody(no_folder: Path) -> None:
    async with chat_peer(Room()) as address, client(address, outbox=no_folder) as chat:
        key = chat.say("main", "one")
        told = await collect(chat, lambda one: one == Delivery(key, "stored"))
    errors = [one for one in told if isinstance(one, Error)]
    assert [error.code for error in errors] == ["not_kept"]
    assert "what you say is lost if this ends before it is stored: " in errors[0].message
