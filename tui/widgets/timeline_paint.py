"""Rows of the timeline as strips of styled cells. Words go into segments as they are, never through markup."""

import zlib
from collections.abc import Callable
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.state.items import Item, Kind, State
from tui.widgets import links
from tui.widgets.local_time import LocalTime
from tui.widgets.timeline_rows import EMOTE_SIGN, Columns, Face, Part, Row, author, shown
from tui.widgets.wrapping import clean, shorten

NICKS = 7
SIGNS = {State.QUEUED: "…", State.SENT: "↑", State.STORED: "✓", State.FAILED: "!"}
#: Component classes of the timeline, without their prefix.
CLASSES = (
    "time", "quiet", "rule", "own", "link", "stored", "failed", "warning", "critical", "bar",
    *(f"nick-{number}" for number in range(NICKS)),
)  # fmt: skip


class Selected(NamedTuple):
    """The selected characters of one row; ``end`` None for all up to its end."""

    start: int
    end: int | None


class Painter:
    """Paints rows in the colours of the present theme.

    Args:
        base: how plain words look.
        selection: how selected ones look.
        component: gives the style of each of `CLASSES`.
    """

    def __init__(self, base: Style, selection: Style, component: Callable[[str], Style]) -> None:
        self.base = base
        self._selection = selection
        self._styles = {name: component(name) for name in CLASSES}

    def row(
        self,
        item: Item,
        row: Row,
        look: Face,
        columns: Columns,
        local: LocalTime,
        selected: Selected | None,
        offset: int,
    ) -> Strip:
        """Paint one row of an item.

        Args:
            item: the item.
            row: which of its rows.
            look: what of time and author it shows.
            columns: where things stand.
            local: the reader's clock.
            selected: what of the row is selected.
            offset: the row's number for the screen's text selection.
        """
        if row.part is Part.DAY:
            return self.rule(row.text, columns.width, offset)
        left = self._head(item, look, columns, local) if row.head else [Segment(" " * columns.text, self.base)]
        if row.part is Part.AUTHOR:
            name = Segment(shorten(row.text, columns.width - columns.time - 3), self._author(item))
            left, words = [*self._time(item, look, columns, local), name], []
        else:
            words = self._words(item, row)
        if selected is not None:
            words = self._highlighted(words, selected)
        used = sum(segment.cell_length for segment in left)
        segments = [_with_offset(segment, -used, offset) for segment in left]
        at = 0
        for segment in words:
            segments.append(_with_offset(segment, at, offset))
            at += len(segment.text)
        edge = max(columns.width - 3, 0)
        body = Strip(segments).adjust_cell_length(edge, self.base)
        sign = SIGNS[item.state] if row.foot and item.state is not None else " "
        style = self._styles["failed" if item.state is State.FAILED else "stored"]
        return Strip([*body, Segment(f" {sign} "[: columns.width], style)], columns.width)

    def rule(self, text: str, width: int, offset: int) -> Strip:
        """Paint ``─── text ───`` in the middle."""
        return self._centred(f"─── {text} ───", width, "rule", offset)

    def note(self, text: str, width: int, offset: int) -> Strip:
        """Paint quiet words in the middle."""
        return self._centred(text, width, "quiet", offset)

    def bar(self, text: str, width: int, offset: int) -> Strip:
        """Paint the way back to the end."""
        return self._centred(text, width, "bar", offset)

    def blank(self, width: int, offset: int) -> Strip:
        """Paint nothing."""
        return Strip([_with_offset(Segment(" " * width, self.base), -width, offset)], width)

    def _centred(self, text: str, width: int, name: str, offset: int) -> Strip:
        words = shorten(clean(text), width)
        before = (width - cell_len(words)) // 2
        segment = _with_offset(Segment(" " * before + words, self._styles[name]), -width, offset)
        return Strip([segment]).adjust_cell_length(width, self._styles[name])

    def _time(self, item: Item, look: Face, columns: Columns, local: LocalTime) -> list[Segment]:
        if columns.time < 7:
            return [Segment(" " * columns.time, self.base)]
        time = local.clock(item.at) if look.time else ""
        return [Segment(f" {time:5}  ", self._styles["time"])]

    def _head(self, item: Item, look: Face, columns: Columns, local: LocalTime) -> list[Segment]:
        if item.kind is Kind.MESSAGE:
            name = author(item) if look.author else ""
            style = self._author(item)
        else:
            name = EMOTE_SIGN if item.kind is Kind.EMOTE else clean(item.sign)
            style = self._level(item)
        name = shorten(name, columns.author)
        gap = columns.text - columns.time - cell_len(name)
        return [*self._time(item, look, columns, local), Segment(name, style), Segment(" " * gap, self.base)]

    def _author(self, item: Item) -> Style:
        return self._styles["own"] if item.own else self._nick(item.by)

    def _nick(self, nick: str) -> Style:
        return self._styles[f"nick-{zlib.crc32(nick.encode('utf-8', 'replace')) % NICKS}"]

    def _level(self, item: Item) -> Style:
        return self._styles[item.level if item.level in ("warning", "critical") else "quiet"]

    def _words(self, item: Item, row: Row) -> list[Segment]:
        if row.part is not Part.BODY or item.removed:
            return [Segment(row.text, self._styles["quiet"])]
        if not item.said:
            level = self._level(item)
            return [Segment(row.text, level)]
        words, copied = shown(item)
        plain = self._styles["quiet"] if item.state in (State.QUEUED, State.FAILED) else self.base
        end = row.start + len(row.text)
        marks = [
            (link.start, link.end, self._linked(link.url))
            for link in links.find(words)
            if link.start < end and link.end > row.start
        ]
        if item.kind is Kind.EMOTE:
            marks.insert(0, (0, len(clean(item.by)), self._author(item)))
        marks.append((copied, len(words), self._styles["quiet"]))
        segments, at = [], row.start
        for start, stop, style in marks:
            start, stop = max(start, at), min(stop, end)
            if start < stop:
                segments += [Segment(words[at:start], plain)] if at < start else []
                segments.append(Segment(words[start:stop], style))
                at = stop
        return [*segments, Segment(words[at:end], plain)] if at < end else segments

    def _linked(self, url: str) -> Style:
        return self._styles["link"] + Style(link=url, meta={"url": url})

    def _highlighted(self, words: list[Segment], selected: Selected) -> list[Segment]:
        """Split segments where the selection starts and ends; offsets are characters of the row."""
        segments, at = [], 0
        for text, style, _ in words:
            start = min(max(selected.start - at, 0), len(text))
            end = len(text) if selected.end is None else min(max(selected.end - at, 0), len(text))
            at += len(text)
            chosen = self._selection if style is None else style + self._selection
            parts = ((text[:start], style), (text[start:end], chosen), (text[max(start, end) :], style))
            segments += [Segment(part, look) for part, look in parts if part]
        return segments


def _with_offset(segment: Segment, x: int, y: int) -> Segment:
    """Tell the screen's text selection which characters these are."""
    text, style, _ = segment
    offset = Style.from_meta({"offset": (x, y)})
    return Segment(text, offset if style is None else style + offset)
