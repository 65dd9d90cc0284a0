"""How long a call takes."""

import gc
import statistics
import time
from collections.abc import Callable

_RUN_SECONDS = 0.1
_RUNS = 7


def microseconds(call: Callable[[], object], calls: int = 1) -> float:
    """The median of 7 runs of a tenth of a second each, in µs for one of the ``calls`` that ``call`` makes.

    Processor time, so that who else works on the machine counts less; no garbage is collected meanwhile.
    """
    times = 1
    while _seconds(call, times) < _RUN_SECONDS:
        times *= 2
    return 1e6 * statistics.median(_seconds(call, times) for _ in range(_RUNS)) / times / calls


def _seconds(call: Callable[[], object], times: int) -> float:
    gc.collect()
    gc.disable()
    try:
        began = time.process_time()
        for _ in range(times):
            call()
        return time.process_time() - began
    finally:
        gc.enable()
