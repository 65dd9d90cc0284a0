"""How a command that owns the terminal ends when it is told to from outside."""

import signal


def like_ctrl_c() -> None:
    """Let SIGTERM and a terminal that is closed end this process as Ctrl-C does.

    By default they end it on the spot, and leave a terminal that shows the screen's last state and hides what is
    typed. SIGINT is what event loops turn into an orderly end.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))
