"""The file that says who may come in and what holds where; the server and the commands use it side by side."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pushtui.protocol.roles import Role
from server.access.records import Holdings, Rule, Sanction, SanctionKind, TokenRecord

NAME = "access.sqlite3"
#: The SQLite header's application id: "pusa" in ASCII.
APPLICATION_ID = 0x70757361
_BUSY_SECONDS = 5

# One tuple of statements for each step from a version to the next. What is released is never changed.
_MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        f"PRAGMA application_id = {APPLICATION_ID}",
        """
        CREATE TABLE tokens (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            role TEXT NOT NULL,
            digest BLOB NOT NULL,
            created INTEGER NOT NULL,
            expires INTEGER,
            revoked INTEGER,
            used INTEGER
        )
        """,
        """
        CREATE TABLE sanctions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            address TEXT NOT NULL,
            room TEXT NOT NULL,
            until INTEGER,
            by TEXT NOT NULL,
            reason TEXT NOT NULL,
            at INTEGER NOT NULL
        )
        """,
        """
        CREATE TABLE rules (
            room TEXT PRIMARY KEY,
            read_only INTEGER NOT NULL,
            private INTEGER NOT NULL,
            direct INTEGER NOT NULL
        )
        """,
        "CREATE TABLE members (room TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (room, name))",
    ),
)


class AccessFileError(Exception):
    """The file cannot be used; the message is one sentence: what, why, what to do."""


class AccessFile:
    """Tokens, sanctions and rules in a small SQLite file. Synchronous; each call is one transaction.

    It is used by one thread at a time, and by several processes at once.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the file of a data folder; it is made, readable for its owner only, if there is none.

        Raises:
            AccessFileError: it cannot be opened, or is something else.
        """
        path = folder / NAME
        with contextlib.ExitStack() as opened, _refusing(path):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(path)
            connection = opened.enter_context(
                contextlib.closing(
                    sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
                )
            )
            version = _recognise(connection, path)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # what was revoked stays revoked
            connection.execute("PRAGMA secure_delete = ON")
            _migrate(connection, version)
            opened.pop_all()
        return cls(connection, path)

    def close(self) -> None:
        """Let go of the file. Idempotent."""
        self._connection.close()

    def change(self) -> int:
        """A number that differs whenever another process has changed something; cheap to ask for."""
        with _refusing(self.path):
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        return int(version)

    def load(self) -> Holdings:
        """Everything."""
        with self._transaction() as db:
            tokens = db.execute(
                "SELECT id, name, role, digest, created, expires, revoked, used FROM tokens ORDER BY created, id"
            ).fetchall()
            sanctions = db.execute(
                "SELECT id, kind, name, address, room, until, by, reason, at FROM sanctions ORDER BY id"
            ).fetchall()
            rules = db.execute("SELECT room, read_only, private, direct FROM rules").fetchall()
            members: dict[str, set[str]] = {}
            for room, name in db.execute("SELECT room, name FROM members"):
                members.setdefault(room, set()).add(name)
        return Holdings(
            {row[0]: TokenRecord(row[0], row[1], Role(row[2]), *row[3:]) for row in tokens},
            tuple(Sanction(*row) for row in sanctions),
            {
                room: Rule(bool(read_only), bool(private), bool(direct), frozenset(members.get(room, ())))
                for room, read_only, private, direct in rules
            },
        )

    # Tokens

    def add_token(self, token: TokenRecord) -> None:
        """Let somebody in from now on."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO tokens (id, name, role, digest, created, expires) VALUES (?, ?, ?, ?, ?, ?)",
                (token.id, token.name, str(token.role), token.digest, token.created, token.expires),
            )

    def revoke(self, ids: list[str], at: int) -> None:
        """Take tokens back; those that were already stay as they are."""
        with self._transaction() as db:
            db.executemany(
                "UPDATE tokens SET revoked = ? WHERE id = ? AND revoked IS NULL", [(at, token) for token in ids]
            )

    def used(self, uses: dict[str, int]) -> None:
        """Note when tokens were last used."""
        with self._transaction() as db:
            db.executemany("UPDATE tokens SET used = ? WHERE id = ?", [(at, token) for token, at in uses.items()])

    # Sanctions

    def sanction(
        self, kind: SanctionKind, *, name: str, address: str, room: str, until: int | None, by: str, reason: str,
        at: int,
    ) -> int:  # fmt: skip
        """Keep a decision; returns its id."""
        with self._transaction() as db:
            made = db.execute(
                "INSERT INTO sanctions (kind, name, address, room, until, by, reason, at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (kind, name, address, room, until, by, reason, at),
            )
        return made.lastrowid or 0

    def lift(self, ids: list[int]) -> None:
        """Take decisions back."""
        with self._transaction() as db:
            db.executemany("DELETE FROM sanctions WHERE id = ?", [(sanction,) for sanction in ids])

    # Rules

    def rule(self, room: str, rule: Rule) -> None:
        """What holds in a room from now on, its members included."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO rules (room, read_only, private, direct) VALUES (?, ?, ?, ?)",
                (room, rule.read_only, rule.private, rule.direct),
            )
            db.execute("DELETE FROM members WHERE room = ?", (room,))
            db.executemany("INSERT INTO members VALUES (?, ?)", [(room, name) for name in sorted(rule.members)])

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _refusing(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def _make(path: Path) -> None:
    """See that there is the file, for its owner only.

    One that is there is not touched: a process that closes any descriptor of a file loses all its locks on it
    (fcntl). If this one has it open already, the next process that lets go of the file would think that it is the
    last one and remove the write-ahead log, and nobody here would ever hear of a change again.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


@contextlib.contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AccessFileError(
            f"the access file {path} cannot be opened ({error.strerror}); name another folder with --data"
        ) from error
    except sqlite3.Error as error:
        raise AccessFileError(
            f"the access file {path} cannot be used ({error}); make it writable or name another folder with --data"
        ) from error


def _recognise(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema's version, 0 for a new file."""
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application_id != APPLICATION_ID and (application_id or version or tables):
        raise AccessFileError(
            f"{path} is another program's database; move it away or name another folder with --data"
        )
    if version > len(_MIGRATIONS):
        raise AccessFileError(f"{path} was written by a newer pushtui; install that version")
    return int(version)


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    if version == len(_MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    # Two processes may have found it new at the same moment.
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for step in range(version, len(_MIGRATIONS)):
        for statement in _MIGRATIONS[step]:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {step + 1}")
    connection.execute("COMMIT")
