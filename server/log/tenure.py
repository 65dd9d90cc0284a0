"""One opening of the log: either its file is the one that was left, or every stream begins a new life."""

import logging
import secrets
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

from pushtui.settings import Durability
from server.log.transaction import Row
from server.log.witness import Witness

_log = logging.getLogger(__name__)


def begin_tenure(
    connection: sqlite3.Connection,
    rows: dict[str, Row],
    witness: Witness,
    *,
    path: Path,
    durability: Durability,
    epoch: Callable[[], str],
) -> None:
    """Give the log a new tenure, and each stream a new epoch if the witness knows another log than this.

    The order is such that a crash at any point neither changes the epochs of a log that is the right one nor
    leaves those of a wrong one: the witness of the right one knows both tenures before the log gets the new one;
    that of a wrong one gets to know it when its epochs have changed.

    Args:
        connection: commits have to be flushed (``synchronous = FULL``).
        rows: its streams; changed with it.
        witness: of this log.
        path: the log's file, for the message.
        durability: how events will be stored from now on.
        epoch: draws an epoch.

    Raises:
        sqlite3.Error, OSError: it cannot be written.
    """
    found = connection.execute("SELECT name FROM tenure").fetchone()
    previous: str = found[0] if found else ""
    tenure = secrets.token_hex(8)
    entries = total(rows.values())
    suspicion = witness.suspicion(previous, entries)
    if suspicion is None:
        witness.begin(previous=previous, tenure=tenure, entries=entries, durability=durability)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM tenure")
    connection.execute("INSERT INTO tenure VALUES (?)", (tenure,))
    if suspicion is not None:
        for row in rows.values():
            row.epoch = epoch()
            connection.execute("UPDATE streams SET epoch = ? WHERE id = ?", (row.epoch, row.id))
    connection.execute("COMMIT")
    if suspicion is not None and rows:
        _log.warning(
            "the log %s begins anew for every reader: %s; clients drop what they held and read it again",
            path,
            suspicion,
        )
    witness.begin(previous=tenure, tenure=tenure, entries=entries, durability=durability)


def total(rows: Iterable[Row]) -> int:
    """How many events these streams ever held."""
    return sum(row.head for row in rows)
