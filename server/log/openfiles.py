"""Whether the files that are open are still those in the folder."""

import os
import sqlite3
import time
from pathlib import Path
from typing import NamedTuple

#: How often they are looked at. Not with each commit: where the kernel has multigrain timestamps (Linux 6.13), a
#: file that was looked at gets a new time with its next write, and that is one more block to flush: 20 % slower.
LOOK_SECONDS = 0.1


class Fault(NamedTuple):
    """What is wrong with a file, in one sentence; ``lasting`` when it cannot become right again.

    The sentence goes to clients as well, so it does not say where the file is.
    """

    reason: str
    lasting: bool


class OpenFiles:
    """The log's file and its ``-wal``, as they were when they were opened.

    A file that was removed or replaced while it is open takes everything, and is gone when the server ends: what
    was written into it could not be relied on. One that was cut off makes trouble only when the missing part is
    read.

    Args:
        path: the log's file.
        connection: open on it, with a ``-wal`` that exists.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._file = str(path)
        self._wal = f"{path}-wal"
        found = os.stat(self._file)
        self._bytes = found.st_size
        self._file_identity = _identity(found)
        self._wal_identity = _identity(os.stat(self._wal))
        self._sound_until = 0.0

    def fault(self) -> Fault | None:
        """What is wrong, None when nothing is, or when nothing was a moment ago."""
        now = time.monotonic()
        if now < self._sound_until:
            return None
        fault = self._look()
        if fault is None:
            self._sound_until = now + LOOK_SECONDS
        return fault

    def _look(self) -> Fault | None:
        name = self._file
        try:
            found = os.stat(name)
            if _identity(found) != self._file_identity:
                return _replaced(name)
            name = self._wal
            if _identity(os.stat(name)) != self._wal_identity:
                return _replaced(name)
        except OSError:
            return Fault(
                f"{Path(name).name} was removed while it was in use: put it back, or restart the server",
                lasting=False,
            )
        if found.st_size < self._bytes and self._lacks(found.st_size):
            return Fault(
                f"{Path(self._file).name} was cut off while it was in use: "
                "stop the server and restore it from a copy",
                lasting=True,
            )
        self._bytes = found.st_size
        return None

    def _lacks(self, size: int) -> bool:
        """Whether the log needs more than this: another program may have made it smaller in order (``VACUUM``)."""
        try:
            (pages,) = self._execute("PRAGMA page_count").fetchone()
            (page_bytes,) = self._execute("PRAGMA page_size").fetchone()
        except sqlite3.Error:
            return True
        return size < int(pages) * int(page_bytes)


def _replaced(name: str) -> Fault:
    return Fault(f"{Path(name).name} was replaced while it was in use: restart the server", lasting=False)


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino
