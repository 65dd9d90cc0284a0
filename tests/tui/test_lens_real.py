"""The lens on real links to a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from pushtui.client.inspection import Asking, Inspection, Target
from pushtui.wire.player import play
from pushtui.wire.recording import Recording
from pushtui.wire.records import Beginning, Dispatch, Frame, Line, Record, Request, Response
from tests.tui.lens_stage import opened
from tests.tui.stage import Stage
from tests.tui.test_app_real import Server
from tui.clients import real_clients
from tui.lens.app import LensApp
from tui.lens.save import save


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    server = Server(tmp_path / "data")
    yield server
    await server.stop()


def passed(on: Stage, pane: str) -> list[Record]:
    lens = (on.room.chat if pane == "chat" else on.room.status).lens
    return [] if lens.panel is None else list(lens.panel.capture.records)


async def test_both_lenses_show_what_passes(server: Server, stage: type[Stage]) -> None:
    address = await server.start()
    async with stage((140, 40), address=address, clients=real_clients()) as on:
        await on.until(lambda: on.text.count("◉ live") == 2)
        await opened(on)
        await on.shows("✓ as answered")
        await on.press("tab")
        await on.write("seen on the wire")
        await on.until(
            lambda: (
                sum(b"seen on" in record.payload for record in passed(on, "chat") if isinstance(record, Frame))
                == 2
            )
        )
        frames = [record for record in passed(on, "chat") if isinstance(record, Frame)]
        said = [frame for frame in frames if b"seen on the wire" in frame.payload]
        assert {frame.direction for frame in said} == {"up", "down"}
        assert all((frame.mask is not None) == (frame.direction == "up") for frame in frames)
        await opened(on, "status")
        await on.until(lambda: any(isinstance(record, Dispatch) for record in passed(on, "status")))
        assert [type(record) for record in passed(on, "status")[:2]] == [Request, Response]
        assert any(
            isinstance(record, Line) and record.line.startswith(b"data:") for record in passed(on, "status")
        )


async def test_a_server_that_comes_back_is_asked_with_the_last_event_id(
    server: Server, stage: type[Stage]
) -> None:
    address = await server.start()
    async with stage((140, 40), address=address, clients=real_clients()) as on:
        await on.until(lambda: on.text.count("◉ live") == 2 and "…" in on.head("status"))
        await opened(on, "status")
        await server.stop()
        await on.shows("no link")
        await server.start()
        await on.until(lambda: sum(isinstance(record, Request) for record in passed(on, "status")) >= 2)
        again = [record for record in passed(on, "status") if isinstance(record, Request)][-1]
        assert "Last-Event-ID" in [name for name, _ in again.headers]


async def test_inspected_saved_and_played_again(server: Server, tmp_path: Path) -> None:
    address = await server.start()
    inspection = Inspection(Target.parse(f"{address.http}/status"), Asking(), once=True)
    app = LensApp(inspection.records, f"{address.http}/status")
    async with AsyncExitStack() as exits:
        pilot = await exits.enter_async_context(app.run_test(size=(100, 30)))
        await until(lambda: any(isinstance(one, Dispatch) for one in app._panel.capture.records), pilot.pause)
        records = list(app._panel.capture.records)
    path = save(str(tmp_path / "status.jsonl"), Beginning("sse", f"{address.http}/status", 0), records)

    async def played() -> AsyncIterator[Record]:
        with path.open("rb") as source:
            async for record in play(Recording(source), Instantly()):
                yield record

    again = LensApp(played, "status.jsonl")
    async with again.run_test(size=(100, 30)) as pilot:
        await until(lambda: len(again._panel.capture.records) == len(records), pilot.pause)
        rounded = [(type(one), round(one.at, 6)) for one in records]
        assert [(type(one), one.at) for one in again._panel.capture.records] == rounded


class Instantly:
    """A clock by which everything is late."""

    def now(self) -> float:
        return 0.0

    async def wait(self, event: asyncio.Event, seconds: float | None) -> None:
        return


async def until(condition: Callable[[], object], pause: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            pausing = pause()
            if asyncio.iscoroutine(pausing):
                await pausing
            await asyncio.sleep(0)
