"""Whether the files that are open are still those in the folder."""

import os
import sqlite3
from pathlib import Path


class OpenFiles:
    """The log's file and its ``-wal``, as they were when they were opened.

    A file that was removed or replaced while it is open takes everything, and is gone when the server ends: what
    was written into it could not be relied on. One that was cut off makes trouble only when the missing part is
    read. A look costs two system calls.

    Args:
        path: the log's file.
        connection: open on it, with a ``-wal`` that exists.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._execute = connection.execute
        self._known = {name: _identity(os.stat(name)) for name in (path, path.with_name(path.name + "-wal"))}
        self._bytes = os.stat(path).st_size

    def absence(self) -> str | None:
        """Which file is gone, and what to do; None when both are there."""
        for name, known in self._known.items():
            try:
                found = _identity(os.stat(name))
            except OSError:
                return f"{name} was removed while it was in use: put it back, or restart the server"
            if found != known:
                return f"{name} was replaced while it was in use: restart the server"
        return None

    def damage(self) -> str | None:
        """Whether the log's file has lost its end; None when it has not."""
        try:
            size = os.stat(self._path).st_size
        except OSError:
            return None
        if size < self._bytes and self._lacks(size):
            return f"{self._path} was cut off while it was in use: stop the server and restore it from a copy"
        self._bytes = size
        return None

    def _lacks(self, size: int) -> bool:
        """Whether the log needs more than this: another program may have made it smaller in order (``VACUUM``)."""
        try:
            (pages,) = self._execute("PRAGMA page_count").fetchone()
            (page_bytes,) = self._execute("PRAGMA page_size").fetchone()
        except sqlite3.Error:
            return True
        return size < int(pages) * int(page_bytes)


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino
