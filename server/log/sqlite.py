"""The log in a file, with SQLite: an append returns when its events are on the disk."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from pushtui.settings import Durability
from server.log.epoch import draw_epoch
from server.log.feed import Feed
from server.log.openfiles import OpenFiles
from server.log.ownership import Ownership
from server.log.retention import Keep, keep_by_kind
from server.log.schema import open_reader, open_writer, refusing
from server.log.store import Draft, Entry, Follower, StoreBusyError, Stored, StreamState, bounded
from server.log.tenure import begin_tenure
from server.log.transaction import Row, load_rows
from server.log.witness import Witness
from server.log.writer import Writer, damaged, is_damage

_COLUMNS = "seq, at, kind, author, key, body FROM entries WHERE stream = (SELECT id FROM streams WHERE name = ?)"
_ABOVE = f"SELECT {_COLUMNS} AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
_BY_KEY = f"SELECT {_COLUMNS} AND author = ? AND key = ? AND seq >= ? AND seq <= ?"
_BELOW = f"SELECT {_COLUMNS} AND seq >= ? AND seq < ? ORDER BY seq DESC LIMIT ?"


class _Opened(NamedTuple):
    writer: sqlite3.Connection
    reader: sqlite3.Connection
    rows: dict[str, Row]
    files: OpenFiles
    witness: Witness


class SqliteStore:
    """A `server.log.store.Store` in one file, owned by one process.

    One thread writes (see `Writer`), another one reads, page by page: no transaction outlives a page, so
    readers never keep the write-ahead log from being folded back.

    With ``durability`` "relaxed" a commit is not flushed: after a power cut, or a crash of the system, the newest
    events may be missing. An opening after one that did not end in order gives every stream a new epoch then.

    Args:
        path: the file; it and its folder are made if there are none.
        clock_ms: the time in ms since the epoch.
        durability: whether an append returns when its events are on the disk ("full"), or when they are
            written and the system will bring them there ("relaxed").
        keep: what each stream keeps.
        queue_limit: how many drafts may wait to be written.
        busy_seconds: how long a write waits for another program's lock before it is given up.
        epoch: draws the epoch of a new stream.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock_ms: Callable[[], int],
        durability: Durability = "full",
        keep: Keep | None = None,
        queue_limit: int = 4096,
        busy_seconds: float = 1.0,
        epoch: Callable[[], str] = draw_epoch,
    ) -> None:
        self._path = path
        self._clock_ms = clock_ms
        self._durability = durability
        self._keep = keep or keep_by_kind()
        self._queue_limit = queue_limit
        self._busy_seconds = busy_seconds
        self._epoch = epoch
        self._ownership = Ownership(path)
        self._feed = Feed()
        self._writer: Writer | None = None
        self._reader: sqlite3.Connection | None = None
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="log-reader")
        self._closing: asyncio.Future[None] | None = None

    async def open(self) -> None:
        """See `Store.open`."""
        loop = asyncio.get_running_loop()
        try:
            opened = await loop.run_in_executor(self._reading, self._connect)
            self._reader = opened.reader
            self._feed.publish({name: row.state for name, row in opened.rows.items()}, ())
            self._writer = Writer(
                opened.writer,
                opened.rows,
                self._feed,
                opened.files,
                opened.witness,
                limit=self._queue_limit,
                keep=self._keep,
                epoch=self._epoch,
                clock_ms=self._clock_ms,
            )
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """See `Store.close`."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    def streams(self) -> Sequence[str]:
        """See `Store.streams`."""
        return self._feed.streams()

    def state(self, stream: str) -> StreamState | None:
        """See `Store.state`."""
        return self._feed.state(stream)

    def follow(self, follower: Follower) -> Callable[[], None]:
        """See `Store.follow`."""
        return self._feed.follow(follower)

    def trouble(self) -> str | None:
        """See `Store.trouble`."""
        if self._writer is None or self._closing is not None:
            return _NOT_OPEN
        return self._writer.trouble

    async def create(self, stream: str) -> StreamState:
        """See `Store.create`."""
        if (state := self._feed.state(stream)) is not None:
            return state
        return await self._open_writer().submit(lambda transaction: transaction.create(stream))

    async def append(self, *drafts: Draft) -> Stored:
        """See `Store.append`."""
        at = self._clock_ms()
        return await self._open_writer().submit(lambda transaction: transaction.append(drafts, at), len(drafts))

    async def trim(self, stream: str, below: int) -> None:
        """See `Store.trim`."""
        await self._open_writer().submit(lambda transaction: transaction.trim(stream, below))

    async def read(self, stream: str, after: int, limit: int, most_bytes: int | None = None) -> Sequence[Entry]:
        """See `Store.read`."""
        state = self._feed.state(stream)
        if state is None or after >= state.head or limit <= 0:
            return ()
        begin = max(after, state.floor - 1)
        return await self._select(_ABOVE, stream, begin, state.head, limit, most_bytes=most_bytes)

    async def read_before(self, stream: str, before: int, limit: int) -> Sequence[Entry]:
        """See `Store.read_before`."""
        state = self._feed.state(stream)
        if state is None or before <= state.floor or limit <= 0:
            return ()
        newest_first = await self._select(_BELOW, stream, state.floor, min(before, state.head + 1), limit)
        return newest_first[::-1]

    async def get(self, stream: str, seq: int) -> Entry | None:
        """See `Store.get`."""
        found = await self.read(stream, seq - 1, 1)
        return found[0] if found and found[0].seq == seq else None

    async def find(self, stream: str, by: str, key: str) -> Entry | None:
        """See `Store.find`."""
        state = self._feed.state(stream)
        if state is None:
            return None
        found = await self._select(_BY_KEY, stream, by, key, state.floor, state.head)
        return found[0] if found else None

    def _open_writer(self) -> Writer:
        if self._writer is None or self._closing is not None:
            raise StoreBusyError(_NOT_OPEN)
        return self._writer

    async def _select(
        self, query: str, stream: str, *parameters: str | int, most_bytes: int | None = None
    ) -> Sequence[Entry]:
        reader = self._reader
        if reader is None or self._closing is not None:
            raise StoreBusyError(_NOT_OPEN)

        def fetch() -> Sequence[Entry]:
            # Closed: a statement that is not at its end would hold on to an old state of the file.
            with contextlib.closing(reader.execute(query, (stream, *parameters))) as rows:
                return bounded((Entry(stream, *row) for row in rows), most_bytes)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._reading, fetch)
        except sqlite3.Error as error:
            if is_damage(error) and self._writer is not None:
                self._writer.condemn(damaged(error))
            raise StoreBusyError(f"the log cannot be read: {error}") from error

    def _connect(self) -> _Opened:
        self._ownership.take()
        with contextlib.ExitStack() as opened, refusing(self._path):
            witness = Witness(self._path)
            writer = opened.enter_context(contextlib.closing(open_writer(self._path, self._busy_seconds)))
            rows = load_rows(writer)
            begin_tenure(writer, rows, witness, path=self._path, durability=self._durability, epoch=self._epoch)
            if self._durability == "relaxed":
                writer.execute("PRAGMA synchronous = NORMAL")
            reader = opened.enter_context(contextlib.closing(open_reader(self._path, self._busy_seconds)))
            files = OpenFiles(self._path, writer)
            opened.pop_all()
        return _Opened(writer, reader, rows, files, witness)

    async def _close(self) -> None:
        loop = asyncio.get_running_loop()
        if self._reader is not None:
            await loop.run_in_executor(self._reading, self._reader.close)
        if self._writer is not None:
            self._writer.stop()
            await loop.run_in_executor(self._reading, self._writer.join)
        self._reading.shutdown()
        self._ownership.release()


_NOT_OPEN = "the log is not open"
