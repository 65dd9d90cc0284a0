"""The duel's screen, told by hand how the duel stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from msgspec import structs
from textual.app import App

from pushtui.duel.contender import DuelError
from pushtui.duel.standing import Answer, Carried, Lane, Latency, Phase, Recovery, Standing, Step
from pushtui.exits import Exit
from tui.duel.app import DuelApp, Show
from tui.duel.columns import columns, curve

SIZES = [(80, 24), (120, 36), (200, 50)]
Snapshot = Callable[[App[int], str], None]

at_every_size = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


def lane_at(phase: Phase, lane: Lane, answer: Answer) -> Lane:
    """The lane as it was before it was over."""
    if phase is Phase.OVER:
        return structs.replace(lane, lost=0, answer=answer)
    return lane


def steps(wait: float, how: str, place: str, missed: int) -> list[Step]:
    back = wait * 1000
    return [
        Step(0, "the link is cut"),
        Step(2, f"the server hung up; back in {wait:.1f} s ({how})"),
        Step(back, "connects again"),
        Step(back + 22, f"{place}: caught_up"),
        Step(back + 23, f"{missed} missed, all replayed"),
    ]


def latencies(base: float, said: int, wait: float) -> list[float]:
    """A steady hum, and the slope of those that were missed."""
    missed = range(said // 2, said // 2 + round(wait * 15))
    return [
        max(base, wait * 1000 - (number - missed.start) * 66) if number in missed else base + number % 7
        for number in range(said)
    ]


def standing(phase: Phase = Phase.OVER, said: int = 300) -> Standing:
    """One duel, half way or over."""
    full = phase is Phase.OVER
    lanes = [
        lane_at(
            phase,
            Lane(
                transport="websocket",
                link="live",
                heard=said,
                useful_bytes=150 * said,
                carried=Carried(733, 1164 + 317 * said, 2),
                opening=Carried(351, 822, 1),
                overhead_bytes=167.2,
                requests=2,
                latency=Latency(2.9, 13.6, 17.4),
                latencies_ms=latencies(2.5, said, 1.1),
                recovery=Recovery(
                    steps(1.1, "its own backoff", "hello with its position", 17),
                    1123,
                    17,
                    Carried(362, 6218, 1),
                ),
            ),
            Answer(True, 111, 0, 4.2),
        ),
        lane_at(
            phase,
            Lane(
                transport="sse",
                link="live" if full else "lost",
                heard=said if full else said // 2,
                useful_bytes=150 * (said if full else said // 2),
                carried=Carried(426, 638 + 359 * said, 2),
                opening=Carried(199, 317, 1),
                overhead_bytes=208.6,
                requests=2,
                latency=Latency(3.1, 14.1, 18.0),
                latencies_ms=latencies(3.1, said if full else said // 2, 2.9),
                recovery=Recovery(
                    steps(2.9, "the server's retry", "GET with Last-Event-ID", 44)[: None if full else 2],
                    2923 if full else None,
                    44 if full else 0,
                    Carried(227, 16_321, 1),
                ),
            ),
            Answer(False, 273, 209, 9.9),
        ),
        lane_at(
            phase,
            Lane(
                transport="polling",
                link="live" if full else "connecting",
                heard=said if full else said // 2,
                useful_bytes=150 * (said if full else said // 2),
                carried=Carried(190 * said, 600 + 570 * said, 2),
                opening=Carried(180, 272, 1),
                overhead_bytes=634.4,
                requests=285 if full else 151,
                latency=Latency(5.6, 18.8, 21.0),
                latencies_ms=latencies(5.0, said if full else said // 2, 1.1),
                recovery=Recovery(
                    steps(1.1, "its own backoff", "GET with after=position", 17)[: None if full else 3],
                    1123 if full else None,
                    17 if full else 0,
                    Carried(189, 5629, 1),
                ),
            ),
            Answer(False, 281, 209, 11.2),
        ),
    ]
    return Standing("127.0.0.1:8765", "duel-1a2b3c4d", phase, 300, 150, 15.0, said, lanes)


@asynccontextmanager
async def screen(
    told: Standing | None, size: tuple[int, int], *, over: bool = False
) -> AsyncIterator[tuple[DuelApp, Callable[[str], Awaitable[None]]]]:
    """The app on a duel that stands so; it goes on for ever, or is over."""

    async def play(show: Show) -> Standing:
        if told is not None:
            show(lambda: told)
        if over and told is not None:
            return told
        await asyncio.Event().wait()
        raise AssertionError

    app = DuelApp(play)
    async with app.run_test(size=size) as pilot:

        async def shows(text: str) -> None:
            async with asyncio.timeout(10):
                while text not in painted(app):
                    await pilot.pause()

        if told is not None:
            await shows("messages of 150 bytes")
        yield app, lambda key: pilot.press(key)


def painted(app: DuelApp) -> str:
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


@at_every_size
async def test_while_it_is_on(screen_snapshot: Snapshot, size: tuple[int, int]) -> None:
    async with screen(standing(Phase.TALKING, 167), size) as (app, _):
        assert "talking 167/300" in painted(app)
        screen_snapshot(app, "duel")


@at_every_size
async def test_when_it_is_over(screen_snapshot: Snapshot, size: tuple[int, int]) -> None:
    async with screen(standing(), size, over=True) as (app, _):
        text = painted(app)
        assert "Cheapest, 167 bytes beside each message" in text
        assert "web page does" in text
        screen_snapshot(app, "duel-over")


async def test_from_the_table_to_the_columns_and_back() -> None:
    async with screen(standing(), (120, 36), over=True) as (app, press):
        assert "answered over" in painted(app)
        await press("t")
        assert "the link is cut" in painted(app)
        assert "answered over" not in painted(app)
        await press("t")
        assert "answered over" in painted(app)


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
async def test_it_is_left_at_once(key: str) -> None:
    async with screen(standing(Phase.TALKING, 20), (80, 24)) as (app, press):
        await press(key)
    assert app.return_value == Exit.FINE
    assert app.result is None
    assert not app.is_running


async def test_before_it_begins() -> None:
    async with screen(None, (80, 24)) as (app, _):
        assert "the duel begins" in painted(app)


async def test_what_keeps_it_from_taking_place_ends_it() -> None:
    async def play(_: Show) -> Standing:
        raise DuelError("no server at nowhere:1")

    app = DuelApp(play)
    async with app.run_test(size=(80, 24)) as pilot, asyncio.timeout(10):
        while app.error is None:
            await pilot.pause()
    assert str(app.error) == "no server at nowhere:1"


@pytest.mark.parametrize("size", [(1, 1), (10, 3), (24, 10), (40, 12)])
async def test_on_a_small_terminal(size: tuple[int, int]) -> None:
    for told in (standing(Phase.TALKING, 100), standing()):

        async def play(show: Show, now: Standing = told) -> Standing:
            show(lambda: now)
            return now

        app = DuelApp(play)
        async with app.run_test(size=size) as pilot, asyncio.timeout(10):
            while app.result is None:
                await pilot.pause()
            await pilot.pause()


def test_the_curve_is_as_wide_as_the_duel_is_long() -> None:
    upper, lower = curve([0.1] * 150, 300, 20)
    assert (upper, lower) == (" " * 20, "▁" * 10 + " " * 10)
    upper, lower = curve([0.1, 10_000.0, 0.1, 0.1], 4, 2)
    assert (upper, lower) == ("█ ", "█▁")
    assert curve([], 300, 5) == ["     ", "     "]


def test_columns_are_all_of_one_width() -> None:
    for width in (70, 78, 118, 198):
        drawn = columns(standing(), width, 30)
        assert len(drawn) <= 30
        assert len({line.cell_length for line in drawn}) == 1
