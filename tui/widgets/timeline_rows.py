"""How one item of a room is laid out: its columns, its rows, and what of it is copied. Pure."""

from enum import StrEnum
from typing import NamedTuple

from rich.cells import cell_len

from tui.state.items import Item, Kind, State
from tui.widgets.local_time import LocalTime
from tui.widgets.wrapping import MINIMUM, clean, fits, shorten, wrap

EDITED = " (edited)"
REMOVED = "taken back"
EMOTE_SIGN = "·"
#: After so many minutes the author is named again.
_PAUSE = 10
#: The rows of words that one item may have: as many as the longest message needs in a narrow pane, if it is text.
#: One that is made of line ends would have thousands, and push everything else away.
MOST_ROWS = 500
_NARROW = 34
#: A pane of 60 columns, beside its scrollbar: space enough for most nicks on the line of what they say.
_WIDE = 59


class Columns(NamedTuple):
    """Where things stand in a row, in cells.

    Attributes:
        width: of the whole row.
        time: where the author begins; the time and its margins are before it, or nothing when it is narrow.
        author: how wide an author may be.
        text: where the text begins.
        text_width: how wide the text may be; behind it is room for the state of an own message.
    """

    width: int
    time: int
    author: int
    text: int
    text_width: int

    @classmethod
    def of(cls, width: int) -> "Columns":
        """Divide a row of ``width`` cells."""
        author = max(10 if width >= _WIDE else 6, min(width // 9, 12))
        time = 8 if width >= _NARROW else 1
        text = time + author + 1
        return cls(width, time, author, text, max(MINIMUM, width - text - 3))


class Part(StrEnum):
    """What a row of an item shows."""

    DAY = "day"
    AUTHOR = "author"
    REPLY = "reply"
    BODY = "body"
    REST = "rest"
    REACTIONS = "reactions"
    REASON = "reason"


class Row(NamedTuple):
    """One row of an item.

    Attributes:
        part: what it shows.
        text: the words in it.
        start: where ``text`` begins in what `shown` returns, for the body.
        head: whether time and author stand in it.
        foot: whether the state of an own message does, which is at the end of its words: of a message that is
            higher than the screen one sees the end first.
    """

    part: Part
    text: str
    start: int = 0
    head: bool = False
    foot: bool = False


class Face(NamedTuple):
    """What of time and author an item shows, which depends on the item before it."""

    day: bool
    time: bool
    author: bool


def shown(item: Item) -> tuple[str, int]:
    """Return the words of an item, and how many characters of them are to be copied."""
    if item.removed:
        words = f"{REMOVED} by {clean(item.removed_by)}" if item.removed_by else REMOVED
        return words, len(words)
    words = clean(item.text)
    if item.kind is Kind.EMOTE:
        words = f"{clean(item.by)} {words}"
    elif item.kind is not Kind.MESSAGE and item.by:
        words = f"{words} · {clean(item.by)}"
    return (words + EDITED if item.edited else words), len(words)


def author(item: Item) -> str:
    """Return how its author is called: nobody else can pass for ``you``."""
    if item.own:
        return "you"
    return f"@{clean(item.by)}" if item.by.casefold() == "you" else clean(item.by)


def face(item: Item, before: Item | None, local: LocalTime) -> Face:
    """Decide what has to be said again."""
    if before is None or local.day(before.at) != local.day(item.at):
        return Face(before is None or local.day(before.at) < local.day(item.at), True, True)
    minute, minute_before = local.minute(item.at), local.minute(before.at)
    same = item.kind is before.kind is Kind.MESSAGE and item.by == before.by and item.own == before.own
    return Face(False, minute != minute_before, not same or not 0 <= minute - minute_before < _PAUSE)


def rows(item: Item, before: Item | None, columns: Columns, local: LocalTime) -> list[Row]:
    """Lay out an item.

    Args:
        item: the item.
        before: the one that stands before it.
        columns: where things stand.
        local: the reader's clock.

    Returns:
        Its rows, at least one with ``head``.
    """
    look = face(item, before, local)
    result: list[Row] = []
    if look.day:
        result.append(Row(Part.DAY, local.date(item.at, before=before.at if before else None)))
    head = True
    if look.author and item.kind is Kind.MESSAGE and _is_long(author(item), columns.author):
        result.append(Row(Part.AUTHOR, author(item), head=True))
        head = False
    if item.reply is not None:
        answered = f"↪ {item.reply.by}, {local.clock(item.reply.at)}" if item.reply.by else "↪ an earlier message"
        first, *_ = _wrapped(answered, columns)
        result.append(Row(Part.REPLY, first, head=head))
        head = False
    words, _ = shown(item)
    spans = wrap(words, columns.text_width)
    for start, end in spans[:MOST_ROWS]:
        result.append(Row(Part.BODY, words[start:end], start, head))
        head = False
    if len(spans) > MOST_ROWS:
        left = f"… and {len(spans) - MOST_ROWS} rows more"
        result.append(Row(Part.REST, shorten(left, columns.text_width), len(words)))
    result[-1] = result[-1]._replace(foot=True)
    if item.reactions:
        counted = "  ".join(f"{emoji} {count}" for emoji, count in item.reactions)
        result += [Row(Part.REACTIONS, text) for text in _wrapped(counted, columns)]
    if item.state is State.FAILED:
        reason = f"not sent: {item.reason}" if item.reason else "not sent"
        result += [Row(Part.REASON, text) for text in _wrapped(reason, columns)]
    return result


def height(item: Item, before: Item | None, columns: Columns, local: LocalTime) -> int:
    """Return how many rows `rows` would make, without making them where it is plainly the text alone."""
    plain = (
        item.kind is Kind.MESSAGE
        and before is not None
        and not (item.edited or item.removed or item.reactions or item.reply or item.state is State.FAILED)
        and fits(author(item), columns.author)
        and local.day(before.at) >= local.day(item.at)
    )
    if not plain:
        return len(rows(item, before, columns, local))
    if fits(item.text, columns.text_width):
        return 1
    count = len(wrap(clean(item.text), columns.text_width))
    return count if count <= MOST_ROWS else MOST_ROWS + 1


def copied_head(item: Item, local: LocalTime) -> str:
    """Return what stands before an item in a copy of several: ``14:02 ana: ``."""
    time = local.clock(item.at)
    if item.kind is Kind.MESSAGE:
        return f"{time} {clean(item.by)}: "
    return f"{time} {item.sign or EMOTE_SIGN} "


def _wrapped(text: str, columns: Columns) -> list[str]:
    words = clean(text)
    return [words[start:end] for start, end in wrap(words, columns.text_width)]


def _is_long(by: str, width: int) -> bool:
    return not fits(by, width) and cell_len(by) > width
