"""Any text at all through what it passes on its way: server, wire, client, rows, paint, guard; and log records."""

import io
import json
import logging
import re
import sys
from datetime import UTC

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from pushtui import logs
from pushtui.client import decoding
from pushtui.client.event_stream import EventStream, StreamEvent
from pushtui.client.happenings import RoomEvent
from pushtui.commands.lines import ChatLines
from pushtui.commands.records import record
from pushtui.protocol import bodies
from pushtui.protocol.codec import CODECS
from pushtui.protocol.messages import SUBPROTOCOLS, Event
from pushtui.protocol.text import safe_line, safe_text
from server.log.store import Entry
from server.log.streams import room_stream
from server.log.wire import SSE_PLAIN, decoded
from tests.hostile.corpus import SIZES, TEXTS
from tui.line_filter import ControlGuard
from tui.state.items import Item, Kind, Place
from tui.widgets.local_time import LocalTime
from tui.widgets.timeline_paint import Painter
from tui.widgets.timeline_rows import Columns, face, rows

LOCAL = LocalTime(UTC)
BLACK = Color(0, 0, 0)
DRIVES = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028-\u202e\u2066-\u2069]")
TOKEN = "ptk_ab12_" + "s3cr3t" * 6
anything = st.one_of(
    st.text(st.characters()),
    st.text(st.characters(codec="utf-8")),
    st.sampled_from([text for name, text in TEXTS.items() if name not in SIZES]),
)


@given(anything, anything)
@settings(deadline=None)
def test_from_the_server_to_the_cells_of_the_screen(text: str, by: str) -> None:
    """The server's part makes it safe, and the client's again: neither trusts the other."""
    said, author = safe_text(text)[:4000], safe_line(by)[:40]
    entry = Entry(room_stream("main"), 1, 1, "message", author, None, json.dumps({"text": said}).encode())
    for subprotocol in SUBPROTOCOLS:
        codec = CODECS[subprotocol]
        data = codec.encode(decoded(entry))
        event = decoding.frame(codec, data if codec.binary else data.decode())
        assert isinstance(event, RoomEvent)
        assert event.body == bodies.Message(said)
        assert event.by == author
        _paint(event)
        _print(event)
    (block,) = [
        item for item in EventStream().feed(SSE_PLAIN.encode(entry, "abcdefgh")) if isinstance(item, StreamEvent)
    ]
    assert (block.event, block.id) == ("message", "abcdefgh.1")
    assert decoding.json(block.data, Event).body == {"text": said}


@given(anything, anything)
@settings(deadline=None)
def test_a_client_needs_no_server_that_is_careful(text: str, by: str) -> None:
    try:
        data = json.dumps(
            {"type": "event", "room": by, "seq": 1, "at": 1, "kind": "message", "by": by, "body": {"text": text}}
        )
        event = decoding.frame(CODECS[SUBPROTOCOLS[0]], data)
    except decoding.UnreadableError:  # a surrogate alone
        return
    assert isinstance(event, RoomEvent)
    _paint(event)
    _print(event)


@given(anything)
def test_the_guard_lets_nothing_through_even_if_all_else_failed(text: str) -> None:
    (segment,) = ControlGuard().apply([Segment(text, Style())], BLACK)
    assert not DRIVES.search(segment.text.replace("\n", "\x00"))
    segment.text.encode()


@given(anything, anything, st.sampled_from(["plain", "raised", "chained"]))
def test_a_record_of_the_log_is_one_line_without_tokens(text: str, name: str, how: str) -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logs.SafeFormatter(logs.FORMAT))
    info = None
    if how != "plain":
        try:
            try:
                raise ValueError(f"{text} {TOKEN}")
            except ValueError as error:
                if how == "chained":
                    raise RuntimeError(text) from error
                raise
        except (ValueError, RuntimeError):
            info = sys.exc_info()
    handler.handle(logging.LogRecord(name or "x", logging.ERROR, "f", 1, "%s of %s", (text, TOKEN), info))
    first, *rest = out.getvalue().removesuffix("\n").split("\n")
    assert len(first) <= logs.MOST + 1
    assert not DRIVES.search(out.getvalue().replace("\t", " "))
    assert "s3cr3t" not in out.getvalue()
    assert all(line.startswith("  ") for line in rest)
    assert bool(rest) == (info is not None)


def _paint(event: RoomEvent) -> None:
    assert isinstance(event.body, bodies.Message)
    item = Item(Place(1), 1, Kind.MESSAGE, event.body.text, event.by)
    painter = Painter(Style(), Style(), lambda _: Style())
    columns = Columns.of(60)
    for row in rows(item, None, columns, LOCAL):
        strip = painter.row(item, row, face(item, None, LOCAL), columns, LOCAL, None, 0)
        assert strip.cell_length == 60
        segments = list(strip)
        # What is painted is clean before the guard looks at it.
        assert ControlGuard().apply(segments, BLACK) is segments
        assert not DRIVES.search(strip.text)


def _print(event: RoomEvent) -> None:
    for line in ChatLines(lambda: 0).of(event):
        assert "\n" not in line
        assert not DRIVES.search(line.replace("\t", " "))
    assert not DRIVES.search(record(event).replace("\n", ""))
