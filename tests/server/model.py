"""What the contract says, a second time and in the plainest way: what a log holds, and what a listener is due.

Nothing in here knows how the server does it. Events are numbered by their place in a list, which is as our stores
do it; the contract would allow holes.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

SAMPLE = "sample"
_POSITION = re.compile(r"([a-z0-9]{8})\.([0-9]{1,18})", re.ASCII)


class Said(NamedTuple):
    """One event. No two have the same text, unless one is the retry of the other."""

    kind: str
    by: str
    text: str
    key: str | None = None


class Due(NamedTuple):
    """What a listener that comes is told. ``lost`` are the ends of the gap."""

    outcome: str
    after: int
    lost: tuple[int, int] | None


class Got(NamedTuple):
    """One event as it arrived; ``skipped`` samples were left out before it."""

    seq: int
    said: Said
    skipped: int = 0


class Stream:
    """One stream.

    Attributes:
        epoch: of its present life.
        entries: what it ever held in this life; the first one has seq 1.
        floor: the lowest seq that can still be read.
        lives: every epoch that it ever had.
    """

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.entries: list[Said] = []
        self.floor = 1
        self.lives = {epoch}

    @property
    def head(self) -> int:
        return len(self.entries)

    def kept(self) -> Sequence[tuple[int, Said]]:
        return list(enumerate(self.entries, 1))[self.floor - 1 :]

    def trim(self, below: int) -> None:
        self.floor = max(self.floor, min(below, self.head + 1))

    def known(self, said: Said) -> int | None:
        """Where a key went first, as long as its entry is kept."""
        if said.key is None:
            return None
        return next((seq for seq, one in self.kept() if (one.by, one.key) == (said.by, said.key)), None)

    def due(self, named: str | None, replay: int) -> Due:
        """The table of outcomes, line by line."""
        newest = max(self.head - replay, self.floor - 1)
        if not named:
            return Due("fresh", newest, None)
        position = _POSITION.fullmatch(named)
        if position is None or position[1] != self.epoch or int(position[2]) > self.head:
            return Due("reset", newest, None)
        seq = int(position[2])
        if seq + 1 < self.floor:
            return Due("gap", self.floor - 1, (seq, self.floor))
        return Due("caught_up", seq, None)

    def begin_life(self, epoch: str) -> None:
        """What was put back is another life, under a name that was never heard."""
        assert epoch not in self.lives, "an epoch came again"
        self.lives.add(epoch)
        self.epoch = epoch

    def check(self, after: int, got: Sequence[Got], *, complete: bool) -> None:
        """Every event after the position, once and in order; up to the head if it is ``complete``."""
        expected = [Got(seq, said) for seq, said in enumerate(self.entries, 1)][after:]
        assert list(got) == expected[: len(got)]
        assert not complete or len(got) == len(expected)

    def check_spared(self, after: int, replay_end: int, got: Sequence[Got], *, complete: bool) -> None:
        """As `check`, for a reader of the status: samples may be left out, honestly counted, and nothing else."""
        seqs = [one.seq for one in got]
        assert seqs == sorted(set(seqs))
        assert all(one.said == self.entries[one.seq - 1] for one in got)
        end = self.head if complete else max([after, *seqs])
        due = [Got(seq, said) for seq, said in enumerate(self.entries[:end], 1)][after:]
        there = set(seqs)
        missing = [one for one in due if one.seq not in there]
        assert all(one.said.kind == SAMPLE and one.seq > replay_end for one in missing)
        made = Counter(one.said.by for one in due if one.said.kind == SAMPLE)
        told = Counter[str]()
        for one in got:
            assert one.skipped == 0 or one.said.kind == SAMPLE
            if one.said.kind == SAMPLE:
                told[one.said.by] += 1 + one.skipped
        if complete:
            assert told == made
            newest = {one.said.by: one.seq for one in due if one.said.kind == SAMPLE}
            assert set(newest.values()) <= there
        else:
            assert told <= made
