"""The log's file: how it is opened, what is in it, how an older one is brought up to date."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from server.log.store import StoreUnusableError

#: Marks a file as ours (the SQLite header's application id): "push" in ASCII.
APPLICATION_ID = 0x70757368

# One tuple of statements for each step from a version to the next. What is released is never changed.
# `entries` is clustered by stream and seq, the order in which it is read. `probe` stays empty: it is
# written to find out whether there is room again. `tenure` has one row, see `server.log.witness`. `start` is the
# place of an entry in its stream in bytes, as `bytes` is that of the stream's end: what lies between two entries
# is a subtraction, however many they are. An entry counts with what its row and its index take, about 100 bytes.
_MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        f"PRAGMA application_id = {APPLICATION_ID}",
        """
        CREATE TABLE streams (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            epoch TEXT NOT NULL,
            floor INTEGER NOT NULL,
            head INTEGER NOT NULL,
            topic TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE entries (
            stream INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            at INTEGER NOT NULL,
            kind TEXT NOT NULL,
            author TEXT NOT NULL,
            key TEXT,
            body BLOB NOT NULL,
            PRIMARY KEY (stream, seq)
        ) WITHOUT ROWID
        """,
        "CREATE UNIQUE INDEX entries_by_key ON entries (stream, author, key) WHERE key IS NOT NULL",
        "CREATE TABLE probe (filler BLOB NOT NULL)",
    ),
    (
        "CREATE TABLE tenure (name TEXT NOT NULL)",
        "ALTER TABLE streams ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE entries ADD COLUMN start INTEGER NOT NULL DEFAULT 0",
        """
        UPDATE entries SET start = sized.start FROM (
            SELECT stream, seq,
                   sum(length(body) + 100) OVER (PARTITION BY stream ORDER BY seq) - length(body) - 100 AS start
            FROM entries
        ) AS sized
        WHERE entries.stream = sized.stream AND entries.seq = sized.seq
        """,
        """
        UPDATE streams SET bytes = coalesce(
            (SELECT sum(length(body) + 100) FROM entries WHERE entries.stream = streams.id), 0
        )
        """,
    ),
)

SCHEMA_VERSION = len(_MIGRATIONS)

_WAL_BYTES_KEPT = 16 * 1024 * 1024


def open_writer(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """Open the log for writing, up to date; may be used from any one thread at a time.

    Args:
        path: the file; made, readable for its owner only, if there is none.
        busy_seconds: how long a transaction waits for another program's lock.

    Raises:
        StoreUnusableError: the file is no log that this version can write.
    """
    with contextlib.ExitStack() as opened, refusing(path):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = opened.enter_context(contextlib.closing(_connect(path, busy_seconds)))
        version = _recognise(connection, path)
        if connection.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
            raise StoreUnusableError(
                f"the file system of {path} cannot hold the log; name a folder on a local disk with --data"
            )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS: else fsync stops at the drive's cache
        connection.execute("PRAGMA cell_size_check = ON")  # notices more of what is damaged
        connection.execute("PRAGMA secure_delete = ON")  # what was redacted shall not stay in free pages
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES_KEPT}")
        _migrate(connection, version)
        opened.pop_all()
    return connection


def open_reader(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """Open the log for reading, beside the writer; may be used from any one thread at a time."""
    connection = _connect(path, busy_seconds)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("SELECT 1 FROM streams LIMIT 1").fetchone()  # opens every file that it will need
    return connection


@contextlib.contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Turn what goes wrong while opening the log into a `StoreUnusableError`, one sentence each."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise StoreUnusableError(_sentence(path, error)) from error


def _connect(path: Path, busy_seconds: float) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)


def _recognise(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema's version, 0 for a new file. Changes nothing: it may be someone else's."""
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application_id != APPLICATION_ID and (application_id or version or tables):
        raise StoreUnusableError(
            f"{path} is another program's database; move it away or name another folder with --data"
        )
    if version > SCHEMA_VERSION:
        raise StoreUnusableError(
            f"{path} was written by a newer pushtui (format {version}, this one knows {SCHEMA_VERSION}); "
            "install that version or name another folder with --data"
        )
    return int(version)


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    # The transaction is also made when nothing is to do: it finds a file that cannot be written.
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM probe" if version else "SELECT 1")
    connection.execute("COMMIT")
    for step in range(version, SCHEMA_VERSION):
        connection.execute("BEGIN IMMEDIATE")
        for statement in _MIGRATIONS[step]:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {step + 1}")
        connection.execute("COMMIT")


def _sentence(path: Path, error: OSError | sqlite3.Error) -> str:
    advice = "name another folder with --data"
    if isinstance(error, OSError):
        return f"the log {path} cannot be opened ({error.strerror}); {advice}"
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return f"{path} is not a database; move it away or {advice}"
    if code == sqlite3.SQLITE_CORRUPT:
        return f"the log {path} is damaged ({error}); restore it from a copy or {advice}"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"another program holds the log {path}; close that program or {advice}"
    return f"the log {path} cannot be opened ({error}); make it writable, make room or {advice}"
