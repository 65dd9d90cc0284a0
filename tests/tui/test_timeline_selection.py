"""The timeline on a screen under the mouse: it is selected, copied and clicked, and what it says is only text."""

from __future__ import annotations

import pytest
from textual.geometry import Offset

from tests.tui.timeline_room import SIZE, Room, drag, synced
from tui.widgets.timeline import Timeline


async def test_a_part_of_a_message_is_copied_as_it_is() -> None:
    app = Room(0)
    app.say("the quick brown fox jumps over the lazy dog and does it again")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        start = app.lines()[2].index("quick")
        assert await drag(pilot, (start, 2), (start + 4, 2)) == "quick"
        end = app.lines()[3].index("does") + 3
        text = await drag(pilot, (start, 2), (end, 3))
        assert text == "quick brown fox jumps over the lazy dog and does"


async def test_several_messages_are_copied_with_time_and_author() -> None:
    app = Room(0)
    app.say("one\ntwo")
    app.say("three", by="me")
    app.say("/me waves", by="ben")
    app.say("last")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        row = app.shows("last")
        text = await drag(pilot, (0, 2), (app.lines()[row].index("last") + 1, row))
        assert text == "14:00 ana: one\n  two\n14:00 me: three\n14:00 · ben waves\n14:00 ana: la"


async def test_a_selection_stays_with_its_words_when_more_comes() -> None:
    app = Room(40)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        row = app.shows("number 38")
        start = app.lines()[row].index("38")
        assert await drag(pilot, (start, row), (start + 1, row)) == "38"
        app.say()
        await synced(pilot, app)
        assert app.screen.get_selected_text() == "38"


async def test_everything_can_be_selected() -> None:
    app = Room(3)
    async with app.run_test(size=SIZE) as pilot:
        app.timeline.text_select_all()
        await pilot.pause()
        assert app.screen.get_selected_text() == "14:00 ana: number 1\n14:00 ana: number 2\n14:00 ana: number 3"


async def test_a_link_is_opened_safely_and_only_when_it_is_hit() -> None:
    app = Room(0)
    app.say("see https://a.example/ü ok")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        row = app.shows("https")
        start = app.lines()[row].index("https")
        await pilot.click(Timeline, offset=(start - 2, row))
        assert app.opened == []
        await pilot.click(Timeline, offset=(start + 3, row))
        assert app.opened == ["https://a.example/%C3%BC"]
        await drag(pilot, (start, row), (start + 5, row))
        assert app.opened == ["https://a.example/%C3%BC"]
        links = {
            segment.style.link for segment in app.timeline.render_line(row) if segment.style and segment.style.link
        }
        assert links == {"https://a.example/%C3%BC"}


async def test_markup_is_only_text() -> None:
    app = Room(0)
    app.say("[@click=app.quit]x[/] see [/b] [" + "1" * 3000)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        app.timeline.scroll_home(animate=False)
        await pilot.pause()
        assert "[@click=app.quit]x[/] see [/b]" in app.lines()[2]
        await pilot.click(Timeline, offset=(20, 2))
        await pilot.pause()
        assert app.is_running


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark"])
async def test_what_is_selected_can_be_told_and_read(theme: str) -> None:
    app = Room(3)
    async with app.run_test(size=SIZE) as pilot:
        app.theme = theme
        await pilot.pause()
        row = app.shows("number 2")
        plain = next(segment.style for segment in app.timeline.render_line(row) if "number" in segment.text)
        app.timeline.text_select_all()
        await pilot.pause()
        chosen = next(segment.style for segment in app.timeline.render_line(row) if "number" in segment.text)
        assert plain is not None
        assert chosen is not None
        assert (chosen.bgcolor, chosen.reverse) != (plain.bgcolor, plain.reverse)
        assert chosen.reverse or chosen.color != chosen.bgcolor


async def test_places_below_and_above_the_messages_can_be_selected_too() -> None:
    app = Room(2)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert (
            await drag(pilot, (3, 0), (50, app.timeline.size.height - 2))
            == "14:00 ana: number 1\n14:00 ana: number 2"
        )
        assert app.timeline.get_selection(app.screen.selections[app.timeline]) is not None
        assert app.screen.selections[app.timeline].start != Offset(0, 0)
