"""Text broken into rows of so many cells of a terminal. Pure.

Cells are counted as rich and Textual count them, so a row that fits here fits on the screen. Nearly all that is
said has one cell for each character, or one and two; regular expressions find that out, and then rows are a
matter of a few searches in a string. Only text with combining characters is gone through cluster by cluster.
"""

import re

from rich.cells import cell_len, split_graphemes

MINIMUM = 2

#: Characters of one cell, and of two, that combine with nothing around them.
SINGLE = "\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0377\u0400-\u0482\u2010-\u2015\u2018-\u201f\u2026\u2190-\u2193"
DOUBLE = (
    "\u1100-\u115f\u2e80-\u2e99\u2f00-\u2fd5\u3001-\u3029\u3031-\u303e\u3041-\u3096\u309b-\u30ff\u3131-\u3163\u3165-\u318e"
    "\u3190-\u31e3\u3220-\u3247\u3250-\u3296\u329a-\ua48c\uac00-\ud7a3\uf900-\ufaff\uff01-\uff60\uffe0-\uffe6"
    "\U0001f337-\U0001f37c\U0001f3e0-\U0001f3f0\U0001f442-\U0001f4fc\U0001f600-\U0001f64f\U0001f680-\U0001f6c5"
    "\U0001f910-\U0001f93a\U0001f947-\U0001f9af\U0001f9b4-\U0001f9ff\U00020000-\U0002fffd"
)
_is_single = re.compile(f"[{SINGLE}]*").fullmatch
_is_simple = re.compile(f"[{SINGLE}{DOUBLE}]*").fullmatch
_after_double = re.compile(f"(?<=[{DOUBLE}])").sub
#: Stands for the second cell of a character; no simple text has one.
_SECOND = "\ue000"
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_COMBINING = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_PILED = re.compile(f"([{_COMBINING}]{{4}})[{_COMBINING}]+")
#: What glues emoji together, and what gives them a look and a tone: not every terminal agrees on how wide that is.
_GLUE = re.compile("[\ufe0e\ufe0f]|(?<=[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])[\u200d\U0001f3fb-\U0001f3ff]")
#: Punctuation that East Asian typography never begins a row with.
_NEVER_FIRST = frozenset("、。，．・：；？！）］｝」』】〉》〕ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々…‥")

Span = tuple[int, int]


def clean(text: str) -> str:
    """Return ``text`` with tabs as spaces, nothing in it that a terminal would obey, and as wide as it is counted.

    Marks piled up on one character, which some terminals paint over the rows around, are cut to four. Emoji that
    are joined stand side by side, without tones of skin: where a terminal does not join them they would else push
    what is behind them out of the row, and paint over what is there.
    """
    if _is_single(text):
        return text
    return _GLUE.sub("", _PILED.sub(r"\1", _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.expandtabs(4))))


def fits(text: str, width: int) -> bool:
    """Whether ``text`` surely is one row of ``width`` cells; quick, and says no when it would have to count."""
    return len(text) <= width and _is_single(text) is not None


def wrap(text: str, width: int) -> list[Span]:
    """Break ``text`` at line ends, at spaces, around wide characters, and within a word only if it must be.

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
    for line in text.split("\n"):
        if fits(line, width):
            rows.append((start, start + len(line)))
        elif _is_single(line):
            rows += [(start + begin, start + end) for begin, end in _wrap_cells(line, width)]
        elif _is_simple(line):
            cells = _after_double(_SECOND, line)
            for begin, end in _wrap_cells(cells, width):
                before = begin - cells.count(_SECOND, 0, begin)
                rows.append((start + before, start + before + end - begin - cells.count(_SECOND, begin, end)))
        else:
            rows += [(start + begin, start + end) for begin, end in _wrap_clusters(line, width)]
        start += len(line) + 1
    return rows


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


def _wrap_cells(cells: str, width: int) -> list[Span]:
    """Break a line in which every character is one cell, `_SECOND` being the other half of a wide one."""
    rows: list[Span] = []
    start, stop = 0, len(cells)
    while stop - start > width:
        end = _break(cells, start, start + width)
        rows.append((start, end))
        start = end
        while start < stop and cells[start] == " ":
            start += 1
        if start == stop:
            return rows
    rows.append((start, stop))
    return rows


def _break(cells: str, start: int, end: int) -> int:
    """Return where the row from ``start`` on ends, not after ``end``, which is not the end of the line."""
    if cells[end] == _SECOND:
        end -= 1
    if cells[end] == " ":
        return end
    wide_after = cells[end + 1 : end + 2] == _SECOND
    if wide_after or cells[end - 1] == _SECOND:
        best = end
    else:
        best = max(cells.rfind(" ", start, end), cells.rfind(_SECOND, start, end) + 1)
    if cells[best] in _NEVER_FIRST:
        best -= 2 if cells[best - 1] == _SECOND else 1
    return end if best <= start or cells[start:best].isspace() else best


def _wrap_clusters(line: str, width: int) -> list[Span]:
    """Break a line that has combining characters, at its clusters."""
    clusters, total = split_graphemes(line)
    if total <= width:
        return [(0, len(line))]
    rows: list[Span] = []
    first = 0
    while first < len(clusters):
        begin = clusters[first][0]
        used, index, best = 0, first, first
        while index < len(clusters) and used + clusters[index][2] <= width:
            used += clusters[index][2]
            index += 1
            if index < len(clusters) and _may_break(line, clusters[index - 1], clusters[index]):
                best = index
        if index == len(clusters):
            rows.append((begin, len(line)))
            return rows
        if best > first and not line[begin : clusters[best][0]].isspace():
            index = best
        rows.append((begin, begin + len(line[begin : clusters[index - 1][1]].rstrip(" "))))
        while index < len(clusters) and line[clusters[index][0] : clusters[index][1]] == " ":
            index += 1
        first = index
    return rows


def _may_break(line: str, before: tuple[int, int, int], after: tuple[int, int, int]) -> bool:
    following = line[after[0]]
    if line[before[0]] == " ":
        return following != " "
    if following == " ":
        return True
    return (before[2] == 2 or after[2] == 2) and following not in _NEVER_FIRST
