"""The files of a log as they are at one moment, to be put back later."""

import os
from collections.abc import Mapping
from pathlib import Path

#: In the order in which they may be copied while the log is written: the witness is never ahead of the rest, and
#: the write-ahead log only grows (`-shm` is made anew from it).
_WITNESS, _LOG, _WAL, _SHM = "{}.witness", "{}", "{}-wal", "{}-shm"


class Files:
    """A copy in memory of what a log consists of."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self._contents = contents

    @classmethod
    def copy(cls, log: Path) -> "Files":
        """Take a copy, without a turn of the loop in between."""
        contents = {}
        for name in (_WITNESS, _LOG, _WAL):
            path = log.with_name(name.format(log.name))
            if path.exists():
                contents[name] = path.read_bytes()
        return cls(contents)

    def put_back(self, log: Path) -> None:
        """Write the same files over: what a process leaves behind that ends at once (SIGKILL)."""
        for name in (_WITNESS, _LOG, _WAL, _SHM):
            _write(log.with_name(name.format(log.name)), self._contents.get(name))

    def restore(self, log: Path, *, replaced: bool) -> None:
        """Put the log back as somebody would who has a copy of it: the witness stays as it is.

        Args:
            log: where.
            replaced: by other files, instead of writing over those that are there.
        """
        for name in (_LOG, _WAL, _SHM):
            path = log.with_name(name.format(log.name))
            if replaced and name == _LOG:
                path = path.with_name("restored")
            _write(path, self._contents.get(name))
        if replaced:
            log.with_name("restored").replace(log)


def _write(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.truncate(0)
        file.write(content)
