"""The composer: what is sent, how it is completed and brought back, and that nothing written is lost."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Button

from tui.commands import complete
from tui.state.recall import Recall
from tui.widgets.composer import TELL_AGAIN_SECONDS, Composer


class Desk(App[None]):
    """A composer, and what it has posted."""

    def __init__(self, **more: Any) -> None:
        super().__init__()
        self.now = 0.0
        self.sent: list[str] = []
        self.typing: list[bool] = []
        self.quiet = asyncio.Event()
        self._more = more

    def compose(self) -> ComposeResult:
        completer = partial(complete, nicks=["ana", "anton", "ben"], rooms=["main"])
        yield Composer(completer, steady=lambda: self.now, **self._more)
        yield Button("elsewhere")

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    def on_composer_submitted(self, message: Composer.Submitted) -> None:
        self.sent.append(message.text)

    def on_composer_typing_changed(self, message: Composer.TypingChanged) -> None:
        self.typing.append(message.on)
        if not message.on:
            self.quiet.set()

    def border(self, row: int) -> str:
        """The text in the border: row 0 above, row -1 below."""
        region = self.composer.region
        lines = self.screen._compositor.render_strips()
        return lines[region.y + row % region.height].text


async def write(pilot: Pilot[Any], text: str) -> None:
    """Type, without the pause that ``press`` makes after every key."""
    for character in text:
        pilot.app.query_one(Composer).post_message(
            events.Key("space" if character == " " else character, character)
        )
    await pilot.pause()


async def paste(pilot: Pilot[Any], text: str) -> None:
    pilot.app.query_one(Composer).post_message(events.Paste(text))
    await pilot.pause()


async def test_enter_sends_and_the_text_stays_until_it_is_accepted() -> None:
    app = Desk()
    async with app.run_test() as pilot:
        await write(pilot, "hello")
        await pilot.press("enter", "enter")
        await pilot.pause()
        assert app.sent == ["hello"]
        assert app.composer.text == "hello"
        app.composer.accept()
        assert app.composer.text == ""
        app.composer.accept()
        await pilot.press("enter", "space", "enter")
        assert app.sent == ["hello"], "nothing is not sent"


async def test_what_is_written_before_it_is_accepted_is_kept() -> None:
    app = Desk()
    async with app.run_test() as pilot:
        await write(pilot, "hello")
        await pilot.press("enter")
        await write(pilot, " again")
        app.composer.accept()
        assert app.composer.text == " again"


async def test_a_refused_line_stays_says_why_and_can_be_sent_again() -> None:
    app = Desk()
    async with app.run_test() as pilot:
        await write(pilot, "/foo")
        await pilot.press("enter")
        await pilot.pause()
        app.composer.refuse("there is no command [/foo]; /help lists them")
        await pilot.pause()
        assert "there is no command [/foo]; /help lists them" in app.border(-1)
        assert app.composer.text == "/foo"
        await pilot.press("enter")
        await pilot.pause()
        assert app.sent == ["/foo", "/foo"]
        app.composer.refuse("once more")
        await pilot.press("escape")
        await pilot.pause()
        assert "once more" not in app.border(-1)
        assert app.composer.text == "/foo"


@pytest.mark.parametrize("key", ["ctrl+j", "alt+enter", "shift+enter"])
async def test_a_new_line(key: str) -> None:
    app = Desk()
    async with app.run_test() as pilot:
        await pilot.press("a", key, "b", "enter")
        await pilot.pause()
        assert app.sent == ["a\nb"]


async def test_a_paste_keeps_its_lines_and_nothing_that_drives_a_terminal() -> None:
    app = Desk()
    async with app.run_test() as pilot:
        await write(pilot, "ab")
        await pilot.press("left")
        await paste(pilot, "one\r\ntwo\x1b[31m\n\n  three\n")
        assert app.composer.text == "aone\ntwo\N{REPLACEMENT CHARACTER}[31m\n\n  threeb"
        await pilot.press("x")
        assert app.composer.text.endswith("threexb")
        assert app.sent == []


async def test_it_grows_to_six_lines() -> None:
    app = Desk()
    async with app.run_test(size=(60, 24)) as pilot:
        heights = []
        for _ in range(8):
            await pilot.pause()
            heights.append(app.composer.outer_size.height)
            await pilot.press("ctrl+j")
        assert heights == [3, 4, 5, 6, 7, 8, 8, 8]
        await paste(pilot, "word " * 40)
        assert app.composer.outer_size.height == 8


async def test_what_was_sent_comes_back_and_drafts_are_kept() -> None:
    app = Desk()
    async with app.run_test() as pilot:
        for text in ("one", "two"):
            await write(pilot, text)
            await pilot.press("enter")
            await pilot.pause()
            app.composer.accept()
        await write(pilot, "draft")
        seen = []
        for key in ("up", "up", "up", "down", "down", "down"):
            await pilot.press(key)
            seen.append(app.composer.text)
        assert seen == ["two", "one", "one", "two", "draft", "draft"]


async def test_up_and_down_move_in_a_text_of_several_lines_first() -> None:
    app = Desk()
    async with app.run_test() as pilot:
        await write(pilot, "old")
        await pilot.press("enter")
        await pilot.pause()
        app.composer.accept()
        await pilot.press("a", "ctrl+j", "b")
        await pilot.press("up")
        assert app.composer.cursor_location == (0, 1)
        await pilot.press("up")
        assert app.composer.text == "old"
        await pilot.press("down")
        assert app.composer.text == "a\nb"


async def test_tab_completes_and_goes_round() -> None:
    app = Desk()
    async with app.run_test() as pilot:
        await write(pilot, "hi an")
        seen = []
        for key in ("tab", "tab", "tab", "shift+tab"):
            await pilot.press(key)
            seen.append(app.composer.text)
        await pilot.pause()
        assert seen == ["hi ana ", "hi anton ", "hi ana ", "hi anton "]
        assert "ana  anton" in app.border(-1)
        await write(pilot, "b")
        await pilot.press("tab")
        assert app.composer.text == "hi anton ben "
        assert app.focused is app.composer


async def test_commands_are_shown_while_one_is_written() -> None:
    app = Desk()
    async with app.run_test() as pilot:
        await write(pilot, "/m")
        assert "/me  /mark" in app.border(-1)
        await pilot.press("a", "tab")
        await pilot.pause()
        assert app.composer.text == "/mark "
        assert "/m" not in app.border(-1)


async def test_completion_on_a_later_line() -> None:
    app = Desk()
    async with app.run_test() as pilot:
        await pilot.press("x", "ctrl+j", "y", "space", "b", "tab")
        assert app.composer.text == "x\ny ben "


async def test_tab_leaves_an_empty_composer_and_no_other() -> None:
    app = Desk()
    async with app.run_test() as pilot:
        await write(pilot, "zzz")
        await pilot.press("tab")
        assert app.focused is app.composer
        await pilot.press("ctrl+u", "tab")
        assert app.focused is not app.composer


async def test_the_limit_is_counted_and_kept() -> None:
    app = Desk(most_bytes=100)
    async with app.run_test() as pilot:
        await paste(pilot, "ü" * 40)
        assert "bytes" not in app.border(0)
        await paste(pilot, "ü" * 8)
        assert "4 bytes left" in app.border(0)
        await paste(pilot, "ü" * 4)
        assert "4 bytes too many" in app.border(0)
        await pilot.press("enter")
        await pilot.pause()
        assert app.sent == []
        assert "a message has at most 100 bytes, this one has 104" in app.border(-1)
        assert app.composer.text == "ü" * 52
        await pilot.press("backspace", "backspace", "enter")
        await pilot.pause()
        assert app.sent == ["ü" * 50]


async def test_a_paste_beyond_all_measure_is_not_taken_in() -> None:
    app = Desk(most_bytes=100)
    async with app.run_test() as pilot:
        await write(pilot, "mine")
        await paste(pilot, "x" * 5_000)
        assert app.composer.text == "mine"
        assert "that is too much to paste" in app.border(-1)


async def test_what_could_not_be_sent_is_put_back_before_what_is_being_written() -> None:
    app = Desk()
    async with app.run_test() as pilot:
        app.composer.restore("lost")
        assert app.composer.text == "lost"
        app.composer.restore("lost")
        assert app.composer.text == "lost"
        app.composer.restore("earlier")
        assert app.composer.text == "earlier\nlost"
        await pilot.press("!")
        assert app.composer.text == "earlier\nlost!"


async def test_typing_is_told_once_again_after_a_while_and_ends_in_silence() -> None:
    app = Desk(quiet_seconds=0.05)
    async with app.run_test() as pilot:
        app.composer._quiet_seconds = 60
        await write(pilot, "abc")
        assert app.typing == [True]
        app.now = TELL_AGAIN_SECONDS
        await write(pilot, "d")
        assert app.typing == [True, True]
        app.composer._quiet_seconds = 0.01
        await write(pilot, "e")
        await asyncio.wait_for(app.quiet.wait(), 5)
        assert app.typing == [True, True, False]


async def test_typing_ends_with_sending_leaving_and_deleting() -> None:
    app = Desk()
    async with app.run_test() as pilot:
        await write(pilot, "a")
        await pilot.press("enter")
        await pilot.pause()
        app.composer.accept()
        await write(pilot, "b")
        await pilot.press("backspace")
        await pilot.pause()
        await write(pilot, "c")
        app.query_one(Button).focus()
        await pilot.pause()
        assert app.typing == [True, False] * 3


async def test_a_command_is_not_typing_but_an_emote_is() -> None:
    app = Desk()
    async with app.run_test() as pilot:
        await write(pilot, "/nick ana")
        assert app.typing == []
        await pilot.press("ctrl+u")
        await write(pilot, "/me waves")
        assert app.typing == [True]


async def test_the_end_key_goes_on_to_the_screen_around_when_there_is_nowhere_to_go() -> None:
    app = Desk()
    async with app.run_test() as pilot:
        ends: list[str] = []
        app.action_note = lambda: ends.append(app.composer.text)  # type: ignore[attr-defined]
        app.bind("end", "note")
        await write(pilot, "ab")
        await pilot.press("home", "end")
        assert (ends, app.composer.cursor_location) == ([], (0, 2))
        await pilot.press("end")
        assert ends == ["ab"]


async def test_keys_of_the_screen_around_are_left_to_it() -> None:
    app = Desk()
    async with app.run_test():
        keys = set(app.composer._bindings.key_to_bindings)
    assert not keys & {"f6", "f7", "pageup", "pagedown"}
    assert {"ctrl+u", "ctrl+w", "ctrl+z", "home", "left"} <= keys


def test_recall_is_bounded_and_counts_the_same_line_once() -> None:
    recall = Recall()
    assert recall.older("draft") is None
    for number in range(300):
        recall.add(f"{number}")
        recall.add(f"{number}")
    assert recall.older("draft") == "299"
    assert recall.older("299, changed") == "298"
    assert recall.newer("298") == "299, changed"
    assert recall.newer("299, changed") == "draft"
    assert recall.newer("draft") is None
    steps = 0
    while recall.older("x") is not None:
        steps += 1
    assert steps == 200
