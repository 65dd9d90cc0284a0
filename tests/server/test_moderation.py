"""Removing, banning and muting people, over real sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from server.access.file import AccessFile
from tests.server.conftest import Build
from tests.server.peer import Peer
from tests.server.town import ELSEWHERE, Town, act, refused, says


@pytest.fixture
async def town(build: Build, tmp_path: Path) -> AsyncIterator[Town]:
    async with Town.founded(build, tmp_path) as town:
        yield town


@pytest.fixture
async def open_town(build: Build, tmp_path: Path) -> AsyncIterator[Town]:
    """Who has no token comes in too."""
    async with Town.founded(build, tmp_path, open_to_all=True) as town:
        yield town


async def ending(peer: Peer) -> tuple[int, str, int | None]:
    """The close code, the reason of the bye, and when to come back."""
    frames, code, _ = await peer.until_closed()
    bye = frames[-1]
    assert (bye["type"], bye["code"]) == ("bye", code)
    return code, bye["reason"], bye.get("retry_ms")


class TestRemoving:
    async def test_all_connections_are_closed_and_they_may_come_back(self, town: Town, subprotocol: str) -> None:
        mo = await town.visit("mo", subprotocol=subprotocol)
        here = await town.visit("bob", session="a")
        there = await town.visit("bob", session="b")
        stream = await town.read_along("bob", "/status")
        bystander = await town.visit("ana")
        assert (
            await act(mo, "remove", nick="bob", reason="too loud") == "bob is removed, and may come back: too loud"
        )
        for peer in (here, there):
            assert await ending(peer) == (4503, "mo removed you: too loud", None)
        assert (await stream.remaining())[-1].data == {"code": 4503, "reason": "mo removed you: too loud"}
        assert (await says(bystander, "still here"))["type"] == "event"
        again = await town.visit("bob")
        assert (await says(again, "back"))["type"] == "event"

    async def test_for_a_while_they_stay_out(self, town: Town) -> None:
        mo, bob = await town.visit("mo"), await town.visit("bob")
        assert await act(mo, "remove", nick="bob", seconds=600, reason="pause") == "bob is removed for 10 m: pause"
        sentence = "mo removed you until 2027-01-15 08:10 UTC: pause"
        assert await ending(bob) == (4503, sentence, 600_000)
        with pytest.raises(InvalidStatus) as met:
            await town.knock("bob")
        assert met.value.response.status_code == 403
        assert met.value.response.headers["Retry-After"] == "600"
        posted = await town.post("bob", "hello")
        assert (posted.status_code, posted.json()) == (403, {"code": "not_allowed", "message": sentence})
        assert (await town.status_of("bob", "/status"))[0] == 403
        town.now += 599_999
        assert (await town.post("bob", "hello")).status_code == 403
        town.now += 1
        assert (await town.post("bob", "hello")).status_code == 201
        await town.visit("bob")

    async def test_who_brings_the_token_with_the_hello_is_told_there(self, town: Town) -> None:
        mo = await town.visit("mo")
        await act(mo, "remove", nick="bob", seconds=60)
        peer = await town.house.knock()
        await peer.say("hello", nick="x", session="s", rooms={}, token=town.tokens["bob"])
        assert await ending(peer) == (4503, "mo removed you until 2027-01-15 08:01 UTC", 60_000)

    async def test_it_holds_after_a_restart(self, town: Town) -> None:
        await act(await town.visit("mo"), "remove", nick="bob", seconds=60)
        await town.restart()
        assert (await town.post("bob", "hello")).status_code == 403
        town.now += 60_000
        assert (await town.post("bob", "hello")).status_code == 201

    async def test_it_can_be_taken_back(self, town: Town) -> None:
        mo = await town.visit("mo")
        await act(mo, "remove", nick="bob", seconds=60)
        assert await act(mo, "unban", nick="bob") == "bob is kept out no longer"
        await town.visit("bob")

    async def test_nothing_of_theirs_is_stored_after_it_is_done(self, town: Town) -> None:
        mo, bob = await town.visit("mo"), await town.visit("bob")
        for number in range(300):
            await bob.say("send", key=f"k{number}", room="main", text=str(number))
        await bob.hear_of("event")
        await act(mo, "remove", nick="bob")
        head = town.house.head()
        await ending(bob)
        for peer in ("ana", "mo"):
            await says(await town.visit(peer, session=f"later {peer}"), f"after, says {peer}")
        assert town.house.head() == head + 2

    async def test_somebody_without_a_token_goes_with_their_address(self, open_town: Town) -> None:
        town = open_town
        mo = await town.visit("mo")
        stranger, neighbour = await town.visit("stranger", at=ELSEWHERE), await town.visit("other", at=ELSEWHERE)
        ana, passer_by = await town.visit("ana", at=ELSEWHERE), await town.visit("passer")
        stream = await town.read_along(None, "/status", at=ELSEWHERE)
        done = await act(mo, "remove", nick="stranger", seconds=60)
        assert done == "stranger (and who else has no token at 127.0.0.2) is removed for 60 s"
        for peer in (stranger, neighbour):
            assert (await ending(peer))[0] == 4503
        assert (await stream.remaining())[-1].data["code"] == 4503
        assert (await town.status_of(None, "/status", at=ELSEWHERE))[0] == 403
        # By the nick also from elsewhere; who has a token or another address stays.
        again = await town.knock("STRANGER")
        await again.say("hello", nick="STRANGER", session="s", rooms={})
        assert (await ending(again))[0] == 4503
        assert (await town.post("stranger", "hello")).status_code == 403
        for peer in (ana, passer_by):
            assert (await says(peer, "still here"))["type"] == "event"

    async def test_without_a_duration_only_the_connections_of_that_nick_go(self, open_town: Town) -> None:
        mo = await open_town.visit("mo")
        stranger, neighbour = await open_town.visit("stranger"), await open_town.visit("other")
        await act(mo, "remove", nick="Stranger")
        assert (await ending(stranger))[0] == 4503
        assert (await says(neighbour, "still here"))["type"] == "event"
        await open_town.visit("stranger")

    async def test_at_ones_own_address_the_nick_alone_counts(self, open_town: Town) -> None:
        mo = await open_town.visit("mo")
        stranger, neighbour = await open_town.visit("stranger"), await open_town.visit("other")
        assert await act(mo, "remove", nick="stranger", seconds=60) == "stranger is removed for 60 s"
        assert (await ending(stranger))[0] == 4503
        assert (await says(neighbour, "still here"))["type"] == "event"


class TestBanning:
    async def test_by_name_for_good(self, town: Town) -> None:
        root, bob = await town.visit("root"), await town.visit("bob")
        assert await act(root, "ban", nick="bob", reason="spam") == "bob is banned: spam"
        assert await ending(bob) == (4503, "you are banned: spam", None)
        await town.restart()
        town.now += 10**12
        posted = await town.post("bob", "hello")
        assert (posted.status_code, posted.json()["message"]) == (403, "you are banned: spam")
        assert "Retry-After" not in posted.headers
        root = await town.visit("root")
        assert await act(root, "unban", nick="bob") == "bob is kept out no longer"
        assert (await town.post("bob", "hello")).status_code == 201

    async def test_by_address(self, open_town: Town) -> None:
        town = open_town
        root = await town.visit("root")
        ana, stranger = await town.visit("ana", at=ELSEWHERE), await town.visit("stranger", at=ELSEWHERE)
        boss = await town.visit("boss", at=ELSEWHERE)
        assert await act(root, "ban", address=ELSEWHERE, seconds=7200) == "127.0.0.2 is banned for 2 h"
        for peer in (ana, stranger):
            assert await ending(peer) == (4503, "you are banned until 2027-01-15 10:00 UTC", 7_200_000)
        assert (await town.post("ana", "hello", at=ELSEWHERE)).status_code == 403
        assert (await town.post("ana", "hello")).status_code == 201
        assert (await says(boss, "an administrator can lift it"))["type"] == "event"
        await town.restart()
        assert (await town.post("ana", "hello", at=ELSEWHERE)).status_code == 403
        boss = await town.visit("boss", at=ELSEWHERE)
        assert await act(boss, "unban", address=ELSEWHERE) == "127.0.0.2 is kept out no longer"
        assert (await town.post("ana", "hello", at=ELSEWHERE)).status_code == 201

    async def test_by_both(self, town: Town) -> None:
        root = await town.visit("root")
        assert await act(root, "ban", nick="bob", address="2001:db8::1/64") == "bob and 2001:db8::/64 are banned"
        assert (await town.post("bob", "hello")).status_code == 403
        await act(root, "unban", address="2001:db8::ffff")
        assert (await town.post("bob", "hello")).status_code == 403

    async def test_what_another_program_writes_holds_too(self, town: Town) -> None:
        bob = await town.visit("bob")
        with contextlib.closing(AccessFile.open(town.folder)) as file:
            file.sanction("ban", name="bob", address="", room="", until=None, by="operator", reason="", at=1)
        assert (await ending(bob))[0] == 4503

    async def test_ones_own_address_is_spared(self, town: Town) -> None:
        root = await town.visit("root")
        assert await refused(root, "ban", address="127.0.0.1") == ("not_allowed", "127.0.0.1 is your own address")

    @pytest.mark.parametrize("address", ["nonsense", "", "1.2.3.4/8", "\x1b[2J"])
    async def test_an_address_that_is_none(self, town: Town, address: str) -> None:
        code, message = await refused(await town.visit("root"), "ban", address=address)
        assert code == "malformed"
        assert "\x1b" not in message


class TestMuting:
    async def test_they_can_read_but_not_write(self, town: Town) -> None:
        mo, bob = await town.visit("mo"), await town.visit("bob")
        mine = await says(bob, "before")
        assert await act(mo, "mute", nick="bob", seconds=600, reason="spam") == "bob is muted for 10 m: spam"
        sentence = "mo muted you until 2027-01-15 08:10 UTC; you can read along: spam"
        error = await says(bob, "x")
        assert (error["code"], error["message"]) == ("not_allowed", sentence)
        target = mine["seq"]
        for kind, fields in {
            "edit": {"target": target, "text": "y"},
            "redact": {"target": target},
            "react": {"target": target, "emoji": "+", "on": True},
            "topic": {"text": "t"},
            "mark": {"text": "m"},
        }.items():
            await bob.say(kind, key=kind, room="main", **fields)
            error = await bob.hear_of("error")
            assert (error["key"], error["message"]) == (kind, sentence)
        assert (await town.post("bob", "x")).json()["message"] == sentence
        notice = await (await town.http("bob")).post("/notices", json={"text": "x"})
        assert (notice.status_code, notice.json()["message"]) == (403, sentence)
        await says(mo, "hear this")
        assert await bob.texts(1) == ["hear this"]
        town.now += 600_000
        assert (await says(bob, "again"))["type"] == "event"

    async def test_in_one_room(self, town: Town) -> None:
        mo, bob = await town.visit("mo"), await town.visit("bob", ("main", "ops"))
        assert await act(mo, "mute", nick="bob", room="ops") == "bob is muted in ops"
        error = await says(bob, "x", "ops")
        assert error["message"] == "mo muted you in ops; you can read along"
        assert (await says(bob, "y"))["type"] == "event"
        assert (await (await town.http("bob")).post("/notices", json={"text": "x"})).status_code == 201

    async def test_the_others_do_not_read_why_they_are_away(self, town: Town) -> None:
        mo, bob = await town.visit("mo"), await town.visit("bob")
        await act(mo, "mute", nick="bob")
        await mo.barrier()
        await bob.say("away", on=True, text="read this")
        assert (await bob.hear_of("error"))["message"] == "mo muted you; you can read along"
        assert await mo.barrier() == []

    async def test_nor_do_they_name_hosts_and_processes(self, town: Town) -> None:
        sample = {"host": "read-this", "at": 1, "interval": 1.0}
        await act(await town.visit("mo"), "mute", nick="bob")
        answers = [
            await (await town.http(name)).post("/hosts/read-this/samples", json=sample) for name in ("bob", "agi")
        ]
        assert [answer.status_code for answer in answers] == [403, 202]
        assert answers[0].json()["message"] == "mo muted you; you can read along"

    async def test_the_others_do_not_see_them_type(self, town: Town) -> None:
        mo, bob = await town.visit("mo"), await town.visit("bob")
        await act(mo, "mute", nick="bob")
        await mo.barrier()
        await bob.say("typing", room="main", on=True)
        assert await bob.barrier() == []
        assert await mo.barrier() == []

    async def test_it_holds_after_a_restart_and_is_lifted(self, town: Town) -> None:
        await act(await town.visit("mo"), "mute", nick="bob")
        await town.restart()
        max_, bob = await town.visit("max"), await town.visit("bob")
        assert (await says(bob, "x"))["type"] == "error"
        assert await act(max_, "unmute", nick="bob") == "bob is muted no longer"
        assert (await says(bob, "y"))["type"] == "event"

    async def test_the_newest_decision_holds(self, town: Town) -> None:
        mo, bob = await town.visit("mo"), await town.visit("bob")
        await act(mo, "mute", nick="bob")
        await act(mo, "mute", nick="bob", seconds=1)
        town.now += 1000
        assert (await says(bob, "x"))["type"] == "event"

    async def test_somebody_without_a_token(self, open_town: Town) -> None:
        mo, stranger = await open_town.visit("mo"), await open_town.visit("stranger")
        await act(mo, "mute", nick="stranger")
        assert (await says(stranger, "x"))["type"] == "error"
        assert (await open_town.post("Stranger", "x")).status_code == 403
        assert (await open_town.post("other", "x")).status_code == 201

    async def test_lifting_one_leaves_the_others(self, town: Town) -> None:
        mo, bob = await town.visit("mo"), await town.visit("bob")
        await act(mo, "mute", nick="eve")
        await act(mo, "mute", nick="bob")
        await act(mo, "unmute", nick="eve")
        assert (await says(bob, "x"))["type"] == "error"


class TestComingInMeanwhile:
    async def test_between_the_handshake_and_the_hello(self, town: Town) -> None:
        root, bob = await town.visit("root"), await town.knock("bob")
        await act(root, "ban", nick="bob")
        await bob.say("hello", nick="bob", session="s", rooms={"main": None})
        assert await ending(bob) == (4503, "you are banned", None)

    async def test_after_the_hello_and_before_the_welcome(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        root, bob = await town.visit("root"), await town.knock("bob")
        opening, go_on = asyncio.Event(), asyncio.Event()
        fanout = type(town.house.service.fanout)
        opened = fanout.open

        async def slow(self: Any, stream: str) -> Any:
            opening.set()
            await go_on.wait()
            return await opened(self, stream)

        monkeypatch.setattr(fanout, "open", slow)
        await bob.say("hello", nick="bob", session="s", rooms={"main": None})
        await opening.wait()
        await act(root, "remove", nick="bob")
        go_on.set()
        assert await ending(bob) == (4503, "root removed you", None)
        assert town.house.service.people.named("bob") == []
