"""How much of a stream a server keeps, and how that is written: ``24h,100000`` or ``2GiB`` or ``all``."""

import re
from typing import NamedTuple

from pushtui.durations import UNITS_MS

_LIMIT = re.compile(r"([0-9]{1,15})\s*([a-zA-Z]*)")

_SIZES = {"b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40}


class Retention(NamedTuple):
    """What a stream keeps: as much as all of its limits allow. None is no limit.

    Attributes:
        age_ms: an event older than this goes.
        entries: how many events stay.
        bytes: how much room they may take, about (an event counts with the size it was stored with).
    """

    age_ms: int | None = None
    entries: int | None = None
    bytes: int | None = None


ALL = Retention()


def parse_retention(text: str) -> Retention:
    """Read limits with commas between: an age (s, m, h, d, w), a number of events, a size (B, KiB … TiB).

    Raises:
        ValueError: it is not of that form, in one sentence.
    """
    if text.strip().lower() == "all":
        return ALL
    limits: dict[str, int] = {}
    for part in text.split(","):
        if (match := _LIMIT.fullmatch(part.strip())) is None:
            raise ValueError(_sentence(part))
        number, unit = int(match[1]), match[2].lower()
        if not unit:
            kind, limit = "entries", number
        elif unit in UNITS_MS:
            kind, limit = "age_ms", number * UNITS_MS[unit]
        elif unit in _SIZES:
            kind, limit = "bytes", number * _SIZES[unit]
        else:
            raise ValueError(_sentence(part))
        if not limit:
            raise ValueError("a limit of 0 would keep nothing; write all for no limit")
        if kind in limits:
            raise ValueError(f"{text.strip()} has two limits of one kind")
        limits[kind] = limit
    return Retention(**limits)


def _sentence(part: str) -> str:
    return (
        f"{part.strip() or 'nothing'} is no limit; write an age such as 24h or 30d, a number of events, "
        "a size such as 2GiB, several with commas between, or all"
    )
