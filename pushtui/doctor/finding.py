"""What a check found."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct


class Level(StrEnum):
    """How bad it is.

    A *fault* is felt: what has to be refused gets through, clients break, or what is sent is lost, doubled or held
    back. A *warning* is about policy, about what the standard recommends, and about what it demands where nobody
    feels it. *Skipped* is what could not be told, with the reason.
    """

    OK = "ok"
    WARN = "warn"
    FAULT = "fault"
    SKIPPED = "skipped"


class Verdict(NamedTuple):
    """What one look at an endpoint showed.

    Attributes:
        level: how bad it is.
        seen: what was seen, in one sentence; it may hold text of the endpoint.
        advice: what to do about it, in one sentence; empty when all is well.
    """

    level: Level
    seen: str
    advice: str = ""


class Finding(Struct, frozen=True, tag="finding"):
    """The verdict of one check.

    Attributes:
        check: its name.
        level: how bad it is.
        seen: what was seen.
        source: the paragraph of the standard.
        advice: what to do about it, empty when there is nothing to do.
    """

    check: str
    level: Level
    seen: str
    source: str
    advice: str = ""


def ok(seen: str) -> Verdict:
    """All is well."""
    return Verdict(Level.OK, seen)


def warn(seen: str, advice: str) -> Verdict:
    """Something could be better."""
    return Verdict(Level.WARN, seen, advice)


def fault(seen: str, advice: str) -> Verdict:
    """Something is wrong."""
    return Verdict(Level.FAULT, seen, advice)


def skipped(why: str) -> Verdict:
    """Nothing can be told."""
    return Verdict(Level.SKIPPED, why)


_WEIGHT = {Level.OK: 0, Level.SKIPPED: 0, Level.WARN: 1, Level.FAULT: 2}


def worst(levels: Iterable[Level]) -> Level:
    """The worst of them; what was skipped is not bad."""
    found = max(levels, key=_WEIGHT.__getitem__, default=Level.OK)
    return Level.OK if found is Level.SKIPPED else found


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """One verdict of several looks: the worst level, what was seen at that level, and the first advice there."""
    every = list(verdicts)
    level = max((verdict.level for verdict in every), key=_WEIGHT.__getitem__)
    if level is Level.SKIPPED and any(verdict.level is Level.OK for verdict in every):
        level = Level.OK
    told = [verdict for verdict in every if verdict.level is level]
    return Verdict(level, "; ".join(dict.fromkeys(verdict.seen for verdict in told)), told[0].advice)
