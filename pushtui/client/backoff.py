"""How long to wait before the next try: exponential backoff with full jitter."""

import random
from collections.abc import Callable

#: The longest wait in seconds that a server can ask for; what is beyond an hour is taken for a mistake.
LONGEST_TOLD = 3600.0


class Backoff:
    """The policy of one link; each client has its own. Pure: chance comes from outside.

    Full jitter (a wait anywhere between nothing and the present span) keeps clients that lost their server at the
    same moment from coming back at the same moment.

    Args:
        initial: the first span in seconds.
        factor: how much longer each next span is.
        cap: the longest span in seconds.
        floor: the shortest wait in seconds after a server answered, but no session came of it or none that lasted:
            a server that accepts and hangs up is not hammered.
        chance: draws from 0 to 1.
    """

    def __init__(
        self,
        *,
        initial: float = 0.5,
        factor: float = 2.0,
        cap: float = 30.0,
        floor: float = 1.0,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._initial = initial
        self._factor = factor
        self._cap = cap
        self._floor = floor
        self._chance = chance
        self._span = min(initial, cap)

    def proved(self) -> None:
        """A session did its work for a while: the next wait is a first one again."""
        self._span = min(self._initial, self._cap)

    def delay(self, *, answered: bool = False, told: float = 0.0) -> float:
        """The seconds to wait now; each call makes the span of the next one longer.

        Args:
            answered: there was a server, but its session did not prove itself.
            told: the least wait that the server asked for, in seconds; jitter comes on top.
        """
        least = max(min(told, LONGEST_TOLD), self._floor if answered else 0.0)
        span = self._span
        self._span = min(span * self._factor, self._cap)
        return least + self._chance() * span
