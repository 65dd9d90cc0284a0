"""Streams are kept by age, count and size: the floor says so at once, the rows go in small steps."""

import itertools
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from pushtui.retention import ALL, Retention
from server.log import schema, sweeper
from server.log.memory import MemoryStore
from server.log.retention import keep_by_kind
from server.log.sqlite import SqliteStore
from server.log.store import Draft, Store
from server.log.streams import STATUS
from server.log.transaction import ENTRY_BYTES
from tests.server.log.conftest import ROOM, said, until

HOUR = 3_600_000
BODY = b'{"text":"0123456789"}'
SIZE = len(BODY) + ENTRY_BYTES
Open = Callable[..., Awaitable[SqliteStore]]


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look every 10 ms instead of every ten seconds."""
    monkeypatch.setattr(sweeper, "LOOK_SECONDS", 0.01)


@pytest.fixture
async def opened(path: Path, clock: Clock) -> AsyncIterator[Open]:
    stores: list[SqliteStore] = []

    async def opened(chat: Retention = ALL, status: Retention = ALL) -> SqliteStore:
        store = SqliteStore(path, clock_ms=clock, keep=keep_by_kind(chat, status))
        await store.open()
        stores.append(store)
        return store

    yield opened
    for store in stores:
        await store.close()


def draft(stream: str = ROOM, body: bytes = BODY) -> Draft:
    return Draft(stream, "message", "anna", body)


def floor(store: Store, stream: str = ROOM) -> int:
    state = store.state(stream)
    assert state is not None
    return state.floor


def rows(path: Path) -> int:
    reader = sqlite3.connect(path)
    (count,) = reader.execute("SELECT count(*) FROM entries").fetchone()
    reader.close()
    return int(count)


class TestAge:
    async def test_a_silent_stream_is_aged_out(self, opened: Open, clock: Clock) -> None:
        store = await opened(Retention(age_ms=HOUR))
        for _ in range(3):
            await store.append(draft())
            clock.now += 1000
        clock.now += HOUR - 2000
        await until(lambda: floor(store) == 2)  # the first is an hour and a second old, the second an hour
        assert [entry.seq for entry in await store.read(ROOM, 0, 10)] == [2, 3]
        clock.now += HOUR
        await until(lambda: floor(store) == 4)
        assert list(await store.read(ROOM, 0, 10)) == []
        assert (await store.append(draft())).seq == 4

    async def test_what_came_of_age_while_nothing_ran(self, opened: Open, clock: Clock) -> None:
        store = await opened()
        await store.append(draft(), draft())
        await store.close()
        clock.now += 2 * HOUR
        again = await opened(Retention(age_ms=HOUR))
        await until(lambda: floor(again) == 3)

    async def test_the_status_has_its_own(self, opened: Open, clock: Clock) -> None:
        store = await opened(Retention(age_ms=24 * HOUR), Retention(age_ms=HOUR))
        await store.append(draft(), draft(STATUS))
        clock.now += 2 * HOUR
        await until(lambda: floor(store, STATUS) == 2)
        assert floor(store) == 1

    async def test_a_clock_that_was_turned_back_takes_nothing_young(self, opened: Open, clock: Clock) -> None:
        store = await opened(Retention(age_ms=HOUR))
        await store.append(draft())
        clock.now -= 10 * HOUR
        await store.append(draft())
        await store.append(draft(STATUS))
        clock.now += 2 * HOUR
        await store.append(draft("room:b"))
        clock.now += HOUR + 1
        await until(lambda: floor(store, "room:b") == 2)
        assert floor(store) == 1  # the second is old enough, but the first one is not


class TestBytes:
    async def test_the_newest_that_fit(self, opened: Open) -> None:
        store = await opened(Retention(bytes=10 * SIZE))
        await store.append(*(draft() for _ in range(10)))
        await store.append(draft("room:b"))
        assert floor(store) == 1
        await store.append(draft())
        await until(lambda: floor(store) == 2)
        await store.append(*(draft() for _ in range(30)))
        await until(lambda: floor(store) == 32)
        assert floor(store, "room:b") == 1

    async def test_one_that_is_too_big_alone(self, opened: Open) -> None:
        store = await opened(Retention(bytes=SIZE))
        await store.append(draft(body=b" " * 1000))
        await until(lambda: floor(store) == 2)

    async def test_counts_what_was_stored_before(self, opened: Open) -> None:
        store = await opened()
        await store.append(*(draft() for _ in range(10)))
        await store.trim(ROOM, 4)
        await store.close()
        again = await opened(Retention(bytes=5 * SIZE))
        await until(lambda: floor(again) == 6)

    async def test_a_log_of_the_first_format(
        self, path: Path, opened: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path.parent.mkdir(mode=0o700)
        old = sqlite3.connect(path, isolation_level=None)
        for statement in (*schema._MIGRATIONS[0], "PRAGMA user_version = 1"):
            old.execute(statement)
        for stream, name in enumerate((ROOM, "room:b"), 1):
            old.execute("INSERT INTO streams VALUES (?, ?, 'abcdefgh', 3, 12, '')", (stream, name))
            for seq in range(3, 13):
                old.execute(
                    "INSERT INTO entries VALUES (?, ?, 1, 'message', 'anna', NULL, ?)", (stream, seq, BODY)
                )
        old.close()
        store = await opened(Retention(bytes=4 * SIZE))
        await until(lambda: floor(store) == floor(store, "room:b") == 9)
        assert (await store.append(draft())).seq == 13
        await until(lambda: floor(store) == 10)


class TestCount:
    async def test_at_once(self, opened: Open) -> None:
        store = await opened(Retention(entries=3))
        for seq in range(1, 8):
            await store.append(draft())
            assert floor(store) == max(1, seq - 2)

    async def test_whatever_breaks_any_limit_goes(self, opened: Open, clock: Clock) -> None:
        store = await opened(Retention(age_ms=HOUR, entries=8, bytes=5 * SIZE))
        await store.append(*(draft() for _ in range(10)))
        await until(lambda: floor(store) == 6)
        clock.now += HOUR + 1
        await until(lambda: floor(store) == 11)


class TestRows:
    async def test_go_in_small_steps(self, opened: Open, path: Path, clock: Clock) -> None:
        store = await opened(Retention(age_ms=HOUR))
        await store.append(*(draft() for _ in range(3000)))
        await store.append(draft("room:b"))  # the writer is done with the others
        assert store._writer is not None
        statements: list[str] = []
        store._writer._connection.set_trace_callback(statements.append)
        clock.now += HOUR + 1
        await until(lambda: rows(path) < sweeper.SWEEP_ROWS)
        removals = [statement for statement in statements if statement.startswith("DELETE FROM entries")]
        assert len(removals) == 3000 // sweeper.SWEEP_ROWS
        assert floor(store) == 3001

    async def test_a_stream_under_load_has_not_many_more_than_it_keeps(self, opened: Open, path: Path) -> None:
        store = await opened(Retention(entries=10))
        for _ in range(10):
            await store.append(*(draft() for _ in range(2 * sweeper.SWEEP_ROWS)))
        await until(lambda: rows(path) < 10 + sweeper.SWEEP_ROWS)


class TestMemory:
    @pytest.mark.parametrize(
        ("keep", "left"),
        [(Retention(age_ms=4000), 5), (Retention(entries=3), 3), (Retention(bytes=4 * SIZE), 4), (ALL, 10)],
    )
    async def test_keeps_likewise(self, keep: Retention, left: int) -> None:
        seconds = itertools.count()
        store = MemoryStore(clock_ms=lambda: next(seconds) * 1000, keep=lambda _: keep)
        await store.open()
        for _ in range(10):
            await store.append(draft())
        assert len(await store.read(ROOM, 0, 100)) == left
        await store.close()

    async def test_what_was_redacted_counts_no_longer(self) -> None:
        store = MemoryStore(clock_ms=lambda: 0, keep=lambda _: Retention(bytes=3 * SIZE))
        await store.open()
        await store.append(draft(), draft())
        await store.append(Draft(ROOM, "redact", "anna", b"{}", erase=((1, b"{}"), (2, b"{}"))))
        await store.append(said("short"))
        assert floor(store) == 2
        await store.close()
