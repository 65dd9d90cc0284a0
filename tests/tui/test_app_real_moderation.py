"""Two people on a real server, one of them a moderator."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pushtui.protocol.roles import Role
from pushtui.protocol.token import Token
from server.access import tokens
from server.access.file import AccessFile
from tests.tui.stage import Stage
from tests.tui.test_app_real import Server, sign
from tui.clients import Clients, real_clients
from tui.keyring import Keyring


class People:
    """Tokens of a server that does not run yet."""

    def __init__(self, data: Path) -> None:
        data.mkdir()
        self._file = AccessFile.open(data)

    def client(self, name: str, role: Role = Role.MEMBER) -> Clients:
        """Somebody who comes with a token."""
        secret = tokens.create(self._file, name, role, now=time.time_ns() // 1_000_000)
        return real_clients(Keyring(Token(str(secret))))

    def close(self) -> None:
        self._file.close()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    running = Server(tmp_path / "data", "--send-rate", "2")
    yield running
    await running.stop()


@pytest.fixture
def people(tmp_path: Path) -> People:
    return People(tmp_path / "data")


async def test_a_moderator_speaks_to_somebody_and_sends_them_away(
    stage: type[Stage], server: Server, people: People
) -> None:
    mod, eve = people.client("mod", Role.MODERATOR), people.client("eve")
    people.close()
    address = await server.start()
    async with (
        stage((140, 24), address=address, nick="mod", clients=mod) as left,
        stage((140, 24), address=address, nick="eve", clients=eve) as right,
    ):
        await left.shows("2 here")
        await right.shows("2 here")
        await right.press(*"half a")
        await left.write("/dm eve are you there?")
        await left.shows("@eve")
        await right.shows("@mod 1")
        assert right.composer.text == "half a"
        await right.press("f4")
        await right.shows("are you there?")
        await right.shows("you two alone")
        right.clock.advance(3)
        right.room.tick()
        await right.hides("opened a room for you two")
        await right.write("I am")
        await left.shows("I am")
        await right.press("f4")
        await left.press("f4")
        await left.write("/readonly on")
        await left.shows("main is read-only now · /readonly off undoes it")
        await right.until(lambda: right.composer.text == "half a")
        await right.shows("only moderators write here")
        await left.write("/remove eve 10m spam")
        await left.shows("eve is removed for 10 m")
        await left.shows("/unban eve undoes it")
        await right.shows("mod removed you until")
        assert right.composer.text == "half a"
        await left.write("/bans")
        await left.shows("main is read-only")
        await left.shows("removed: eve until")


async def test_who_sends_too_fast_is_slowed_down_and_nothing_is_lost(
    stage: type[Stage], server: Server, people: People
) -> None:
    eve = people.client("eve")
    people.close()
    address = await server.start()
    async with stage((140, 40), address=address, nick="eve", clients=eve) as on:
        await on.until(lambda: on.text.count("◉ live") == 2)
        said = 0
        while "sending too fast" not in on.text:
            await on.write(f"message {said};")
            said += 1
        await on.press(*"written on")
        await on.until(lambda: sign(on, f"message {said - 1};") == "✓")
        await on.hides("sending too fast")
        assert on.composer.text == "written on"
        assert not on.app._notifications
        view = on.room.chat.view
        assert [item.text for item in view.items if item.own] == [f"message {number};" for number in range(said)]
