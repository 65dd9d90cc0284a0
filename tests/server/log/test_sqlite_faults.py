"""Files that go away or break while they are open, full disks: said, survived, and nothing acked is lost."""
# ruff: noqa: ASYNC240
# A test may block its own loop.

import contextlib
import fcntl
import os
import random
import shutil
import sqlite3
import struct
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.log import openfiles, writer
from server.log.sqlite import SqliteStore
from server.log.store import Entry, StoreBusyError
from tests.server.log.conftest import ROOM, keep_short, said, until

_FS_IOC_GETFLAGS = 0x80086601
_FS_IOC_SETFLAGS = 0x40086602
_IMMUTABLE = 0x10


@pytest.fixture(autouse=True)
def attentive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the files with every batch, and try again soon."""
    monkeypatch.setattr(openfiles, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(writer, "PROBE_SECONDS", 0.01)


def store_at(path: Path) -> SqliteStore:
    return SqliteStore(path, clock_ms=lambda: 1, keep=keep_short, busy_seconds=0.01)


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    store = store_at(path)
    await store.open()
    yield store
    await store.close()


async def filled(path: Path, count: int = 400) -> None:
    """A log of some pages, folded back into its file."""
    store = store_at(path)
    await store.open()
    await store.append(*(said(f"{number} " + "x" * 500, key=str(number)) for number in range(count)))
    await store.close()


async def refusal(store: SqliteStore) -> str:
    with pytest.raises(StoreBusyError) as refused:
        await store.append(said("lost"))
    message = str(refused.value)
    assert store.trouble() == message
    assert "\n" not in message
    return message


async def everything(store: SqliteStore) -> Sequence[Entry]:
    return await store.read(ROOM, 0, 100_000)


@contextmanager
def immutable(*paths: Path) -> Iterator[None]:
    """Not even root writes to these."""
    with contextlib.ExitStack() as undo:
        for path in paths:
            descriptor = os.open(path, os.O_RDONLY)
            undo.callback(os.close, descriptor)
            try:
                (flags,) = struct.unpack("l", fcntl.ioctl(descriptor, _FS_IOC_GETFLAGS, bytes(8)))
                fcntl.ioctl(descriptor, _FS_IOC_SETFLAGS, struct.pack("l", flags | _IMMUTABLE))
            except OSError as error:
                pytest.skip(f"files cannot be made immutable here: {error.strerror}")
            undo.callback(fcntl.ioctl, descriptor, _FS_IOC_SETFLAGS, struct.pack("l", flags))
        yield


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of its own of 1 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    if shutil.which("mount") is None:
        pytest.skip("there is no mount")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "none", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


class TestGone:
    @pytest.mark.parametrize("suffix", ["", "-wal"])
    async def test_removed(self, store: SqliteStore, path: Path, suffix: str) -> None:
        await store.append(said("one"))
        file = path.with_name(path.name + suffix)
        file.unlink()
        assert await refusal(store) == (
            f"{file.name} was removed while it was in use: put it back, or restart the server"
        )
        assert len(await everything(store)) == 1
        assert (await store.create(ROOM)).head == 1

    async def test_moved_away_and_back(self, store: SqliteStore, path: Path) -> None:
        await store.append(said("one"))
        away = path.rename(path.with_name("away"))
        assert "was removed while it was in use" in await refusal(store)
        away.rename(path)
        await until(lambda: store.trouble() is None)
        assert (await store.append(said("two"))).seq == 2

    async def test_replaced(self, store: SqliteStore, path: Path) -> None:
        await store.append(said("one"))
        shutil.copy(path, path.with_name("other"))
        path.with_name("other").rename(path)
        assert await refusal(store) == f"{path.name} was replaced while it was in use: restart the server"
        assert len(await everything(store)) == 1

    async def test_the_folder_removed(self, store: SqliteStore, path: Path) -> None:
        await store.append(said("one"))
        shutil.rmtree(path.parent)
        assert "was removed while it was in use" in await refusal(store)
        assert len(await everything(store)) == 1

    async def test_noticed_again_after_a_restart(self, path: Path) -> None:
        await filled(path, 3)
        shutil.copy(path, path.with_name("other"))
        store = store_at(path)
        await store.open()
        before = store.state(ROOM)
        path.with_name("other").rename(path)
        await refusal(store)
        await store.close()
        again = store_at(path)
        await again.open()
        after = again.state(ROOM)
        assert before is not None
        assert after is not None
        assert after.epoch != before.epoch
        await again.close()

    async def test_is_not_looked_at_with_every_batch(
        self, store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(openfiles, "LOOK_SECONDS", 3600.0)
        await store.append(said("one"))
        path.rename(path.with_name("away"))
        await store.append(said("two"))
        path.with_name("away").rename(path)


class TestDamaged:
    async def test_a_page_of_garbage(self, path: Path, caplog: pytest.LogCaptureFixture) -> None:
        await filled(path)
        store = store_at(path)
        await store.open()
        garbage = random.Random(7).randbytes(4096)
        with path.open("r+b") as file:
            for page in range(6, path.stat().st_size // 4096):
                file.seek(page * 4096)
                file.write(garbage)
        with pytest.raises(StoreBusyError, match="the log cannot be read: database disk image is malformed"):
            await everything(store)
        reason = store.trouble()
        assert reason is not None
        assert reason.startswith("the log is damaged (database disk image is malformed): stop the server and ")
        assert await refusal(store) == reason
        with pytest.raises(StoreBusyError, match="damaged"):
            await store.create("room:new")
        with pytest.raises(StoreBusyError):  # and the thread that reads is still there
            await everything(store)
        assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [reason]
        await store.close()

    async def test_a_sound_page_can_still_be_read(self, path: Path) -> None:
        await filled(path)
        reader = store_at(path)
        await reader.open()
        oldest = await reader.read(ROOM, 0, 5)
        await reader.close()
        with path.open("r+b") as file:
            file.seek(path.stat().st_size - 20 * 4096)
            file.write(b"\xa5" * 4096)
        store = store_at(path)
        await store.open()
        with pytest.raises(StoreBusyError):
            await everything(store)
        assert store.trouble() is not None
        assert await store.read(ROOM, 0, 5) == oldest
        await store.close()

    async def test_found_by_writing(self, path: Path) -> None:
        await filled(path)
        store = store_at(path)
        await store.open()
        with path.open("r+b") as file:
            for page in range(6, path.stat().st_size // 4096):
                file.seek(page * 4096)
                file.write(b"\xa5" * 4096)
        assert (await refusal(store)).startswith("the log is damaged (")
        await store.close()

    async def test_does_not_pass_by_itself(self, path: Path) -> None:
        await filled(path)
        whole = path.read_bytes()
        store = store_at(path)
        await store.open()
        with path.open("r+b") as file:
            file.truncate(3 * 4096)
        reason = await refusal(store)
        assert reason == f"{path.name} was cut off while it was in use: stop the server and restore it from a copy"
        with path.open("r+b") as file:
            file.write(whole)
        assert await refusal(store) == reason
        await store.close()

    async def test_made_smaller_in_order(self, path: Path) -> None:

        await filled(path)
        store = store_at(path)
        await store.open()
        await store.trim(ROOM, 401)
        await until(lambda: rows(path) < 200)
        size = path.stat().st_size
        other = sqlite3.connect(path, isolation_level=None, timeout=10)
        other.execute("VACUUM")
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        other.close()
        assert path.stat().st_size < size
        assert (await store.append(said("fine"))).seq == 401
        assert store.trouble() is None
        await store.close()


class TestReadOnly:
    async def test_said_and_got_over(self, store: SqliteStore, path: Path) -> None:
        await store.append(said("one"))
        with immutable(path.with_name(path.name + "-wal"), path, path.parent):
            reason = await refusal(store)
            assert reason.startswith("the log cannot be written: ")
            assert len(await everything(store)) == 1
        await until(lambda: store.trouble() is None)
        assert (await store.append(said("two"))).seq == 2
        assert [entry.seq for entry in await everything(store)] == [1, 2]


class TestFull:
    async def test_a_full_disk(self, small_disk: Path) -> None:
        path = small_disk / "data" / "log.sqlite3"
        store = store_at(path)
        await store.open()
        told: list[Entry] = []
        store.follow(told.extend)
        answers: list[int] = []
        filler = small_disk / "filler"
        fill(filler)
        reasons: set[str] = set()
        for number in range(50):
            try:
                answers.append((await store.append(said("x" * 3000, key=str(number)))).seq)
            except StoreBusyError as error:
                reasons.add(str(error))
        assert reasons <= {
            "the log cannot be written: the disk is full",
            "the log cannot be written: disk I/O error",
        }
        assert store.trouble() is not None
        assert len(answers) < 50
        assert len(await everything(store)) == len(answers)
        filler.unlink()
        await until(lambda: store.trouble() is None)
        answers.append((await store.append(said("after"))).seq)
        assert answers == list(range(1, len(answers) + 1)) == [entry.seq for entry in told]
        epoch = store.state(ROOM)
        await store.close()

        again = store_at(path)
        await again.open()
        assert again.state(ROOM) == epoch
        assert await everything(again) == told
        await again.close()


def fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    assert os.statvfs(filler.parent).f_bavail == 0


def rows(path: Path) -> int:

    reader = sqlite3.connect(path)
    (count,) = reader.execute("SELECT count(*) FROM entries").fetchone()
    reader.close()
    return int(count)
