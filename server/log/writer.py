"""The one thread that writes the log's file."""

import asyncio
import contextlib
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from server.log.feed import Feed
from server.log.retention import Keep
from server.log.store import Entry, StoreBusyError, StreamState
from server.log.transaction import Row, Transaction

_log = logging.getLogger(__name__)

BATCH_DRAFTS = 512
SWEEP_ROWS = 256
PROBE_SECONDS = 1.0
_PROBE_BYTES = 64 * 1024

_T = TypeVar("_T")


class _Job(NamedTuple):
    work: Callable[[Transaction], Any]
    weight: int
    future: asyncio.Future[Any]


class _Settlement(NamedTuple):
    """What the loop has to know of a batch."""

    answers: Sequence[tuple[asyncio.Future[Any], object]]
    weight: int = 0
    states: Mapping[str, StreamState] = {}
    entries: Sequence[Entry] = ()
    sweep: bool = False


class Writer:
    """Takes everything that waits into one transaction, so that one fsync serves all of it.

    No timer is needed: while one batch is being written the next one gathers. The loop is told once for
    each batch, after the commit: the states move, the followers hear of it, then those who asked are answered.

    Rows below a stream's floor are removed a few at a time, and only below floors that the loop knows
    already. So whoever reads, and finds entries missing, finds the floor moved as well.

    `submit`, `stop`, `trouble` belong to the loop's thread; all the rest to the writer's.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        rows: dict[str, Row],
        feed: Feed,
        *,
        limit: int,
        keep: Keep,
        epoch: Callable[[], str],
    ) -> None:
        self._connection = connection
        self._feed = feed
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
        # the writer thread's own
        self._rows = rows
        self._trouble: str | None = None
        self._overdue: set[str] = set()
        self._take_over(rows)
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

    def _settle(self, settlement: _Settlement, trouble: str | None) -> None:
        self._waiting -= settlement.weight
        if trouble != self._known_trouble:
            self._known_trouble = trouble
            _log.log(logging.ERROR if trouble else logging.INFO, "%s", trouble or "the log can be written again")
        self._feed.publish(settlement.states, settlement.entries)
        for future, answer in settlement.answers:
            if future.done():
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
            if self._sweepable():
                self._sweep()
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()

    def _next(self) -> tuple[list[_Job], bool]:
        jobs: list[_Job] = []
        weight = 0
        with self._wake:
            if not (self._inbox or self._stopping or self._sweepable()):
                self._wake.wait(PROBE_SECONDS if self._trouble is not None else None)
            while self._inbox and (not jobs or weight + self._inbox[0].weight <= BATCH_DRAFTS):
                job = self._inbox.popleft()
                weight += job.weight
                jobs.append(job)
            return jobs, self._stopping

    def _store(self, jobs: list[_Job], *, hopeless: bool) -> _Settlement:
        """Do the jobs in one transaction. One that is at fault itself is left out; the others go on."""
        weight = sum(job.weight for job in jobs)
        refused: list[tuple[asyncio.Future[Any], object]] = []
        while jobs and not hopeless:
            transaction = Transaction(self._connection, self._rows, keep=self._keep, epoch=self._epoch)
            answers: list[tuple[asyncio.Future[Any], object]] = []
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
                self._rollback()
                if job is not None and not _is_storage_failure(error):
                    refused.append((job.future, error))
                    jobs.remove(job)
                    continue
                self._trouble = _reason(error)
                break
            if transaction.rows:
                self._trouble = None
            self._take_over(transaction.rows)
            states = {name: row.state for name, row in transaction.rows.items()}
            return _Settlement(answers + refused, weight, states, transaction.entries, bool(self._overdue))
        failed = [(job.future, StoreBusyError(self._trouble)) for job in jobs]
        return _Settlement([*failed, *refused], weight)

    def _take_over(self, rows: Mapping[str, Row]) -> None:
        self._rows.update(rows)
        for name, row in rows.items():
            if row.floor - row.lowest >= SWEEP_ROWS:
                self._overdue.add(name)

    def _probe(self) -> None:
        """Find out whether there is room for the biggest event."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("INSERT INTO probe VALUES (zeroblob(?))", (_PROBE_BYTES,))
            self._connection.execute("COMMIT")
            self._connection.execute("DELETE FROM probe")
        except sqlite3.Error as error:
            self._rollback()
            self._trouble = _reason(error)
        else:
            self._trouble = None
        self._report(_Settlement(()))

    def _sweepable(self) -> bool:
        return self._trouble is None and any(self._due(name) >= SWEEP_ROWS for name in self._overdue)

    def _due(self, name: str) -> int:
        state = self._feed.state(name)
        return 0 if state is None else state.floor - self._rows[name].lowest

    def _sweep(self) -> None:
        """Remove some rows of one stream."""
        name = next(name for name in self._overdue if self._due(name) >= SWEEP_ROWS)
        row = self._rows[name]
        try:
            self._connection.execute(
                "DELETE FROM entries WHERE stream = ? AND seq >= ? AND seq < ?",
                (row.id, row.lowest, row.lowest + SWEEP_ROWS),
            )
        except sqlite3.Error as error:
            self._rollback()
            self._trouble = _reason(error)
            self._report(_Settlement(()))
            return
        row.lowest += SWEEP_ROWS
        if row.floor - row.lowest < SWEEP_ROWS:
            self._overdue.discard(name)

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


def _reason(error: Exception) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return "the log cannot be written: the disk is full"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "the log cannot be written: another program holds it"
    return f"the log cannot be written: {error}"
