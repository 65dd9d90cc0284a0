"""The timeline on a screen: it follows, lets go, and keeps the reader's place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.events import MouseScrollUp

from tests.tui.timeline_room import SIZE, Room, T, synced, until
from tui.widgets.timeline import Timeline


async def test_it_follows_what_comes() -> None:
    app = Room(30)
    async with app.run_test(size=SIZE) as pilot:
        assert app.lines()[-1].endswith("number 30")
        app.say()
        await synced(pilot, app)
        assert app.lines()[-1].endswith("number 31")
        assert app.timeline.following


async def test_scrolled_up_it_stays_and_tells_what_is_new() -> None:
    app = Room(60)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("pageup")
        await pilot.pause()
        before = app.lines()
        assert not app.timeline.following
        assert before[-1].strip() == "▼ End"
        for _ in range(3):
            app.say()
        app.say(by="me")
        await synced(pilot, app)
        assert app.lines()[:-1] == before[:-1]
        assert app.lines()[-1].strip() == "▼ 4 new · End"
        assert app.follows == [(False, 0), (False, 4)]

        await pilot.press("end")
        await pilot.pause()
        assert "number 64" in app.lines()[-1]
        assert app.follows[-1] == (True, 0)


async def test_what_comes_does_not_throw_a_reader_back_who_begins_to_scroll() -> None:
    app = Room(60)
    async with app.run_test(size=SIZE) as pilot:
        app.animation_level = "full"
        app.timeline.action_page_up()
        app.say()
        app.timeline.sync()
        assert not app.timeline.following
        await pilot.pause()
        assert not app.timeline.following
        assert app.lines()[-1].strip() == "▼ 1 new · End"


async def test_a_click_on_the_last_line_goes_back_to_the_end() -> None:
    app = Room(60)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("home")
        await pilot.pause()
        await pilot.click(Timeline, offset=(20, app.timeline.size.height - 1))
        await pilot.pause()
        assert app.timeline.following
        assert app.lines()[-1].endswith("number 60")


async def test_scrolling_down_to_the_end_follows_again() -> None:
    app = Room(30)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("up", "up")
        assert not app.timeline.following
        await pilot.press("down", "down")
        assert app.timeline.following


async def test_the_wheel_lets_go() -> None:
    app = Room(60)
    async with app.run_test(size=SIZE) as pilot:
        await pilot._post_mouse_events([MouseScrollUp], Timeline)
        await pilot.pause()
        assert not app.timeline.following


async def test_other_widths_keep_the_place() -> None:
    app = Room(80, text="number {} and then some more words so that it has to be wrapped in a narrow window")
    async with app.run_test(size=SIZE) as pilot:
        app.timeline.scroll_to(y=app.timeline.layout_of_items.top(39), animate=False)
        await pilot.pause()
        before = app.lines()
        assert "number 40 and" in before[0]
        for width in (40, 110, 35, SIZE[0]):
            await pilot.resize_terminal(width, SIZE[1])
            beside_the_scrollbar = width - 1
            await until(pilot, lambda: app.timeline.layout_of_items.columns.width == beside_the_scrollbar)  # noqa: B023
            assert "number 40" in app.lines()[0]
        assert app.lines() == before


async def test_a_width_that_somebody_asked_for_before_it_was_laid_out_is_kept_to() -> None:
    """The compositor then knows the new width already, and tells nobody that it is new."""
    app = Room(30)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("up")
        app.timeline.styles.width = 40
        app.screen._compositor._full_map_invalidated = True  # as scrolling does
        assert app.timeline.region.width == 40
        await until(pilot, lambda: app.timeline.layout_of_items.columns.width == 39)


async def test_at_the_end_other_widths_and_heights_stay_at_the_end() -> None:
    app = Room(40, text="number {} and then some more words so that it has to be wrapped")
    async with app.run_test(size=SIZE) as pilot:
        for size in ((40, 12), (40, 6), (90, 20), (60, 12)):
            await pilot.resize_terminal(*size)
            await until(pilot, lambda: app.timeline.outer_size == (size[0], size[1] - 1))  # noqa: B023
            await pilot.pause()
            assert app.timeline.following
            assert app.timeline.scroll_y == app.timeline.max_scroll_y
            assert app.lines()[-1].strip()


async def test_older_pages_are_asked_for_once_and_keep_the_place() -> None:
    app = Room(30, first=101, more=True)
    async with app.run_test(size=SIZE) as pilot:
        await synced(pilot, app)
        assert app.older == []
        await pilot.press("home")
        await pilot.pause()
        assert app.older == [101]
        assert app.lines()[0].strip() == "loading older…"
        await pilot.press("home", "up")
        await synced(pilot, app)
        assert app.older == [101]

        row = app.shows("number 101")
        app.page(51, 100, more=True)
        await synced(pilot, app)
        assert app.shows("number 101") == row
        assert app.lines()[row - 1].endswith("number 100")
        await pilot.press("home")
        await pilot.pause()
        assert app.older == [101, 51]
        app.page(40, 50, more=False)
        await synced(pilot, app)
        await pilot.press("home")
        await pilot.pause()
        assert app.lines()[0].strip() == "the beginning of main"
        assert app.lines()[1].strip() == "─── Sunday 22 November ───"
        assert app.older == [101, 51]


async def test_what_does_not_fill_the_screen_asks_for_more_by_itself() -> None:
    app = Room(3, first=11, more=True)
    async with app.run_test(size=SIZE) as pilot:
        await synced(pilot, app)
        assert app.older == [11]
        app.page(9, 10, more=True)
        await synced(pilot, app)
        assert app.older == [11, 9]


async def test_an_empty_room_says_what_to_do() -> None:
    app = Room(0)
    async with app.run_test(size=SIZE) as pilot:
        assert [line.strip() for line in app.lines() if line] == ["Nobody has spoken yet.", "Write a line."]
        app.say()
        await synced(pilot, app)
        assert app.lines()[2].split() == ["14:00", "ana", "number", "1"]


async def test_another_room_begins_at_its_end() -> None:
    app = Room(40)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("home")
        app.timeline.show(app.state.room("other"), "Nothing here.")
        await pilot.pause()
        assert [line.strip() for line in app.lines() if line] == ["Nothing here."]
        app.timeline.show(app.view)
        await pilot.pause()
        assert app.timeline.following
        assert app.lines()[-1].endswith("number 40")


async def test_a_long_absence_is_caught_up_with() -> None:
    app = Room(5)
    async with app.run_test(size=SIZE) as pilot:
        for _ in range(5_000):
            app.say()
        await synced(pilot, app)
        assert app.lines()[-1].endswith("number 5005")


async def test_what_has_gone_meanwhile_is_painted_until_it_is_followed() -> None:
    app = Room(3)
    async with app.run_test(size=SIZE) as pilot:
        app.state.queued("k1", "main", "taken back at once", T)
        await synced(pilot, app)
        app.state.taken_back("k1")
        app.timeline._strips.clear()
        assert app.shows("taken back at once")
        await synced(pilot, app)
        assert not any("taken back" in line for line in app.lines())


async def test_one_more_at_twenty_thousand_is_one_measurement() -> None:
    app = Room(20_000)
    async with app.run_test(size=SIZE) as pilot:
        measured = app.timeline.layout_of_items.measured
        for _ in range(10):
            app.say()
            await synced(pilot, app)
        assert app.timeline.layout_of_items.measured == measured + 10
        assert app.lines()[-1].endswith("number 20010")


async def test_nothing_is_painted_when_nothing_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Room(30)
    async with app.run_test(size=SIZE) as pilot:
        await synced(pilot, app)
        painted: list[int] = []
        render: Callable[[int], Any] = app.timeline.render_line

        def watched(y: int) -> Any:
            painted.append(y)
            return render(y)

        monkeypatch.setattr(app.timeline, "render_line", watched)
        await synced(pilot, app)
        assert painted == []


@pytest.mark.parametrize("theme", ["textual-light", "ansi-dark", "ansi-light"])
async def test_other_themes_paint_the_same_words(theme: str) -> None:
    app = Room(5)
    async with app.run_test(size=SIZE) as pilot:
        words = app.lines()
        before = app.timeline.render_line(3)
        app.theme = theme
        await pilot.pause()
        assert app.lines() == words
        assert [segment.style for segment in app.timeline.render_line(3)] != [segment.style for segment in before]
