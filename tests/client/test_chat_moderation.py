"""Acts of moderation, rooms of two, and being put out of rooms."""

from typing import Any

from pushtui.client.happenings import LinkState
from pushtui.protocol import messages
from pushtui.protocol.messages import Done, Error, Invited, Left, Rules
from tests.client.chatting import both, client, is_link, texts
from tests.client.peers import Caller, chat_peer, collect, forever, fresh, until


@both
async def test_an_act_is_answered(subprotocol: str) -> None:
    heard: list[Any] = []

    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        await caller.tell(fresh())
        heard.append(await caller.hear())
        await caller.tell(Done(heard[0].key, "bob is muted\x1b[2J\nfor 10 m"))
        heard.append(await caller.hear())
        await caller.tell(Error("not_allowed", "no", heard[1].key))
        await forever()

    async with chat_peer(peer) as address, client(address, subprotocol=subprotocol) as chat:
        await collect(chat, is_link(LinkState.LIVE))
        first = chat.moderate("mute", nick="bob\udcff", room="main", seconds=600, reason="loud")
        told = await collect(chat, lambda one: isinstance(one, Done))
        assert told[-1] == Done(first, "bob is muted\ufffd[2J\nfor 10 m")
        second = chat.moderate("private", room="ops", on=False)
        told = await collect(chat, lambda one: isinstance(one, Error))
        assert told[-1] == Error("not_allowed", "no", second)
    assert heard == [
        messages.Moderate(first, "mute", "bob?", "main", None, 600, "loud"),
        messages.Moderate(second, "private", room="ops", on=False),
    ]


async def test_without_a_link_nothing_is_done_later_either() -> None:
    heard: list[Any] = []

    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        await caller.tell(fresh())
        heard.append(await caller.hear())
        await forever()

    async with chat_peer(peer) as address, client(address) as chat:
        key = chat.moderate("remove", nick="bob")
        told = await collect(chat, is_link(LinkState.LIVE))
        assert Error("unanswered", "there is no link to the server; nothing was done", key) in told
        chat.typing("main", True)
        await until(lambda: bool(heard))
    assert heard == [messages.Typing("main", True)]


async def test_what_was_not_answered_is_told_when_the_link_is_lost() -> None:
    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        await caller.tell(fresh())
        await caller.hear()

    async with chat_peer(peer) as address, client(address) as chat:
        await collect(chat, is_link(LinkState.LIVE))
        key = chat.moderate("remove", nick="bob")
        told = await collect(chat, lambda one: isinstance(one, Error))
        sentence = "the link was lost before the answer; look whether it is done"
        assert told[-1] == Error("unanswered", sentence, key)


async def test_the_room_of_two_is_joined() -> None:
    heard: list[Any] = []

    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        await caller.tell(fresh())
        heard.append(await caller.hear())
        await caller.tell(Done(heard[0].key, "it is yours", "dm-1"))
        heard.append(await caller.hear())
        await caller.tell(fresh("dm-1"))
        await forever()

    async with chat_peer(peer) as address, client(address) as chat:
        await collect(chat, is_link(LinkState.LIVE))
        key = chat.direct("bob")
        await collect(chat, lambda one: isinstance(one, messages.Resume) and one.room == "dm-1")
        assert chat.rooms == ("main", "dm-1")
    assert heard == [messages.Direct(key, "bob"), messages.Join("dm-1")]


async def test_who_was_put_out_does_not_ask_for_the_room_again() -> None:
    hellos: list[Any] = []

    async def peer(caller: Caller) -> None:
        hellos.append(await caller.hear())
        await caller.welcome("main")
        await caller.tell(fresh())
        if len(hellos) == 1:
            await caller.tell(Left("ops", "ops is private\x07"))
            await caller.tell(messages.Event("ops", 1, 7, "message", "ben", {"text": "not for you"}))
            return
        await forever()

    async with chat_peer(peer) as address, client(address, rooms=("main", "ops")) as chat:
        told = await collect(chat, is_link(LinkState.LOST))
        assert Left("ops", "ops is private\ufffd") in told
        assert texts(told) == []
        assert chat.rooms == ("main",)
        await collect(chat, is_link(LinkState.LIVE))
    assert [list(hello.rooms) for hello in hellos] == [["main", "ops"], ["main"]]


async def test_invitations_and_rules_are_told() -> None:
    async def peer(caller: Caller) -> None:
        await caller.hear()
        await caller.welcome("main")
        await caller.tell(fresh())
        await caller.tell(Rules("elsewhere", private=True))
        await caller.tell(Rules("main", read_only=True))
        await caller.tell(Invited("dm-1", "b\x1bn", direct=True, other="b\x1bn"))
        await forever()

    async with chat_peer(peer) as address, client(address) as chat:
        told = await collect(chat, lambda one: isinstance(one, Invited))
        assert [one for one in told if isinstance(one, Rules)] == [Rules("main", read_only=True)]
        assert told[-1] == Invited("dm-1", "b\ufffdn", direct=True, other="b\ufffdn")
        assert chat.rooms == ("main",)
