"""Who may moderate whom, what cannot be, and what is told of it."""

import logging
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.conftest import Build, House
from tests.server.test_moderation import ending
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


class TestRights:
    @pytest.mark.parametrize("action", ["remove", "mute", "unmute", "unban", "list"])
    async def test_members_do_not_moderate(self, town: Town, action: str) -> None:
        ana = await town.visit("ana")
        assert await refused(ana, action, nick="bob") == ("not_allowed", "the role member may not moderate")

    async def test_nor_does_anybody_without_a_token(self, house: House) -> None:
        ana, bob = await house.visit("ana"), await house.visit("bob")
        assert (await refused(ana, "remove", nick="bob"))[0] == "not_allowed"
        assert await bob.barrier() == []

    async def test_moderators_do_not_ban(self, town: Town) -> None:
        mo, root = await town.visit("mo"), await town.visit("root")
        for about in ({"nick": "bob"}, {"address": ELSEWHERE}):
            assert await refused(mo, "ban", **about) == ("not_allowed", "the role moderator may not administer")
        await act(root, "ban", nick="bob")
        assert await refused(mo, "unban", nick="bob") == ("not_allowed", "the role moderator may not administer")

    @pytest.mark.parametrize("action", ["remove", "mute"])
    async def test_nobody_acts_on_a_higher_role(self, town: Town, action: str) -> None:
        mo = await town.visit("mo")
        assert await refused(mo, action, nick="Root") == ("not_allowed", "root is admin, and you are not")
        await act(mo, action, nick="max")

    @pytest.mark.parametrize("action", ["remove", "mute", "ban", "unmute", "unban"])
    async def test_nor_on_oneself(self, town: Town, action: str) -> None:
        root = await town.visit("root")
        assert await refused(root, action, nick="ROOT") == ("not_allowed", "one does not moderate oneself")

    async def test_who_says_nothing_is_not_muted(self, town: Town) -> None:
        mo = await town.visit("mo")
        assert await refused(mo, "mute", nick="rea") == (
            "not_allowed",
            "rea has the role reader and says nothing anyway",
        )

    async def test_a_moderator_takes_back_what_others_said(self, town: Town) -> None:
        mo, bob = await town.visit("mo"), await town.visit("bob")
        event = await says(bob, "rude")
        await mo.say("redact", key="r", room="main", target=event["seq"])
        redaction = await bob.hear_of("event", kind="redact")
        assert (redaction["by"], redaction["body"]) == ("mo", {"target": event["seq"]})


class TestWhatCannotBe:
    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"nick": "nobody"}, "no_such_target"),
            ({}, "malformed"),
            ({"nick": "bob", "seconds": 0}, "malformed"),
            ({"nick": "bob", "seconds": -5}, "malformed"),
            ({"nick": "bob", "seconds": 10**12}, "malformed"),
            ({"nick": "bob", "seconds": 2.5}, "malformed"),
            ({"nick": "bob", "reason": "x" * 251}, "too_long"),
        ],
    )
    async def test_a_mute(self, town: Town, fields: dict[str, object], code: str) -> None:
        mo, bob = await town.visit("mo"), await town.visit("bob")
        assert (await refused(mo, "mute", **fields))[0] == code
        assert (await says(bob, "x"))["type"] == "event"

    async def test_a_nick_that_nobody_can_have(self, town: Town) -> None:
        root = await town.visit("root")
        for action in ("remove", "mute", "ban", "unmute", "unban", "admit", "expel"):
            for nick in ("", "a b", "x" * 33, "\x1b[2J", "x" * 20_000):
                code, message = await refused(root, action, nick=nick, room="crew")
                assert (code, "\x1b" in message, len(message) < 200) == ("malformed", False, True)

    async def test_an_unknown_action(self, town: Town) -> None:
        assert (await refused(await town.visit("root"), "explode"))[0] == "malformed"

    @pytest.mark.parametrize("action", ["unmute", "unban"])
    async def test_nothing_to_lift(self, town: Town, action: str) -> None:
        mo = await town.visit("mo")
        assert (await refused(mo, action, nick="bob"))[0] == "no_such_target"
        assert (await refused(mo, action))[0] == "malformed"

    async def test_text_in_reasons_is_made_safe(self, town: Town) -> None:
        mo, bob = await town.visit("mo"), await town.visit("bob")
        await act(mo, "remove", nick="bob", reason="a\x1b[2J\nb")
        reason = (await ending(bob))[1]
        assert not {"\x1b", "\n"} & set(reason)


class TestList:
    async def test_what_is_in_force(self, town: Town) -> None:
        root, mo = await town.visit("root"), await town.visit("mo")
        assert await act(mo, "list") == "nobody is kept out or muted, and every room is open"
        await act(root, "ban", nick="bob", reason="spam")
        await act(root, "ban", address=ELSEWHERE, seconds=60)
        await act(mo, "mute", nick="eve", room="ops")
        await act(mo, "read_only", room="news")
        await act(mo, "private", room="crew")
        assert (await act(mo, "list")).split("\n") == [
            "news is read-only",
            "crew is private: mo",
            "banned: bob, by root: spam",
            "banned: 127.0.0.2 until 2027-01-15 08:01 UTC, by root",
            "muted: eve in ops, by mo",
        ]
        town.now += 60_000
        assert "127.0.0.2" not in await act(mo, "list")

    async def test_it_is_bounded(self, town: Town) -> None:
        mo = await town.visit("mo")
        for number in range(102):
            await act(mo, "read_only", room=f"r{number:03}")
        lines = (await act(mo, "list")).split("\n")
        assert (len(lines), lines[0]) == (101, "2 more are not shown")


async def test_each_act_is_in_the_servers_log(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    mo, bob = await town.visit("mo"), await town.visit("bob")
    with caplog.at_level(logging.INFO, "server.moderation"):
        await act(mo, "mute", nick="bob", seconds=600, reason="a\x1b]0;x\x07")
        await act(mo, "list")
        await refused(bob, "mute", nick="mo")
    (line,) = [record.getMessage() for record in caplog.records if record.name == "server.moderation"]
    assert line.startswith("mo (moderator): bob is muted for 10 m: a")
    assert not {"\x1b", "\x07"} & set(line)


async def test_a_failing_file_is_told(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    mo, bob = await town.visit("mo"), await town.visit("bob")
    held = sqlite3.connect(town.folder / "access.sqlite3", isolation_level=None)
    try:
        file = town.house.service.access._file
        assert file is not None
        file._connection.execute("PRAGMA busy_timeout = 0")
        held.execute("BEGIN EXCLUSIVE")
        code, message = await refused(mo, "mute", nick="bob")
    finally:
        held.close()
    assert (code, str(town.folder) in message) == ("busy", False)
    assert (await says(bob, "x"))["type"] == "event"
