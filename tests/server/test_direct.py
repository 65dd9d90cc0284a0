"""Rooms of two."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from pushtui.protocol.limits import Rate
from tests.server.conftest import NO_FLOODS, Build, House
from tests.server.peer import Frame
from tests.server.test_private_rooms import join
from tests.server.town import Town, act, direct, refused, says


@pytest.fixture
async def town(build: Build, tmp_path: Path) -> AsyncIterator[Town]:
    async with Town.founded(build, tmp_path) as town:
        yield town


async def room_of(town: Town, one: str, other: str) -> str:
    done = await direct(await town.visit(one, session=f"{one} asks"), other)
    room: str = done["room"]
    return room


async def test_two_people_talk(town: Town, subprotocol: str) -> None:
    ana, bob = await town.visit("ana", subprotocol=subprotocol), await town.visit("bob", subprotocol=subprotocol)
    done = await direct(ana, "BOB")
    room = done.pop("room")
    assert done == {"type": "done", "key": "two", "message": "this room is for ana and bob alone"}
    assert room.startswith("dm-")
    assert await bob.hear_of("invited") == {
        "type": "invited",
        "room": room,
        "by": "ana",
        "direct": True,
        "with": "ana",
    }
    for peer, other in ((ana, "bob"), (bob, "ana")):
        resume = await join(peer, room)
        assert (resume["private"], resume["direct"]) == (True, other)
    await says(ana, "psst", room)
    assert await bob.texts(1) == ["psst"]
    # It is the same whoever asks, and who is in it is not invited again.
    assert (await direct(bob, "ana"))["room"] == room
    assert await ana.barrier() == []
    eve = await town.visit("eve")
    assert await room_of(town, "ana", "eve") != room
    assert (await eve.hear_of("invited"))["with"] == "ana"


async def test_nobody_else_comes_in_and_nobody_learns_that_it_is_there(town: Town) -> None:
    room = await room_of(town, "ana", "bob")
    assert (await town.post("ana", "psst", room)).status_code == 201
    none = "dm-0000000000000000"
    for name in ("eve", "mo", "root"):
        peer = await town.visit(name)
        there, nowhere = [await join(peer, one) for one in (room, none)]
        assert there["type"] == "left"
        assert told(there, room) == told(nowhere, none)
        for path in (room, none):
            status, body = await town.status_of(name, f"/rooms/{path}")
            assert (status, body["code"]) == (404, "no_such_room")
        posted = [await town.post(name, "x", one) for one in (room, none)]
        assert [answer.status_code for answer in posted] == [403, 403]
        assert told(posted[0].json(), room) == told(posted[1].json(), none)
        welcome = await (await town.knock(name)).hello(name, (room, none), session=f"{name} again")
        assert welcome["rooms"] == []
    assert town.house.head(none) == -1
    text = (await (await town.http("root")).get("/metrics")).text
    assert room not in text


def told(frame: Frame, room: str) -> str:
    return str(frame).replace(room, "the room")


async def test_names_of_that_form_are_kept_for_them(town: Town) -> None:
    ana = await town.visit("ana")
    for room in ("dm-fun", "DM-fun"):
        assert (await join(ana, room))["type"] == "left"
        assert (await town.post("ana", "x", room)).status_code == 403
        assert town.house.head(room) == -1


@pytest.mark.parametrize("action", ["private", "read_only", "admit", "expel", "mute"])
async def test_it_stays_as_it_is(town: Town, action: str) -> None:
    room = await room_of(town, "ana", "bob")
    for name in ("root", "mo"):
        peer = await town.visit(name)
        for one in (room, "dm-0000000000000000"):
            code, message = await refused(peer, action, room=one, nick="bob", on=False)
            assert (code, message) == ("not_allowed", f"{one} is kept for two people, and stays as it is")
    assert room not in await act(await town.visit("root"), "list")


async def test_who_was_away_hears_of_it(town: Town) -> None:
    room = await room_of(town, "ana", "bob")
    await town.restart()
    bob = await town.knock("bob")
    await bob.hello("bob")
    assert await bob.hear() == {"type": "invited", "room": room, "direct": True, "with": "ana"}
    assert (await town.post("bob", "hello", room)).status_code == 201


@pytest.mark.parametrize(
    ("nick", "code"),
    [("ana", "not_allowed"), ("ANA", "not_allowed"), ("nobody", "no_such_target"), ("agi", "not_allowed")],
)
async def test_who_there_is_none_with(town: Town, nick: str, code: str) -> None:
    assert (await direct(await town.visit("ana"), nick))["code"] == code


async def test_who_has_no_token_has_none(house: House) -> None:
    ana = await house.visit("ana")
    await house.visit("bob")
    assert (await direct(ana, "bob"))["code"] == "not_allowed"


async def test_nor_who_only_listens(town: Town) -> None:
    assert (await direct(await town.visit("rea"), "bob"))["code"] == "not_allowed"


async def test_who_is_muted_does_not_ring(town: Town) -> None:
    ana, bob = await town.visit("ana"), await town.visit("bob")
    await act(await town.visit("mo"), "mute", nick="ana")
    answer = await direct(ana, "bob")
    assert (answer["code"], answer["message"]) == ("not_allowed", "mo muted you; you can read along")
    assert not [frame for frame in await bob.barrier() if frame["type"] == "invited"]


async def test_asking_for_it_counts_as_sending(build: Build, tmp_path: Path) -> None:
    protection = msgspec.structs.replace(NO_FLOODS, sends=Rate(0.001, 2))
    async with Town.founded(build, tmp_path, protection=protection) as town:
        ana = await town.visit("ana")
        answers = [await direct(ana, "bob") for _ in range(3)]
        assert [answer["type"] for answer in answers] == ["done", "done", "error"]
        assert (answers[2]["code"], answers[2]["retry_after_ms"] > 0) == ("rate_limited", True)
        assert (await refused(ana, "admit", room="crew", nick="bob"))[0] == "rate_limited"


async def test_who_is_muted_is_muted_there(town: Town) -> None:
    room = await room_of(town, "ana", "bob")
    await act(await town.visit("mo"), "mute", nick="ana")
    assert (await town.post("ana", "x", room)).status_code == 403
    assert (await town.post("bob", "x", room)).status_code == 201
