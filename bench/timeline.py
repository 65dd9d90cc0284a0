"""What one more message costs when 20 000 are held: reducing, laying out, painting."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator

from textual.app import App, ComposeResult

from bench.measured import Measured
from pushtui.client.happenings import RoomEvent
from pushtui.protocol.bodies import Message
from pushtui.protocol.limits import LIMITS
from pushtui.protocol.messages import RoomState, Welcome, You
from tui.state.chat import ChatState
from tui.widgets.timeline import Timeline

_HELD = 20_000
_MORE = 200
_PEOPLE = ("ana", "ben", "cyd", "dora")
_TEXT = "p99 is back to 80 ms on the checkout, the rollback of v1.4 did it; see https://grafana.example/d/7"
_MINUTE_MS = 60_000


class _Screen(App[None]):
    def compose(self) -> ComposeResult:
        yield Timeline("")


def measure() -> Iterator[Measured]:
    """At 120 columns, with the newest messages in sight and with the reader scrolled up."""
    yield from asyncio.run(_measure())


async def _measure() -> list[Measured]:
    app = _Screen()
    async with app.run_test(size=(120, 36)) as pilot:
        state = ChatState("ana")
        room = RoomState("main", "aaaaaaaa", 0, 1, "", [])
        state.apply(Welcome("bench", "0", You("ana", "member"), LIMITS, [room]), 0)
        for seq in range(1, _HELD + 1):
            state.apply(_event(seq), 0)
        timeline = app.query_one(Timeline)
        timeline.show(state.rooms["main"])
        await pilot.pause()
        following = await _more(pilot.pause, state, timeline, _HELD)
        timeline.scroll_to(y=timeline.max_scroll_y // 2, animate=False)
        await pilot.pause()
        scrolled = await _more(pilot.pause, state, timeline, _HELD + _MORE)
    return [
        Measured(f"one more message at {_HELD} held, painted", following, "ms", 15),
        Measured("the same, scrolled up", scrolled, "ms", 15),
    ]


async def _more(settle: Callable[[], Awaitable[None]], state: ChatState, timeline: Timeline, seq: int) -> float:
    costs = []
    for number in range(1, _MORE + 1):
        began = time.process_time()
        state.apply(_event(seq + number), 0)
        timeline.sync()
        await settle()
        costs.append(1000 * (time.process_time() - began))
    return statistics.median(costs)


def _event(seq: int) -> RoomEvent:
    by = _PEOPLE[seq * 7 % len(_PEOPLE)]
    return RoomEvent("main", seq, seq * _MINUTE_MS // 3, "message", by, Message(f"{seq} {_TEXT}"))
