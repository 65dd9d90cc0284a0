from rich.control import Control
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.color import Color
from textual.widgets import Static

from tests.tui.stage import Stage
from tui.line_filter import ControlGuard

BLACK = Color(0, 0, 0)
EVERY = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))


def test_every_control_character_is_replaced_and_nothing_else() -> None:
    segments = [Segment("plain ünï 語"), Segment(f"a{EVERY}b")]
    plain, replaced = ControlGuard().apply(segments, BLACK)
    assert plain.text == "plain ünï 語"
    assert replaced.text == "a" + "\ufffd" * len(EVERY) + "b"


def test_what_textual_means_to_control_stays() -> None:
    control = Control.bell().segment
    assert ControlGuard().apply([control, Segment("\x1b[2J")], BLACK) == [control, Segment("\ufffd[2J")]


def test_a_line_without_any_is_handed_through() -> None:
    segments = [Segment("plain")]
    assert ControlGuard().apply(segments, BLACK) is segments


async def test_the_app_uses_it_for_whatever_any_widget_paints(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live()
        await on.room.mount(Static("\x1b]0;stolen\x07 \x9b2J", markup=False))
        await on.shows("\ufffd]0;stolen")
        await on.shows("\ufffd2J")
        assert not any(character in on.text for character in EVERY.replace("\n", ""))


class Unguarded(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("\x1b]0;stolen\x07", markup=False)


async def test_without_it_they_would_reach_the_terminal() -> None:
    app = Unguarded()
    async with app.run_test(size=(30, 3)) as pilot:
        await pilot.pause()
        painted = "".join(strip.text for strip in app.screen._compositor.render_strips())
        assert "\x1b" in painted
