import asyncio

from textual.app import App
from textual.widget import Widget

from tui.widgets.drain import Drain


class Bare(App[None]):
    pass


async def test_what_comes_in_a_rush_is_painted_together() -> None:
    app = Bare()
    async with app.run_test() as pilot:
        painted: list[int] = []
        changes = 0
        done = asyncio.Event()

        def paint() -> None:
            painted.append(changes)
            if changes == 100:
                done.set()

        drain = Drain(app.screen, paint, interval=0.05)
        for _ in range(100):
            changes += 1
            drain.touch()
            await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await done.wait()
        await pilot.pause()
        assert painted[-1] == 100
        assert len(painted) <= 10


async def test_nothing_is_painted_when_nothing_changed() -> None:
    app = Bare()
    async with app.run_test() as pilot:
        painted = asyncio.Event()
        drain = Drain(app.screen, painted.set, interval=0.001)
        await pilot.pause()
        assert not painted.is_set()
        drain.touch()
        async with asyncio.timeout(10):
            await painted.wait()


async def test_what_is_wanted_at_once_takes_the_place_of_what_was_due() -> None:
    app = Bare()
    async with app.run_test() as pilot:
        painted: list[None] = []
        drain = Drain(app.screen, lambda: painted.append(None), interval=0.001)
        drain.touch()
        drain.now()
        await pilot.pause()
        await pilot.pause()
        assert len(painted) == 1


def test_a_widget_that_has_left_is_not_painted() -> None:
    drain = Drain(Widget(), lambda: None)
    drain.touch()
    assert drain._timer is None
