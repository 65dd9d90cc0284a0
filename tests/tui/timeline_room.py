"""A timeline on a screen of its own, for tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

import pytest
from textual.app import App, ComposeResult
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


async def drag(pilot: Pilot[Any], start: tuple[int, int], end: tuple[int, int]) -> str | None:
    await pilot.mouse_down(Timeline, offset=start)
    await pilot.hover(Timeline, offset=end)
    await pilot.mouse_up(Timeline, offset=end)
    await pilot.pause()
    return pilot.app.screen.get_selected_text()
