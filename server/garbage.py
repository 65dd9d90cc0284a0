"""When Python looks for cycles of objects that nobody refers to: a little at a time, all of it when it is quiet.

By itself it looks through everything whenever a quarter more has come. With thousands of connections that takes
a tenth of a second and longer, at any moment, and nobody is served meanwhile.
"""

import asyncio
import gc
import time
from collections.abc import Callable

#: Objects between two looks at the youngest, and such looks between two at those that survived one: 2 ms each.
_YOUNG, _MIDDLE = 1000, 5
_NEVER = 1 << 30
#: After so many of the latter, some old ones may be garbage: closed connections are. A look at all then waits for
#: a quiet second, up to a point.
_WANTED, _NEEDED = 20, 100
#: Of a core, in a second that counts as quiet.
_QUIET = 0.05
_TICK = 1.0


class Garbage:
    """The policy, for a process that serves.

    Args:
        clock: processor time that the process has used, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.process_time) -> None:
        self._clock = clock
        self._used = clock()

    async def run(self) -> None:
        """Keep to it until cancelled."""
        before = gc.get_threshold()
        gc.collect()
        # What is there now stays: modules, classes, functions.
        gc.freeze()
        gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)
        try:
            while True:
                self._used = self._clock()
                await asyncio.sleep(_TICK)
                self.look(gc.get_count()[2])
        finally:
            gc.set_threshold(*before)
            gc.unfreeze()

    def look(self, survived: int) -> bool:
        """Look through everything if that is due; whether it was.

        Args:
            survived: looks at the middle ones since everything was looked through last.
        """
        quiet = self._clock() - self._used < _QUIET * _TICK
        if survived < _WANTED or not (quiet or survived >= _NEEDED):
            return False
        gc.collect()
        return True
