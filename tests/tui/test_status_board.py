from collections.abc import Callable
from datetime import UTC

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.pilot import Pilot

from pushtui.client.happenings import CaughtUp, Link, LinkState
from pushtui.protocol.bodies import Mark, Notice
from pushtui.protocol.positions import Outcome
from tests.tui.samples import NOW, event, full_sample, live_state
from tui.state.status import StatusState
from tui.widgets.line_view import LineView
from tui.widgets.notice_list import NoticeList
from tui.widgets.status_board import StatusBoard


class Shown(App[None]):
    def compose(self) -> ComposeResult:
        yield StatusBoard("http://127.0.0.1:9999", zone=UTC)

    def show(self, state: StatusState, now_ms: int = NOW) -> None:
        self.query_one(StatusBoard).show(state, now_ms)

    def rows(self, view: str = "StatusBoard > *") -> list[str]:
        """What stands on the screen, line by line."""
        return [
            row.rstrip().replace("\N{NO-BREAK SPACE}", " ")
            for widget in self.query(view).results(LineView)
            for row in (widget.render_line(y).text for y in range(widget.size.height))
        ]


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    for _ in range(200):
        await pilot.pause()
        if holds():
            return
    raise AssertionError(f"it never came to hold: {pilot.app.screen.size}")


async def test_at_80_by_24_one_host_and_notices_are_visible() -> None:
    app = Shown()
    async with app.run_test(size=(80, 18)) as pilot:
        state = live_state([full_sample()])
        state.apply(event(Notice("backup is late", "critical", "cron"), 1, "notice"), NOW)
        app.show(state)
        await until(pilot, lambda: any("backup" in row for row in app.rows()))
        rows = app.rows()
        for label in ("ops-1", "cpu", "mem", "swap", "disk", "i/o", "net", "top", "temp"):
            assert any(row.startswith(f" {label} ") for row in rows)
        assert " 11:06  ▲  backup is late · cron" in rows
        assert not app.query_one("#hosts", LineView).show_vertical_scrollbar


async def test_notices_have_signs_and_wrap_under_themselves() -> None:
    app = Shown()
    async with app.run_test(size=(40, 24)) as pilot:
        state = live_state()
        for seq, body in enumerate(
            [
                Notice("a first one that is too long for one line", "warning", "cron"),
                Mark("deploy", "main", "ana"),
                Notice("fine", "success", "ci"),
                Notice("[/b] [@click=app.quit]x[/]", "info", "m"),
            ],
            start=1,
        ):
            state.apply(event(body, seq, "notice"), NOW + 60_000 * (seq > 3))
        state.apply(CaughtUp(None, Outcome.CAUGHT_UP, 7), NOW + 60_000)
        app.show(state)
        await until(pilot, lambda: len(app.rows("#notices")) > 5)
        first, second = "11:06", "11:07"
        assert [row for row in app.rows("#notices") if row] == [
            f" {second}  ○  caught up, 7 replayed",
            "        ·  [/b] [@click=app.quit]x[/]",
            "           · m",
            f" {first}  ✓  fine · ci",
            "        ⚑  deploy · ana",
            "        ●  a first one that is too long",
            "           for one line · cron",
        ]


async def test_empty_says_what_to_do() -> None:
    app = Shown()
    async with app.run_test(size=(46, 18)) as pilot:
        app.show(StatusState())
        await until(pilot, lambda: bool(app.rows()[0]))
        assert app.rows()[0] == " No host has reported yet."
        assert " ".join("".join(app.rows("#notices")).split()) == (
            "No notices lately. Send one: curl -d 'backup is late' http://127.0.0.1:9999/notices"
        )


async def test_a_lost_link_and_age_mark_what_stays() -> None:
    app = Shown()
    async with app.run_test(size=(46, 18)) as pilot:
        state = live_state([full_sample()])
        app.show(state)
        await until(pilot, lambda: "load 0.42" in app.rows()[0])
        state.apply(Link(LinkState.LOST, retry_in=4), NOW)
        app.show(state, NOW + 12_000)
        await until(pilot, lambda: "○ 12 s old" in app.rows()[0])
        assert "37 %" in app.rows()[1]


async def test_many_hosts_are_a_table_that_scrolls_and_each_can_be_opened() -> None:
    app = Shown()
    async with app.run_test(size=(46, 18)) as pilot:
        app.show(live_state([full_sample(f"host-{n:02}") for n in range(20)]))
        hosts = app.query_one("#hosts", LineView)
        await until(pilot, lambda: len(hosts.lines) == 21)
        assert hosts.max_scroll_y == 21 - hosts.size.height
        app.query_one(StatusBoard).focus()
        await until(pilot, lambda: app.focused is hosts)
        await pilot.press("right", "right")
        await until(pilot, lambda: app.rows()[0].startswith(" host-01"))
        await pilot.press("left")
        await until(pilot, lambda: app.rows()[0].startswith(" host-00"))
        await pilot.press("escape")
        await until(pilot, lambda: app.rows()[0].startswith(" host "))
        await pilot.click("#hosts", offset=(5, 4))
        await until(pilot, lambda: app.rows()[0].startswith(" host-03"))


async def test_six_hosts_have_a_table_and_one_in_full() -> None:
    app = Shown()
    async with app.run_test(size=(46, 31)) as pilot:
        app.show(live_state([full_sample(f"host-{n}") for n in range(6)]))
        await until(pilot, lambda: len(app.rows()) > 8 and app.rows()[1].startswith("▸host-0"))
        await pilot.click("#hosts", offset=(5, 3))
        await until(pilot, lambda: app.rows()[3].startswith("▸host-2"))
        assert app.rows()[8].startswith(" host-2")
        app.query_one(StatusBoard).focus()
        await until(pilot, lambda: app.focused is app.query_one(NoticeList))
        await pilot.press("right")
        await until(pilot, lambda: app.rows()[8].startswith(" host-3"))


async def test_the_layout_follows_the_size() -> None:
    app = Shown()
    async with app.run_test(size=(46, 40)) as pilot:
        app.show(live_state([full_sample()]))
        await until(pilot, lambda: any(row.startswith(" net ↓") for row in app.rows()))
        await pilot.resize_terminal(30, 16)
        await until(pilot, lambda: any(row.startswith(" net   ↓") for row in app.rows()))
        assert all(len(row) <= 30 for row in app.rows())


async def test_new_notices_do_not_move_what_is_being_read() -> None:
    app = Shown()
    async with app.run_test(size=(46, 12)) as pilot:
        state = live_state()
        for seq in range(1, 60):
            state.apply(event(Notice(f"number {seq}", "info", "x"), seq, "notice"), NOW)
        app.show(state)
        notices = app.query_one(NoticeList)
        await until(pilot, lambda: notices.max_scroll_y > 20)
        notices.scroll_to(y=20, animate=False)
        await until(pilot, lambda: notices.scroll_offset.y == 20)
        read = app.rows("#notices")
        state.apply(event(Notice("one more", "info", "x"), 60, "notice"), NOW)
        app.show(state)
        await until(pilot, lambda: notices.scroll_offset.y == 21)
        assert app.rows("#notices") == read


async def test_only_lines_that_changed_are_painted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Shown()
    async with app.run_test(size=(46, 18)) as pilot:
        state = live_state([full_sample()])
        app.show(state)
        hosts = app.query_one("#hosts", LineView)
        await until(pilot, lambda: hosts.size.height > 5)
        refreshed: list[int] = []
        monkeypatch.setattr(hosts, "refresh_line", refreshed.append)
        app.show(state)
        assert refreshed == []
        state.apply(event(full_sample(at=NOW + 1000, disk=50)), NOW + 1000)
        app.show(state, NOW + 1000)
        assert [hosts.lines[y][0].text.strip() for y in refreshed] == ["disk"]


async def test_lines_can_be_copied() -> None:
    app = Shown()
    async with app.run_test(size=(46, 18)) as pilot:
        state = live_state()
        state.apply(event(Notice("漢字 works", "info", "x"), 1, "notice"), NOW)
        app.show(state)
        notices = app.query_one(NoticeList)
        await until(pilot, lambda: "漢字" in app.rows("#notices")[0])
        row = notices.region.offset + Offset(0, 1)
        await pilot.mouse_down(offset=row + Offset(13, 0))
        await pilot.hover(offset=row + Offset(17, 0))
        await pilot.hover(offset=row + Offset(19, 0))
        await pilot.mouse_up(offset=row + Offset(19, 0))
        await until(pilot, lambda: bool(app.screen.get_selected_text()))
        copied = app.screen.get_selected_text()
        assert copied
        assert copied.startswith("字 w")
        marked = app.screen.get_component_rich_style("screen--selection").bgcolor
        line = notices.render_line(0)
        assert "".join(text for text, style, _ in line if style and style.bgcolor == marked) == copied
        assert line.cell_length == notices.size.width
