"""Rates out of counters that only grow, except when they do not."""

from collections.abc import Mapping, Sequence
from heapq import nlargest

from server.readings import CoreTime, ProcessId


class ByteRates:
    """Bytes per second, in and out, over all devices together.

    A device that comes or goes counts nothing, and neither does a counter that went back: it wrapped or
    was reset, and by how much cannot be known.
    """

    def __init__(self) -> None:
        self._before: tuple[float, Mapping[str, tuple[int, int]]] | None = None

    def update(self, counters: Mapping[str, tuple[int, int]], now: float) -> tuple[float, float] | None:
        """Take the counters as they are at ``now`` (s, monotonic); None the first time, or without devices."""
        before, self._before = self._before, (now, counters)
        if before is None or now <= before[0] or not counters:
            return None
        came = went = 0
        for name, (inward, outward) in counters.items():
            inward_before, outward_before = before[1].get(name, (inward, outward))
            came += max(0, inward - inward_before)
            went += max(0, outward - outward_before)
        elapsed = now - before[0]
        return round(came / elapsed, 1), round(went / elapsed, 1)


class CoreShares:
    """How busy the cores were between two looks."""

    def __init__(self) -> None:
        self._before: Sequence[CoreTime] = ()

    def update(self, cores: Sequence[CoreTime]) -> tuple[float, list[float]] | None:
        """The percentage of all and of each; None the first time, and when cores came or went."""
        before, self._before = self._before, cores
        if not cores or len(before) != len(cores):
            return None
        spent = [
            (max(0.0, now.busy - then.busy), max(0.0, now.total - then.total))
            for now, then in zip(cores, before, strict=True)
        ]
        together = _percent(sum(busy for busy, _ in spent), sum(total for _, total in spent))
        return together, [_percent(busy, total) for busy, total in spent]


class ProcessShares:
    """Which processes were the busiest between two looks."""

    def __init__(self) -> None:
        self._before: tuple[float, Mapping[ProcessId, float]] | None = None

    def update(self, seconds: Mapping[ProcessId, float], now: float, most: int) -> list[tuple[int, float]]:
        """At most ``most`` pids with their percentage of one core, busiest first; none the first time.

        Args:
            seconds: the CPU seconds of each process so far.
            now: the time of the look, in s, monotonic.
            most: how many.
        """
        before, self._before = self._before, (now, seconds)
        if before is None or now <= before[0]:
            return []
        then, had = before
        # one that was not there before has spent all of its time since
        used = ((spent - had.get(process, 0.0), process.pid) for process, spent in seconds.items())
        return [(pid, round(100 * spent / (now - then), 1)) for spent, pid in nlargest(most, used) if spent >= 0.0]


def _percent(part: float, whole: float) -> float:
    return round(min(100.0, 100 * part / whole), 1) if whole > 0 else 0.0
