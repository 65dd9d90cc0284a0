"""Writes what was captured into a file: a recording, as ``pushtui replay`` plays it."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pushtui.wire.recording import Recorder
from pushtui.wire.records import Beginning, Record


class NotSavedError(Exception):
    """It was not written; the message says why, in one sentence."""


def save(typed: str, beginning: Beginning, records: Iterable[Record]) -> Path:
    """Write a file that does not exist yet, for its owner alone.

    Args:
        typed: its name; without a folder it is in the current one.
        beginning: what was watched.
        records: what passed.

    Returns:
        Where it is.

    Raises:
        NotSavedError: the name is taken, or it cannot be written.
    """
    if not typed.strip():
        raise NotSavedError("a file needs a name")
    try:
        path = Path(typed.strip()).expanduser().absolute()
        with open(path, "xb", opener=_private) as target:
            try:
                recorder = Recorder(target, beginning)
                for record in records:
                    recorder(record)
            except OSError:
                with suppress(OSError):
                    path.unlink()
                raise
    except FileExistsError as error:
        raise NotSavedError(f"{path} exists already: take another name") from error
    except (OSError, ValueError, RuntimeError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise NotSavedError(f"not saved: {said}") from error
    return path


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
