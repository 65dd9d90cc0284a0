"""One process owns a log; a second one is refused instead of mixing its numbers in."""

import os
from pathlib import Path

from server.log.store import StoreUnusableError

try:
    import fcntl
except ImportError:  # Windows has no flock: there the second server is not noticed
    fcntl = None  # type: ignore[assignment]


class Ownership:
    """A lock on a file beside the log. It ends with the process, however that ends; the file stays."""

    def __init__(self, log: Path) -> None:
        self._path = log.with_name(log.name + ".lock")
        self._descriptor: int | None = None

    def take(self) -> None:
        """Become the owner; makes the folder if there is none.

        Raises:
            StoreUnusableError: the folder cannot be used, or another process owns the log.
        """
        folder = self._path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnusableError(
                f"the data folder {folder} cannot be used ({error.strerror}); "
                "make it writable or name another one with --data"
            ) from error
        try:
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.read(descriptor, 20).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise StoreUnusableError(
                f"another server (process {owner or 'unknown'}) uses the data folder {folder}; "
                "stop it or name another folder with --data"
            ) from error
        except OSError as error:
            os.close(descriptor)
            raise StoreUnusableError(
                f"the data folder {folder} cannot be locked ({error.strerror}); "
                "name one on a local disk with --data"
            ) from error
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go. Idempotent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
