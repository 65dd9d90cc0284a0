"""Where entries stand in a list that scrolls: one row each, and more for those that are unfolded. Pure."""

from bisect import bisect_left, bisect_right

from rich.cells import cell_len

from pushtui.wire.records import Flow
from pushtui.wire.spans import Row, Span, plain
from tui.lens.capture import Capture
from tui.lens.columns import Columns
from tui.lens.detail import detail
from tui.lens.entry import Entry
from tui.widgets.wrapping import MINIMUM, clean, wrap

#: Cells before the first line: the cursor, and whether there is more.
MARKS = 2
_FURTHER = "  "


class Layout:
    """The rows of what a capture shows.

    Args:
        capture: what was captured.
        flow: what flows, which decides on the columns.

    Attributes:
        columns: where things stand in a row.
    """

    def __init__(self, capture: Capture, flow: Flow) -> None:
        self.columns = Columns.of(flow, 0)
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

    def update(self, columns: Columns) -> bool:
        """Come up to what was captured, in those columns. Returns whether rows moved that stood already."""
        capture = self._capture
        moved = columns != self.columns or capture.revision != self._revision
        if columns != self.columns:
            self._details.clear()
            self.columns = columns
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

    def row(self, index: int, row: int) -> Row:
        """One row of an entry."""
        entry = self._capture.shown[index]
        return self._detail(entry)[row - 1] if row else self.columns.first_line(entry)

    def folds(self, index: int) -> bool:
        """Whether there is more of it than its first row."""
        entry = self._capture.shown[index]
        return not entry.is_sentence or self._is_cut(entry)

    def _is_cut(self, entry: Entry) -> bool:
        return cell_len(clean(plain(self.columns.first_line(entry)))) > self.columns.width - MARKS

    def _detail(self, entry: Entry) -> list[Row]:
        known = self._details.get(entry.number)
        if known is None:
            width = self.columns.width
            rows = [] if entry.is_sentence and not self._is_cut(entry) else detail(entry, width)
            known = [part for row in rows for part in wrapped_row(row, width)]
            self._details[entry.number] = known
        return known


def wrapped_row(row: Row, width: int) -> list[Row]:
    """Break a row into as many as it takes; its first part, the indentation, stands before each of them.

    What follows a break stands further in, so that it cannot pass for a row of its own.
    """
    lead, *rest = row
    texts = [clean(span.text) for span in rest]
    text = "".join(texts)
    room = max(MINIMUM, width - len(lead.text))
    if cell_len(text) <= room:
        return [row]
    further = Span(f"{lead.text}{_FURTHER}{' ' * (len(text) - len(text.lstrip()))}", lead.role)
    room = max(MINIMUM, width - len(further.text))
    ends: list[int] = []
    for one in texts:
        ends.append((ends[-1] if ends else 0) + len(one))
    result: list[Row] = []
    for start, end in wrap(text, room):
        parts = [
            Span(text[max(start, until - len(one)) : min(end, until)], span.role)
            for span, one, until in zip(rest, texts, ends, strict=True)
            if max(start, until - len(one)) < min(end, until)
        ]
        result.append((lead, *parts))
        lead = further
    return result
