"""The way in: asked for when nobody said it or when it did not work; and what is remembered of it."""

import getpass
import json
from pathlib import Path

import pytest

from pushtui.client.happenings import Link, LinkState
from pushtui.exits import Exit
from tests.tui.stage import ADDRESS, Stage
from tui import preferences
from tui.preferences import Preferences
from tui.screens.connect import ConnectScreen, Destination, login_nick


def asked(on: Stage) -> ConnectScreen | None:
    return on.app.screen if isinstance(on.app.screen, ConnectScreen) else None


def fields(on: Stage) -> Destination:
    screen = asked(on)
    assert screen is not None
    return screen.destination


async def test_without_an_address_it_is_asked_for(stage: type[Stage]) -> None:
    async with stage(address=None) as on:
        await on.shows("a team room in a terminal")
        assert fields(on) == Destination("http://127.0.0.1:8765", "ana", "main")
        assert not on.cast.chats
        await on.press("enter")
        await on.live()
        assert (on.chat.address, on.chat.nick, on.chat.rooms) == (ADDRESS, "ana", ("main",))


async def test_the_fields_are_what_is_connected_to(stage: type[Stage]) -> None:
    async with stage(address=None) as on:
        await on.shows("address")
        await on.press(*"example.org:1234", "tab", *"cyd", "tab", *"ops")
        await on.press("enter")
        await on.until(lambda: on.cast.chats)
        assert on.chat.address.http == "http://example.org:1234"
        assert (on.chat.nick, on.chat.rooms) == ("cyd", ("ops",))


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        (Destination("ftp://x", "ana", "main"), "address", "'ftp://x' is not an address"),
        (Destination("", "", "main"), "nick", "a nick cannot be empty"),
        (Destination("", "x" * 500, "main"), "nick", "a nick has at most 32 characters"),
        (Destination("", "ana", "a/b"), "room", "a room name has letters, digits"),
    ],
)
async def test_what_is_not_valid_is_told_and_stays(
    stage: type[Stage], typed: Destination, field: str, sentence: str
) -> None:
    async with stage((110, 30), address=None) as on:
        await on.shows("address")
        for name, value in zip(Destination._fields, typed, strict=True):
            on.app.screen.query_one(f"#{name}").value = value  # type: ignore[attr-defined]
        await on.press("enter")
        await on.shows(sentence)
        assert fields(on) == typed
        assert on.app.focused is not None
        assert on.app.focused.id == field
        assert not on.cast.chats


async def test_a_server_that_is_not_there_leads_back_with_what_to_do(stage: type[Stage]) -> None:
    async with stage((110, 30)) as on:
        await on.until(lambda: on.cast.chats)
        await on.press(*"written already")
        first = on.chat
        first.tell(Link(LinkState.LOST, "no server at 127.0.0.1:8765", retry_in=0.5))
        await on.shows("no server at 127.0.0.1:8765")
        await on.shows("pushtui serve")
        await on.until(first.left.is_set)
        await on.press("enter")
        await on.until(lambda: len(on.cast.chats) == 2)
        await on.live()
        assert on.composer.text == "written already"
        await on.press("ctrl+q")
    assert on.app.return_value == Exit.FINE


async def test_what_was_sent_before_there_was_a_server_comes_back_as_a_draft(stage: type[Stage]) -> None:
    async with stage((110, 30)) as on:
        await on.until(lambda: on.cast.chats)
        await on.write("anybody there?")
        await on.press(*"more")
        on.chat.tell(Link(LinkState.LOST, "no server at 127.0.0.1:8765", retry_in=0.5))
        await on.shows("pushtui serve")
        await on.press("enter")
        await on.until(lambda: len(on.cast.chats) == 2)
        await on.live()
        assert on.composer.text == "anybody there?\nmore"


@pytest.mark.parametrize(
    ("link", "code"),
    [
        (Link(LinkState.LOST, "no server at 127.0.0.1:8765", retry_in=0.5), Exit.NO_SERVER),
        (Link(LinkState.REFUSED, "the nick is taken", code=4502), Exit.REFUSED),
    ],
)
async def test_the_exit_code_tells_why_nothing_came_of_it(stage: type[Stage], link: Link, code: Exit) -> None:
    async with stage((110, 30)) as on:
        await on.until(lambda: on.cast.chats)
        on.chat.tell(link)
        await on.shows(link.reason)
        await on.press("ctrl+q")
    assert on.app.return_value == code


async def test_a_refused_nick_is_asked_for_again(stage: type[Stage]) -> None:
    async with stage((110, 30)) as on:
        await on.until(lambda: on.cast.chats)
        on.chat.tell(Link(LinkState.REFUSED, "the nick is taken", code=4502))
        await on.shows("the nick is taken")
        assert on.app.focused is not None
        assert on.app.focused.id == "nick"
        await on.press("end", "2", "enter")
        await on.until(lambda: len(on.cast.chats) == 2)
        assert on.chat.nick == "ana2"


async def test_a_way_that_worked_is_remembered(stage: type[Stage]) -> None:
    async with stage(room="ops") as on:
        await on.live()
    kept = json.loads(on.kept_at.read_bytes())
    assert kept == {"address": "http://127.0.0.1:8765", "nick": "ana", "room": "ops"}
    async with stage(address=None, nick=None) as again:
        await again.shows("address")
        assert fields(again) == Destination("http://127.0.0.1:8765", "ana", "ops")


async def test_one_that_did_not_is_not(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.until(lambda: on.cast.chats)
        on.chat.tell(Link(LinkState.REFUSED, "the nick is taken"))
        await on.shows("the nick is taken")
    assert json.loads(on.kept_at.read_bytes()) == {}


async def test_a_theme_is_remembered(stage: type[Stage]) -> None:
    async with stage(address=None) as on:
        await on.shows("address")
        on.app.theme = "pushtui-day"
    async with stage(address=None) as again:
        assert again.app.theme == "pushtui-day"


async def test_help_and_palette_are_there_too(stage: type[Stage]) -> None:
    async with stage((110, 40), address=None) as on:
        await on.shows("address")
        await on.press("f1")
        await on.shows("pushtui · help")
        await on.press("escape")
        await on.press("ctrl+p")
        await on.shows("leave pushtui")


def test_a_file_that_is_not_ours_changes_nothing(tmp_path: Path) -> None:
    for content in (b"", b"{", b"[]", b'{"nick": 5}', b"\xff\xfe"):
        (tmp_path / "screen.json").write_bytes(content)
        assert preferences.load(tmp_path / "screen.json") == Preferences()
    assert preferences.load(tmp_path) == Preferences()


def test_a_share_beyond_reason_is_brought_back(tmp_path: Path) -> None:
    for share, kept in ((-4, 0.2), (0.5, 0.5), (7, 0.8)):
        (tmp_path / "screen.json").write_text(f'{{"chat_share": {share}}}')
        assert preferences.load(tmp_path / "screen.json").chat_share == kept


def test_what_cannot_be_kept_is_forgotten_in_silence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    preferences.save(tmp_path / "file" / "screen.json", Preferences(nick="ana"))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_they_are_kept_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "screen.json"
    preferences.save(path, Preferences(nick="ana"))
    assert preferences.load(path).nick == "ana"
    assert [file.name for file in path.parent.iterdir()] == ["screen.json"]


@pytest.mark.parametrize(
    ("login", "nick"),
    [("ana", "ana"), ("DOMAIN\\ana b", "DOMAINanab"), ("...", "guest"), ("", "guest"), ("x" * 80, "x" * 32)],
)
def test_the_login_name_is_made_a_nick(monkeypatch: pytest.MonkeyPatch, login: str, nick: str) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: login)
    assert login_nick() == nick


def test_without_a_login_name_one_is_a_guest(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise OSError("no such user")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert login_nick() == "guest"
