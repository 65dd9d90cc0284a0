"""Where every item of a room stands: heights, their sums, and the reader's place among them. Pure.

An item is measured when it comes or changes, or the width does; nothing is kept of it but its height. One more
at the end costs one measurement, whatever is held.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from tui.state.items import Item
from tui.state.room import Splice
from tui.widgets.local_time import LocalTime
from tui.widgets.timeline_rows import Columns, Part, Row, height, rows

#: Rows above the first item: what there is to say about older ones.
TOP = 1
_KEPT_ROWS = 512


class Anchor(NamedTuple):
    """The reader's place, in a way that outlives other widths and items coming in above.

    Attributes:
        item: its index.
        start: a character of it; the row that has this character is meant.
        below: how many rows below the upper edge that row stands, not negative.
    """

    item: int
    start: int
    below: int


class Layout:
    """The layout of one room at one width.

    Attributes:
        columns: where things stand in a row.
        measured: how many items have been measured so far, to tell what something costs.
    """

    def __init__(self, local: LocalTime) -> None:
        self.columns = Columns.of(0)
        self.measured = 0
        self.local = local
        self._room: Sequence[Item] = ()
        # Of its own, because the room may lose some before it is followed, and meanwhile something is painted.
        self._items: list[Item] = []
        self._heights: list[int] = []
        self._tops: list[int] = [TOP]
        self._rows: dict[tuple[Item, Item | None], list[Row]] = {}

    def show(self, items: Sequence[Item], width: int) -> None:
        """Lay out all of ``items``, which are looked at again in every later call."""
        self.columns = Columns.of(width)
        self._room = items
        self._items = list(items)
        self._heights = [0] * len(items)
        self._rows.clear()
        self._measure(0)

    def update(self, splices: Sequence[Splice], anchor: Anchor | None) -> Anchor | None:
        """Follow what was done to the items; returns the anchor where it is now."""
        heights = self._heights
        first = len(heights)
        for index, removed, inserted in splices:
            heights[index : index + removed] = [0] * inserted
            after = index + inserted
            if after < len(heights):
                heights[after] = 0
            first = min(first, index)
            if anchor is not None:
                anchor = _moved(anchor, index, removed, inserted)
        self._items[first:] = self._room[first:]
        self._measure(first)
        if anchor is not None and not 0 <= anchor.item < len(heights):
            return None
        return anchor

    @property
    def height(self) -> int:
        """Rows in all, with those above the first item."""
        return self._tops[-1]

    def __len__(self) -> int:
        return len(self._heights)

    def top(self, index: int) -> int:
        """Return the first row of an item."""
        return self._tops[index]

    def locate(self, y: int) -> tuple[int, int] | None:
        """Return which item row ``y`` belongs to, and which of its rows it is; None above and below all items."""
        if not TOP <= y < self._tops[-1]:
            return None
        index = bisect_right(self._tops, y) - 1
        return index, y - self._tops[index]

    def item(self, index: int) -> tuple[Item, Item | None]:
        """Return an item and the one before it."""
        return self._items[index], self._items[index - 1] if index else None

    def rows(self, index: int) -> list[Row]:
        """Return the rows of an item."""
        key = self.item(index)
        known = self._rows.get(key)
        if known is None:
            if len(self._rows) >= _KEPT_ROWS:
                self._rows.clear()
            known = self._rows[key] = rows(*key, self.columns, self.local)
        return known

    def anchor(self, y: int) -> Anchor | None:
        """Return what stands at row ``y``; None when there is nothing at or below it."""
        found = self.locate(max(y, TOP))
        if found is None:
            return None
        index, row = found
        laid = self.rows(index)
        while row < len(laid) - 1 and laid[row].part is not Part.BODY:
            row += 1
        return Anchor(index, laid[row].start, max(0, self._tops[index] + row - y))

    def place(self, anchor: Anchor) -> int:
        """Return the row that has to be at the upper edge for ``anchor`` to stand where it stood."""
        row = 0
        for number, laid in enumerate(self.rows(anchor.item)):
            if laid.part is Part.BODY and laid.start <= anchor.start:
                row = number
        return max(0, self._tops[anchor.item] + row - anchor.below)

    def _measure(self, first: int) -> None:
        heights, items, local, columns = self._heights, self._items, self.local, self.columns
        index = first
        while True:
            try:
                index = heights.index(0, index)
            except ValueError:
                break
            heights[index] = height(items[index], items[index - 1] if index else None, columns, local)
            self.measured += 1
        del self._tops[first:]
        start = self._tops[-1] + heights[first - 1] if first else TOP
        self._tops.extend(accumulate(heights[first:], initial=start))


def _moved(anchor: Anchor, start: int, removed: int, inserted: int) -> Anchor:
    if anchor.item < start:
        return anchor
    if anchor.item >= start + removed:
        return anchor._replace(item=anchor.item + inserted - removed)
    if removed == inserted:
        return anchor
    return anchor._replace(item=start, start=0)  # the item itself went: what stands there now is nearest
