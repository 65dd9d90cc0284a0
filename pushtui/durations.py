"""Lengths of time as people write them: ``90s``, ``10m``, ``24h``, ``30d``, ``2w``."""

import re

UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
_DURATION = re.compile(r"([0-9]{1,9})\s*([smhdw])", re.IGNORECASE)


def parse_duration(text: str) -> int:
    """Read a length of time; returns it in ms.

    Raises:
        ValueError: it is not of that form, in one sentence.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        raise ValueError(
            f"{text.strip() or 'nothing'} is no length of time; write one such as 90s, 10m, 24h or 30d"
        )
    return int(match[1]) * UNITS_MS[match[2].lower()]


def duration(milliseconds: int) -> str:
    """Write a length of time in its largest unit that is not too rough: at least two of it, else the next one."""
    for unit in ("w", "d", "h", "m"):
        if milliseconds >= 2 * UNITS_MS[unit]:
            return f"{milliseconds // UNITS_MS[unit]} {unit}"
    return f"{max(1, round(milliseconds / 1000))} s"
