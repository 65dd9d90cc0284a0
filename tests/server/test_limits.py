"""Rates over real sockets: the same for every way in, told with the wait, and nothing of it is stored."""

from pathlib import Path

from pushtui.client.address import Address
from pushtui.client.chat import ChatClient
from pushtui.client.happenings import Delivery
from pushtui.protocol.limits import Protection, Rate
from pushtui.protocol.messages import Error
from server.log.sqlite import SqliteStore
from tests.server.conftest import Build, ticking_clock

TIGHT = Protection(sends=Rate(0.001, 3))


async def test_one_bucket_for_every_way_in(build: Build) -> None:
    house = await build(protection=TIGHT)
    ana = await house.visit("ana")
    await ana.say("send", key="1", room="main", text="by WebSocket")
    await ana.hear_of("event")
    assert (await house.post("by HTTP", **{"from": "ana"})).status_code == 201
    http = await house.http()
    notice = {"text": "a notice", "from": "ana"}
    assert (await http.post("/notices", json=notice)).status_code == 201
    heads = house.heads()

    await ana.say("send", key="2", room="main", text="too fast")
    error = await ana.hear_of("error", key="2")
    assert error["code"] == "rate_limited"
    assert error["message"].startswith("you are sending too fast; wait ")
    assert error["retry_after_ms"] > 900_000
    for kind in ("topic", "mark"):
        await ana.say(kind, key=kind, room="main", text="too fast")
        assert (await ana.hear_of("error", key=kind))["code"] == "rate_limited"
    for answer in (await house.post("too fast", **{"from": "ana"}), await http.post("/notices", json=notice)):
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert int(answer.headers["Retry-After"]) > 900
    assert house.heads() == heads

    bob = await house.visit("bob")
    await bob.say("send", key="1", room="main", text="others go on")
    assert await ana.texts(1) == ["others go on"]


async def test_a_client_waits_as_told_and_loses_nothing(build: Build, tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "log.sqlite3", clock_ms=ticking_clock())
    house = await build(store, protection=Protection(sends=Rate(50, 3)))
    async with ChatClient(Address.parse(house.url), nick="ana") as chat:
        keys = [chat.say("main", f"{number}") for number in range(12)]
        stored: list[str] = []
        waits = 0
        async for happening in chat:
            match happening:
                case Delivery(state="stored"):
                    stored.append(happening.key)
                case Error(code="rate_limited"):
                    waits += 1
            if len(stored) == len(keys):
                break
    assert stored == keys
    assert waits > 0
    reader = await house.visit("bob", replay=50)
    assert await reader.texts(12) == [f"{number}" for number in range(12)]


async def test_rooms_are_not_made_without_end(build: Build) -> None:
    house = await build(protection=Protection(new_rooms=Rate(0.001, 2)))
    ana = await house.visit("ana")
    for room in ("one", "two"):
        await ana.say("join", room=room)
        await ana.hear_of("resume", room=room)
    await ana.say("join", room="three")
    assert (await ana.hear_of("error"))["code"] == "rate_limited"
    assert (await house.post("x", room="three")).status_code == 429
    assert house.head("three") == -1
    await ana.say("join", room="one")
    await ana.hear_of("resume", room="one")


async def test_nor_more_of_them_than_there_may_be(build: Build) -> None:
    house = await build(protection=Protection(rooms=3))
    ana = await house.visit("ana")
    for room in ("one", "two"):
        await ana.say("join", room=room)
        await ana.hear_of("resume", room=room)
    await ana.say("join", room="three")
    error = await ana.hear_of("error")
    assert (error["code"], error["message"]) == ("not_allowed", "there are 3 rooms, and no more can be made")
    assert (await house.post("x", room="three")).status_code == 403


async def test_a_hello_that_makes_too_many_comes_back_later(build: Build) -> None:
    house = await build(protection=Protection(new_rooms=Rate(0.001, 2)))
    peer = await house.knock()
    await peer.say("hello", nick="ana", session="s", rooms=dict.fromkeys(("one", "two", "three")))
    _, code, reason = await peer.until_closed()
    assert code == 4001
    assert reason.startswith("you are making rooms too fast")
