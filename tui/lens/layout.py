"""Where entries stand in a list that scrolls: one row each, and more for those that are unfolded. Pure."""

from bisect import bisect_left, bisect_right

from rich.cells import cell_len

from pushtui.wire.spans import Row, Span
from tui.lens.capture import Capture
from tui.lens.columns import Columns
from tui.lens.detail import detail
from tui.lens.entry import Entry
from tui.widgets.wrapping import MINIMUM, clean, wrap

#: Cells before the first line: the cursor, and whether there is more.
MARKS = 2


class Layout:
    """The rows of what a capture shows.

    Args:
        capture: what was captured.

    Attributes:
        width: of the rows, in cells.
    """

    def __init__(self, capture: Capture) -> None:
        self.width = 0
        self._capture = capture
        self._details: dict[int, list[Row]] = {}
        self._revision = -1
        self._checked = 0
        self._numbers: list[int] = []
        self._sums: list[int] = []

    @property
    def height(self) -> int:
        """Rows in all."""
        return len(self._capture.shown) + (self._sums[-1] if self._sums else 0)

    def update(self, width: int) -> bool:
        """Come up to what was captured, for rows of that width. Returns whether rows moved that stood already."""
        capture = self._capture
        moved = width != self.width or capture.revision != self._revision
        if width != self.width:
            self._details.clear()
            self.width = width
        if moved:
            self._numbers, self._sums, self._checked = [], [], 0
            self._details = {n: rows for n, rows in self._details.items() if n in capture.unfolded}
            self._revision = capture.revision
        shown, unfolded = capture.shown, capture.unfolded
        total = self._sums[-1] if self._sums else 0
        for index in range(self._checked, len(shown)):
            entry = shown[index]
            if entry.number in unfolded:
                total += len(self._detail(entry))
                self._numbers.append(entry.number)
                self._sums.append(total)
        self._checked = len(shown)
        return moved

    def top(self, index: int) -> int:
        """The first row of an entry."""
        before = bisect_left(self._numbers, self._capture.shown[index].number)
        return index + (self._sums[before - 1] if before else 0)

    def rows(self, index: int) -> int:
        """How many rows it takes."""
        entry = self._capture.shown[index]
        return 1 + (len(self._detail(entry)) if entry.number in self._capture.unfolded else 0)

    def locate(self, y: int) -> tuple[int, int] | None:
        """Whose row that is, and the how manieth of it; None for none."""
        if not 0 <= y < self.height:
            return None
        index = bisect_right(range(len(self._capture.shown)), y, key=self.top) - 1
        # What was captured since the last update may have moved it.
        return index, min(y - self.top(index), self.rows(index) - 1)

    def row(self, index: int, row: int, columns: Columns) -> Row:
        """One row of an entry."""
        entry = self._capture.shown[index]
        return self._detail(entry)[row - 1] if row else columns.first_line(entry)

    def _detail(self, entry: Entry) -> list[Row]:
        known = self._details.get(entry.number)
        if known is None:
            wrapped = [part for row in detail(entry, self.width) for part in wrapped_row(row, self.width)]
            known = self._details[entry.number] = wrapped
        return known


def wrapped_row(row: Row, width: int) -> list[Row]:
    """Break a row into as many as it takes; its first part, the indentation, stands before each of them."""
    lead, *rest = row
    texts = [clean(span.text) for span in rest]
    text = "".join(texts)
    room = max(MINIMUM, width - len(lead.text))
    if cell_len(text) <= room:
        return [row]
    ends: list[int] = []
    for one in texts:
        ends.append((ends[-1] if ends else 0) + len(one))
    result = []
    for start, end in wrap(text, room):
        parts = [
            Span(text[max(start, until - len(one)) : min(end, until)], span.role)
            for span, one, until in zip(rest, texts, ends, strict=True)
            if max(start, until - len(one)) < min(end, until)
        ]
        result.append((lead, *parts))
    return result
