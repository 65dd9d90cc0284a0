"""Opens the lens of a pane, or over the whole screen, on records of a test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack
from typing import Self

from textual._context import visible_screen_stack
from textual.widgets import Input

from pushtui.wire.records import Record
from pushtui.wire.watch import NotSentError, Watch
from tests.tui.lens_records import chat, stream, stream_head, upgrade
from tests.tui.scripted import HandClock
from tests.tui.stage import Stage
from tui.lens.app import LensApp
from tui.lens.panel import LensPanel
from tui.lens.send_line import SendLine

_PATIENCE_SECONDS = 10


def pass_over(watch: Watch, handshake: Iterable[Record], rest: Iterable[Record]) -> None:
    """Let records pass, the handshake as a client tells it."""
    for record in handshake:
        watch.handshake(record)  # type: ignore[arg-type]
    for record in rest:
        watch.tell(record)


def chat_passes(on: Stage) -> None:
    pass_over(on.chat.watch, upgrade(), chat())


def stream_passes(on: Stage) -> None:
    pass_over(on.status.watch, stream_head(), stream())


async def opened(on: Stage, pane: str = "chat") -> LensPanel:
    """F2 in that pane."""
    if on.room._active != pane:
        await on.press("f6")
    await on.press("f2")
    which = on.room.chat if pane == "chat" else on.room.status
    await on.until(lambda: which.lens.panel is not None and which.lens.panel.view.has_focus)
    assert which.lens.panel is not None
    return which.lens.panel


def told(on: Stage | LensStage) -> str:
    """The sentence that is shown for a while."""
    return "\n".join(note.message for note in on.app._notifications)


async def painted(on: Stage | LensStage, panel: LensPanel) -> None:
    """All that has passed is on the screen."""
    panel._drain.now()
    await on.pilot.pause()
    await on.until(lambda: panel.view._layout_of_rows.columns.width == panel.view._width)
    panel._drain.now()
    await on.pilot.pause()


class LensStage:
    """The lens over the whole screen for a ``with`` block. What `passes` is told, its source yields."""

    def __init__(
        self, size: tuple[int, int] = (100, 30), title: str = "ws://127.0.0.1:8765/chat", *, sends: bool = True
    ) -> None:
        self.clock = HandClock()
        self.sources: list[asyncio.Queue[Record | Exception | None]] = []
        self.ended = 0
        self.sent: list[str | bytes] = []
        self.refused = ""
        self.app = LensApp(self._source, title, self._send if sends else None, clock=self.clock.clock)
        self._size = size
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.pilot = await self._exits.enter_async_context(self.app.run_test(size=self._size, notifications=True))
        await self.until(lambda: self.sources)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exits.aclose()

    async def passes(self, *records: Record | Exception | None) -> None:
        """They pass over the present source; None is its end."""
        for record in records:
            self.sources[-1].put_nowait(record)
        await self.until(lambda: self.sources[-1].empty())
        await painted(self, self.panel)

    async def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"it never came to hold; the screen:\n{self.text}"
            await self.pilot.pause()
            await asyncio.sleep(0)
        await self.pilot.pause()

    async def shows(self, text: str) -> None:
        await self.until(lambda: text in self.text)

    async def press_in_line(self, text: str) -> None:
        """Write it where one sends, and press Enter."""
        field = self.app.query_one(SendLine).query_one(Input)
        field.value = text
        field.focus()
        await self.pilot.press("enter")

    @property
    def panel(self) -> LensPanel:
        return self.app.query_one(LensPanel)

    @property
    def text(self) -> str:
        visible_screen_stack.set(self.app._background_screens)
        return "\n".join(strip.text.rstrip() for strip in self.app.screen._compositor.render_strips())

    async def _source(self) -> AsyncIterator[Record]:
        told: asyncio.Queue[Record | Exception | None] = asyncio.Queue()
        self.sources.append(told)
        try:
            while (record := await told.get()) is not None:
                if isinstance(record, Exception):
                    raise record
                yield record
        finally:
            self.ended += 1

    async def _send(self, message: str | bytes) -> None:
        if self.refused:
            raise NotSentError(self.refused)
        self.sent.append(message)
