"""What a small file beside the log remembers of it, so that a log that was put back is noticed.

Positions may only be trusted while no number is ever handed out twice. An older copy of the log's file would do
that: it ends at a lower number than the clients have seen. So each time the log is opened, the file is compared
with what its witness remembers:

- the *tenure*, drawn at each opening and written into both: a copy that lived on elsewhere has another one;
- how many events were ever stored: a copy of the same tenure has fewer, as has a log whose ``-wal`` was removed;
- the file's inode: a folder that was copied or restored with its witness has new ones;
- the file's change time, when the log was closed in order: it shows what was written over the file in place;
- whether it was closed in order, if commits were not flushed (``relaxed``): else the newest ones may be lost.

The witness is written after the commits it tells of, ten times a second at most, and is not flushed: that would
double what an append costs. So it may be behind the log, but never ahead of it, however the server ends: a crash
or a power cut keeps the epochs.

What it cannot notice, since everything that it could compare is put back as well: a snapshot of the whole disk or
virtual machine; a log that was *not* closed in order, when its folder is written over in place, file by file, by a
copy that was not either. And shortly after a power cut: a ``-wal`` that was removed, when the witness had not
reached the disk. (Who restores a log removes its ``-wal`` and
``-shm``: SQLite would apply them to the older file.)
"""

import logging
import os
from pathlib import Path

import msgspec

from pushtui.settings import Durability

_log = logging.getLogger(__name__)

#: Within one sector, so that a power cut leaves the old text or the new one.
_SIZE = 256


class Recollection(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is in the file, as JSON.

    Attributes:
        tenure: the tenure that the log had before the last opening began.
        next: the one it was given then; while that is being done it may have either.
        inode: of the log's file.
        entries: how many events it ever held, all streams together.
        durability: how they were stored.
        changed: the file's change time in ns when it was closed in order, None before that.
    """

    tenure: str
    next: str
    inode: int
    entries: int
    durability: Durability
    changed: int | None = None


class Witness:
    """The witness of one log. Made before the log is opened, since that may change the log's file."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._path = log.with_name(log.name + ".witness")
        self._descriptor: int | None = None
        self._said: Recollection | None = None
        self._silent = False
        try:
            self._found: os.stat_result | None = os.stat(log)
        except FileNotFoundError:
            self._found = None
        try:
            self._remembered: Recollection | None = msgspec.json.decode(self._path.read_bytes(), type=Recollection)
        except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
            self._remembered = None

    def suspicion(self, tenure: str, entries: int) -> str | None:
        """Why the log may have handed out numbers that it does not know of; None when it is the one that was left.

        Args:
            tenure: the log's.
            entries: how many events it ever held.
        """
        last, found = self._remembered, self._found
        if last is None:
            return "nothing tells whether it is the one that was left"
        if found is None or found.st_ino != last.inode:
            return "its file is another one than before"
        if tenure not in (last.tenure, last.next):
            return "it was replaced by another one"
        if entries < last.entries:
            return f"it ends {last.entries - entries} events earlier than it did"
        if last.changed is not None and not _same_time(found.st_ctime_ns, last.changed):
            return "its file was changed since it was closed"
        if last.durability == "relaxed" and last.changed is None:
            return "it was not closed in order, and stored with --durability relaxed"
        return None

    def begin(self, *, previous: str, tenure: str, entries: int, durability: Durability) -> None:
        """Remember that the log is open, on the disk; makes the file if there is none.

        Raises:
            OSError: it cannot be written.
        """
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._said = Recollection(
            tenure=previous,
            next=tenure,
            inode=os.stat(self._log).st_ino,
            entries=entries,
            durability=durability,
        )
        self._write(self._descriptor, self._said)
        os.ftruncate(self._descriptor, _SIZE)
        os.fsync(self._descriptor)
        _flush_folder(self._path.parent)

    def note(self, entries: int) -> None:
        """Remember how many events there are now; after their commit, and not flushed."""
        if self._descriptor is None or self._said is None:
            return
        self._said.entries = entries
        try:
            self._write(self._descriptor, self._said)
        except OSError as error:
            # What is behind is harmless; only a restored log would not be noticed.
            if not self._silent:
                _log.warning("%s cannot be written: %s", self._path, error.strerror)
            self._silent = True
        else:
            self._silent = False

    def end(self, *, in_order: bool) -> None:
        """The log's file is closed; with ``in_order`` everything is on the disk. Idempotent.

        Raises:
            OSError: that cannot be remembered; the log counts as not closed in order then.
        """
        descriptor, said = self._descriptor, self._said
        if descriptor is None or said is None:
            return
        self._descriptor = None
        try:
            if in_order:
                said.changed = os.stat(self._log).st_ctime_ns
                self._write(descriptor, said)
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _write(self, descriptor: int, recollection: Recollection) -> None:
        os.pwrite(descriptor, msgspec.json.encode(recollection).ljust(_SIZE - 1) + b"\n", 0)


def _same_time(one: int, other: int) -> bool:
    """Some file systems keep whole seconds, and forget the rest when they are mounted again."""
    second = 1_000_000_000
    return one == other or (one % second == 0 and one // second == other // second)


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
