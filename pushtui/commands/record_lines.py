"""Records as lines on standard output: for people, or for programs."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator

from pushtui.wire import recording
from pushtui.wire.lines import Transcript
from pushtui.wire.records import Beginning, Record
from pushtui.wire.spans import plain

#: Lines of the next record.
Written = Callable[[Record], Iterator[str]]


def written(beginning: Beginning, as_json: bool) -> Written:
    """How records are written; with JSON what comes out is a recording, so its first line is printed at once."""
    if as_json:
        # JSON is UTF-8 wherever it goes; text gives way to what the terminal knows.
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        _print(recording.encode(beginning))
        return _json
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    transcript = Transcript()
    return lambda record: map(plain, transcript.rows(record))


async def printed(records: AsyncIterator[Record], write: Written) -> None:
    """Print them all, each as it comes.

    Raises:
        BrokenPipeError: nobody reads any more.
    """
    async for record in records:
        for line in write(record):
            _print(line)


def _json(record: Record) -> Iterator[str]:
    yield recording.encode(record)


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201
