"""How much of a stream is kept."""

from collections.abc import Callable

from server.log.streams import STATUS

#: The number of entries that a stream keeps, by its name; None for all. Called from any thread.
Keep = Callable[[str], int | None]

#: Two hours of one host's samples at one a second.
STATUS_ENTRIES = 7_200


def keep_rooms(stream: str) -> int | None:
    """Keep whole rooms, and of the status stream what a screen can use."""
    return STATUS_ENTRIES if stream == STATUS else None
