"""The file of the SQLite store: what survives, who may have it, what is refused."""
# ruff: noqa: ASYNC220, ASYNC240
# A test may block its own loop.

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from server.log import schema, writer
from server.log.sqlite import SqliteStore
from server.log.store import Draft, StoreUnusableError
from server.log.sweeper import SWEEP_ROWS
from tests.server.log.conftest import ROOM, keep_short, said, topic, until

Make = Callable[..., SqliteStore]


@pytest.fixture
def make(path: Path, clock_ms: Callable[[], int]) -> Make:
    def make(at: Path = path) -> SqliteStore:
        return SqliteStore(at, clock_ms=clock_ms, keep=keep_short)

    return make


async def refusal(opening: Callable[[], Awaitable[None]]) -> str:
    with pytest.raises(StoreUnusableError) as caught:
        await opening()
    message = str(caught.value)
    assert "\n" not in message
    return message


def rows(path: Path, stream: str) -> int:
    reader = sqlite3.connect(path)
    query = "SELECT count(*) FROM entries WHERE stream = (SELECT id FROM streams WHERE name = ?)"
    (count,) = reader.execute(query, (stream,)).fetchone()
    reader.close()
    return int(count)


class TestReopening:
    async def test_everything_is_still_there(self, make: Make) -> None:
        store = make()
        await store.open()
        await store.append(said("one", key="k"))
        await store.append(topic("lunch"))
        await store.append(said("three"))
        await store.trim(ROOM, 2)
        state, entries = store.state(ROOM), await store.read(ROOM, 0, 10)
        await store.close()

        again = make()
        await again.open()
        assert again.streams() == (ROOM,)
        assert again.state(ROOM) == state
        assert await again.read(ROOM, 0, 10) == entries
        assert (await again.append(said("four"))).seq == 4
        await again.close()

    async def test_a_key_is_still_known(self, make: Make) -> None:
        store = make()
        await store.open()
        first = await store.append(said("once", key="k"))
        await store.close()

        again = make()
        await again.open()
        assert await again.append(said("once", key="k")) == first._replace(duplicate=True)
        await again.close()

    async def test_an_emptied_stream_goes_on_counting(self, make: Make) -> None:
        store = make()
        await store.open()
        for _ in range(3):
            await store.append(said("x"))
        await store.trim(ROOM, 4)
        await store.close()

        again = make()
        await again.open()
        assert (await again.append(said("next"))).seq == 4
        await again.close()

    async def test_after_a_kill_everything_acknowledged_is_there(self, make: Make, path: Path) -> None:
        program = (
            "import asyncio, itertools, pathlib, sys\n"
            "from server.log.sqlite import SqliteStore\n"
            "from server.log.store import Draft\n"
            "async def main():\n"
            "    store = SqliteStore(pathlib.Path(sys.argv[1]), clock_ms=lambda: 1)\n"
            "    await store.open()\n"
            "    for number in itertools.count(1):\n"
            "        stored = await store.append(Draft('room:main', 'message', 'anna', b'{}'))\n"
            "        print(stored.epoch, stored.seq, flush=True)\n"
            "asyncio.run(main())\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        ) as process:
            assert process.stdout is not None
            while (line := process.stdout.readline()) and not line.endswith(" 50\n"):
                pass
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read().splitlines(keepends=True)
        acknowledged = [one for one in [line, *rest] if one.endswith("\n")][-1].split()

        store = make()
        await store.open()
        state = store.state(ROOM)
        assert state is not None
        assert state.epoch == acknowledged[0]
        assert state.head >= int(acknowledged[1]) >= 50
        assert [entry.seq for entry in await store.read(ROOM, 0, 100_000)] == list(range(1, state.head + 1))
        await store.close()


class TestOwnership:
    async def test_a_second_owner_is_refused(self, make: Make, path: Path) -> None:
        store, second = make(), make()
        await store.open()
        message = await refusal(second.open)
        assert message.startswith("another server (process ")
        assert str(path.parent) in message
        assert "--data" in message
        assert (await store.append(said("undisturbed"))).seq == 1
        await store.close()

    async def test_the_next_one_may_have_it(self, make: Make) -> None:
        store = make()
        await store.open()
        await refusal(make().open)
        await store.close()
        successor = make()
        await successor.open()
        await successor.close()

    async def test_what_is_said_is_for_its_owner_only(self, make: Make, path: Path) -> None:
        store = make()
        await store.open()
        await store.append(said("x"))
        for file in path.parent.iterdir():
            assert file.stat().st_mode & 0o077 == 0
        assert path.parent.stat().st_mode & 0o077 == 0
        await store.close()


class TestRefusals:
    async def test_a_folder_that_cannot_be(self, make: Make, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("not a folder")
        message = await refusal(make(tmp_path / "file" / "data" / "log.sqlite3").open)
        assert message.startswith(f"the data folder {tmp_path / 'file' / 'data'} cannot be used (")
        assert "--data" in message

    async def test_a_folder_where_the_file_should_be(self, make: Make, path: Path) -> None:
        path.mkdir(parents=True)
        message = await refusal(make().open)
        assert f"the log {path} cannot be opened (Is a directory)" in message

    async def test_no_database(self, make: Make, path: Path) -> None:
        path.parent.mkdir()
        path.write_bytes(b"Dear diary, " * 1000)
        message = await refusal(make().open)
        assert message.startswith(f"{path} is not a database; ")
        assert path.read_bytes() == b"Dear diary, " * 1000

    async def test_another_programs_database(self, make: Make, path: Path) -> None:
        path.parent.mkdir()
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE recipes (name)")
        other.close()
        before = path.read_bytes()
        message = await refusal(make().open)
        assert message.startswith(f"{path} is another program's database; ")
        assert path.read_bytes() == before

    async def test_a_newer_format(self, make: Make, path: Path) -> None:
        store = make()
        await store.open()
        await store.close()
        newer = sqlite3.connect(path)
        newer.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
        newer.close()
        before = path.read_bytes()
        message = await refusal(make().open)
        assert message.startswith(f"{path} was written by a newer pushtui (format {schema.SCHEMA_VERSION + 1}, ")
        assert path.read_bytes() == before

    async def test_a_damaged_one(self, make: Make, path: Path) -> None:
        store = make()
        await store.open()
        for _ in range(100):
            await store.append(said("x" * 200))
        await store.close()
        with path.open("r+b") as file:
            file.seek(100)
            file.write(b"\xff" * 4000)
        message = await refusal(make().open)
        assert message.startswith(f"the log {path} is damaged (")

    async def test_one_that_another_program_holds(
        self, path: Path, clock_ms: Callable[[], int], make: Make
    ) -> None:
        store = make()
        await store.open()
        await store.close()
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        message = await refusal(SqliteStore(path, clock_ms=clock_ms, busy_seconds=0.01).open)
        assert message.startswith(f"another program holds the log {path}; ")
        other.close()

    async def test_a_refused_one_lets_go(self, make: Make, path: Path) -> None:
        path.parent.mkdir()
        path.write_bytes(b"Dear diary, " * 1000)
        await refusal(make().open)
        path.unlink()
        store = make()
        await store.open()
        await store.close()


class TestMigration:
    async def test_a_step_that_fails_changes_nothing(
        self, make: Make, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = make()
        await store.open()
        await store.append(said("kept"))
        await store.close()
        with monkeypatch.context() as newer:
            newer.setattr(schema, "SCHEMA_VERSION", schema.SCHEMA_VERSION + 1)
            step = ("CREATE TABLE extra (a)", "CREATE TABLE entries (already there)")
            newer.setattr(schema, "_MIGRATIONS", (*schema._MIGRATIONS, step))
            assert "cannot be opened" in await refusal(make().open)
        again = make()
        await again.open()
        assert (await again.append(said("next"))).seq == 2
        await again.close()
        reader = sqlite3.connect(path)
        assert reader.execute("SELECT count(*) FROM sqlite_master WHERE name = 'extra'").fetchone() == (0,)
        reader.close()

    async def test_a_step_is_taken_once(self, make: Make, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store = make()
        await store.open()
        await store.append(said("kept"))
        await store.close()
        monkeypatch.setattr(schema, "SCHEMA_VERSION", schema.SCHEMA_VERSION + 1)
        monkeypatch.setattr(schema, "_MIGRATIONS", (*schema._MIGRATIONS, ("CREATE TABLE extra (a)",)))
        for seq in (2, 3):
            newer = make()
            await newer.open()
            assert (await newer.append(said("next"))).seq == seq
            await newer.close()


class TestSpace:
    async def test_nor_in_the_log_beside_it(self, make: Make, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """While the store is open; a moment later, since this costs as much as a write."""
        monkeypatch.setattr(writer, "FOLD_SECONDS", 0.01)
        store = make()
        await store.open()
        stored = await store.append(said("the password is swordfish"))
        beside = path.with_name(f"{path.name}-wal")
        assert b"swordfish" in beside.read_bytes()
        await store.append(Draft(ROOM, "redact", "ana", b"{}", None, ((stored.seq, b"{}"),)))
        await until(lambda: b"swordfish" not in beside.read_bytes() + path.read_bytes())
        await store.append(said("and it goes on"))
        assert [b"goes on" in entry.body for entry in await store.read(ROOM, 0, 10)] == [False, False, True]
        await store.close()

    async def test_what_was_redacted_is_not_in_the_file(self, make: Make, path: Path) -> None:
        store = make()
        await store.open()
        await store.append(said("swordfish " * 50))
        await store.append(said("oh"))
        await store.append(Draft(ROOM, "redact", "anna", b'{"target":1}', erase=((1, b"{}"),)))
        await store.close()
        assert sorted(file.name for file in path.parent.iterdir()) == [
            "log.sqlite3",
            "log.sqlite3.lock",
            "log.sqlite3.witness",
        ]
        assert b"oh" in path.read_bytes()
        assert b"swordfish" not in path.read_bytes()

    async def test_trimmed_rows_are_removed_step_by_step(self, make: Make, path: Path) -> None:
        store = make()
        await store.open()
        count = 3 * SWEEP_ROWS + 10
        await asyncio.gather(*(store.append(said("x")) for _ in range(count)))
        await store.trim(ROOM, count + 1)
        assert list(await store.read(ROOM, 0, 10)) == []
        await until(lambda: rows(path, ROOM) == 10)
        await store.close()

    async def test_trimmed_rows_are_removed_though_nothing_else_happens(self, make: Make, path: Path) -> None:
        store = make()
        await store.open()
        await asyncio.gather(*(store.append(said("x")) for _ in range(2 * SWEEP_ROWS)))
        await store.trim(ROOM, 2 * SWEEP_ROWS + 1)
        await until(lambda: rows(path, ROOM) == 0)
        await store.close()

    async def test_a_stream_that_keeps_few_has_few_rows(self, make: Make, path: Path) -> None:
        store = make()
        await store.open()
        for _ in range(10):
            await asyncio.gather(*(store.append(said("x", stream="short")) for _ in range(SWEEP_ROWS)))
        await until(lambda: rows(path, "short") < 2 * SWEEP_ROWS)
        await store.close()

    async def test_what_was_left_is_removed_after_reopening(self, make: Make, path: Path) -> None:
        store = make()
        await store.open()
        await asyncio.gather(*(store.append(said("x")) for _ in range(SWEEP_ROWS + 5)))
        await store.close()
        behind = sqlite3.connect(path)
        behind.execute("UPDATE streams SET floor = head + 1")
        behind.commit()
        behind.close()
        again = make()
        await again.open()
        await until(lambda: rows(path, ROOM) == 5)
        await again.close()

    async def test_a_copy_of_the_folder_is_a_log_too(self, make: Make, path: Path, tmp_path: Path) -> None:
        store = make()
        await store.open()
        await store.append(said("x"))
        await store.close()
        shutil.copytree(path.parent, tmp_path / "copy")
        copy = make(tmp_path / "copy" / path.name)
        await copy.open()
        assert len(await copy.read(ROOM, 0, 10)) == 1
        await copy.close()
