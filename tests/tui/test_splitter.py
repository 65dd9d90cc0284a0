from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.pilot import Pilot
from textual.widgets import Static

from tui.widgets.splitter import DEFAULT_RATIO, LEAST_COLUMNS, Splitter, clamped_ratio, widths


class Halves(App[None]):
    CSS = "#left, #right { min-width: 24; height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.moves: list[float] = []

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(id="left")
            yield Splitter()
            yield Static(id="right")

    def on_mount(self) -> None:
        self.share(DEFAULT_RATIO)

    def on_splitter_moved(self, message: Splitter.Moved) -> None:
        assert message.control is self.query_one(Splitter)
        self.moves.append(message.ratio)
        self.share(message.ratio)

    def share(self, ratio: float) -> None:
        left, right = widths(ratio)
        self.query_one("#left").styles.width = left
        self.query_one("#right").styles.width = right

    def has_widths(self, left: int, right: int) -> bool:
        return self.widths == (left, right)

    @property
    def widths(self) -> tuple[int, int]:
        return self.query_one("#left").size.width, self.query_one("#right").size.width


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    for _ in range(200):
        await pilot.pause()
        if holds():
            return
    raise AssertionError(f"it never came to hold: {pilot.app.screen.size}")


@given(st.floats(-1, 2), st.integers(0, 400))
def test_each_side_keeps_its_least_columns(ratio: float, columns: int) -> None:
    left = clamped_ratio(ratio, columns) * columns
    if columns >= 2 * LEAST_COLUMNS:
        assert LEAST_COLUMNS - 1e-9 <= left <= columns - LEAST_COLUMNS + 1e-9
    else:
        assert left == columns / 2


async def test_keys_move_it_by_one_and_by_eight() -> None:
    app = Halves()
    async with app.run_test(size=(121, 20)) as pilot:
        app.query_one(Splitter).focus()
        await until(pilot, lambda: app.widths == (72, 48))
        for key, left in [("left", 71), ("right", 72), ("right", 73), ("shift+left", 65), ("shift+right", 73)]:
            await pilot.press(key)
            await until(pilot, partial(app.has_widths, left, 120 - left))
        await pilot.press("equals_sign")
        await until(pilot, lambda: app.widths == (72, 48))
        assert app.moves[-1] == DEFAULT_RATIO


@pytest.mark.parametrize("columns", [100, 137, 200])
async def test_every_column_can_be_reached_by_key(columns: int) -> None:
    app = Halves()
    async with app.run_test(size=(columns, 10)) as pilot:
        app.query_one(Splitter).focus()
        await until(pilot, lambda: app.widths[0] > 0)
        before = app.widths[0]
        for step in range(1, 5):
            await pilot.press("right")
            await until(pilot, partial(app.has_widths, before + step, columns - 1 - before - step))


async def test_it_stops_at_both_ends_and_says_nothing_there() -> None:
    app = Halves()
    async with app.run_test(size=(100, 20)) as pilot:
        app.query_one(Splitter).focus()
        for _ in range(12):
            await pilot.press("shift+left")
        await until(pilot, lambda: app.widths == (24, 75))
        told = len(app.moves)
        await pilot.press("shift+left", "left")
        await pilot.pause()
        assert len(app.moves) == told
        for _ in range(12):
            await pilot.press("shift+right")
        await until(pilot, lambda: app.widths == (75, 24))


async def test_it_follows_the_mouse_while_it_is_held() -> None:
    app = Halves()
    async with app.run_test(size=(121, 20)) as pilot:
        splitter = app.query_one(Splitter)
        await until(pilot, lambda: app.widths == (72, 48))
        await pilot.hover(offset=(40, 5))
        assert not app.moves
        await pilot.mouse_down(Splitter)
        assert splitter.has_class("-dragged")
        for x in (60, 44):
            await pilot.hover(offset=(x, 5))
            await until(pilot, partial(app.has_widths, x, 120 - x))
        await pilot.mouse_up(offset=(44, 5))
        await until(pilot, lambda: not splitter.has_class("-dragged"))
        await pilot.hover(offset=(90, 5))
        await pilot.pause()
        assert app.widths == (44, 76)


async def test_a_double_click_restores() -> None:
    app = Halves()
    async with app.run_test(size=(121, 20)) as pilot:
        app.query_one(Splitter).focus()
        await pilot.press("shift+left")
        await until(pilot, lambda: app.widths == (64, 56))
        await pilot.double_click(Splitter)
        await until(pilot, lambda: app.widths == (72, 48))


async def test_the_ratio_outlives_the_size_of_the_terminal() -> None:
    app = Halves()
    async with app.run_test(size=(121, 20)) as pilot:
        app.query_one(Splitter).focus()
        for _ in range(4):
            await pilot.press("shift+right")
        await until(pilot, lambda: app.widths == (96, 24))
        await pilot.resize_terminal(81, 20)
        await until(pilot, lambda: sum(app.widths) == 80)
        assert app.widths == (56, 24)
        await pilot.resize_terminal(201, 20)
        await until(pilot, lambda: sum(app.widths) == 200)
        assert app.widths == (160, 40)


async def test_it_is_one_line_from_top_to_bottom() -> None:
    app = Halves()
    async with app.run_test(size=(121, 7)) as pilot:
        splitter = app.query_one(Splitter)
        await until(pilot, lambda: splitter.size.height == 7)
        assert {splitter.render_line(y).text for y in range(7)} == {"┃"}
