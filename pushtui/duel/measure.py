"""Counting and measuring for one reader."""

import math
import re
from collections.abc import Sequence

from pushtui.duel.standing import Carried, Latency, Recovery, Step

_MARK = re.compile(r"([a-z0-9]+) (\d{1,9}) (\d{1,20}) ")


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of all are not above: nearest rank.

    Args:
        ordered: ascending, not empty.
        share: above 0 and at most 1.
    """
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def marked(run: str, number: int, stamp_ns: int, size: int, filler: str) -> str:
    """A message of ``size`` bytes that says which duel's it is, which number it has, and when it was said."""
    mark = f"{run} {number} {stamp_ns} "
    return mark + (filler * (size // len(filler) + 1))[: size - len(mark)]


def mark_of(text: str, run: str) -> tuple[int, int] | None:
    """The number and the stamp of a message; None if it is none of this duel's."""
    found = _MARK.match(text)
    return None if found is None or found[1] != run else (int(found[2]), int(found[3]))


class Tally:
    """What one reader heard.

    Attributes:
        heard: the numbers that came.
        doubled: how many came again.
        useful_bytes: of texts that came the first time.
        latencies_ms: of each of them, as they came.
    """

    def __init__(self) -> None:
        self.heard: set[int] = set()
        self.doubled = 0
        self.useful_bytes = 0
        self.latencies_ms: list[float] = []
        self._live_ms: list[float] = []

    def hear(self, number: int, text: str, latency_ms: float, *, replayed: bool) -> None:
        """One message came; one that was missed before, and is ``replayed``, tells nothing about latency."""
        if number in self.heard:
            self.doubled += 1
            return
        self.heard.add(number)
        self.useful_bytes += len(text.encode())
        self.latencies_ms.append(latency_ms)
        if not replayed:
            self._live_ms.append(latency_ms)

    @property
    def latency(self) -> Latency | None:
        """Of what came live."""
        if not self._live_ms:
            return None
        ordered = sorted(self._live_ms)
        return Latency(percentile(ordered, 0.5), percentile(ordered, 0.99), ordered[-1])


class Bill:
    """What the link of one reader cost, and in which part of the duel.

    Attributes:
        opening: until it was ready; None before.
        overhead_bytes: see `pushtui.duel.standing.Lane`.
    """

    def __init__(self) -> None:
        self.opening: Carried | None = None
        self.overhead_bytes: float | None = None
        self._closed = False

    def ready(self, carried: Carried) -> None:
        """From now on messages come."""
        self.opening = carried

    def look(self, carried: Carried, tally: Tally) -> None:
        """Reckon what each message cost so far, unless the quiet part is over."""
        if self.opening is None or self._closed or not tally.heard:
            return
        beside = carried.since(self.opening).bytes - tally.useful_bytes
        self.overhead_bytes = beside / len(tally.heard)

    def close(self, carried: Carried, tally: Tally) -> None:
        """The link is about to be cut: what comes after tells nothing about a usual message."""
        self.look(carried, tally)
        self._closed = True


class Diary:
    """What happened to one reader after its link was cut.

    Args:
        cut_at: when, in seconds.
        carried: what had been carried until then.

    Attributes:
        back: all that was missed is there.
        noticed: the reader has learned that its link was lost. One that was between two requests may not: the next
            one opens another connection, and that is all.
    """

    def __init__(self, cut_at: float, carried: Carried) -> None:
        self.back = False
        self.noticed = False
        self._cut_at = cut_at
        self._before = carried
        self._recovery = Recovery([Step(0.0, "the link is cut")])

    def note(self, now: float, what: str) -> None:
        """One more step."""
        self._recovery.steps.append(Step(self._since(now), what))

    def caught_up(self, now: float, carried: Carried, replayed: int) -> None:
        """All that was missed is there."""
        self.back = True
        self._recovery = Recovery(self._recovery.steps, self._since(now), replayed, carried.since(self._before))

    def unnoticed(self, now: float, carried: Carried) -> None:
        """Something came, over another connection, if it is one."""
        if not (self.noticed or self.back) and carried.connections > self._before.connections:
            self.note(now, "between two requests; the next one opened another connection")
            self.caught_up(now, carried, 0)

    @property
    def recovery(self) -> Recovery:
        """So far; what was written down stays as it is."""
        kept = self._recovery
        return Recovery(list(kept.steps), kept.back_ms, kept.replayed, kept.carried)

    def _since(self, now: float) -> float:
        return (now - self._cut_at) * 1000
