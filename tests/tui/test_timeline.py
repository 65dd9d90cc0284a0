"""The timeline on a screen: it follows, lets go, keeps the reader's place, copies, and opens links."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.events import MouseScrollUp
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.widgets import Static

from pushtui.client.happenings import CaughtUp, Link, LinkState, Page, RoomEvent
from pushtui.protocol import bodies
from pushtui.protocol.limits import LIMITS
from pushtui.protocol.messages import Resume, RoomState, Welcome, You
from pushtui.protocol.positions import Outcome
from tui.state.chat import ChatState
from tui.state.room import RoomView
from tui.widgets.timeline import Timeline

T = 1_795_356_000_000  # Sunday 22 November 2026, 14:00 UTC
SIZE = (60, 12)


class Room(App[None]):
    """A timeline, a line below it, and what the timeline has posted."""

    def __init__(self, count: int, *, first: int = 1, more: bool = False, text: str = "number {}") -> None:
        super().__init__()
        self.seq = first - 1
        self.text = text
        self.older: list[int] = []
        self.follows: list[tuple[bool, int]] = []
        self.opened: list[str] = []
        self.state = ChatState("me")
        self.state.apply(Link(LinkState.LIVE), T)
        room = RoomState("main", "abcdefgh", self.seq, 1 if more else first, "", [])
        self.state.apply(Welcome("pushtui", "1", You("me", "member"), LIMITS, [room]), T)
        self.state.apply(Resume("main", Outcome.FRESH, "abcdefgh", self.seq, self.seq), T)
        self.state.apply(CaughtUp("main", Outcome.FRESH, 0), T)
        for _ in range(count):
            self.say()

    @property
    def view(self) -> RoomView:
        return self.state.rooms["main"]

    @property
    def timeline(self) -> Timeline:
        return self.query_one(Timeline)

    def compose(self) -> ComposeResult:
        yield Timeline("Nobody has spoken yet.\nWrite a line.", zone=UTC)
        yield Static("below")

    def on_mount(self) -> None:
        self.timeline.show(self.view)
        self.timeline.focus()

    def say(self, text: str | None = None, by: str = "ana") -> None:
        self.seq += 1
        body = bodies.Message(self.text.format(self.seq) if text is None else text)
        self.state.apply(RoomEvent("main", self.seq, T + self.seq, "message", by, body), T)

    def page(self, first: int, last: int, *, more: bool) -> None:
        events = [
            RoomEvent("main", seq, T + seq, "message", "ana", bodies.Message(self.text.format(seq)))
            for seq in range(first, last + 1)
        ]
        self.state.apply(Page("1", "main", events, more), T)

    def on_timeline_older_wanted(self, wanted: Timeline.OlderWanted) -> None:
        self.older.append(wanted.before)

    def on_timeline_follow_changed(self, changed: Timeline.FollowChanged) -> None:
        self.follows.append((changed.following, changed.unseen))

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        self.opened.append(url)

    def lines(self) -> list[str]:
        timeline = self.timeline
        return [timeline.render_line(y).text.rstrip() for y in range(timeline.size.height)]

    def shows(self, words: str) -> int:
        (row,) = [number for number, line in enumerate(self.lines()) if words in line]
        return row


async def until(pilot: Pilot[Any], condition: Callable[[], bool]) -> None:
    """Let the app go on until something holds."""
    for _ in range(500):
        if condition():
            return
        await pilot.pause()
    pytest.fail("it never came to that")


async def synced(pilot: Pilot[Any], app: Room) -> None:
    app.timeline.sync()
    await pilot.pause()


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


async def drag(pilot: Pilot[Any], start: tuple[int, int], end: tuple[int, int]) -> str | None:
    await pilot.mouse_down(Timeline, offset=start)
    await pilot.hover(Timeline, offset=end)
    await pilot.mouse_up(Timeline, offset=end)
    await pilot.pause()
    return pilot.app.screen.get_selected_text()


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
