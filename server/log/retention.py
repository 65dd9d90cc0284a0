"""How much of which stream is kept."""

from collections.abc import Callable

from pushtui.retention import ALL, Retention
from server.log.streams import STATUS

#: What a stream keeps, by its name. Called from any thread.
Keep = Callable[[str], Retention]

#: A day of one host's samples at one a second, and room for some more.
STATUS_RETENTION = Retention(age_ms=24 * 3_600_000, entries=100_000)


def keep_by_kind(chat: Retention = ALL, status: Retention = STATUS_RETENTION) -> Keep:
    """The same for every room, something else for the status of machines.

    Samples, notices and marks of the status stream go together: a stream has one floor, below which there is
    nothing, so that a reader who was away can be told what it missed with two numbers.
    """
    return lambda stream: status if stream == STATUS else chat
