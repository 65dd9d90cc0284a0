import itertools
import re
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pushtui.client.event_stream import LARGEST_EVENT, Comment, EventStream, EventTooLongError, Retry, StreamEvent
from pushtui.protocol import eventstream


class Besides(NamedTuple):
    """What a stream says besides its events."""

    last_event_id: str
    retry_ms: int | None
    comments: list[str]


def read(*chunks: bytes) -> tuple[list[StreamEvent], Besides]:
    stream = EventStream()
    items = [item for chunk in chunks for item in stream.feed(chunk)]
    times = [item.ms for item in items if isinstance(item, Retry)]
    comments = [item.text for item in items if isinstance(item, Comment)]
    events = [item for item in items if isinstance(item, StreamEvent)]
    return events, Besides(stream.last_event_id, times[-1] if times else None, comments)


def message(data: str, identity: str | None = None, event: str = "message") -> StreamEvent:
    return StreamEvent(event, data, identity)


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        # The examples of the WHATWG section, and its rules one by one.
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [message("YHOO\n+2\n10")]),
        (
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n",
            [message("first event", "1"), message("second event", "")],
        ),
        (b"data\n\ndata\ndata\n\ndata:", [message(""), message("\n")]),
        (b"data:test\n\ndata: test\n\n", [message("test"), message("test")]),
        (b"data:  two\n\n", [message(" two")]),
        (b"event: a\ndata: 1\n\ndata: 2\n\n", [message("1", event="a"), message("2")]),
        (b"event: a\n\ndata: 1\n\n", [message("1")]),
        (b"event:\ndata: 1\n\n", [message("1")]),
        (b"id: 7\n\n: ping\n\n: ping\n\n", []),
        (b"retry: 5\n\n", []),
        (b"event: a\nid: 1\nretry: 3\n\n", []),
        (b"data: a:b: c\n\n", [message("a:b: c")]),
        (b"unknown: 1\ndata: x\n\n", [message("x")]),
        (b"Data: 1\n\n", []),
        (b" data: 1\n\n", []),
        (b":data: 1\n\n", []),
        (b"id: a\0b\ndata: 1\n\n", [message("1")]),
        (b"data: \xff\xfe\n\n", [message("��")]),
        (b"data: caf\xc3\xa9 \xe2\x80\xa8 \xc2\x85\x0b\n\n", [message("café \u2028 \x85\x0b")]),
        (b"\xef\xbb\xbfdata: 1\n\n", [message("1")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: 1\n\n", []),
        (b"data: 1\n\n\xef\xbb\xbfdata: 2\n\n", [message("1")]),
        (b"data: half", []),
        (b"data: half\n", []),
        (b"\n\n\n", []),
        (b"", []),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_stream_means_the_same_however_it_is_cut(stream: bytes, events: list[StreamEvent], end: bytes) -> None:
    stream = stream.replace(b"\n", end)
    assert read(stream)[0] == events
    for cut in range(len(stream)):
        assert read(stream[:cut], stream[cut:])[0] == events, cut
    assert read(*(stream[at : at + 1] for at in range(len(stream))))[0] == events


@given(
    st.lists(
        st.sampled_from(
            [b"data: x", b"data:", b"id: 1", b"event: e", b":", b"\n", b"\r", b"\r\n", b"\xef\xbb\xbf"]
        )
    ),
    st.lists(st.integers(0, 60)),
)
def test_any_stream_in_any_pieces(parts: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(parts)
    borders = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[begin:end] for begin, end in itertools.pairwise(borders)]
    assert read(*pieces) == read(stream)


def by_the_book(stream: bytes) -> list[tuple[str, str, str]]:
    """The rules as they are written (WHATWG HTML, 9.2.5 and 9.2.6): decode all, then lines, then fields."""
    text = stream.decode("utf-8", errors="replace").removeprefix("\ufeff")
    events = []
    data, event, identity = "", "", ""
    for one in re.split("\r\n|\r|\n", text)[:-1]:
        if one == "":
            if data:
                events.append((event or "message", data.removesuffix("\n"), identity))
            data, event = "", ""
            continue
        field, value = (one.split(":", 1)[0], one.split(":", 1)[1]) if ":" in one else (one, "")
        value = value[1:] if value[:1] == " " else value
        if field == "data":
            data += value + "\n"
        elif field == "event":
            event = value
        elif field == "id" and "\0" not in value:
            identity = value
    return events


pieces = st.sampled_from(
    [
        *(b"data", b"event", b"id", b"retry", b":", b" ", b"\n", b"\r", b"\r\n", b"x", b"7", b"\0"),
        # whole and halved: the byte order mark, U+2028, an emoji; and what is no UTF-8
        *(b"\xef\xbb\xbf", b"\xef", b"\xbb\xbf", b"\xe2\x80\xa8", b"\xe2\x80", b"\xf0\x9f\x98", b"\xff", b"\x85"),
    ]
)


@settings(deadline=None, max_examples=300)
@given(st.lists(pieces | st.binary(max_size=3), max_size=40).map(b"".join), st.lists(st.integers(0, 80)))
def test_any_bytes_in_any_pieces_mean_what_the_rules_say(stream: bytes, cuts: list[int]) -> None:
    borders = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    reader = EventStream()
    found = [
        (item.event, item.data, reader.last_event_id)
        for begin, end in itertools.pairwise(borders)
        for item in reader.feed(stream[begin:end])
        if isinstance(item, StreamEvent)
    ]
    assert found == by_the_book(stream)


lines = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=20)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")), lines, lines)
def test_what_is_written_is_read(data: str, event: str, identity: str) -> None:
    events, stream = read(eventstream.block(data, event=event, event_id=identity, retry=4))
    assert events == [StreamEvent(event or "message", data, identity)]
    assert stream.last_event_id == identity
    assert stream.retry_ms == 4


def test_a_line_ends_with_its_carriage_return() -> None:
    assert read(b"data: 1\r\r")[0] == [message("1")]


@pytest.mark.parametrize(
    ("block", "identity"),
    [
        (b"id: 1\n\n", "1"),
        (b"id: 1\ndata: x\n\n", "1"),
        (b"id: 1\ndata: x\n", ""),
        (b"id: 1\n\nid\n\n", ""),
        (b"id: 1\n\nid: a\0b\n\n", "1"),
        (b"id: 1\n\ndata: no id\n\n", "1"),
        (b"id: 1\n\nid: 2\n", "1"),
    ],
)
def test_the_id_counts_from_the_end_of_its_block(block: bytes, identity: str) -> None:
    assert read(block)[1].last_event_id == identity


@pytest.mark.parametrize(("value", "retry"), [("0", 0), ("0100", 100), ("999999999999", 999999999999)])
def test_a_reconnection_time_is_digits(value: str, retry: int) -> None:
    assert read(f"retry: {value}\n".encode())[1].retry_ms == retry


@pytest.mark.parametrize("value", ["-5", "+5", "5 ", " 7", "1_000", "", "1.5", "٣", "9" * 5000])
def test_anything_else_is_none(value: str) -> None:
    # One space after the colon belongs to the format; the second is the value's.
    assert read(f"retry: {value}\n".encode())[1].retry_ms is None


def test_comments_are_no_events() -> None:
    events, besides = read(b":\n: ping\n\n:  a\xff: b\ndata: :\n\n")
    assert events == [message(":")]
    assert besides.comments == ["", "ping", " a\ufffd: b"]


def test_all_comes_in_its_order_and_what_stands_before_a_fault_comes_too() -> None:
    stream = EventStream()
    found: list[object] = []
    with pytest.raises(EventTooLongError):
        # what was taken in before the error stays
        found.extend(stream.feed(b"id: 1\ndata: a\n\nretry: 5\n: c\ndata: b\n\n" + b"x" * (LARGEST_EVENT + 1)))
    assert found == [message("a", "1"), Retry(5), Comment("c"), message("b")]
    assert stream.last_event_id == "1"


def test_a_line_without_an_end_is_not_kept() -> None:
    stream = EventStream()
    with pytest.raises(EventTooLongError):
        _feed_often(stream, b"x" * 1000)


def test_an_event_without_an_end_is_not_kept() -> None:
    stream = EventStream()
    with pytest.raises(EventTooLongError):
        _feed_often(stream, b"data: " + b"x" * 1000 + b"\n")


def test_the_largest_line_is_taken() -> None:
    line = b"data: " + b"x" * (LARGEST_EVENT - 6)
    events, _ = read(line, b"\n\n")
    assert len(events[0].data) == len(re.sub(b"^data: ", b"", line))


def _feed_often(stream: EventStream, chunk: bytes) -> None:
    for _ in range(LARGEST_EVENT // 1000 + 1):
        list(stream.feed(chunk))
