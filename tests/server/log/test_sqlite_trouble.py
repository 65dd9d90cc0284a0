"""The SQLite store when it cannot write: what it refuses, what it says, how it goes on."""

import asyncio
import resource
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from server.log import writer
from server.log.sqlite import SqliteStore
from server.log.store import Draft, Entry, StoreBusyError, Stored
from tests.server.log.conftest import ROOM, keep_short, said, until

QUEUE_LIMIT = 8


@pytest.fixture
def impatient(path: Path, clock_ms: Callable[[], int]) -> SqliteStore:
    """Gives up on another program's lock after 10 ms."""
    return SqliteStore(path, clock_ms=clock_ms, keep=keep_short, busy_seconds=0.01)


@pytest.fixture
async def store(path: Path, clock_ms: Callable[[], int]) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(path, clock_ms=clock_ms, keep=keep_short, queue_limit=QUEUE_LIMIT, busy_seconds=30)
    await store.open()
    yield store
    await store.close()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program is writing."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


@contextmanager
def full_disk(store: SqliteStore) -> Iterator[None]:
    """The file cannot grow any more."""
    assert store._writer is not None
    connection = store._writer._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    try:
        yield
    finally:
        connection.execute("PRAGMA max_page_count = 4294967294")


@contextmanager
def failing_writes(path: Path) -> Iterator[None]:
    """The write-ahead log cannot grow any more: the commit itself fails."""
    size = path.with_name(path.name + "-wal").stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


class TestWaiting:
    async def test_nothing_is_shown_before_it_is_committed(self, store: SqliteStore, path: Path) -> None:
        await store.append(said("one"))
        told: list[Entry] = []
        store.follow(told.extend)
        with locked(path):
            pending = asyncio.ensure_future(store.append(said("two")))
            state, entries = store.state(ROOM), await store.read(ROOM, 0, 10)
            assert state is not None
            assert state.head == len(entries) == 1
            assert not pending.done()
            assert told == []
        assert (await pending).seq == 2
        assert len(told) == 1

    async def test_too_much_waiting_is_refused_and_the_rest_stored(self, store: SqliteStore, path: Path) -> None:
        with locked(path):
            pending = [asyncio.ensure_future(store.append(said("x"))) for _ in range(QUEUE_LIMIT)]
            await asyncio.sleep(0)
            with pytest.raises(StoreBusyError, match="the log is busy: 8 events wait"):
                await store.append(said("too much"))
            assert not any(one.done() for one in pending)
        assert [(await one).seq for one in pending] == list(range(1, QUEUE_LIMIT + 1))
        assert (await store.append(said("fits again"))).seq == QUEUE_LIMIT + 1

    async def test_an_append_of_many_drafts_is_stored_when_nothing_else_waits(self, store: SqliteStore) -> None:
        stored = await store.append(*(said(str(number)) for number in range(3 * QUEUE_LIMIT)))
        assert stored.seq == 1
        assert len(await store.read(ROOM, 0, 100)) == 3 * QUEUE_LIMIT

    async def test_what_waits_becomes_one_batch(self, store: SqliteStore, path: Path) -> None:
        batches: list[int] = []
        store.follow(lambda entries: batches.append(len(entries)))
        with locked(path):
            pending = [asyncio.ensure_future(store.append(said("x"))) for _ in range(QUEUE_LIMIT)]
            await asyncio.sleep(0)
        await asyncio.gather(*pending)
        assert sum(batches) == QUEUE_LIMIT
        assert len(batches) <= 2  # the first may have left alone

    async def test_unsuitable_text_fails_alone(self, store: SqliteStore) -> None:
        bad = Draft(ROOM, "message", "lone \ud800 surrogate", b"{}")
        results = await asyncio.gather(*map(store.append, [said("1"), bad, said("2")]), return_exceptions=True)
        assert [type(result) for result in results] == [Stored, UnicodeEncodeError, Stored]
        assert [entry.seq for entry in await store.read(ROOM, 0, 10)] == [1, 2]


class TestLock:
    async def test_is_said_and_got_over(self, impatient: SqliteStore, path: Path) -> None:
        await impatient.open()
        await impatient.append(said("one"))
        with locked(path):
            with pytest.raises(StoreBusyError, match="another program holds it"):
                await impatient.append(said("lost"))
            assert impatient.trouble() == "the log cannot be written: another program holds it"
            with pytest.raises(StoreBusyError, match="another program holds it"):
                await impatient.create("room:new")
            assert len(await impatient.read(ROOM, 0, 10)) == 1
        assert (await impatient.append(said("two"))).seq == 2
        assert impatient.trouble() is None
        assert [entry.body for entry in await impatient.read(ROOM, 1, 10)] == [b'{"text":"two"}']
        await impatient.close()

    async def test_clears_without_an_append(
        self, impatient: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writer, "PROBE_SECONDS", 0.01)
        await impatient.open()
        with locked(path), pytest.raises(StoreBusyError):
            await impatient.append(said("lost"))
        await until(lambda: impatient.trouble() is None)
        assert impatient.streams() == ()
        await impatient.close()

    async def test_close_does_not_wait_for_it_again_and_again(
        self, path: Path, clock_ms: Callable[[], int]
    ) -> None:
        store = SqliteStore(path, clock_ms=clock_ms, keep=keep_short, busy_seconds=0.2)
        await store.open()
        assert store._writer is not None
        statements: list[str] = []
        store._writer._connection.set_trace_callback(statements.append)
        batches = 8
        with locked(path):
            pending = [
                asyncio.ensure_future(store.append(said("x"))) for _ in range(batches * writer.BATCH_DRAFTS)
            ]
            await asyncio.sleep(0)
            await store.close()
        results = await asyncio.gather(*pending, return_exceptions=True)
        assert {type(result) for result in results} == {StoreBusyError}
        assert 1 <= statements.count("BEGIN IMMEDIATE") < batches / 2


@pytest.mark.parametrize("fault", ["full disk", "failing commit"])
class TestDisk:
    @pytest.fixture
    def broken(self, fault: str, store: SqliteStore, path: Path) -> Callable[[], AbstractContextManager[None]]:
        return lambda: full_disk(store) if fault == "full disk" else failing_writes(path)

    async def test_what_was_refused_is_not_there_and_what_was_stored_is(
        self,
        store: SqliteStore,
        broken: Callable[[], AbstractContextManager[None]],
        path: Path,
        clock_ms: Callable[[], int],
    ) -> None:
        told: list[Entry] = []
        store.follow(told.extend)
        answers: list[Stored] = [await store.append(said("first"))]
        reasons: list[str] = []
        troubles: list[str | None] = []
        with broken():
            for number in range(40):
                try:
                    answers.append(await store.append(said("x" * 1000, key=str(number))))
                except StoreBusyError as error:
                    reasons.append(str(error))
                    troubles.append(store.trouble())
        answers.append(await store.append(said("after")))
        assert store.trouble() is None
        assert reasons
        assert troubles == reasons
        assert set(reasons) <= {
            "the log cannot be written: the disk is full",
            "the log cannot be written: disk I/O error",
        }
        assert [answer.seq for answer in answers] == list(range(1, len(answers) + 1))
        assert [entry.seq for entry in told] == [answer.seq for answer in answers]
        await store.close()

        again = SqliteStore(path, clock_ms=clock_ms, keep=keep_short)
        await again.open()
        assert await again.read(ROOM, 0, 100) == told
        await again.close()

    async def test_clears_by_itself_when_there_is_room(
        self,
        store: SqliteStore,
        broken: Callable[[], AbstractContextManager[None]],
        path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(writer, "PROBE_SECONDS", 0.01)
        await store.append(said("first"))
        with broken():
            with pytest.raises(StoreBusyError):
                await store.append(said("x" * 100_000))
            assert store.trouble() is not None
        await until(lambda: store.trouble() is None)
        reader = sqlite3.connect(path)
        assert reader.execute("SELECT count(*) FROM probe").fetchone() == (0,)
        reader.close()
        assert (await store.append(said("second"))).seq == 2
