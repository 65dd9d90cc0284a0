"""The lens as pictures: both flows, unfolded, paused, explained, and over the whole screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.app import App

from tests.tui.lens_records import chat, stream, stream_head, upgrade
from tests.tui.lens_stage import LensStage, chat_passes, opened, painted, stream_passes
from tests.tui.stage import Stage

SIZES = [(80, 24), (120, 36), (200, 50)]
Snapshot = Callable[[App[int], str], None]

at_every_size = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


@at_every_size
async def test_both_lenses(stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with stage(size) as on:
        await on.live()
        panel = await opened(on)
        chat_passes(on)
        await painted(on, panel)
        if not on.room.split:
            screen_snapshot(on.app, "lens-websocket")
        panel = await opened(on, "status")
        stream_passes(on)
        await painted(on, panel)
        on.room.tick()
        await on.pilot.pause()
        screen_snapshot(on.app, "lens-sse" if not on.room.split else "lens-both")


@at_every_size
async def test_unfolded(stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with stage(size) as on:
        await on.live()
        panel = await opened(on)
        for record in chat()[:1]:
            on.chat.watch.tell(record)
        await painted(on, panel)
        await on.press("enter")
        await painted(on, panel)
        screen_snapshot(on.app, "lens-unfolded")


@at_every_size
async def test_paused_and_filtered(stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with stage(size) as on:
        await on.live()
        panel = await opened(on)
        chat_passes(on)
        await on.press("t", "space")
        chat_passes(on)
        await on.press("f", *"main", "enter")
        await painted(on, panel)
        screen_snapshot(on.app, "lens-paused")


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_legends(stage: type[Stage], size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with stage(size) as on:
        await on.live()
        for pane in ("chat", "status"):
            await opened(on, pane)
            await on.press("f1")
            await on.shows("§")
            screen_snapshot(on.app, f"lens-legend-{pane}")
            await on.press("escape")


@at_every_size
async def test_inspecting_a_websocket(size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with LensStage(size) as on:
        await on.passes(*upgrade("pushtui.v1.msgpack"), *chat()[:10])
        await on.pilot.press("up", "up", "up", "enter")
        await painted(on, on.panel)
        screen_snapshot(on.app, "inspect-websocket")


@at_every_size
async def test_an_event_stream_is_lost(size: tuple[int, int], screen_snapshot: Snapshot) -> None:
    async with LensStage(size, "http://127.0.0.1:8765/status", sends=False) as on:
        await on.passes(*stream_head(), *stream())
        screen_snapshot(on.app, "inspect-lost")


@pytest.mark.parametrize("theme", ["pushtui-day", "ansi-dark"])
async def test_other_colours(stage: type[Stage], theme: str, screen_snapshot: Snapshot) -> None:
    async with stage((120, 36)) as on:
        on.app.theme = theme
        await on.live()
        panel = await opened(on)
        chat_passes(on)
        await painted(on, panel)
        await on.press("up", "up", "up", "up", "up", "enter")
        await painted(on, panel)
        screen_snapshot(on.app, f"lens-{theme}")
