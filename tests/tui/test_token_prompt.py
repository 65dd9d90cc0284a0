"""Tokens on the screen: asked for when a server wants one, never shown and never kept."""

import pytest
from textual.widgets import Input

from pushtui.client.address import Address
from pushtui.client.happenings import Link, LinkState
from pushtui.exits import Exit
from pushtui.protocol.token import Token
from tests.tui.stage import ADDRESS, Stage
from tui.keyring import Keyring
from tui.screens.connect import ConnectScreen
from tui.screens.token import TokenScreen

IN_CLEAR = "ptk_0123456789ab_" + 16 * "5ec4e7"
TOKEN = Token(IN_CLEAR)
OTHER = Token("ptk_aaaaaaaaaaaa_" + 16 * "0ddba1")
WANTED = Link(LinkState.REFUSED, "this server wants a token", code=401)
ELSEWHERE = Address.parse("http://chat.example:8765")


def test_a_token_is_for_one_server() -> None:
    keyring = Keyring(TOKEN)
    assert keyring.given
    assert keyring.of(ADDRESS) == TOKEN
    assert not keyring.given
    assert keyring.of(ELSEWHERE) is None
    keyring.put(ELSEWHERE, OTHER)
    keyring.put(ADDRESS, OTHER)
    assert (keyring.of(ADDRESS), keyring.of(ELSEWHERE)) == (OTHER, OTHER)


def test_one_that_is_written_counts_more_than_the_one_that_was_given() -> None:
    keyring = Keyring(TOKEN)
    keyring.put(ELSEWHERE, OTHER)
    assert keyring.of(ELSEWHERE) == OTHER
    assert keyring.of(ADDRESS) is None


async def test_the_connect_screen_takes_a_token_and_does_not_show_it(stage: type[Stage]) -> None:
    async with stage((110, 30), address=None) as on:
        await on.shows("if the server wants one")
        on.app.screen.query_one("#token", Input).focus()
        await on.press(*IN_CLEAR)
        assert IN_CLEAR not in on.text
        assert "ptk_" not in on.app.export_screenshot()
        await on.press("enter")
        await on.live()
        assert on.keyring.of(ADDRESS) == TOKEN
    assert "ptk_" not in on.kept_at.read_text()


async def test_a_server_that_wants_a_token_leads_to_its_field(stage: type[Stage]) -> None:
    async with stage((110, 30)) as on:
        await on.until(lambda: on.cast.chats)
        await on.press(*"written already")
        on.chat.tell(WANTED)
        await on.shows("this server wants a token")
        await on.shows("Write the token that you were given")
        assert on.app.focused is on.app.screen.query_one("#token")
        await on.press(*"hunter2", "enter")
        await on.shows("this is no token")
        assert "hunter2" not in on.text
        assert on.app.focused is on.app.screen.query_one("#token")
        on.app.screen.query_one("#token", Input).value = IN_CLEAR
        await on.press("enter")
        await on.until(lambda: len(on.cast.chats) == 2)
        await on.live()
        assert on.keyring.of(ADDRESS) == TOKEN
        assert on.composer.text == "written already"


async def test_without_one_the_exit_code_says_that_the_server_refused(stage: type[Stage]) -> None:
    async with stage((110, 30)) as on:
        await on.until(lambda: on.cast.chats)
        on.chat.tell(WANTED)
        await on.shows("this server wants a token")
        await on.press("ctrl+q")
    assert on.app.return_value == Exit.REFUSED


async def test_one_that_was_given_need_not_be_written_again(stage: type[Stage]) -> None:
    async with stage((110, 30), keyring=Keyring(TOKEN)) as on:
        await on.until(lambda: on.cast.chats)
        on.chat.tell(Link(LinkState.LOST, "no server at 127.0.0.1:8765", retry_in=0.5))
        await on.shows("the one you gave")
        await on.press("enter")
        await on.until(lambda: len(on.cast.chats) == 2)
        assert on.keyring.of(ADDRESS) == TOKEN


@pytest.mark.parametrize(("typed", "warned"), [("http://chat.example", True), ("https://chat.example", False)])
async def test_a_token_that_would_travel_in_the_open_is_told(stage: type[Stage], typed: str, warned: bool) -> None:
    async with stage((110, 30), address=None) as on:
        await on.shows("if the server wants one")
        on.app.screen.query_one("#address", Input).value = typed
        await on.pilot.pause()
        assert "Others can read your token" not in on.text
        on.app.screen.query_one("#token", Input).value = IN_CLEAR
        await on.pilot.pause()
        assert ("Others can read your token" in on.text) is warned


@pytest.mark.parametrize(("address", "warned"), [(ELSEWHERE, True), (ADDRESS, False)])
async def test_so_is_one_that_does(stage: type[Stage], address: Address, warned: bool) -> None:
    async with stage((110, 30), address=address, keyring=Keyring(TOKEN)) as on:
        await on.until(lambda: on.cast.chats)
        assert [note.severity for note in on.app._notifications] == (["warning"] if warned else [])


async def ended(on: Stage, code: int = 4500) -> None:
    """The token that let us in holds no longer, and both flows end."""
    link = Link(LinkState.REFUSED, "this token was revoked", code=code)
    for client in (on.chat, on.status):
        client.tell(link)
        client.end()
    await on.until(lambda: isinstance(on.app.screen, TokenScreen))


async def test_a_token_that_ends_is_asked_for_over_the_room(stage: type[Stage]) -> None:
    async with stage((110, 30), keyring=Keyring(TOKEN)) as on:
        await on.live()
        on.chat.event("ben", "old words", on.clock.ms)
        await on.shows("old words")
        await on.press(*"half a sentence")
        on.chat.kept = True
        await ended(on)
        await on.shows("this token was revoked")
        assert "old words" in on.text
        await on.press(*"hunter2", "enter")
        await on.shows("this is no token")
        assert "hunter2" not in on.text
        on.app.screen.query_one(Input).value = "ptk_aaaaaaaaaaaa_" + 16 * "0ddba1"
        await on.press("enter")
        await on.until(lambda: len(on.cast.chats) == 2 and len(on.cast.statuses) == 2)
        assert on.keyring.of(ADDRESS) == OTHER
        await on.live()
        assert on.composer.text == "half a sentence"
        assert "0ddba1" not in on.app.export_screenshot()


async def test_it_can_wait_and_is_asked_for_again(stage: type[Stage]) -> None:
    async with stage((110, 30), keyring=Keyring(TOKEN)) as on:
        await on.live()
        await ended(on)
        await on.press("escape")
        await on.shows("✕ refused · this token was revoked")
        await on.press("ctrl+r")
        await on.until(lambda: len(on.cast.chats) == 2)
        await ended(on, code=401)
        await on.press("escape", "ctrl+q")
    assert on.app.return_value == Exit.REFUSED


async def test_what_was_said_and_is_not_kept_comes_back_as_a_draft(stage: type[Stage]) -> None:
    async with stage((110, 30), keyring=Keyring(TOKEN)) as on:
        await on.live()
        await on.write("not stored yet")
        await ended(on)
        on.app.screen.query_one(Input).value = IN_CLEAR
        await on.press("enter")
        await on.until(lambda: len(on.cast.chats) == 2)
        assert on.composer.text == "not stored yet"


async def test_who_was_removed_is_told_why_and_not_asked_for_a_token(stage: type[Stage]) -> None:
    async with stage((140, 30), keyring=Keyring(TOKEN)) as on:
        await on.live()
        on.chat.tell(Link(LinkState.REFUSED, "ben removed you for 10 min: be kind", code=4503))
        on.chat.end()
        await on.shows("ben removed you for 10 min: be kind")
        assert on.app.screen is on.room


async def test_a_crash_shows_no_values(
    stage: type[Stage], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def crash(screen: ConnectScreen) -> None:
        written = screen.query_one("#token", Input).value
        raise RuntimeError(f"a fault nobody foresaw, with {len(written)} characters")

    async def enter() -> None:
        async with stage((110, 30), address=None) as on:
            on.app.screen.query_one("#token", Input).value = IN_CLEAR
            on.app.screen.query_one("#token", Input).focus()
            await on.press("enter")

    monkeypatch.setattr(ConnectScreen, "_submit", crash)
    with pytest.raises(RuntimeError, match="nobody foresaw"):
        await enter()
    _, printed = capsys.readouterr()
    assert "a fault nobody foresaw, with 113 characters" in printed
    assert "5ec4e7" not in printed
