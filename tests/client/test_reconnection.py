import asyncio
from collections.abc import Awaitable, Callable

import pytest

from pushtui.client.backoff import Backoff
from pushtui.client.clock import SystemClock
from pushtui.client.endings import Ending
from pushtui.client.happenings import Link, LinkState
from pushtui.client.reconnection import Reconnection
from tests.client.peers import FakeClock

LOST = Ending(LinkState.LOST, "the server hung up")
GONE = Ending(LinkState.LOST, "no server", answered=False)
OVER = Ending(LinkState.CLOSED, "over")


class Sessions:
    """Sessions as a list of how each one ends, and how long it was live before (None: never)."""

    def __init__(self, *sessions: tuple[float | None, Ending], chance: float = 0.0) -> None:
        self.clock = FakeClock()
        self.links: list[Link] = []
        self._sessions = iter(sessions)
        self.reconnection = Reconnection(
            self._session, self.links.append, Backoff(chance=lambda: chance), self.clock
        )

    async def _session(self) -> Ending:
        lasted, ending = next(self._sessions)
        if lasted is not None:
            self.reconnection.live()
            self.clock.time += lasted
        return ending


async def test_all_states_of_a_link() -> None:
    sessions = Sessions((None, GONE), (7, LOST), (None, OVER), chance=1.0)
    await sessions.reconnection.run()
    assert sessions.links == [
        Link(LinkState.CONNECTING),
        Link(LinkState.LOST, "no server", 0.5, 2),
        Link(LinkState.CONNECTING, attempt=2),
        Link(LinkState.LIVE, attempt=2, down_for=0.5),
        Link(LinkState.LOST, "the server hung up", 0.5, 1),
        Link(LinkState.CONNECTING),
        Link(LinkState.CLOSED, "over"),
    ]
    assert sessions.reconnection.link == sessions.links[-1]


async def test_the_first_link_was_never_down() -> None:
    sessions = Sessions((1, OVER))
    await sessions.reconnection.run()
    assert Link(LinkState.LIVE) in sessions.links


async def test_a_server_that_hangs_up_at_once_is_tried_ever_less() -> None:
    sessions = Sessions(*[(0.0, LOST)] * 100, (None, OVER), chance=0.5)
    await sessions.reconnection.run()
    waits = sessions.clock.waited
    assert len(waits) == 100
    assert min(waits) >= 1
    assert waits[:4] == [1.25, 1.5, 2, 3]
    assert waits[-1] == 16


async def test_even_without_luck_it_is_tried_less_than_once_a_second() -> None:
    sessions = Sessions(*[(4.9, LOST)] * 5, *[(None, LOST)] * 5, (None, OVER), chance=0.0)
    await sessions.reconnection.run()
    assert min(sessions.clock.waited) >= 1


async def test_a_session_that_lasted_begins_anew() -> None:
    sessions = Sessions((None, GONE), (None, GONE), (5, LOST), (None, GONE), (None, OVER), chance=1.0)
    await sessions.reconnection.run()
    assert sessions.clock.waited == [0.5, 1, 0.5, 1]
    lost = [link.attempt for link in sessions.links if link.state is LinkState.LOST]
    assert lost == [2, 3, 1, 2]


async def test_what_the_server_asks_for_is_waited_for() -> None:
    sessions = Sessions((9, LOST._replace(told=7)), (None, GONE._replace(told=2)), (None, OVER), chance=1.0)
    await sessions.reconnection.run()
    assert sessions.clock.waited == [7.5, 3]


async def test_time_without_a_link_counts_from_the_first_loss() -> None:
    sessions = Sessions((9, LOST), (None, GONE), (9, OVER), chance=1.0)
    await sessions.reconnection.run()
    assert [link.down_for for link in sessions.links if link.state is LinkState.LIVE] == [None, 1.5]


async def test_to_come_back_at_once_is_no_loss() -> None:
    sessions = Sessions((9, Ending(LinkState.CONNECTING, "")), (None, OVER))
    await sessions.reconnection.run()
    assert sessions.clock.waited == []
    assert [link.state for link in sessions.links] == ["connecting", "live", "connecting", "closed"]


async def test_a_refusal_is_the_end() -> None:
    sessions = Sessions((None, Ending(LinkState.REFUSED, "the nick is taken", 4502)), (None, OVER))
    await sessions.reconnection.run()
    assert sessions.links[-1] == Link(LinkState.REFUSED, "the nick is taken", code=4502)
    sessions.reconnection.close()
    assert sessions.links[-1].state is LinkState.REFUSED


async def test_a_wait_can_be_skipped() -> None:
    ends = iter([GONE, GONE, OVER])

    async def session() -> Ending:
        return next(ends)

    def report(link: Link) -> None:
        if link.state is LinkState.LOST:
            reconnection.retry_now()

    backoff = Backoff(initial=10_000, cap=10_000, chance=lambda: 1.0)
    reconnection = Reconnection(session, report, backoff, SystemClock())
    await asyncio.wait_for(reconnection.run(), 10)
    assert reconnection.link.state is LinkState.CLOSED


async def test_a_wait_ends_by_itself() -> None:
    ends = iter([GONE, OVER])

    async def session() -> Ending:
        return next(ends)

    reconnection = Reconnection(session, lambda link: None, Backoff(initial=0.01), SystemClock())
    await asyncio.wait_for(reconnection.run(), 10)


async def test_skipping_while_nothing_waits_skips_nothing_later() -> None:
    sessions = Sessions((None, GONE), (None, OVER), chance=1.0)
    sessions.reconnection.retry_now()
    waits: list[bool] = []
    wait: Callable[[asyncio.Event, float | None], Awaitable[None]] = sessions.clock.wait

    async def watched(event: asyncio.Event, seconds: float | None) -> None:
        waits.append(event.is_set())
        await wait(event, seconds)

    sessions.clock.wait = watched  # type: ignore[method-assign]
    await sessions.reconnection.run()
    assert waits == [False]


async def test_a_fault_of_our_own_is_a_loss(caplog: pytest.LogCaptureFixture) -> None:
    tries = iter([ZeroDivisionError("x"), None])

    async def session() -> Ending:
        error = next(tries)
        if error is not None:
            raise error
        return OVER

    links: list[Link] = []
    await Reconnection(session, links.append, Backoff(chance=lambda: 0.0), FakeClock()).run()
    assert links[1].reason == "a fault in pushtui (ZeroDivisionError)"
    assert "a session failed" in caplog.text
