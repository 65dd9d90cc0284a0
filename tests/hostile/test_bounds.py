"""What one item, one line or one figure of a stranger may cost a screen or a terminal is bounded."""

from datetime import UTC

import msgspec
import pytest
from rich.cells import cell_len

from pushtui.client import decoding
from pushtui.client.happenings import RoomEvent, StatusEvent
from pushtui.commands.lines import ChatLines, StatusLines
from pushtui.protocol.bodies import Message, Notice
from pushtui.protocol.codec import CODECS
from pushtui.protocol.messages import MSGPACK, Bye, Event
from pushtui.protocol.samples import Cpu, Sample
from tui.state.items import Item, Kind, Place
from tui.widgets import links
from tui.widgets.local_time import LocalTime
from tui.widgets.timeline_rows import MOST_ROWS, Columns, Part, copied_head, height, rows, shown

LOCAL = LocalTime(UTC)
TIMES = [0, -1, -(2**63), 2**63 - 1, 10**15]


def item(text: str) -> Item:
    return Item(Place(1), 0, Kind.MESSAGE, text, "eve")


@pytest.mark.parametrize("width", [1, 20, 80, 200])
@pytest.mark.parametrize(
    "text",
    [
        "\n" * 16_000,
        "x\n" * 8000,
        "x" * 16_384,
        "語" * 5461,
        "👩\u200d👩" * 1000,
        "क्ष" * 1800,
        "a\u0301" * 5000,
        "\t" * 9000,
    ],
    ids=["blank lines", "lines", "one word", "one wide word", "emoji", "clusters", "accents", "tabs"],
)
def test_no_item_has_more_rows_than_a_long_message_needs(text: str, width: int) -> None:
    before, columns = item("hello"), Columns.of(width)
    laid = rows(item(text), before, columns, LOCAL)
    assert len(laid) <= MOST_ROWS + 1
    assert height(item(text), before, columns, LOCAL) == len(laid)
    assert all(cell_len(row.text) <= columns.text_width for row in laid)
    if len(laid) > MOST_ROWS:
        assert laid[-1].part is Part.REST
        assert not laid[-1].text.strip() or laid[-1].text.startswith("…")


def test_what_is_not_shown_is_copied_all_the_same() -> None:
    words, length = shown(item("x\n" * 8000))
    assert len(words) == length == 16_000
    assert copied_head(item("x"), LOCAL) == "00:00 eve: "


def test_a_server_cannot_make_its_clients_show_without_end() -> None:
    codec = CODECS[MSGPACK]
    said = decoding.frame(
        codec, codec.encode(Event("r" * 9000, 1, 1, "message", "e" * 9000, {"text": "x" * 3_000_000}))
    )
    assert isinstance(said, RoomEvent)
    assert isinstance(said.body, Message)
    assert len(said.body.text) == decoding.LONGEST_TEXT
    assert len(said.by) == len(said.room) == decoding.LONGEST_LINE
    assert said.by.endswith("…")
    bye = decoding.frame(codec, codec.encode(Bye(4503, "y" * 100_000)))
    assert isinstance(bye, Bye)
    assert len(bye.reason) == decoding.LONGEST_LINE
    assert decoding.clean(bye) == bye


@pytest.mark.parametrize("at", TIMES)
def test_a_time_that_no_calendar_has_is_some_day(at: int) -> None:
    chat, status = ChatLines(lambda: 0), StatusLines(lambda: 0)
    assert list(chat.of(RoomEvent("main", 1, at, "message", "eve", Message("hi"))))
    assert list(status.of(StatusEvent(None, "sample", Sample("h", at, 1.0, Cpu(1e308)))))
    assert list(status.of(StatusEvent(None, "notice", Notice("n", "info", "eve"))))
    assert LOCAL.clock(at)
    assert LOCAL.date(at)


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://",
        "http://@evil.example/",
        "http://user:secret@evil.example/",
        "http://a.example\\@b.example/",
        "http://a.example:99999/",
        "http://a.example:port/",
        "http://\u2100.example/",
        "http://[::1",
        "http://a\ud800.example/",
    ],
)
def test_what_is_no_web_address_is_no_link(text: str) -> None:
    assert links.safe_url(text) is None


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ('http://a.example/"onclick=x', "http://a.example/%22onclick=x"),
        ("http://a.example/\x1b]8;;", "http://a.example/%1B]8;;"),
        ("http://a.example/\x9b2J\x07", "http://a.example/%C2%9B2J%07"),
        ("http://аna.example/", "http://xn--na-6kc.example/"),
        ("HTTP://A.example/é e", "http://a.example/%C3%A9%20e"),
        ("http://a.example/\u202egnp", "http://a.example/%E2%80%AEgnp"),
    ],
)
def test_a_link_leads_where_it_says_in_plain_ascii(text: str, url: str) -> None:
    assert links.safe_url(text) == url
    assert url.isascii()
    assert url.isprintable()


@pytest.mark.parametrize(
    "text", ["http://a.example/" + ")" * 16_000, "http://a]" * 2000, "http://" * 2500, "((" * 8000]
)
def test_every_link_is_one_that_is_safe(text: str) -> None:
    for link in links.find(text):
        assert link.url.startswith(("http://", "https://"))
        assert link.url.isascii()
        assert msgspec.json.encode(link.url)
