"""What a command that owns the terminal needs: that there is one, that it is left clean, and an end without it."""

import os
import select
import signal
import sys
import threading
from collections.abc import Callable

from pushtui.exits import CommandError, Exit

#: How long a screen whose terminal is gone may take to end, in seconds.
GRACE = 5.0


def require(command: str, instead: str) -> None:
    """Raise a `CommandError` if there is no terminal; ``instead`` says what works without one."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandError(Exit.WRONG_OPTIONS, f"{command} needs a terminal; {instead}")


def orderly(show: Callable[[], int]) -> int:
    """Run a screen so that SIGTERM and a terminal that is closed end it as Ctrl-C does.

    By default they end a process on the spot, and leave a terminal that shows the screen's last state and hides
    what is typed. SIGINT is what event loops turn into an orderly end.

    A terminal that is gone ends it for certain, after `GRACE` seconds at the latest: the system sends SIGHUP only
    to the processes that the terminal controls, and a screen that can neither read nor write may never end.

    Returns:
        What ``show`` returned; 130 if a signal ended it.
    """
    told = False

    def tell(number: int, _: object) -> None:
        nonlocal told
        if told and number != signal.SIGTERM:
            return  # a closed terminal may say so twice, and a second SIGINT would break off the orderly end
        told = True
        signal.raise_signal(signal.SIGINT)

    for name in ("SIGTERM", "SIGHUP"):
        if number := getattr(signal, name, None):  # Windows has no SIGHUP
            signal.signal(number, tell)
    if hasattr(select, "poll") and sys.stdin is not None and sys.stdin.isatty():  # nor poll
        watch = threading.Thread(
            target=_end_with_terminal,
            args=(sys.stdin.fileno(), threading.get_ident()),
            name="terminal-watch",
            daemon=True,
        )
        watch.start()
    code = show()
    return Exit.INTERRUPTED if told else code


def _end_with_terminal(terminal: int, main_thread: int) -> None:
    """Wait until the terminal is gone, then end this process, by force if it does not end soon."""
    poll = select.poll()
    poll.register(terminal, 0)  # a hang-up is told without being asked for
    if all(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll()):  # else it cannot be watched
        signal.pthread_kill(main_thread, signal.SIGHUP)
        threading.Event().wait(GRACE)
        os._exit(Exit.INTERRUPTED)
