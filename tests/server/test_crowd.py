"""A room with too many people to tell everyone about everyone."""

from msgspec.structs import replace

from pushtui.protocol.limits import LIMITS
from pushtui.protocol.messages import JSON, MSGPACK
from tests.server.conftest import Build, House, timing
from tests.server.peer import Frame, Peer

MOST = 4
NICKS = ("ana", "bo", "carla", "dan", "eve", "fay")


async def crowded(build: Build, most: int = MOST) -> House:
    return await build(limits=replace(LIMITS, members=most), timing=timing(recount=0))


async def all_in(house: House, *nicks: str) -> dict[str, Peer]:
    return {nick: await house.visit(nick, subprotocol=(JSON, MSGPACK)[len(nick) % 2]) for nick in nicks}


def nicks(state: Frame) -> list[str]:
    return [member["nick"] for member in state["members"]]


async def test_everyone_is_told_how_many_they_are(build: Build) -> None:
    house = await crowded(build)
    people = await all_in(house, *NICKS)
    for one in list(people.values())[:-1]:
        assert await one.hear_of("crowd", count=6) == {"type": "crowd", "room": "main", "count": 6}
    await people["fay"].ws.close()
    for one in list(people.values())[:-1]:
        assert (await one.hear())["count"] == 5


async def test_the_limit_is_told_and_is_no_crowd_yet(build: Build) -> None:
    house = await crowded(build)
    people = await all_in(house, *NICKS[:MOST])
    welcome = people["dan"].heard[0]
    assert welcome["limits"]["members"] == MOST
    assert nicks(welcome["rooms"][0]) == list(NICKS[:MOST])
    assert "count" not in welcome["rooms"][0]
    assert await people["carla"].hear() == {"type": "presence", "room": "main", "nick": "dan", "state": "here"}


async def test_who_comes_in_gets_the_count_and_some_names(build: Build) -> None:
    house = await crowded(build)
    await all_in(house, "eve", "dan", "carla", "bo")
    await house.visit("ana")
    last = await house.knock()
    state = (await last.hello("zoe"))["rooms"][0]
    assert (nicks(state), state["count"]) == (["bo", "carla", "dan", "eve", "zoe"], 6)
    elsewhere = await house.visit("fay", ("ops",))
    await elsewhere.say("join", room="main")
    resume = await elsewhere.hear_of("resume", room="main")
    assert (nicks(resume), resume["count"]) == (["bo", "carla", "dan", "eve", "fay"], 7)


async def test_nobody_is_told_of_single_people(build: Build) -> None:
    house = await crowded(build)
    people = await all_in(house, *NICKS)
    await people["ana"].hear_of("crowd", count=6)
    await people["bo"].say("away", on=True, text="lunch")
    await people["bo"].say("typing", room="main", on=True)
    await people["bo"].barrier()
    assert await people["ana"].barrier() == []
    newcomer = await house.visit("zoe")
    state = newcomer.heard[0]["rooms"][0]
    assert {"nick": "bo", "state": "away", "text": "lunch"} in state["members"]
    assert await newcomer.barrier() == []


async def test_few_enough_are_named_again(build: Build) -> None:
    house = await crowded(build)
    people = await all_in(house, *NICKS)
    ana, bo = people["ana"], people["bo"]
    for nick in ("carla", "dan", "eve"):
        await people[nick].ws.close()
        if nick != "eve":
            await ana.hear_of("crowd", count=5 if nick == "carla" else 4)
    await ana.hear_of("crowd", count=3)
    await people["fay"].ws.close()
    everyone = [{"nick": "ana", "state": "here"}, {"nick": "bo", "state": "here"}]
    assert await ana.hear() == {"type": "members", "room": "main", "members": everyone}
    await bo.hear_of("members")
    await bo.say("away", on=True)
    assert await ana.hear() == {"type": "presence", "room": "main", "nick": "bo", "state": "away"}


async def test_what_is_said_goes_to_all(build: Build) -> None:
    house = await crowded(build, most=1)
    people = await all_in(house, *NICKS)
    await people["ana"].say("send", key="k", room="main", text="hello all")
    for one in people.values():
        assert await one.texts(1) == ["hello all"]
