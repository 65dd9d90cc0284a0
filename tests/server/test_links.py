"""Links that die without a word, or for a moment: both ends notice, in time, and nothing is lost or doubled."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.log.sqlite import SqliteStore
from server.log.store import Store
from tests.server.conftest import Build, House, author, ticking_clock, timing, until
from tests.server.far_client import NICK
from tests.server.lines import Cable, Far, Line, Relay, Stopped
from tests.server.peer import Peer
from tests.server.serving import Serving

#: The server notices within a moment.
SOON = {"ping": 0.2, "pong": 0.8, "heartbeat": 0.1, "unacknowledged": 0.5, "tick": 0.02}
GRACE = 0.5


@pytest.fixture
def cable() -> Iterator[Cable]:
    with Cable.laid() as laid:
        yield laid


# A network is taken down last: who is in it could not take leave. So tests name these fixtures first.
@pytest.fixture(params=["stopped process", "relay", "cable"])
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    """Three ways for a link to go quiet."""
    match request.param:
        case "stopped process":
            yield Stopped()
        case "relay":
            yield Relay()
        case _:
            with Cable.laid() as laid:
                yield laid


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return SqliteStore(tmp_path / "log.sqlite3", clock_ms=ticking_clock())


class Talk:
    """What is said and noticed while a link is quiet, so that there is something to lose."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def on(self, count: int) -> None:
        for number in range(count):
            assert (await self._house.post(str(number))).status_code == 201
            await self._house.service.writing.notice(
                author("cron"), str(number), level="info", title=None, key=None
            )

    def seqs(self) -> list[int]:
        return list(range(1, self._house.head() + 1))


def here(house: House) -> list[str]:
    """Who is in the room, as its members see it."""
    return [member.nick for member in house.service.rooms._rooms["main"].members()]


async def hears_that_it_is_gone(observer: Peer) -> None:
    await observer.hear_of("presence", nick=NICK, state="gone")


async def test_a_quiet_link_is_found_by_both_ends(line: Line, build: Build, store: Store) -> None:
    """Then the others hear it, after the grace; and when the link works again, everything is there."""
    house = await build(store, timing=timing(**SOON, grace=GRACE), host=line.host)
    observer = await house.visit("observer", replay=0)
    talk = Talk(house)
    async with line.client(house.port) as far:
        await talk.on(3)
        await far.has("chat", talk.seqs())
        line.freeze()
        await until(lambda: len(house.service.people) == 1)
        assert here(house) == [NICK, "observer"], "others are not told before the grace is over"
        await hears_that_it_is_gone(observer)
        assert here(house) == ["observer"]
        if not line.system_answers:
            # Of an event stream nothing is heard either way; only that nothing is acknowledged.
            await until(lambda: house.service.connections.count() == {"websocket": 1})
        await talk.on(5)
        if not isinstance(line, Stopped):
            assert (await far.hears("chat", "link", state="lost"))["reason"].startswith("no answer")
            assert (await far.hears("status", "link", state="lost"))["reason"].startswith("no answer")
            far.say("said meanwhile")
        line.thaw()
        for flow in ("chat", "status") if not isinstance(line, Stopped) else ("chat",):
            await far.hears(flow, "caught up", outcome="caught_up")
        await observer.hear_of("presence", nick=NICK, state="here")
        if not isinstance(line, Stopped):
            await far.hears("chat", "stored")
            assert house.head() == 9
        await talk.on(1)
        await far.has("chat", talk.seqs())
        await far.has("status", list(range(1, 10)))


async def test_a_blip_is_seen_by_nobody(line: Line, build: Build, store: Store) -> None:
    """A link that is quiet for less than the timeouts is the same link afterwards."""
    house = await build(store, timing=timing(grace=GRACE), host=line.host)
    observer = await house.visit("observer", replay=0)
    talk = Talk(house)
    async with line.client(house.port, patient=True) as far:
        await observer.hear_of("presence", nick=NICK, state="here")
        await talk.on(2)
        await far.has("chat", talk.seqs())
        line.freeze()
        await talk.on(5)
        line.thaw()
        await talk.on(1)
        await far.has("chat", talk.seqs())
        await far.has("status", talk.seqs())
        assert far.links("chat") == far.links("status") == ["connecting", "live"]
        assert {frame["type"] for frame in await observer.barrier()} == {"event"}


async def comes_back_unnoticed(house: House, observer: Peer, far: Far) -> None:
    for flow in ("chat", "status"):
        assert (await far.hears(flow, "link", state="lost"))["reason"] == "the server hung up"
        await far.hears(flow, "caught up", outcome="caught_up")
    talk = Talk(house)
    await talk.on(2)
    await far.has("chat", talk.seqs())
    await far.has("status", talk.seqs())
    assert {frame["type"] for frame in await observer.barrier()} == {"event"}, "the grace was not over"
    assert here(house) == [NICK, "observer"]
    await house.server.stop()


async def test_a_reset_is_told_to_nobody_when_one_comes_back_within_the_grace(build: Build) -> None:
    house = await build(timing=timing(grace=1000))
    observer = await house.visit("observer", replay=0)
    relay = Relay()
    async with relay.client(house.port, patient=True) as far:
        await observer.hear_of("presence", nick=NICK, state="here")
        await Talk(house).on(3)
        await far.has("status", [1, 2, 3])
        relay.cut()
        await comes_back_unnoticed(house, observer, far)


async def test_a_reset_by_the_system_likewise(cable: Cable, build: Build) -> None:
    house = await build(timing=timing(grace=1000), host=cable.host)
    observer = await house.visit("observer", replay=0)
    async with cable.client(house.port, patient=True) as far:
        await observer.hear_of("presence", nick=NICK, state="here")
        await Talk(house).on(3)
        await far.has("status", [1, 2, 3])
        try:
            cable.reset()
        except NotImplementedError:
            pytest.skip("this system cannot end the connections of others (ss -K)")
        await comes_back_unnoticed(house, observer, far)


async def test_a_server_that_is_stopped_is_found_by_both_clients(tmp_path: Path) -> None:
    """The chat pings; the status stream is never silent for long, or is dead."""
    async with Serving.running(tmp_path, "--interval", "0.2") as serving:
        async with Far.start(f"http://127.0.0.1:{serving.port}") as far:
            far.say("before")
            await far.hears("chat", "stored")
            serving.process.send_signal(signal.SIGSTOP)
            for flow in ("chat", "status"):
                assert (await far.hears(flow, "link", state="lost"))["reason"].startswith("no answer")
            far.say("meanwhile")
            far.say("in this order")
            serving.process.send_signal(signal.SIGCONT)
            for flow in ("chat", "status"):
                await far.hears(flow, "caught up", outcome="caught_up")
            for _ in range(2):
                await far.hears("chat", "stored")
            await far.has("chat", [1, 2, 3])
            seqs = far.seqs("status")
            assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
        again = await serving.chat("reader")
        assert await again.texts(3) == ["before", "meanwhile", "in this order"]
        ending = asyncio.create_task(serving.ends_after(signal.SIGTERM))
        assert (await again.until_closed())[1] == 1012
        await ending
