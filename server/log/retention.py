"""How much of which stream is kept."""

from collections.abc import Callable

from pushtui.retention import ALL, Retention
from pushtui.settings import DEFAULT_KEEP_STATUS
from server.log.streams import STATUS

#: What a stream keeps, by its name. Called from any thread.
Keep = Callable[[str], Retention]


def keep_by_kind(chat: Retention = ALL, status: Retention = DEFAULT_KEEP_STATUS) -> Keep:
    """The same for every room, something else for the status of machines.

    Samples, notices and marks of the status stream go together: a stream has one floor, below which there is
    nothing, so that a reader who was away can be told what it missed with two numbers.
    """
    return lambda stream: status if stream == STATUS else chat
