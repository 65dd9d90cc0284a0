"""What is true now and need not be remembered: the last value for each key, with a time to live."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Live(Generic[K, V]):
    """Last value per key. Never enters the log, never has a position.

    Args:
        ttl: seconds after which a value that was not set again is gone.
        clock: seconds, never going back.
    """

    def __init__(self, ttl: float, clock: Callable[[], float]) -> None:
        self._ttl = ttl
        self._clock = clock
        self._values: dict[K, tuple[float, V]] = {}

    def set(self, key: K, value: V) -> None:
        """This holds from now on, for the time to live."""
        self._values[key] = (self._clock() + self._ttl, value)

    def drop(self, key: K) -> None:
        """This no longer holds."""
        self._values.pop(key, None)

    def clear(self) -> None:
        """Nothing holds any more."""
        self._values.clear()

    def snapshot(self) -> dict[K, V]:
        """What holds now."""
        now = self._clock()
        self._values = {key: held for key, held in self._values.items() if held[0] > now}
        return {key: value for key, (_, value) in self._values.items()}
