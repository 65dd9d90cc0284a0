"""Rooms of two: how they are called, and which names are kept for them."""

import hashlib

_PREFIX = "dm-"
_DIGITS = 16


def direct_room(one: str, other: str) -> str:
    """The room of two people, by the names of their tokens; the same whoever asks."""
    pair = "\0".join(sorted((one, other)))
    return _PREFIX + hashlib.sha256(pair.encode()).hexdigest()[:_DIGITS]


def is_direct(room: str) -> bool:
    """Whether a name is one that only a room of two may have."""
    return room.casefold().startswith(_PREFIX)
