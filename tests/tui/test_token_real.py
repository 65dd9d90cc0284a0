"""The app with its real clients on a real server whose tokens are made and taken back meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.widgets import Input

from pushtui.client.outbox_file import path_of
from pushtui.protocol.roles import Role
from pushtui.protocol.token import Token
from server.access import tokens
from server.access.file import AccessFile
from tests.tui.stage import Stage
from tests.tui.test_app_real import Server, server, sign
from tui.clients import real_clients
from tui.keyring import Keyring
from tui.screens.token import TokenScreen

__all__ = ["server"]


class Desk:
    """Who makes tokens and takes them back, beside the server."""

    def __init__(self, file: AccessFile) -> None:
        self._file = file

    def token(self, name: str, role: Role = Role.MEMBER) -> str:
        return str(tokens.create(self._file, name, role, now=time.time_ns() // 1_000_000))

    def revoke(self, token: str) -> None:
        tokens.revoke(self._file, token, now=time.time_ns() // 1_000_000)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    file = AccessFile.open(tmp_path / "data")
    yield Desk(file)
    file.close()


def token_wanted(on: Stage) -> Callable[[], bool]:
    return lambda: isinstance(on.app.screen, TokenScreen)


async def test_a_token_that_is_taken_back_and_another_one_of_the_same_name(
    stage: type[Stage], server: Server, desk: Desk, tmp_path: Path
) -> None:
    first, second = desk.token("ana"), desk.token("ana")
    address = await server.start()
    keyring, outbox = Keyring(Token(first)), tmp_path / "outbox"
    clients = real_clients(keyring, outbox)
    async with stage((110, 30), address=address, nick="guess", clients=clients, keyring=keyring) as on:
        await on.until(lambda: on.text.count("◉ live") == 2)
        assert on.room.chat.session.state.me == "ana"
        await on.write("/nick ben")
        await on.shows("your token says who you are: ana")
        on.composer.load_text("")
        await on.write("said before")
        await on.until(lambda: sign(on, "said before") == "✓")

        server.freeze()
        await on.write("said in between")
        await on.until(lambda: path_of(outbox, address, "ana").exists())
        desk.revoke(first)
        server.thaw()
        await on.until(token_wanted(on))
        assert "this token was revoked" in on.text
        await on.until(lambda: on.text.count("✕ refused") == 2)
        on.app.screen.query_one(Input).value = second
        await on.press("enter")
        await on.until(lambda: on.text.count("◉ live") == 2)
        await on.until(lambda: sign(on, "said in between") == "✓")
        assert on.text.count("said in between") == 1
        assert on.text.count("said before") == 1


async def test_without_a_token_the_way_in_asks_for_one(stage: type[Stage], server: Server, desk: Desk) -> None:
    token = desk.token("ana")
    address = await server.start()
    keyring = Keyring()
    async with stage((110, 30), address=address, clients=real_clients(keyring), keyring=keyring) as on:
        await on.shows("this server wants a token")
        on.app.screen.query_one("#token", Input).value = token
        await on.press("enter")
        await on.until(lambda: on.text.count("◉ live") == 2)
    assert token.rpartition("_")[2] not in on.kept_at.read_text()


async def test_a_name_of_another_token_does_not_say_what_was_left(
    stage: type[Stage], server: Server, desk: Desk, tmp_path: Path
) -> None:
    ana, ben = desk.token("ana"), desk.token("ben")
    address = await server.start()
    keyring, outbox = Keyring(Token(ana)), tmp_path / "outbox"
    clients = real_clients(keyring, outbox)
    async with stage((110, 30), address=address, clients=clients, keyring=keyring) as on:
        await on.until(lambda: on.text.count("◉ live") == 2)
        server.freeze()
        await on.write("these are words of ana")
        await on.until(lambda: "words of ana" in path_of(outbox, address, "ana").read_text())
    server.thaw()
    keyring = Keyring(Token(ben))
    clients = real_clients(keyring, outbox)
    # the nick that is remembered is not who the token says
    async with stage((110, 30), address=address, nick="ana", clients=clients, keyring=keyring) as on:
        await on.until(lambda: on.text.count("◉ live") == 2)
        await on.write("these are words of ben")
        await on.until(lambda: sign(on, "words of ben") == "✓")
        assert path_of(outbox, address, "ana").exists()
