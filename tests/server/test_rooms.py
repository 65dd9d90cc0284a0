"""Who is here: joining and leaving, presence, typing, being away, sessions and nicks."""

import asyncio

import pytest

from pushtui.protocol.frames import Opcode
from server import rooms
from server.live import Live
from tests.server.conftest import Build, House, timing, until
from tests.server.peer import Frame, Peer
from tests.server.wire_client import masked


def members(state: Frame) -> dict[str, str]:
    return {member["nick"]: member["state"] for member in state["members"]}


async def quiet(peer: Peer) -> None:
    """Nothing is on its way to this peer."""
    assert await peer.barrier() == []


class TestJoining:
    async def test_the_resume_carries_topic_and_members(self, any_house: House, subprotocol: str) -> None:
        bo = await any_house.visit("bo", ("ops",))
        await bo.say("topic", key="t", room="ops", text="fire")
        await bo.hear_of("event")
        ana = await any_house.visit("ana", subprotocol=subprotocol)
        await ana.say("join", room="ops")
        resume = await ana.hear()
        assert resume == {
            "type": "resume",
            "room": "ops",
            "outcome": "fresh",
            "epoch": resume["epoch"],
            "after": 0,
            "head": 1,
            "topic": "fire",
            "members": [{"nick": "ana", "state": "here"}, {"nick": "bo", "state": "here"}],
        }
        assert (await ana.hear())["body"] == {"text": "fire"}
        assert await bo.hear() == {"type": "presence", "room": "ops", "nick": "ana", "state": "here"}
        await bo.say("send", key="k", room="ops", text="hi")
        assert (await ana.hear())["body"] == {"text": "hi"}

    async def test_a_room_is_joined_from_a_position(self, any_house: House) -> None:
        for number in range(5):
            posted = (await any_house.post(str(number), "ops")).json()
        ana = await any_house.visit("ana")
        await ana.say("join", room="ops", after=posted["position"][:9] + "3")
        resume = await ana.hear_of("resume")
        assert (resume["outcome"], resume["after"], resume["head"]) == ("caught_up", 3, 5)
        assert await ana.texts(2) == ["3", "4"]

    async def test_joining_twice_starts_again_from_the_position(self, any_house: House) -> None:
        await any_house.post("x")
        ana = await any_house.visit("ana")
        epoch = ana.heard[1]["epoch"]
        assert await ana.texts(1) == ["x"]
        await ana.say("join", room="main", after=f"{epoch}.0")
        resume = await ana.hear()
        assert (resume["type"], resume["outcome"], resume["members"]) == (
            "resume",
            "caught_up",
            [{"nick": "ana", "state": "here"}],
        )
        assert await ana.texts(1) == ["x"]
        await any_house.post("y")
        assert await ana.texts(1) == ["y"]
        await quiet(ana)
        assert any_house.service.fanout.listeners("room:main") == 1

    async def test_after_leaving_nothing_is_heard(self, any_house: House) -> None:
        ana, bo = await any_house.visit("ana", ("main", "ops")), await any_house.visit("bo", ("main", "ops"))
        await ana.say("leave", room="ops")
        gone = await bo.hear()
        assert gone == {"type": "presence", "room": "ops", "nick": "ana", "state": "gone"}
        await any_house.post("in ops", "ops")
        await any_house.post("in main")
        assert await ana.texts(1) == ["in main"]
        await ana.say("send", key="k", room="ops", text="x")
        error = await ana.hear()
        assert (error["code"], error["key"]) == ("not_allowed", "k")
        assert any_house.head("ops") == 1

    async def test_a_room_too_many(self, house: House) -> None:
        most = house.service.limits.rooms_per_connection
        ana = await house.visit("ana", tuple(f"r{number}" for number in range(most)))
        await ana.say("join", room="one-more")
        error = await ana.hear_of("error")
        assert error["code"] == "not_allowed"
        assert str(most) in error["message"]
        assert house.head("one-more") == -1
        await ana.say("join", room="r0")
        assert (await ana.hear())["type"] == "resume"


class TestPresence:
    async def test_coming_and_going(self, any_house: House, subprotocol: str) -> None:
        bo = await any_house.visit("bo", subprotocol=subprotocol)
        ana = await any_house.visit("ana")
        assert await bo.hear() == {"type": "presence", "room": "main", "nick": "ana", "state": "here"}
        await ana.ws.close()
        assert await bo.hear() == {"type": "presence", "room": "main", "nick": "ana", "state": "gone"}

    async def test_a_connection_that_breaks_is_gone(self, any_house: House) -> None:
        bo = await any_house.visit("bo")
        ana = await any_house.visit("ana")
        ana.ws.transport.abort()
        assert (await bo.hear_of("presence", nick="ana", state="gone"))["room"] == "main"
        assert any_house.service.connections.count() == {"websocket": 1}

    async def test_away_and_back(self, any_house: House, subprotocol: str) -> None:
        bo, ana = await any_house.visit("bo", subprotocol=subprotocol), await any_house.visit("ana")
        await bo.hear_of("presence", state="here")
        await ana.say("away", on=True, text="lunch\n\x1b[2J")
        away = await bo.hear()
        assert away == {
            "type": "presence",
            "room": "main",
            "nick": "ana",
            "state": "away",
            "text": "lunch\ufffd\ufffd[2J",
        }
        carla = await any_house.knock()
        welcome = await carla.hello("carla")
        assert members(welcome["rooms"][0]) == {"ana": "away", "bo": "here", "carla": "here"}
        await bo.hear_of("presence", nick="carla")
        await ana.say("away", on=False)
        assert await bo.hear() == {"type": "presence", "room": "main", "nick": "ana", "state": "here"}

    async def test_away_is_told_in_every_room_and_on_joining(self, house: House) -> None:
        bo = await house.visit("bo", ("main", "ops", "third"))
        ana = await house.visit("ana", ("main", "ops"))
        await ana.say("away", on=True)
        told = [await bo.hear_of("presence", state="away") for _ in range(2)]
        assert {frame["room"] for frame in told} == {"main", "ops"}
        await ana.say("join", room="third")
        assert (await bo.hear_of("presence", room="third"))["state"] == "away"

    async def test_a_reason_too_long(self, house: House) -> None:
        ana = await house.visit("ana")
        await ana.say("away", on=True, text="x" * 251)
        assert (await ana.hear())["code"] == "too_long"

    async def test_members_are_in_the_order_of_their_nicks(self, house: House) -> None:
        for nick in ("bo", "Ana", "carla"):
            await house.visit(nick)
        last = await house.knock()
        welcome = await last.hello("zoe")
        assert list(members(welcome["rooms"][0])) == ["Ana", "bo", "carla", "zoe"]


class TestGrace:
    """Who is lost without a word mostly comes back at once; nobody needs to see that."""

    async def test_who_comes_back_in_time_was_never_away(self, build: Build) -> None:
        house = await build(timing=timing(grace=1000))
        bo, ana = await house.visit("bo"), await house.visit("ana")
        await bo.hear_of("presence", state="here")
        ana.ws.transport.abort()
        await until(lambda: len(house.service.people) == 1)
        carla = await house.knock()
        assert members((await carla.hello("carla"))["rooms"][0]) == {"ana": "here", "bo": "here", "carla": "here"}
        await bo.hear_of("presence", nick="carla")
        again = await house.visit("ana")
        assert members(again.heard[0]["rooms"][0]) == {"ana": "here", "bo": "here", "carla": "here"}
        await quiet(bo)

    async def test_who_does_not_is_gone(self, build: Build) -> None:
        house = await build(timing=timing(grace=0.02))
        bo, ana = await house.visit("bo"), await house.visit("ana")
        ana.ws.transport.abort()
        seen = [(await bo.hear_of("presence", nick="ana"))["state"] for _ in range(2)]
        assert seen == ["here", "gone"]
        carla = await house.knock()
        assert members((await carla.hello("carla"))["rooms"][0]) == {"bo": "here", "carla": "here"}

    @pytest.mark.parametrize("code", [1000, 1001, None])
    async def test_who_says_goodbye_is_gone_at_once(self, build: Build, code: int | None) -> None:
        house = await build(timing=timing(grace=1000))
        bo = await house.visit("bo")
        wire = await house.wire()
        await wire.upgrade()
        wire.say('{"type":"hello","nick":"ana","session":"s","rooms":{"main":null}}')
        await bo.hear_of("presence", nick="ana", state="here")
        wire.send(masked(Opcode.CLOSE, b"" if code is None else code.to_bytes(2)))
        await bo.hear_of("presence", nick="ana", state="gone")

    async def test_another_may_take_the_nick_meanwhile(self, build: Build) -> None:
        house = await build(timing=timing(grace=1000))
        bo, ana = await house.visit("bo"), await house.visit("ana")
        await bo.hear_of("presence", nick="ana")
        ana.ws.transport.abort()
        await until(lambda: len(house.service.people) == 1)
        other = await house.visit("ana", session="another")
        await quiet(bo)
        await other.ws.close()
        assert (await bo.hear())["state"] == "gone"

    async def test_nothing_is_left_of_a_room_whose_last_one_was_lost(self, build: Build) -> None:
        house = await build(timing=timing(grace=0.02))
        ana = await house.visit("ana", ("ops",))
        ana.ws.transport.abort()
        await until(lambda: not house.service.people)
        assert len(house.service.rooms) == 1
        await until(house.is_empty)

    async def test_a_server_that_stops_waits_for_nobody(self, build: Build) -> None:
        house = await build(timing=timing(grace=1000))
        ana = await house.visit("ana")
        ana.ws.transport.abort()
        await until(lambda: not house.service.people)
        service = house.service
        await house.server.stop()
        assert all(not room._lost for room in service.rooms._rooms.values())


class TestTyping:
    async def test_it_is_relayed_to_the_others(self, any_house: House, subprotocol: str) -> None:
        bo, ana = await any_house.visit("bo", subprotocol=subprotocol), await any_house.visit("ana")
        await bo.hear_of("presence")
        for on in (True, False):
            await ana.say("typing", room="main", on=on)
            assert await bo.hear() == {"type": "typing", "room": "main", "nick": "ana", "on": on}
        await quiet(ana)

    async def test_a_nick_in_it_is_not_believed(self, house: House) -> None:
        bo, ana = await house.visit("bo"), await house.visit("ana")
        await ana.say("typing", room="main", on=True, nick="mallory")
        assert (await bo.hear_of("typing"))["nick"] == "ana"

    async def test_who_comes_in_is_told(self, house: House) -> None:
        ana = await house.visit("ana")
        await ana.say("typing", room="main", on=True)
        await quiet(ana)
        bo = await house.visit("bo")
        assert await bo.hear() == {"type": "typing", "room": "main", "nick": "ana", "on": True}
        await ana.hear_of("presence", nick="bo")
        await ana.say("join", room="main")
        await ana.hear_of("resume")
        await quiet(ana)

    async def test_it_ends_with_the_one_who_leaves(self, house: House) -> None:
        ana = await house.visit("ana")
        await house.visit("carla")
        await ana.say("typing", room="main", on=True)
        await ana.ws.close()
        await until(lambda: len(house.service.people) == 1)
        bo = await house.visit("bo")
        await quiet(bo)

    def test_it_ends_by_itself(self) -> None:
        now = 100.0
        live: Live[str, int] = Live(rooms.TYPING_SECONDS, lambda: now)
        live.set("ana", 1)
        now += 5.9
        live.set("bo", 2)
        assert live.snapshot() == {"ana": 1, "bo": 2}
        now += 0.2
        assert live.snapshot() == {"bo": 2}
        live.drop("bo")
        live.drop("nobody")
        assert live.snapshot() == {}


class TestSessions:
    async def test_the_same_session_replaces_the_first(self, any_house: House, subprotocol: str) -> None:
        bo = await any_house.visit("bo")
        first = await any_house.visit("ana", subprotocol=subprotocol)
        await bo.hear_of("presence", nick="ana", state="here")
        second = await any_house.visit("ana", subprotocol=subprotocol)
        frames, code, reason = await first.until_closed()
        assert [frame["type"] for frame in frames] == ["bye"]
        assert (frames[0]["code"], code) == (4504, 4504)
        assert reason == frames[0]["reason"]
        # The others see nobody go or come.
        await quiet(bo)
        await second.say("send", key="k", room="main", text="still me")
        assert await bo.texts(1) == ["still me"]

    async def test_the_last_of_many_at_once_stays(self, house: House) -> None:
        peers = [await house.knock() for _ in range(5)]
        for peer in peers:
            await peer.say("hello", nick="ana", session="one", rooms={"main": None})
        endings = [asyncio.create_task(peer.until_closed()) for peer in peers]
        await until(lambda: sum(ending.done() for ending in endings) == 4)
        codes = [ending.result()[1] for ending in endings if ending.done()]
        assert codes == [4504] * 4
        await until(lambda: house.service.connections.count() == {"websocket": 1})
        await asyncio.gather(*(peer.ws.close() for peer in peers))
        await asyncio.gather(*endings)

    async def test_away_does_not_stay_after_a_reconnect(self, house: House) -> None:
        """The new connection is here; whoever was told that ana is away has to hear of it."""
        bo, ana = await house.visit("bo"), await house.visit("ana")
        await ana.say("away", on=True)
        await bo.hear_of("presence", state="away")
        await house.visit("ana")
        assert await bo.hear() == {"type": "presence", "room": "main", "nick": "ana", "state": "here"}
        await quiet(bo)

    async def test_a_session_may_come_back_under_another_nick(self, house: House) -> None:
        bo = await house.visit("bo")
        await house.visit("ana", session="one")
        anna = await house.visit("anna", session="one")
        assert members(anna.heard[0]["rooms"][0]) == {"anna": "here", "bo": "here"}
        seen = [(frame["nick"], frame["state"]) for frame in [await bo.hear() for _ in range(3)]]
        assert seen == [("ana", "here"), ("ana", "gone"), ("anna", "here")]
        other = await house.visit("ana", session="two")
        assert other.heard[0]["you"]["nick"] == "ana"

    async def test_a_room_that_the_new_connection_is_not_in_sees_it_go(self, house: House) -> None:
        bo = await house.visit("bo", ("main", "ops"))
        await house.visit("ana", ("main", "ops"))
        assert {(await bo.hear())["room"] for _ in range(2)} == {"main", "ops"}
        await house.visit("ana", ("main",))
        assert await bo.hear() == {"type": "presence", "room": "ops", "nick": "ana", "state": "gone"}
        await quiet(bo)

    @pytest.mark.parametrize("nick", ["ana", "Ana", "ANA"])
    async def test_a_nick_is_taken_however_it_is_written(
        self, any_house: House, subprotocol: str, nick: str
    ) -> None:
        ana = await any_house.visit("ana")
        thief = await any_house.knock((subprotocol,))
        await thief.say("hello", nick=nick, session="thief", rooms={"main": None, "other": None})
        frames, code, reason = await thief.until_closed()
        assert frames == [{"type": "bye", "code": 4502, "reason": f"the nick {nick} is taken"}]
        assert (code, reason) == (4502, f"the nick {nick} is taken")
        await quiet(ana)

    async def test_a_nick_is_free_when_its_owner_has_gone(self, any_house: House) -> None:
        ana = await any_house.visit("ana")
        await ana.ws.close()
        await until(lambda: not any_house.service.people)
        await any_house.visit("ana", session="another")


async def test_three_hundred_at_once_leave_nothing_behind(house: House) -> None:
    """They come together, and are cut off in every state a connection can be in."""
    wires = [await house.wire() for _ in range(300)]
    for number, wire in enumerate(wires):
        if number % 5:
            await wire.upgrade()
        if number % 5 > 1:
            wire.say(f'{{"type":"hello","nick":"n{number}","session":"s{number}","rooms":{{"main":null}}}}')
        if number % 5 > 2:
            await wire.frame()
            wire.say('{"type":"send","key":"k","room":"main","text":"x"}')
    for wire in wires:
        wire.drop()
    await until(house.is_empty)
