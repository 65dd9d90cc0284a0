"""What a command that owns the terminal needs: that there is one, and that it is left clean."""

import signal
import sys
from collections.abc import Callable

from pushtui.exits import CommandError, Exit


def require(command: str, instead: str) -> None:
    """Raise a `CommandError` if there is no terminal; ``instead`` says what works without one."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandError(Exit.WRONG_OPTIONS, f"{command} needs a terminal; {instead}")


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

    for name in ("SIGTERM", "SIGHUP"):
        if number := getattr(signal, name, None):  # Windows has no SIGHUP
            signal.signal(number, tell)
    code = show()
    return Exit.INTERRUPTED if told else code
