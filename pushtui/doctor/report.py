"""Findings as lines: for people, or as one JSON object each."""

from collections import Counter
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from pushtui.doctor.endpoint import Bounds, Endpoint
from pushtui.doctor.finding import Finding, Level, worst
from pushtui.protocol.text import safe_line
from pushtui.protocol.token import masked

_SIGNS = {Level.OK: "✓", Level.WARN: "!", Level.FAULT: "✗", Level.SKIPPED: "–"}
_INDENT = " " * 27
_MOST_SEEN = 300


class Conclusion(Struct, frozen=True, tag="verdict"):
    """The end of a report: how many findings of each level there are, and the worst level."""

    worst: Level
    ok: int
    warn: int
    fault: int
    skipped: int


def safe(finding: Finding) -> Finding:
    """The finding, with nothing in it that could drive a terminal or let anybody in."""
    seen = safe_line(masked(finding.seen))
    if len(seen) > _MOST_SEEN:
        seen = seen[:_MOST_SEEN] + "…"
    return msgspec.structs.replace(finding, seen=seen)


def conclusion(levels: Iterable[Level]) -> Conclusion:
    """Count them."""
    every = list(levels)
    count = Counter(every)
    return Conclusion(worst(every), count[Level.OK], count[Level.WARN], count[Level.FAULT], count[Level.SKIPPED])


def opening(endpoint: Endpoint, bounds: Bounds, *, says: bool) -> str:
    """What is going to be sent: said before it is.

    Args:
        endpoint: to whom.
        bounds: how much.
        says: two texts of the caller's or the doctor's own as well, which programs there will see.
    """
    if endpoint.websocket:
        what = f"broken frames, and {bounds.oversize / (1 << 20):.3g} MiB of a message without an end"
        said = ", and the text to send twice"
    else:
        what = "read several times"
        said = ", and two texts posted"
    return safe_line(f"{endpoint.url} · {what}{said if says else ''}; {bounds.whole:g} s at most")


def lines(finding: Finding) -> Iterable[str]:
    """A finding, and the advice below it: sign and word say the level, no colour does."""
    yield f"{_SIGNS[finding.level]} {finding.level:<8} {finding.check:<15} {finding.seen} · {finding.source}"
    if finding.advice:
        yield f"{_INDENT}→ {finding.advice}"


def summary(found: Conclusion) -> str:
    """The last line."""
    faults, warnings = _counted(found.fault, "fault"), _counted(found.warn, "warning")
    return f"{faults}, {warnings}, {found.ok} fine, {found.skipped} skipped"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def json_line(record: Finding | Conclusion) -> str:
    """One object."""
    return msgspec.json.encode(record).decode()
