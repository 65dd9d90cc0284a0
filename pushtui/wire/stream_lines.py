"""Lines of an event stream, and what comes of them, as lines: WHATWG HTML, section 9.2.6."""

from collections.abc import Iterator

from pushtui.wire import showing
from pushtui.wire.records import Dispatch, Line
from pushtui.wire.spans import Row, Span, head

_FIELDS = (b"event", b"data", b"id", b"retry")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def line(record: Line, most_bytes: int | None) -> Row:
    """One raw line, its field set apart."""
    whole = record.line
    shown = whole if most_bytes is None else whole[:most_bytes]
    return head(
        record.at,
        "down",
        *parts(shown),
        *([Span(f"… {len(whole) - len(shown)} B more", "dim")] if len(shown) < len(whole) else []),
        *ignored(whole),
        Span(f"  {record.wire_bytes} B", "dim"),
    )


def dispatch(record: Dispatch) -> Row:
    """Which event came of the lines before."""
    last = [Span(" · last event ID ", "dim"), Span(showing.text_line(record.id), "value")] if record.id else []
    if not record.event:
        return head(record.at, None, Span("nothing is dispatched: no data", "dim"), *last)
    return head(
        record.at,
        None,
        Span("event ", "dim"),
        Span(showing.text_line(record.event), "name"),
        Span(f" is dispatched, {record.data_bytes} B of data", "dim"),
        *last,
    )


def parts(shown: bytes) -> Iterator[Span]:
    """A raw line, its field set apart from its value."""
    if not shown:
        yield Span("(blank line: the end of a block)", "name")
        return
    name, colon, value = shown.partition(b":")
    if not name:
        yield Span(":", "dim")
        yield Span(showing.line(value), "dim")
        return
    yield Span(showing.line(name), "field")
    if colon:
        yield Span(":", "dim")
        yield Span(showing.line(value), "value")


def ignored(whole: bytes) -> list[Span]:
    """Why the rules pass over a line, if they do."""
    name, _, value = whole.removeprefix(_BYTE_ORDER_MARK).partition(b":")
    value = value.removeprefix(b" ")
    if not name:
        return []
    if name not in _FIELDS:
        return [Span("  ignored: there is no such field", "bad")]
    if name == b"retry" and not value.isdigit():
        return [Span("  ignored: not only digits", "bad")]
    if name == b"id" and b"\0" in value:
        return [Span("  ignored: NUL in an id", "bad")]
    return []
