"""Rooms that only members enter, and rooms where only moderators write."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from server.log.streams import room_stream
from tests.server.conftest import NO_FLOODS, Build, House
from tests.server.peer import Frame, Peer
from tests.server.town import Town, act, refused, says

SHUT = "crew is private: somebody who is in it has to admit you"


@pytest.fixture
async def town(build: Build, tmp_path: Path) -> AsyncIterator[Town]:
    async with Town.founded(build, tmp_path) as town:
        yield town


async def crew(town: Town) -> Peer:
    """A private room with one member and one message in it."""
    ana = await town.visit("ana")
    assert await act(ana, "private", room="crew") == "crew is private now, and ana is in it; admit others by name"
    await join(ana, "crew")
    await says(ana, "between us", "crew")
    return ana


async def join(peer: Peer, room: str) -> Frame:
    """Join; returns the resume, or what came instead."""
    await peer.say("join", room=room)
    while (frame := await peer.hear())["type"] not in ("resume", "left", "error"):
        pass
    return frame


class TestWhoMayMakeOne:
    async def test_a_member_of_a_room_that_nobody_wrote_to(self, town: Town, subprotocol: str) -> None:
        ana = await town.visit("ana", ("main", "crew"), subprotocol=subprotocol)
        bob = await town.visit("bob", ("main", "crew"))
        await act(ana, "private", room="crew")
        assert {"type": "rules", "room": "crew", "private": True} in ana.heard
        assert await bob.hear_of("left") == {"type": "left", "room": "crew", "reason": SHUT}
        assert (await says(ana, "alone now", "crew"))["type"] == "event"
        assert not [frame for frame in await bob.barrier() if frame["type"] == "event"]

    async def test_not_of_one_that_was_written_to(self, town: Town) -> None:
        ana = await town.visit("ana")
        await says(ana, "x")
        message = "main has been written to: a moderator can make it private"
        assert await refused(ana, "private", room="main") == ("not_allowed", message)
        bob = await town.visit("bob")
        mo = await town.visit("mo")
        await act(mo, "private", room="main")
        for peer in (ana, bob):
            assert (await peer.hear_of("left"))["room"] == "main"

    async def test_not_who_has_no_token(self, house: House) -> None:
        ana = await house.visit("ana")
        code, message = await refused(ana, "private", room="crew")
        assert (code, "token" in message) == ("not_allowed", True)

    async def test_not_who_only_listens(self, town: Town) -> None:
        assert (await refused(await town.visit("rea"), "private", room="crew"))[0] == "not_allowed"

    async def test_not_twice(self, town: Town) -> None:
        ana = await crew(town)
        for peer in (ana, await town.visit("mo")):
            assert await refused(peer, "private", room="crew") == ("not_allowed", "crew is private already")

    async def test_it_counts_as_a_room_that_was_made(self, build: Build, tmp_path: Path) -> None:
        protection = msgspec.structs.replace(NO_FLOODS, rooms=2)
        async with Town.founded(build, tmp_path / "small", protection=protection) as town:
            mo = await town.visit("mo")
            await act(mo, "private", room="crew")
            for action in ("private", "read_only"):
                code, message = await refused(mo, action, room="other")
                assert (code, "no more can be made" in message) == ("not_allowed", True)

    async def test_a_moderator_opens_it_to_everyone(self, town: Town) -> None:
        ana, mo = await crew(town), await town.visit("mo")
        assert (await refused(ana, "private", room="crew", on=False))[0] == "not_allowed"
        assert await act(mo, "private", room="crew", on=False) == "crew is open to everyone"
        assert await ana.hear_of("rules") == {"type": "rules", "room": "crew"}
        assert (await join(await town.visit("eve"), "crew"))["type"] == "resume"

    @pytest.mark.parametrize("fields", [{}, {"room": "no room"}, {"room": "\x1b"}])
    async def test_what_is_no_room(self, town: Town, fields: dict[str, Any]) -> None:
        code, message = await refused(await town.visit("mo"), "private", **fields)
        assert (code, "\x1b" in message) == ("malformed", False)


class TestOutsiders:
    async def test_cannot_join(self, town: Town) -> None:
        await crew(town)
        for name in ("bob", "mo", "root"):
            peer = await town.visit(name)
            assert await join(peer, "crew") == {"type": "left", "room": "crew", "reason": SHUT}
            frames: dict[str, Frame] = {
                "send": {"key": "k", "text": "x"},
                "history": {"id": "h", "before": 9, "limit": 1},
                "redact": {"key": "k", "target": 1},
            }
            for kind, fields in frames.items():
                await peer.say(kind, room="crew", **fields)
                assert (await peer.hear_of("error"))["message"] == "you are not in the room crew; join it first"

    async def test_come_in_without_it(self, town: Town, subprotocol: str) -> None:
        await crew(town)
        peer = await town.knock("bob", subprotocol)
        welcome = await peer.hello("bob", ("crew", "main"))
        assert [state["room"] for state in welcome["rooms"]] == ["main"]
        assert await peer.hear() == {"type": "left", "room": "crew", "reason": SHUT}
        assert (await peer.hear())["room"] == "main"

    async def test_do_not_read_along(self, town: Town) -> None:
        await crew(town)
        missing = await town.status_of("bob", "/rooms/other")
        assert missing[0] == 404
        status, body = await town.status_of("bob", "/rooms/crew")
        assert (status, body["message"]) == (404, missing[1]["message"].replace("other", "crew"))

    async def test_do_not_post(self, town: Town) -> None:
        await crew(town)
        head = town.house.head("crew")
        posted = await town.post("bob", "x", "crew")
        assert (posted.status_code, posted.json()) == (403, {"code": "not_allowed", "message": SHUT})
        assert town.house.head("crew") == head
        assert (await town.post("ana", "y", "crew")).status_code == 201

    async def test_do_not_learn_its_name(self, town: Town) -> None:
        ana = await crew(town)
        text = (await (await town.http("bob")).get("/metrics")).text
        assert 'pushtui_log_head{stream="room:main"}' in text
        assert "crew" not in text
        assert "pushtui_private_rooms 1.0" in text
        await ana.say("mark", key="m", room="crew", text="secret deploy")
        await ana.hear_of("event", kind="mark")
        assert not [entry for entry in await town.house.store.read("status", 0, 50) if b"secret" in entry.body]


class TestMembers:
    async def test_are_admitted_by_members(self, town: Town) -> None:
        ana, bob = await crew(town), await town.visit("bob")
        assert await act(ana, "admit", room="crew", nick="BOB") == "bob may come into crew"
        assert await bob.hear_of("invited") == {"type": "invited", "room": "crew", "by": "ana"}
        resume = await join(bob, "crew")
        assert (resume["type"], resume["private"]) == ("resume", True)
        assert await bob.texts(1) == ["between us"]
        await act(bob, "admit", room="crew", nick="eve")
        assert (await town.post("eve", "x", "crew")).status_code == 201

    async def test_are_not_admitted_by_others(self, town: Town) -> None:
        await crew(town)
        bob = await town.visit("bob")
        message = "only who is in the private room crew, or a moderator, admits others"
        assert await refused(bob, "admit", room="crew", nick="bob") == ("not_allowed", message)

    async def test_a_moderator_admits_anyone(self, town: Town) -> None:
        await crew(town)
        mo = await town.visit("mo")
        await act(mo, "admit", room="crew", nick="bob")
        assert (await town.post("bob", "x", "crew")).status_code == 201

    @pytest.mark.parametrize(
        ("nick", "code"), [("nobody", "no_such_target"), ("agi", "not_allowed"), (None, "malformed")]
    )
    async def test_who_cannot_be_admitted(self, town: Town, nick: str | None, code: str) -> None:
        ana = await crew(town)
        assert (await refused(ana, "admit", room="crew", nick=nick))[0] == code

    async def test_nobody_is_admitted_to_what_is_open(self, town: Town) -> None:
        mo = await town.visit("mo")
        message = "main is open to everyone"
        assert await refused(mo, "admit", room="main", nick="bob") == ("not_allowed", message)

    async def test_hear_of_it_when_they_come(self, town: Town) -> None:
        ana = await crew(town)
        await act(ana, "admit", room="crew", nick="bob")
        peer = await town.knock("bob")
        await peer.hello("bob")
        assert await peer.hear() == {"type": "invited", "room": "crew"}
        known = await town.knock("bob")
        welcome = await known.hello("bob", ("crew",), session="other")
        assert welcome["rooms"][0]["private"] is True
        assert (await known.hear())["type"] == "resume"

    async def test_only_so_many_invitations_come(self, town: Town) -> None:
        ana = await town.visit("ana")
        for number in range(70):
            await act(ana, "private", room=f"r{number}")
        peer = await town.knock("ana")
        await peer.hello("ana", session="other")
        await peer.hear_of("resume")
        assert len([frame for frame in peer.heard if frame["type"] == "invited"]) == 64

    async def test_it_is_as_private_after_a_restart(self, town: Town) -> None:
        ana = await crew(town)
        await act(ana, "admit", room="crew", nick="bob")
        await town.restart()
        assert (await town.post("eve", "x", "crew")).status_code == 403
        bob = await town.visit("bob", ("crew",))
        assert await bob.texts(1) == ["between us"]


class TestExpelling:
    async def test_puts_out_at_once(self, town: Town) -> None:
        ana, mo = await crew(town), await town.visit("mo")
        await act(ana, "admit", room="crew", nick="bob")
        bob, too = await town.visit("bob", ("main", "crew")), await town.visit("bob", ("crew",), session="2")
        stream = await town.read_along("bob", "/rooms/crew")
        assert await act(mo, "expel", room="crew", nick="bob") == "bob is no member of crew any more"
        for peer in (bob, too):
            assert await peer.hear_of("left") == {"type": "left", "room": "crew", "reason": SHUT}
        last = (await stream.remaining())[-1]
        assert (last.event, last.data) == ("bye", {"code": 4503, "reason": SHUT})
        assert await ana.hear_of("presence", state="gone") == {
            "type": "presence",
            "room": "crew",
            "nick": "bob",
            "state": "gone",
        }
        await says(ana, "he is gone", "crew")
        assert not [frame for frame in await bob.barrier() if frame.get("room") == "crew"]
        assert (await says(bob, "still in main"))["type"] == "event"
        assert (await town.status_of("bob", "/rooms/crew"))[0] == 404

    async def test_is_for_moderators(self, town: Town) -> None:
        ana, eve = await crew(town), await town.visit("eve")
        await act(ana, "admit", room="crew", nick="bob")
        for peer in (ana, eve):
            assert await refused(peer, "expel", room="crew", nick="bob") == (
                "not_allowed",
                "the role member may not moderate",
            )
        assert (await refused(eve, "expel", room="crew", nick="nobody"))[1] == "the role member may not moderate"
        assert (await refused(await town.visit("mo"), "expel", room="crew", nick="eve"))[0] == "no_such_target"

    async def test_everyone_may_go_for_good(self, town: Town) -> None:
        ana, bob = await crew(town), await town.visit("bob")
        await act(ana, "admit", room="crew", nick="bob")
        await act(bob, "expel", room="crew", nick="bob")
        assert (await join(bob, "crew"))["type"] == "left"

    async def test_a_page_of_history_on_its_way_does_not_arrive(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ana, mo = await crew(town), await town.visit("mo")
        await act(ana, "admit", room="crew", nick="bob")
        bob = await town.visit("bob", ("crew",))
        reading, go_on = asyncio.Event(), asyncio.Event()
        read = town.house.store.read_before

        async def slow(*args: Any) -> Any:
            entries = await read(*args)
            reading.set()
            await go_on.wait()
            return entries

        monkeypatch.setattr(town.house.store, "read_before", slow)
        await bob.say("history", id="h", room="crew", before=9, limit=5)
        await reading.wait()
        await act(mo, "expel", room="crew", nick="bob")
        go_on.set()
        assert (await bob.hear_of("left"))["room"] == "crew"
        assert (await bob.hear())["code"] == "not_allowed"

    async def test_nothing_that_was_being_said_is_stored_after_it_is_done(self, town: Town) -> None:
        ana, mo = await crew(town), await town.visit("mo")
        await act(ana, "admit", room="crew", nick="bob")
        bob = await town.visit("bob", ("crew",))
        for number in range(300):
            await bob.say("send", key=f"k{number}", room="crew", text=str(number))
        await bob.hear_of("event", by="bob")
        await act(mo, "expel", room="crew", nick="bob")
        head = town.house.head("crew")
        await bob.hear_of("left")
        await bob.barrier()
        await says(ana, "after", "crew")
        assert town.house.head("crew") == head + 1


class TestRaces:
    @pytest.mark.parametrize("way", ["join", "hello", "read along"])
    async def test_who_is_coming_in_while_it_is_shut_stays_out(
        self, town: Town, way: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mo = await town.visit("mo")
        await town.post("mo", "for us", "crew")
        fanout = town.house.service.fanout
        starting, go_on = asyncio.Event(), asyncio.Event()
        start = type(fanout).start

        async def slow(self: Any, stream: str, *args: Any) -> Any:
            decided = await start(self, stream, *args)
            if stream == room_stream("crew"):
                starting.set()
                await go_on.wait()
            return decided

        monkeypatch.setattr(type(fanout), "start", slow)
        bob = await town.knock("bob")
        await bob.hello("bob", ("crew", "main") if way == "hello" else ("main",))
        stream = None
        if way == "join":
            await bob.say("join", room="crew")
        elif way == "read along":
            stream = asyncio.create_task(town.read_along("bob", "/rooms/crew"))
        await starting.wait()
        await act(mo, "private", room="crew")
        go_on.set()
        if stream is not None:
            assert [block.event for block in await (await stream).remaining()] == ["bye"]
        else:
            assert (await bob.hear_of("left"))["room"] == "crew"
            await bob.barrier()
            assert not [frame for frame in bob.heard if frame["type"] == "event"]
            assert not [f for f in bob.heard if f["type"] == "resume" and f["room"] == "crew"]
        assert town.house.service.fanout.listeners(room_stream("crew")) == 0

    async def test_two_who_admit_at_the_same_moment(self, town: Town) -> None:
        ana, mo = await crew(town), await town.visit("mo")
        await asyncio.gather(act(ana, "admit", room="crew", nick="bob"), act(mo, "admit", room="crew", nick="eve"))
        assert town.house.service.rules.of("crew").members == {"ana", "bob", "eve"}


class TestReadOnly:
    async def test_only_moderators_write(self, town: Town) -> None:
        mo, bob = await town.visit("mo"), await town.visit("bob")
        assert await act(mo, "read_only", room="main") == "main is read-only now"
        assert await bob.hear_of("rules") == {"type": "rules", "room": "main", "read_only": True}
        sentence = "main is read-only: only moderators write there"
        assert (await says(bob, "x"))["message"] == sentence
        assert (await town.post("bob", "x")).json() == {"code": "not_allowed", "message": sentence}
        await bob.say("topic", key="t", room="main", text="x")
        assert (await bob.hear_of("error", key="t"))["message"] == sentence
        assert (await says(mo, "news"))["type"] == "event"
        assert await bob.texts(1) == ["news"]
        assert (await says(await town.visit("root"), "more"))["type"] == "event"
        await act(mo, "read_only", room="main", on=False)
        assert (await says(bob, "y"))["type"] == "event"

    async def test_is_for_moderators_and_holds_after_a_restart(self, town: Town) -> None:
        assert (await refused(await town.visit("ana"), "read_only", room="main"))[0] == "not_allowed"
        await act(await town.visit("mo"), "read_only", room="main")
        await town.restart()
        bob = await town.knock("bob")
        welcome = await bob.hello("bob")
        assert welcome["rooms"][0]["read_only"] is True
        assert (await says(bob, "x"))["type"] == "error"

    async def test_goes_with_private(self, town: Town) -> None:
        ana, mo = await crew(town), await town.visit("mo")
        await act(mo, "read_only", room="crew")
        assert (await says(ana, "x", "crew"))["code"] == "not_allowed"
        await act(mo, "private", room="crew", on=False)
        assert (await says(ana, "x", "crew"))["code"] == "not_allowed"
