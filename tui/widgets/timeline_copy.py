"""What of the timeline is selected with the mouse, and how it is copied. Pure.

The screen tells places in a selection as (x, y). Here y numbers the rows of the items, so that it stays true
while the timeline scrolls and grows at its end, and x counts characters from where the row's text begins:
below 0 is the time and the author.
"""

from textual.geometry import Offset
from textual.selection import Selection

from tui.widgets.timeline_layout import Layout
from tui.widgets.timeline_paint import Selected
from tui.widgets.timeline_rows import Part, copied_head, shown

_ROWS = 1 << 20
_INDENT = "  "


def row_number(item: int, row: int) -> int:
    """Number a row: ``item`` counts from an origin that does not move when older ones come in front."""
    return item * _ROWS + row


def selected_in(selection: Selection | None, number: int) -> Selected | None:
    """Return what of the row with this number is selected."""
    span = None if selection is None else selection.get_span(number)
    if span is None:
        return None
    start, end = span
    return Selected(max(start, 0), None if end == -1 else max(end, 0))


def copied(selection: Selection, layout: Layout, origin: int) -> str:
    """Return the selected text: a part of one message as it is, several with time and author of each.

    Args:
        selection: in row numbers.
        layout: of the room.
        origin: the number of the layout's first item.
    """
    if not len(layout):
        return ""
    first, start, whole = _bound(selection.start, layout, origin, 0)
    last, end, _ = _bound(selection.end, layout, origin, len(layout) - 1)
    lines = []
    for index in range(first, last + 1):
        item, _ = layout.item(index)
        words, length = shown(item)
        begin = start if index == first and selection.start is not None else 0
        stop = end if index == last and selection.end is not None else length
        part = words[begin : min(stop, length)]
        if first == last and not whole:
            return part
        lines.append(copied_head(item, layout.local) + part.replace("\n", "\n" + _INDENT))
    return "\n".join(lines)


def _bound(offset: Offset | None, layout: Layout, origin: int, default: int) -> tuple[int, int, bool]:
    """Return the item of one end of a selection, the character in it, and whether that is before its words."""
    if offset is None:
        return default, 0, True
    number, row = divmod(offset.y, _ROWS)
    index = number - origin
    if not 0 <= index < len(layout):
        return (0, 0, True) if index < 0 else (len(layout) - 1, _END, False)
    item, _ = layout.item(index)
    laid = layout.rows(index)[min(row, len(layout.rows(index)) - 1)]
    if laid.part is Part.BODY:
        return index, laid.start + min(max(offset.x, 0), len(laid.text)), laid.head and offset.x < 0
    after = laid.part in (Part.REST, Part.REACTIONS, Part.REASON)
    return (index, len(shown(item)[0]), False) if after else (index, 0, True)


_END = 1 << 40
