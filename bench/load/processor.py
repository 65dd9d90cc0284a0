"""Cores and what is used of them: who runs where, and the processor time and memory of a program."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

#: A process may open this many files here; listeners are spread over several when there are more.
SPARE_FILES = 200


def cores() -> tuple[int, tuple[int, ...]]:
    """The server's core, and those of the load; with one core they share it."""
    server, *load = sorted(os.sched_getaffinity(0))
    return server, tuple(load) or (server,)


def pin(core: int) -> None:
    """Run this process, and what it starts, on one core."""
    os.sched_setaffinity(0, {core})


def family(pid: int) -> list[psutil.Process]:
    """A process and all that it started."""
    first = psutil.Process(pid)
    return [first, *first.children(recursive=True)]


def processor_seconds(pid: int) -> float:
    """What a process and its children have used, to the microsecond: the tick of `times(2)` is 10 ms."""
    return sum(_scheduled_ns(process.pid) for process in family(pid)) / 1e9


def machine_seconds() -> float:
    """What all processes of the machine together have used, and what was stolen from it."""
    times = psutil.cpu_times()
    return sum(times) - times.idle - times.iowait - getattr(times, "guest", 0) - getattr(times, "guest_nice", 0)


def memory_bytes(pid: int) -> int:
    """What a process and its children have of the memory, shared pages counted once (PSS)."""
    return sum(process.memory_full_info().pss for process in family(pid))


def _scheduled_ns(pid: int) -> int:
    return sum(_first_numbers(Path(f"/proc/{pid}/task").iterdir()))


def _first_numbers(tasks: Iterable[Path]) -> Iterable[int]:
    for task in tasks:
        # A thread may end while it is looked at.
        with suppress(FileNotFoundError, ProcessLookupError):
            yield int((task / "schedstat").read_text().split()[0])
