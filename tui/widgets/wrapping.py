"""Text broken into rows of so many cells of a terminal. Pure.

Cells are counted as rich and Textual count them, so a row that fits here fits on the screen. Nearly all that is
said has one cell per character; that is found out by one regular expression and needs no counting.
"""

import re

from rich.cells import cell_len, split_graphemes

MINIMUM = 2

#: Characters that all have one cell and start no cluster.
_SINGLE = re.compile(r"[\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0377\u0400-\u0482\u2010-\u2015\u2018-\u201f\u2026]*")
_is_single = _SINGLE.fullmatch
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
#: Punctuation that East Asian typography never begins a line with.
_NEVER_FIRST = frozenset("、。，．・：；？！）］｝」』】〉》〕ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々…‥")

Span = tuple[int, int]


def clean(text: str) -> str:
    """Return ``text`` with tabs as spaces and nothing in it that a terminal would obey; the last guard."""
    if _is_single(text):
        return text
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.expandtabs(4))


def fits(text: str, width: int) -> bool:
    """Whether ``text`` surely is one row of ``width`` cells; quick, and says no when it would have to count."""
    return len(text) <= width and _is_single(text) is not None


def wrap(text: str, width: int) -> list[Span]:
    """Break ``text`` at line ends, at spaces, between wide characters, and within a word only if it must be.

    Args:
        text: as `clean` returns it.
        width: cells in a row, at least `MINIMUM`.

    Returns:
        Where each row starts and ends in ``text``, at least one. Spaces at a break are in no row.
    """
    if fits(text, width):
        return [(0, len(text))]
    rows: list[Span] = []
    start = 0
    while True:
        end = text.find("\n", start)
        stop = len(text) if end < 0 else end
        if stop - start <= width and _is_single(text, start, stop):
            rows.append((start, stop))
        elif _is_single(text, start, stop):
            _wrap_single(text, start, stop, width, rows)
        else:
            _wrap_clusters(text, start, stop, width, rows)
        if end < 0:
            return rows
        start = end + 1


def shorten(text: str, width: int) -> str:
    """Return ``text`` in at most ``width`` cells, with ``…`` for what was left out."""
    if fits(text, width) or cell_len(text) <= width:
        return text
    used = 0
    for start, _, cells in split_graphemes(text)[0]:
        used += cells
        if used >= width:
            return text[:start] + "…"
    return text


def _wrap_single(text: str, start: int, stop: int, width: int, rows: list[Span]) -> None:
    while stop - start > width:
        space = text.rfind(" ", start, start + width + 1)
        end = space if space > start and not text[start:space].isspace() else start + width
        rows.append((start, end))
        start = _after_spaces(text, end, stop)
        if start == stop:
            return
    rows.append((start, stop))


def _wrap_clusters(text: str, start: int, stop: int, width: int, rows: list[Span]) -> None:
    clusters, total = split_graphemes(text[start:stop])
    if total <= width:
        rows.append((start, stop))
        return
    first = 0
    while first < len(clusters):
        used = 0
        breaks = first
        index = first
        while index < len(clusters) and used + clusters[index][2] <= width:
            used += clusters[index][2]
            index += 1
            if index < len(clusters) and _may_break(text, start, clusters[index - 1], clusters[index]):
                breaks = index
        begin = start + clusters[first][0]
        if index == len(clusters):
            rows.append((begin, stop))
            return
        if breaks > first and not text[begin : start + clusters[breaks][0]].isspace():
            index = breaks
        end = start + clusters[index - 1][1]
        rows.append((begin, begin + len(text[begin:end].rstrip(" "))))
        while index < len(clusters) and text[start + clusters[index][0]] == " ":
            index += 1
        first = index


def _may_break(text: str, offset: int, before: tuple[int, int, int], after: tuple[int, int, int]) -> bool:
    next_one = text[offset + after[0]]
    if text[offset + before[0]] == " ":
        return next_one != " "
    if next_one == " ":
        return True
    return (before[2] == 2 or after[2] == 2) and next_one not in _NEVER_FIRST


def _after_spaces(text: str, start: int, stop: int) -> int:
    while start < stop and text[start] == " ":
        start += 1
    return start
