"""Where log records go: standard error, or nowhere while a screen owns the terminal."""

import logging

from pushtui.protocol.text import safe_line, safe_text
from pushtui.protocol.token import masked

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
#: Of a record's line and of each line of a traceback, in characters; what comes after is left out.
MOST = 4000


class SafeFormatter(logging.Formatter):
    """Makes of each record one line that cannot drive a terminal nor pass for two, with no token in it.

    A record may hold what strangers sent, and libraries log the headers that they send. The lines of a traceback
    follow indented, so that none of them looks like a record.
    """

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`."""
        record.message = record.getMessage()
        record.asctime = self.formatTime(record, self.datefmt)
        lines = [safe_line(masked(self.formatMessage(record)))]
        for details in (
            self.formatException(record.exc_info) if record.exc_info else "",
            self.formatStack(record.stack_info) if record.stack_info else "",
        ):
            lines += [f"  {line}" for line in safe_text(masked(details)).split("\n") if line]
        return "\n".join(line if len(line) <= MOST else f"{line[:MOST]}…" for line in lines)


def set_up(level: str) -> None:
    """Log to standard error from ``level`` up (``debug``, ``info``, ``warning``, ``error``)."""
    handler = logging.StreamHandler()
    handler.setFormatter(SafeFormatter(FORMAT))
    logging.basicConfig(level=level.upper(), handlers=[handler])


def keep_off_the_screen(level: str) -> None:
    """Drop all records: one line on standard error would fall into the middle of the screen."""
    logging.basicConfig(level=level.upper(), handlers=[logging.NullHandler()])


def tracebacks_wanted() -> bool:
    """Whether the level asks for everything there is to know."""
    return logging.getLogger().isEnabledFor(logging.DEBUG)
