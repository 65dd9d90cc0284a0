"""How a command that owns the terminal ends when it is told to from outside."""

import signal
from collections.abc import Callable

from pushtui.exits import Exit


def orderly(show: Callable[[], int]) -> int:
    """Run a screen so that SIGTERM and a terminal that is closed end it as Ctrl-C does.

    By default they end a process on the spot, and leave a terminal that shows the screen's last state and hides
    what is typed. SIGINT is what event loops turn into an orderly end.

    Returns:
        What ``show`` returned; 130 if a signal ended it.
    """
    told = False

    def tell(*_: object) -> None:
        nonlocal told
        told = True
        signal.raise_signal(signal.SIGINT)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, tell)
    code = show()
    return Exit.INTERRUPTED if told else code
