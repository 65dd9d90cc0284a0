"""The one thread that writes the log's file."""

import asyncio
import contextlib
import logging
import math
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from server.log.feed import Feed
from server.log.openfiles import OpenFiles
from server.log.retention import Keep
from server.log.store import Entry, StoreBusyError, StreamState
from server.log.sweeper import Sweeper
from server.log.tenure import total
from server.log.transaction import Row, Transaction
from server.log.witness import Witness

_log = logging.getLogger(__name__)

BATCH_DRAFTS = 512
#: How far the witness may be behind.
NOTE_SECONDS = 0.1
#: After so many seconds at most, what was erased is out of the write-ahead log as well.
FOLD_SECONDS = 1.0
_FOLD_PATIENCE_MS = 20
PROBE_SECONDS = 1.0
_PROBE_BYTES = 64 * 1024

_T = TypeVar("_T")


class _Job(NamedTuple):
    work: Callable[[Transaction], Any]
    weight: int
    future: asyncio.Future[Any] | None


class _Settlement(NamedTuple):
    """What the loop has to know of a batch."""

    answers: Sequence[tuple[asyncio.Future[Any] | None, object]]
    weight: int = 0
    states: Mapping[str, StreamState] = {}
    entries: Sequence[Entry] = ()
    sweep: bool = False


class Writer:
    """Takes everything that waits into one transaction, so that one fsync serves all of it.

    No timer is needed: while one batch is being written the next one gathers. The loop is told once for
    each batch, after the commit: the states move, the followers hear of it, then those who asked are answered.

    Between two batches a `Sweeper` makes one step. The writer is in trouble when the last commit failed: a
    probe finds out when there is room again. It stays in trouble when the file is damaged, for what would be
    stored in it could not be relied on.

    `submit`, `stop`, `trouble`, `condemn` belong to the loop's thread; all the rest to the writer's.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        rows: dict[str, Row],
        feed: Feed,
        files: OpenFiles,
        witness: Witness,
        *,
        limit: int,
        keep: Keep,
        epoch: Callable[[], str],
        clock_ms: Callable[[], int],
    ) -> None:
        self._connection = connection
        self._feed = feed
        self._files = files
        self._witness = witness
        self._limit = limit
        self._keep = keep
        self._epoch = epoch
        self._loop = asyncio.get_running_loop()
        self._waiting = 0
        self._known_trouble: str | None = None
        # shared, under the condition's lock
        self._wake = threading.Condition()
        self._inbox: deque[_Job] = deque()
        self._stopping = False
        self._damage: str | None = None
        # the writer thread's own
        self._rows = rows
        self._entries = total(rows.values())
        self._noted = self._entries
        self._next_note = time.monotonic()
        self._fold_at = math.inf
        self._trouble: str | None = None
        self._sweeper = Sweeper(connection, rows, feed, keep=keep, clock_ms=clock_ms)
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    # --- on the loop's thread ---

    @property
    def trouble(self) -> str | None:
        """Why nothing can be written, None while it can."""
        return self._known_trouble

    def submit(self, work: Callable[[Transaction], _T], weight: int = 1) -> asyncio.Future[_T]:
        """Have ``work`` done in one of the next transactions; its answer comes when that is committed.

        Args:
            work: called on the writer's thread, perhaps more than once; only the last time counts.
            weight: how many drafts it stores, about.

        Raises:
            StoreBusyError: too much is waiting.
        """
        if self._waiting + weight > self._limit and self._waiting:
            raise StoreBusyError(f"the log is busy: {self._waiting} events wait to be stored; try again")
        future: asyncio.Future[_T] = self._loop.create_future()
        self._waiting += weight
        with self._wake:
            self._inbox.append(_Job(work, weight, future))
            self._wake.notify()
        return future

    def stop(self) -> None:
        """Let the thread end when it has written what waits; `join` it then."""
        with self._wake:
            self._stopping = True
            self._wake.notify()

    def join(self) -> None:
        """Wait for the thread's end; from any thread."""
        self._thread.join()

    def condemn(self, reason: str) -> None:
        """The file was found damaged: store nothing more in it."""
        with self._wake:
            self._damage = self._damage or reason
            self._wake.notify()
        self._know(self._damage)

    def _know(self, trouble: str | None) -> None:
        if trouble != self._known_trouble:
            self._known_trouble = trouble
            _log.log(logging.ERROR if trouble else logging.INFO, "%s", trouble or "the log can be written again")

    def _settle(self, settlement: _Settlement, trouble: str | None) -> None:
        self._waiting -= settlement.weight
        self._know(self._damage or trouble)
        self._feed.publish(settlement.states, settlement.entries)
        for future, answer in settlement.answers:
            if future is None or future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
        if settlement.sweep:
            with self._wake:
                self._wake.notify()

    # --- on the writer's thread ---

    def _run(self) -> None:
        while True:
            jobs, stopping = self._next()
            if jobs:
                self._report(self._store(jobs, hopeless=stopping and self._trouble is not None))
            elif stopping:
                break
            elif self._trouble is not None:
                self._probe()
            if self._trouble is None:
                self._sweep()
            if self._unnoted() == 0:
                self._note()
            if self._fold_at <= time.monotonic():
                self._fold()
        self._end()

    def _next(self) -> tuple[list[_Job], bool]:
        jobs: list[_Job] = []
        weight = 0
        with self._wake:
            if not (self._inbox or self._stopping):
                pause = self._sweeper.idle_seconds() if self._trouble is None else PROBE_SECONDS
                if (pause := min(pause, self._unnoted(), self._fold_at - time.monotonic())) > 0:
                    self._wake.wait(pause)
            while self._inbox and (not jobs or weight + self._inbox[0].weight <= BATCH_DRAFTS):
                job = self._inbox.popleft()
                weight += job.weight
                jobs.append(job)
            return jobs, self._stopping

    def _unnoted(self) -> float:
        """In how many seconds the witness wants to know what was stored; not at once, for that costs as well."""
        return max(0.0, self._next_note - time.monotonic()) if self._entries != self._noted else math.inf

    def _note(self) -> None:
        self._witness.note(self._entries)
        self._noted = self._entries
        self._next_note = time.monotonic() + NOTE_SECONDS

    def _fold(self) -> None:
        """Bring everything into the file, so that nothing that was erased stays beside it."""
        self._fold_at = math.inf
        with contextlib.suppress(sqlite3.Error):
            (patience,) = self._connection.execute("PRAGMA busy_timeout").fetchone()
            # A long reader, such as a backup, shall not hold up those who write: then it is tried again later.
            self._connection.execute(f"PRAGMA busy_timeout = {_FOLD_PATIENCE_MS}")
            try:
                (busy, _, _) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                self._connection.execute(f"PRAGMA busy_timeout = {patience}")
            if busy:
                self._fold_at = time.monotonic() + FOLD_SECONDS

    def _end(self) -> None:
        self._note()
        folded_back = False
        with contextlib.suppress(sqlite3.Error):
            (busy, _, _) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            folded_back = not busy and self._refusal() is None
        self._connection.close()
        with contextlib.suppress(OSError):
            self._witness.end(in_order=folded_back)

    def _refusal(self) -> str | None:
        """Why there is no use in writing, as far as that can be seen without trying."""
        if self._damage is None and (fault := self._files.fault()) is not None:
            if not fault.lasting:
                return fault.reason
            self._condemned(fault.reason)
        return self._damage

    def _store(self, jobs: list[_Job], *, hopeless: bool = False) -> _Settlement:
        """Do the jobs in one transaction. One that is at fault itself is left out; the others go on."""
        weight = sum(job.weight for job in jobs)
        refused: list[tuple[asyncio.Future[Any] | None, object]] = []
        if (refusal := self._refusal()) is not None:
            self._trouble = refusal
            hopeless = True
        while jobs and not hopeless:
            transaction = Transaction(self._connection, self._rows, keep=self._keep, epoch=self._epoch)
            answers: list[tuple[asyncio.Future[Any] | None, object]] = []
            job: _Job | None = None
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                for job in jobs:
                    answer = job.work(transaction)
                    answers.append((job.future, answer))
                job = None
                transaction.finish()
                self._connection.execute("COMMIT")
            except Exception as error:
                if job is not None and not _is_storage_failure(error):
                    self._rollback()
                    refused.append((job.future, error))
                    jobs.remove(job)
                    continue
                self._failed(error)
                break
            if transaction.rows:
                self._trouble = None
            self._entries += len(transaction.entries)
            if self._fold_at == math.inf and any(entry.erased for entry in transaction.entries):
                self._fold_at = time.monotonic() + FOLD_SECONDS
            self._rows.update(transaction.rows)
            self._sweeper.take_over(transaction.rows, len(transaction.entries))
            states = {name: row.state for name, row in transaction.rows.items()}
            return _Settlement(answers + refused, weight, states, transaction.entries, self._sweeper.overdue)
        failed = [(job.future, StoreBusyError(self._trouble)) for job in jobs]
        return _Settlement([*failed, *refused], weight)

    def _probe(self) -> None:
        """Find out whether there is room for the biggest event."""
        self._trouble = self._refusal()
        if self._trouble is None:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.execute("INSERT INTO probe VALUES (zeroblob(?))", (_PROBE_BYTES,))
                self._connection.execute("COMMIT")
                self._connection.execute("DELETE FROM probe")
            except sqlite3.Error as error:
                self._failed(error)
        self._report(_Settlement(()))

    def _sweep(self) -> None:
        """One step. A floor that rises is a commit like others; what is removed below it need not be flushed."""
        try:
            if floors := self._sweeper.lapsed():
                self._report(self._store([_Job(lambda transaction: _raise(transaction, floors), 0, None)]))
            if self._trouble is None:
                self._sweeper.sweep()
        except sqlite3.Error as error:
            self._failed(error)
            self._report(_Settlement(()))

    def _failed(self, error: Exception) -> None:
        self._rollback()
        self._trouble = _reason(error)
        if is_damage(error):
            self._condemned(self._trouble)

    def _condemned(self, reason: str) -> None:
        with self._wake:
            self._damage = self._damage or reason

    def _rollback(self) -> None:
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")

    def _report(self, settlement: _Settlement) -> None:
        self._loop.call_soon_threadsafe(self._settle, settlement, self._trouble)


def _is_storage_failure(error: Exception) -> bool:
    """The disk or the file is at fault, not what was to be stored."""
    return isinstance(error, sqlite3.Error) and not isinstance(
        error, sqlite3.ProgrammingError | sqlite3.InterfaceError | sqlite3.IntegrityError | sqlite3.DataError
    )


def is_damage(error: Exception) -> bool:
    """The file is not what it was: no database, or not a sound one."""
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _raise(transaction: Transaction, floors: Mapping[str, int]) -> None:
    for name, floor in floors.items():
        transaction.trim(name, floor)


def _code(error: Exception) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _reason(error: Exception) -> str:
    code = _code(error)
    if code == sqlite3.SQLITE_FULL:
        return "the log cannot be written: the disk is full"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "the log cannot be written: another program holds it"
    if code == sqlite3.SQLITE_READONLY:
        return "the log cannot be written: its folder is read-only"
    if is_damage(error):
        return damaged(error)
    return f"the log cannot be written: {error}"


def damaged(error: Exception) -> str:
    """What is said of a damaged file."""
    return f"the log is damaged ({error}): stop the server and restore it from a copy"
