"""Panes and tabs: which is shown where, and how one moves between them."""

import json
from functools import partial

import pytest

from pushtui.protocol.bodies import Notice
from pushtui.protocol.messages import Member
from tests.tui.stage import Stage
from tui.widgets.key_line import KeyLine
from tui.widgets.pane_head import PaneHead
from tui.widgets.splitter import Splitter
from tui.widgets.tab_strip import TabStrip


async def test_from_a_hundred_columns_on_both_panes_are_shown(stage: type[Stage]) -> None:
    async with stage((100, 24)) as on:
        await on.live()
        assert "⇄" in on.line(1)
        assert "←" in on.line(1)
        assert not on.room.query_one(TabStrip).display


async def test_below_a_hundred_columns_there_are_tabs_each_with_both_head_lines(stage: type[Stage]) -> None:
    async with stage((99, 24)) as on:
        await on.live()
        assert on.line(0).startswith(" ⇄ [chat]   ←  status")
        assert on.line(1).startswith(" main")
        assert on.line(2).startswith(" ⇄ websocket · ◉ live")
        await on.press("f6")
        await on.shows("⇄  chat    ← [status]")
        assert on.line(1).startswith(" status")
        assert on.line(2).startswith(" ← server-sent events · ◉ live")
        assert "websocket" not in on.text
        await on.press("f6")
        await on.shows("⇄ websocket")


async def test_eight_lines_of_chat_are_visible_at_80_by_24(stage: type[Stage]) -> None:
    async with stage((80, 24)) as on:
        await on.live()
        for number in range(30):
            on.chat.event("ben", f"line {number}", on.clock.ms)
        await on.shows("line 29")
        assert "say something" in on.text
        assert sum("line " in line for line in on.text.split("\n")) >= 8


async def test_the_draft_outlives_every_size(stage: type[Stage]) -> None:
    async with stage((120, 20)) as on:
        await on.live()
        await on.press(*"half a th")
        await on.resize(80, 24)
        await on.shows("[chat]")
        await on.shows("half a th")
        await on.press(*"ought")
        await on.resize(140, 40)
        await on.hides("[chat]")
        await on.shows("half a thought")
        await on.press("enter")
        assert on.chat.calls[-1] == ("say", "main", "half a thought")


async def test_the_pane_that_was_active_is_the_tab_that_is_shown(stage: type[Stage]) -> None:
    async with stage((120, 20)) as on:
        await on.live()
        await on.press("f6")
        await on.resize(80, 24)
        await on.shows("[status]")
        await on.press("f6")
        await on.shows("[chat]")
        assert on.composer.has_focus


@pytest.mark.parametrize("key", ["f11", "alt+z"])
async def test_zoom_gives_one_pane_the_whole_width_and_takes_it_back(stage: type[Stage], key: str) -> None:
    async with stage((120, 20)) as on:
        await on.live()
        await on.press(key)
        await on.hides("← server-sent events")
        assert on.line(0).startswith(" ⇄ [chat]")
        assert on.room.chat.size.width == 120
        await on.press("f6")
        await on.shows("← server-sent events")
        assert on.room.status.size.width == 120
        await on.press(key)
        await on.shows("⇄ websocket")
        assert not on.room.query_one(TabStrip).display


async def test_a_double_click_on_a_head_zooms_its_pane(stage: type[Stage]) -> None:
    async with stage((120, 20)) as on:
        await on.live()
        await on.pilot.double_click(on.room.status.query_one(PaneHead), offset=(5, 1))
        await on.hides("⇄ websocket")
        assert on.room.status.size.width == 120
        await on.pilot.double_click(on.room.status.query_one(PaneHead), offset=(5, 1))
        await on.shows("⇄ websocket")


async def test_a_click_on_a_tab_goes_there(stage: type[Stage]) -> None:
    async with stage((80, 24)) as on:
        await on.live()
        await on.pilot.click(TabStrip, offset=(11, 0))
        await on.shows("[status]")
        await on.pilot.click(TabStrip, offset=(3, 0))
        await on.shows("[chat]")


async def test_a_tab_tells_what_happens_in_the_pane_that_is_not_shown(stage: type[Stage]) -> None:
    async with stage((80, 24)) as on:
        await on.live()
        on.status.samples(on.clock.ms, 3)  # a disk of these is at 85 %
        await on.shows("status ●")
        await on.press("f6")
        on.chat.event("ben", "are you there?", on.clock.ms)
        on.chat.event("ben", "hello?", on.clock.ms)
        await on.shows("chat 2 new")
        await on.press("f6")
        await on.shows("hello?")
        await on.hides("2 new")


def has_width(on: Stage, width: int) -> bool:
    return on.room.chat.size.width == width


async def test_the_bar_between_the_panes_moves_and_is_remembered(stage: type[Stage]) -> None:
    async with stage((121, 20)) as on:
        await on.live()
        assert (on.room.chat.size.width, on.room.status.size.width) == (72, 48)
        splitter = on.room.query_one(Splitter)
        splitter.focus()
        for width in (71, 70, 69):
            await on.press("left")
            await on.until(partial(has_width, on, width))
        await on.pilot.mouse_down(splitter, offset=(0, 10))
        await on.pilot.hover(offset=(60, 10))
        await on.pilot.mouse_up(offset=(60, 10))
        await on.until(lambda: on.room.chat.size.width == 60)
        await on.resize(161, 20)
        await on.until(lambda: on.room.chat.size.width == 80)
    assert 0.49 < json.loads(on.kept_at.read_bytes())["chat_share"] < 0.51
    async with stage((121, 20)) as again:
        await again.live()
        assert again.room.chat.size.width == 60


async def test_the_key_line_names_only_what_means_something_now(stage: type[Stage]) -> None:
    async with stage((120, 20)) as on:
        await on.live()
        assert on.line(19) == " F1 help   F2 wire   F3 who   F6 other pane   F11 zoom   ^P commands   ^Q quit"
        await on.lose()
        await on.shows("^R retry now")
        await on.resize(80, 24)
        await on.hides("F11")


async def test_a_click_on_the_key_line_presses_the_key(stage: type[Stage]) -> None:
    async with stage((120, 20)) as on:
        await on.live(members=[Member("ana", "here"), Member("ben", "here")])
        await on.pilot.click(KeyLine, offset=(on.line(19).index("who"), 0))
        await on.shows("• ben")
        await on.pilot.click(KeyLine, offset=(on.line(19).index("help"), 0))
        await on.shows("pushtui · help")


@pytest.mark.parametrize("columns", [24, 30, 40, 60])
async def test_arrow_and_state_never_leave_however_narrow(stage: type[Stage], columns: int) -> None:
    async with stage((columns, 20)) as on:
        await on.live(topic="a topic that is much longer than the screen is wide, and then some more")
        assert "⇄" in on.line(2)
        assert "◉ live" in on.line(2)
        assert len(on.line(1)) <= columns
        await on.press("f6")
        await on.shows("← ")
        assert "◉ live" in on.line(2)


async def test_what_a_notice_says_is_never_markup(stage: type[Stage]) -> None:
    async with stage() as on:
        await on.live(topic="[@click=app.quit]quit[/] [/b]", members=[Member("[red]ben", "here")])
        on.status.event("notice", Notice("see [/b] and \\[bold]", "info", "[blink]cron"))
        on.chat.event("[red]ben", "[@click=app.quit]x[/] [/", on.clock.ms)
        await on.press("f3")
        await on.shows("[@click=app.quit]quit[/] [/b]")
        await on.shows("see [/b] and \\[bold]")
        await on.shows("[blink]cron")
        await on.shows("• [red]ben")
        await on.shows("[@click=app.quit]x[/] [/")
