"""Counters into rates, and figures that keep their width while they change; pure, with the clock given in."""

from collections import deque


class Rate:
    """How fast a counter grows, over the last seconds.

    Args:
        window: how many seconds are looked at: long enough to be calm, short enough to be believed.
    """

    def __init__(self, window: float = 5.0) -> None:
        self._window = window
        self._seen: deque[tuple[float, int]] = deque()

    def observe(self, count: int, now: float) -> float:
        """Take the counter's value at ``now`` (seconds) and return the rate per second.

        A counter that fell began anew, and so does the rate. What is older than the window is forgotten,
        except for the value at its far edge, against which the growth is counted.
        """
        if self._seen and count < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now, count))
        while len(self._seen) > 2 and self._seen[1][0] <= now - self._window:
            self._seen.popleft()
        since, first = self._seen[0]
        return (count - first) / (now - since) if now > since else 0.0


def per_second(rate: float) -> str:
    """Return six characters: `` 0.2/s``, `` 120/s``, ``1.2k/s``."""
    if rate < 99.95:
        return f"{rate:4.1f}/s"
    if rate < 999.5:
        return f"{rate:4.0f}/s"
    return f"{rate / 1000:3.1f}k/s" if rate < 9_950 else f"{rate / 1000:3.0f}k/s"


def milliseconds(duration: float | None) -> str:
    """Return seven characters: ``12.0 ms``, `` 340 ms``, `` 1.2 s ``; dashes for what was not measured yet."""
    if duration is None:
        return "   – ms"
    if duration < 99.95:
        return f"{duration:4.1f} ms"
    if duration < 9_999.5:
        return f"{duration:4.0f} ms"
    return f"{duration / 1000:4.0f} s "


def tail(seq: int | None) -> str:
    """Return the end of a position, five characters: ``…1042``; blank as long as there is none."""
    return " " * 5 if seq is None else ("…" + str(seq)[-4:]).rjust(5)


def grouped(count: int) -> str:
    """Return a count with its thousands apart: ``5 000``."""
    return f"{count:,}".replace(",", " ")
