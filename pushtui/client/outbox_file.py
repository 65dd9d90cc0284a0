"""An outbox in a file: what was said outlives the program that said it, however that ends.

One file for each server and nick, because keys are unique per author. It is a journal: each line is a JSON object,
either an entry or the key of one that is gone. Changes are only ever appended; the file is emptied when nothing is
left, and written anew, beside itself and then renamed, when too much of it is history or a write failed. So at any
moment the file on disk tells all entries, and a last line without its end is one that nobody was told about.
"""

import contextlib
import hashlib
import logging
import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import platformdirs
from msgspec import Struct

from pushtui.client.address import Address
from pushtui.client.outbox import Entry

try:
    import fcntl
except ImportError:  # Windows: what cannot be locked is not shared
    fcntl = None  # type: ignore[assignment]

#: How many bytes of history a journal may carry before it is written anew.
HISTORY = 1024 * 1024

logger = logging.getLogger(__name__)


class OutboxUnusableError(Exception):
    """There is no outbox to be had on disk; the message says why, in one clause."""


class _Gone(Struct):
    gone: str


_encode = msgspec.json.Encoder().encode
_decode_entry = msgspec.json.Decoder(Entry).decode
_decode_gone = msgspec.json.Decoder(_Gone).decode


def default_folder() -> Path:
    """Where a person's outboxes are; it need not exist. ``~/.local/state/pushtui/outbox`` on Linux."""
    return platformdirs.user_state_path("pushtui", appauthor=False) / "outbox"


def path_of(folder: Path, address: Address, nick: str) -> Path:
    """The file of one author at one server. A nick can be longer than a file's name, so it is hashed."""
    author = f"{address.http}\n{nick}".encode()
    return folder / f"{hashlib.sha256(author).hexdigest()[:32]}.jsonl"


class OutboxFile:
    """A `pushtui.client.outbox.Shelf` on disk.

    `put` returns when the operating system has the line: from then on it survives the end of this program,
    SIGKILL included. A thread of its own then has it written to the disk (fsync), so that nobody waits for one: a
    power cut can take what was said in the moment before it. What is lost of `remove` in that way only means that
    something is sent once more, and a server stores each key once.

    One program at a time has the file: two that sent the same entries would each take the other's away.

    Args:
        path: the file; it and its folder are made if there are none.

    Attributes:
        problem: why the newest entries are not kept, empty while they are. Each change tries again.

    Raises:
        OutboxUnusableError: another program has it, or its folder cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.problem = ""
        self._path = path
        self._entries: dict[str, Entry] = {}
        self._written = 0
        self._history = 0
        self._torn = False
        self._file = -1
        self._file_held = threading.Lock()
        self._sync_asked = False
        try:
            self._lock = self._own()
        except OSError as error:
            raise OutboxUnusableError(f"{path.parent} cannot be used ({error.strerror})") from error
        self._syncing = ThreadPoolExecutor(1, thread_name_prefix="outbox-sync")
        try:
            self._load()
        except OSError as error:
            self._let_go()
            raise OutboxUnusableError(f"{path} cannot be used ({error.strerror})") from error

    @property
    def entries(self) -> Iterable[Entry]:
        """See `Shelf.entries`."""
        return tuple(self._entries.values())

    def put(self, entry: Entry) -> None:
        """See `Shelf.put`."""
        self._entries.pop(entry.key, None)
        self._entries[entry.key] = entry
        self._record(_encode(entry))

    def remove(self, key: str) -> None:
        """See `Shelf.remove`."""
        if self._entries.pop(key, None) is not None:
            self._record(_encode(_Gone(key)))

    def close(self) -> None:
        """See `Shelf.close`. What is on its way to the disk is waited for."""
        self._syncing.shutdown()
        if not self._entries and not self._torn:
            with contextlib.suppress(OSError):
                self._path.unlink()
        self._let_go()

    def _own(self) -> int:
        if fcntl is None:
            raise OutboxUnusableError("files cannot be locked on this system")
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise OutboxUnusableError("another pushtui has the outbox of this nick") from None
        except OSError:
            os.close(lock)
            raise
        return lock

    def _load(self) -> None:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            data = b""
        *lines, _torn = data.split(b"\n")
        unreadable = sum(not self._replay(line) for line in lines)
        if unreadable:
            # Written by a later version or damaged: nobody's words are thrown away.
            aside = self._path.with_suffix(".unreadable")
            aside.write_bytes(data)
            aside.chmod(0o600)
            logger.warning("%d lines of an outbox cannot be read; they are kept in %s", unreadable, aside)
        self._rewrite()

    def _replay(self, line: bytes) -> bool:
        with contextlib.suppress(msgspec.DecodeError):
            entry = _decode_entry(line)
            self._entries.pop(entry.key, None)
            self._entries[entry.key] = entry
            return True
        with contextlib.suppress(msgspec.DecodeError):
            self._entries.pop(_decode_gone(line).gone, None)
            return True
        return False

    def _record(self, line: bytes) -> None:
        try:
            if self._torn or self._history > max(HISTORY, self._written):
                self._rewrite()
            elif self._entries:
                self._history += len(line)
                _write(self._file, line + b"\n")
                self._sync_soon()
            else:
                os.ftruncate(self._file, 0)
                self._history = 0
        except OSError as error:
            self._failed(error)

    def _rewrite(self) -> None:
        """Put a file with the entries and nothing else in the place of the present one."""
        beside = self._path.with_suffix(".new")
        data = b"".join(_encode(entry) + b"\n" for entry in self._entries.values())
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            _write(file, data)
            os.fsync(file)
            beside.replace(self._path)
            _sync_folder(self._path.parent)
        except OSError:
            os.close(file)
            raise
        with self._file_held:
            former, self._file = self._file, file
            if former >= 0:
                os.close(former)
        self._written, self._history = len(data), 0
        self._torn, self.problem = False, ""

    def _sync_soon(self) -> None:
        if not self._sync_asked:
            self._sync_asked = True
            self._syncing.submit(self._sync)

    def _sync(self) -> None:
        # Before the sync, so that what is written meanwhile asks for another one.
        self._sync_asked = False
        try:
            with self._file_held:
                os.fsync(self._file)
        except OSError as error:
            self._failed(error)

    def _failed(self, error: OSError) -> None:
        self._torn = True
        self.problem = f"{self._path} cannot be written ({error.strerror})"

    def _let_go(self) -> None:
        for descriptor in (self._file, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._lock = -1


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _sync_folder(folder: Path) -> None:
    with _opened(folder) as descriptor:
        os.fsync(descriptor)


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
