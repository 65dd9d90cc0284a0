"""A log that was put back begins anew for every reader; one that was left as it is does not, however it ended."""
# A test may block its own loop.

import logging
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from pushtui.settings import Durability
from server.log.sqlite import SqliteStore
from server.log.witness import Recollection
from tests.server.log.conftest import ROOM, said, until

OTHER = "room:other"
Epochs = dict[str, str]

_KILLED = """
import asyncio, os, pathlib, signal, sys
from server.log.sqlite import SqliteStore
from server.log.store import Draft
async def main():
    store = SqliteStore(pathlib.Path(sys.argv[1]), clock_ms=lambda: 1, durability=sys.argv[2])
    await store.open()
    for number in range(int(sys.argv[3])):
        await store.append(Draft("room:main", "message", "anna", b"{}"))
    while store._writer._noted != store._writer._entries:
        await asyncio.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


class Log:
    """One log that is opened again and again, each time in another way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.witness = path.with_name(path.name + ".witness")

    def store(self, durability: Durability = "full") -> SqliteStore:
        return SqliteStore(self.path, clock_ms=lambda: 1, durability=durability)

    async def use(self, count: int = 1, durability: Durability = "full") -> Epochs:
        """Open it, store some events, close it; returns the epochs that it had when it was opened."""
        store = self.store(durability)
        await store.open()
        epochs = epochs_of(store)
        for _ in range(count):
            await store.append(said("x"))
        await store.close()
        return epochs

    def killed(self, count: int = 1, durability: Durability = "full") -> None:
        """Another process uses it and is killed."""
        done = subprocess.run(
            [sys.executable, "-c", _KILLED, str(self.path), durability, str(count)],
            cwd=Path(__file__).parents[3],
            check=False,
        )
        assert done.returncode == -signal.SIGKILL

    def beside(self) -> None:
        """Remove the ``-wal`` and ``-shm``, as one does who restores a log."""
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    def recollection(self) -> Recollection:
        return msgspec.json.decode(self.witness.read_bytes(), type=Recollection)


def epochs_of(store: SqliteStore) -> Epochs:
    states = {stream: store.state(stream) for stream in store.streams()}
    return {stream: state.epoch for stream, state in states.items() if state is not None}


@pytest.fixture
async def log(path: Path) -> Log:
    """Two streams, some events, closed in order."""
    log = Log(path)
    store = log.store()
    await store.open()
    await store.create(OTHER)
    for _ in range(5):
        await store.append(said("x"))
    await store.close()
    return log


@pytest.fixture
async def before(log: Log) -> Epochs:
    epochs = await log.use()
    assert set(epochs) == {ROOM, OTHER}
    return epochs


async def assert_new(log: Log, before: Epochs, caplog: pytest.LogCaptureFixture, reason: str) -> None:
    """Every stream has a new epoch, one line says why, and then it stays so."""
    caplog.clear()
    with caplog.at_level(logging.WARNING, "server.log.tenure"):
        after = await log.use()
        assert await log.use() == after
    assert set(after) >= set(before)
    assert not set(after.values()) & set(before.values())
    (line,) = [record.getMessage() for record in caplog.records if record.name == "server.log.tenure"]
    assert str(log.path) in line
    assert reason in line


class TestTheSameLog:
    async def test_closed_in_order(self, log: Log, before: Epochs) -> None:
        assert await log.use() == before
        assert await log.use(count=0) == before
        assert await log.use() == before

    async def test_killed(self, log: Log, before: Epochs) -> None:
        for _ in range(3):
            log.killed(count=7)
            assert await log.use() == before

    async def test_killed_with_a_witness_that_is_behind(self, log: Log, before: Epochs) -> None:
        log.killed(count=0)
        behind = log.witness.read_bytes()
        log.killed(count=7)
        kept = log.recollection()
        kept.entries = msgspec.json.decode(behind, type=Recollection).entries
        log.witness.write_bytes(msgspec.json.encode(kept))
        assert await log.use() == before

    async def test_a_crash_while_it_is_opened(self, log: Log, before: Epochs) -> None:
        # The witness was told of the coming tenure, the log has not got it yet.
        log.killed()
        kept = log.recollection()
        assert kept.tenure == kept.next
        kept.next = "never given"
        log.witness.write_bytes(msgspec.json.encode(kept))
        assert await log.use() == before
        # The log has got it, the witness is told of it a second time only later.
        log.killed()
        kept = log.recollection()
        kept.tenure = "the one before"
        log.witness.write_bytes(msgspec.json.encode(kept))
        assert await log.use() == before

    async def test_moved_with_its_folder(self, log: Log, before: Epochs) -> None:
        moved = log.path.parent.rename(log.path.parent.with_name("moved"))
        assert await Log(moved / log.path.name).use() == before

    async def test_removed_shared_memory(self, log: Log, before: Epochs) -> None:
        log.killed()
        log.path.with_name(log.path.name + "-shm").unlink()
        assert await log.use() == before

    async def test_the_witness_is_never_ahead(self, log: Log) -> None:
        store = log.store()
        await store.open()
        for _ in range(300):
            await store.append(said("x"))
            head = sum(state.head for stream in store.streams() if (state := store.state(stream)))
            assert log.recollection().entries <= head
        assert store._writer is not None
        writer = store._writer
        await until(lambda: log.recollection().entries == writer._entries == 305)
        await store.close()


class TestPutBack:
    async def test_an_older_copy_in_place(
        self, log: Log, before: Epochs, caplog: pytest.LogCaptureFixture, tmp_path: Path
    ) -> None:
        shutil.copy(log.path, tmp_path / "old")
        await log.use()
        inode = log.path.stat().st_ino
        shutil.copyfile(tmp_path / "old", log.path)
        assert log.path.stat().st_ino == inode
        await assert_new(log, before, caplog, "it was replaced by another one")

    async def test_a_copy_of_the_same_tenure_in_place(
        self, log: Log, before: Epochs, caplog: pytest.LogCaptureFixture, tmp_path: Path
    ) -> None:
        store = log.store()
        await store.open()
        await store.append(said("x"))
        source, copy = sqlite3.connect(log.path), sqlite3.connect(tmp_path / "old")
        source.backup(copy)
        source.close()
        copy.close()
        for _ in range(3):
            await store.append(said("lost"))
        await store.close()
        shutil.copyfile(tmp_path / "old", log.path)
        await assert_new(log, before, caplog, "it ends 3 events earlier than it did")

    async def test_another_file_moved_there(
        self, log: Log, before: Epochs, caplog: pytest.LogCaptureFixture, tmp_path: Path
    ) -> None:
        shutil.copy(log.path, tmp_path / "copy")
        (tmp_path / "copy").rename(log.path)
        await assert_new(log, before, caplog, "its file is another one than before")

    async def test_one_that_lived_on_elsewhere(
        self, log: Log, before: Epochs, caplog: pytest.LogCaptureFixture, tmp_path: Path
    ) -> None:
        elsewhere = Log(tmp_path / "elsewhere" / "log.sqlite3")
        shutil.copytree(log.path.parent, elsewhere.path.parent)
        await elsewhere.use(count=20)
        shutil.copyfile(elsewhere.path, log.path)
        await assert_new(log, before, caplog, "it was replaced by another one")

    async def test_restored_by_sqlite(
        self, log: Log, before: Epochs, caplog: pytest.LogCaptureFixture, tmp_path: Path
    ) -> None:
        shutil.copy(log.path, tmp_path / "backup")
        log.killed(count=4)
        backup, target = sqlite3.connect(tmp_path / "backup"), sqlite3.connect(log.path)
        backup.backup(target)
        backup.close()
        target.close()
        await assert_new(log, before, caplog, "it was replaced by another one")

    async def test_restored_by_sqlite_within_a_tenure(
        self, log: Log, before: Epochs, caplog: pytest.LogCaptureFixture, tmp_path: Path
    ) -> None:
        log.killed(count=2)
        source, copy = sqlite3.connect(log.path), sqlite3.connect(tmp_path / "backup")
        source.backup(copy)
        source.close()
        tenure = log.recollection()
        tenure.entries += 2
        log.witness.write_bytes(msgspec.json.encode(tenure))
        target = sqlite3.connect(log.path)
        copy.backup(target)
        copy.close()
        target.close()
        await assert_new(log, before, caplog, "it ends 2 events earlier than it did")

    async def test_the_newest_events_removed(
        self, log: Log, before: Epochs, caplog: pytest.LogCaptureFixture
    ) -> None:
        log.killed(count=6)
        log.beside()
        await assert_new(log, before, caplog, "it was replaced by another one")

    async def test_the_whole_folder_restored(
        self, log: Log, before: Epochs, caplog: pytest.LogCaptureFixture, tmp_path: Path
    ) -> None:
        shutil.copytree(log.path.parent, tmp_path / "backup")
        await log.use()
        shutil.rmtree(log.path.parent)
        shutil.copytree(tmp_path / "backup", log.path.parent)
        await assert_new(log, before, caplog, "its file is another one than before")

    async def test_the_whole_folder_restored_in_place_with_its_times(
        self, log: Log, before: Epochs, caplog: pytest.LogCaptureFixture, tmp_path: Path
    ) -> None:
        backup = shutil.copytree(log.path.parent, tmp_path / "backup")
        await log.use()
        for file in backup.iterdir():
            shutil.copyfile(file, log.path.with_name(file.name))
            shutil.copystat(file, log.path.with_name(file.name))
        await assert_new(log, before, caplog, "its file was changed since it was closed")

    async def test_no_witness(self, log: Log, before: Epochs, caplog: pytest.LogCaptureFixture) -> None:
        log.witness.unlink()
        await assert_new(log, before, caplog, "nothing tells whether it is the one that was left")

    @pytest.mark.parametrize("text", [b"", b"\0" * 256, b'{"tenure":"x"}', b"\xff\xfe"])
    async def test_an_unreadable_witness(
        self, log: Log, before: Epochs, caplog: pytest.LogCaptureFixture, text: bytes
    ) -> None:
        log.witness.write_bytes(text)
        await assert_new(log, before, caplog, "nothing tells whether it is the one that was left")

    async def test_a_crash_while_the_new_epochs_are_given(
        self, log: Log, before: Epochs, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log.witness.unlink()
        with monkeypatch.context() as full_disk:

            def fail(descriptor: int, text: bytes, offset: int) -> int:
                raise OSError(28, "No space left on device")

            full_disk.setattr(os, "pwrite", fail)
            with pytest.raises(Exception, match="No space left on device"):
                await log.use()
        await assert_new(log, before, caplog, "nothing tells")


class TestRelaxed:
    async def test_closed_in_order(self, log: Log, before: Epochs) -> None:
        assert await log.use(durability="relaxed") == before
        assert await log.use(durability="relaxed") == before
        assert await log.use(durability="full") == before

    async def test_killed(self, log: Log, before: Epochs, caplog: pytest.LogCaptureFixture) -> None:
        log.killed(durability="relaxed")
        await assert_new(log, before, caplog, "stored with --durability relaxed")

    async def test_killed_and_opened_relaxed(self, log: Log, before: Epochs) -> None:
        log.killed(durability="relaxed")
        assert not set((await log.use(durability="relaxed")).values()) & set(before.values())

    async def test_killed_after_it_was_full_again(self, log: Log, before: Epochs) -> None:
        await log.use(durability="relaxed")
        log.killed(durability="full")
        assert await log.use() == before

    async def test_is_not_flushed_at_each_commit(self, log: Log) -> None:
        levels: dict[Durability, int] = {"full": 2, "relaxed": 1}
        for durability, level in levels.items():
            store = log.store(durability)
            await store.open()
            assert store._writer is not None
            assert store._writer._connection.execute("PRAGMA synchronous").fetchone() == (level,)
            await store.close()


def test_whole_seconds_are_the_same_time() -> None:
    from server.log.witness import _same_time

    assert _same_time(7_000_000_000, 7_123_456_789)
    assert not _same_time(7_000_000_001, 7_123_456_789)
    assert not _same_time(8_000_000_000, 7_123_456_789)
