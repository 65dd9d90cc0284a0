"""The whole app with scripted clients and a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from textual._context import visible_screen_stack

from pushtui.client.address import Address
from pushtui.client.happenings import Link, LinkState
from pushtui.protocol.messages import Member
from tests.tui.scripted import Cast, HandClock, ScriptedChat, ScriptedStatus
from tui.app import PushtuiApp
from tui.clients import Clients
from tui.keyring import Keyring
from tui.screens.room import RoomScreen
from tui.widgets.composer import Composer
from tui.widgets.pane_head import PaneHead

_PATIENCE_SECONDS = 10
ADDRESS = Address.parse("http://127.0.0.1:8765")


class Stage:
    """Opens an app for the length of a ``with`` block.

    Args:
        size: columns and rows.
        address: as the command line gives it; None asks.
        nick: likewise.
        room: likewise.
        clients: instead of scripted ones.
        keyring: the tokens that are there from the beginning.
    """

    kept_at: Path

    def __init__(
        self,
        size: tuple[int, int] = (110, 20),
        *,
        address: Address | None = ADDRESS,
        nick: str | None = "ana",
        room: str = "main",
        clients: Clients | None = None,
        keyring: Keyring | None = None,
    ) -> None:
        self.cast = Cast()
        self.clock = HandClock()
        self.keyring = keyring or Keyring()
        self.app = PushtuiApp(
            address,
            nick,
            room,
            clients=clients or self.cast.clients,
            keyring=self.keyring,
            clock=self.clock.clock,
            kept_at=self.kept_at,
        )
        self._size = size
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.pilot = await self._exits.enter_async_context(self.app.run_test(size=self._size, notifications=True))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exits.aclose()

    # What a test does

    async def live(
        self,
        *,
        topic: str = "",
        members: list[Member] | None = None,
        floor: int | None = None,
        role: str = "member",
        read_only: bool = False,
    ) -> None:
        """Both links come up."""
        await self.until(lambda: self.cast.chats and self.cast.statuses)
        self.chat.welcome(topic=topic, members=members, floor=floor, role=role, read_only=read_only)
        self.chat.caught_up()
        self.status.live()
        await self.until(lambda: self.text.count("◉ live") == (2 if self.room.split else 1))

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def write(self, text: str) -> None:
        """Write a line in the composer, and press Enter."""
        self.composer.focus()
        self.composer.load_text(text)
        await self.pilot.press("enter")

    async def resize(self, columns: int, rows: int) -> None:
        await self.pilot.resize_terminal(columns, rows)
        await self.until(lambda: self.app.size == (columns, rows))

    async def second(self) -> None:
        """A second goes by, after all that was told has been heard."""
        await self.until(lambda: self.chat.idle and self.status.idle)
        self.clock.advance(1)
        self.room.tick()
        await self.pilot.pause()

    async def lose(self, reason: str = "the server hung up", retry_in: float = 4.0) -> None:
        """Both links are lost."""
        link = Link(LinkState.LOST, reason, retry_in=retry_in, attempt=2)
        self.chat.tell(link)
        self.status.tell(link)
        await self.until(lambda: "○ lost" in self.text)

    # What a test looks at

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the app work until the condition holds."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"it never came to hold; the screen:\n{self.text}"
            await self.pilot.pause()
            await asyncio.sleep(0)
        await self.pilot.pause()

    async def shows(self, text: str) -> None:
        await self.until(lambda: text in self.text)

    async def hides(self, text: str) -> None:
        await self.until(lambda: text not in self.text)

    @property
    def text(self) -> str:
        """The screen as characters, one line for each row."""
        visible_screen_stack.set(self.app._background_screens)  # else what is behind a dialogue is lost
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    def line(self, number: int) -> str:
        return self.text.split("\n")[number]

    @property
    def room(self) -> RoomScreen:
        return next(screen for screen in self.app.screen_stack if isinstance(screen, RoomScreen))

    @property
    def composer(self) -> Composer:
        return self.room.query_one(Composer)

    @property
    def chat(self) -> ScriptedChat:
        return self.cast.chat

    @property
    def status(self) -> ScriptedStatus:
        return self.cast.status

    def head(self, pane: str) -> str:
        """Both head lines of ``chat`` or ``status``."""
        head = self.room.query_one(f"#{pane}").query_one(PaneHead)
        return str(head.render())
