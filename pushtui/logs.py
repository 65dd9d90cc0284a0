"""Where log records go: standard error, or nowhere while a screen owns the terminal."""

import logging

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def set_up(level: str) -> None:
    """Log to standard error from ``level`` up (``debug``, ``info``, ``warning``, ``error``)."""
    logging.basicConfig(level=level.upper(), format=FORMAT)


def keep_off_the_screen(level: str) -> None:
    """Drop all records: one line on standard error would fall into the middle of the screen."""
    logging.basicConfig(level=level.upper(), handlers=[logging.NullHandler()])


def tracebacks_wanted() -> bool:
    """Whether the level asks for everything there is to know."""
    return logging.getLogger().isEnabledFor(logging.DEBUG)
