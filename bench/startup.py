"""How long each command takes until it has done its first thing."""

import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from bench.measured import Measured
from bench.room import PUSHTUI, room

_RUNS = 7


def measure() -> Iterator[Measured]:
    """Medians of seven runs each; what ``connect`` takes is told by ``screen``."""
    for words in (["--version"], ["tail", "--help"], ["send", "--help"]):
        yield Measured(f"pushtui {' '.join(words)}", _median(partial(_ran, words)), "s")
    yield Measured("pushtui serve, until it listens", _median(_served), "s")
    with room() as (url, _):
        stored = _median(partial(_ran, ["send", "--url", url, "hello"]))
        yield Measured("pushtui send, until it is stored", stored, "s")


def _median(seconds: Callable[[], float]) -> float:
    return statistics.median(seconds() for _ in range(_RUNS))


def _ran(words: Sequence[str]) -> float:
    began = time.monotonic()
    subprocess.run([*PUSHTUI, *words], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def _served() -> float:
    began = time.monotonic()
    with room():
        return time.monotonic() - began
