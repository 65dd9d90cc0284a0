"""How much of something one client may do: token buckets.

A bucket is one number: the moment at which it will be full again (the generic cell rate algorithm, ITU-T I.371).
"""

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from pushtui.protocol.limits import Rate

Key = TypeVar("Key", bound=Hashable)
Clock = Callable[[], float]

#: Seconds by which sums of floating-point numbers may be off: who waits as long as told is not told again.
_ROUNDING = 1e-6


class Bucket:
    """So many at once, and so many more each second.

    Args:
        rate: how many; a rate of 0 means no limit.
        clock: seconds, monotonic.
    """

    __slots__ = ("_clock", "_full_at", "_rate")

    def __init__(self, rate: Rate, clock: Clock = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._full_at = clock()

    def take(self, n: float = 1.0) -> float:
        """Take ``n``: 0 when it was there, else the seconds to wait, and nothing is taken.

        More than the burst needs a full bucket and leaves it in debt, so that it is not refused for ever.
        """
        now = self._clock()
        wait = _wait(self._rate, self._full_at, now, n)
        if not wait:
            self._full_at = _taken(self._rate, self._full_at, now, n)
        return wait

    def wait(self, n: float = 1.0) -> float:
        """The seconds until ``n`` is there, 0 when it is now; takes nothing."""
        return _wait(self._rate, self._full_at, self._clock(), n)


class Buckets(Generic[Key]):
    """A bucket for each key; a key that nobody has used for long costs nothing.

    Args:
        rate: of each; a rate of 0 means no limit.
        clock: seconds, monotonic.
        most: keys held at the same time. With more, those that are full again go; in a flood of new keys also
            those that are the nearest to it: that forgives the least, and not to those who are being refused.
    """

    def __init__(self, rate: Rate, clock: Clock = time.monotonic, most: int = 10_000) -> None:
        self._rate = rate
        self._clock = clock
        self._most = most
        self._full_at: dict[Key, float] = {}

    def take(self, key: Key, n: float = 1.0) -> float:
        """As `Bucket.take`."""
        now = self._clock()
        full_at = self._full_at.get(key, now)
        wait = _wait(self._rate, full_at, now, n)
        if self._rate.per_second and not wait:
            self._full_at[key] = _taken(self._rate, full_at, now, n)
            if len(self._full_at) > self._most:
                self._forget(now)
        return wait

    def wait(self, key: Key, n: float = 1.0) -> float:
        """As `Bucket.wait`."""
        now = self._clock()
        return _wait(self._rate, self._full_at.get(key, now), now, n)

    def __len__(self) -> int:
        """How many keys are held."""
        return len(self._full_at)

    def _forget(self, now: float) -> None:
        left = {key: full_at for key, full_at in self._full_at.items() if full_at > now}
        half = self._most // 2
        if len(left) > half:
            # Half of them at once, so that a flood pays for sorting once in so many keys.
            left = dict(sorted(left.items(), key=lambda item: item[1])[len(left) - half :])
        self._full_at = left


def _wait(rate: Rate, full_at: float, now: float, n: float) -> float:
    if not rate.per_second:
        return 0.0
    missing = max(full_at - now, 0.0) * rate.per_second
    lacking = missing + min(n, rate.burst) - rate.burst
    wait = lacking / rate.per_second
    return wait if wait > _ROUNDING else 0.0


def _taken(rate: Rate, full_at: float, now: float, n: float) -> float:
    return max(full_at, now) + n / rate.per_second if rate.per_second else now
