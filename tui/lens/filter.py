"""Which records are shown. Pure."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from pushtui.wire.records import Direction
from tui.lens.entry import Entry, Kind

_T = TypeVar("_T")
_DIRECTIONS: tuple[Direction | None, ...] = (None, "up", "down")
_KINDS = (None, *Kind)
_ARROWS = {"up": "↑ up", "down": "↓ down"}


class Filter(NamedTuple):
    """What a record has to be; None and the empty text let everything pass.

    Attributes:
        direction: which way it went; what neither side sent passes always.
        kind: which kind it is.
        text: what stands in it, whatever the case.
    """

    direction: Direction | None = None
    kind: Kind | None = None
    text: str = ""

    def passes(self, entry: Entry) -> bool:
        """Whether it is shown."""
        if self.direction is not None and entry.direction not in (None, self.direction):
            return False
        if self.kind is not None and entry.kind is not self.kind:
            return False
        return not self.text or self.text.lower() in entry.words

    def other_direction(self) -> "Filter":
        """Both, up, down, and so on."""
        return self._replace(direction=_after(_DIRECTIONS, self.direction))

    def other_kind(self) -> "Filter":
        """All, and one after the other."""
        return self._replace(kind=_after(_KINDS, self.kind))

    @property
    def said(self) -> str:
        """What it asks for, in a few words; nothing if it lets everything pass."""
        words = [_ARROWS[self.direction]] if self.direction else []
        if self.kind:
            words.append(self.kind.value)
        if self.text:
            words.append(f"“{self.text}”")
        return " ".join(words)


def _after(values: Sequence[_T], value: _T) -> _T:
    return values[(values.index(value) + 1) % len(values)]
