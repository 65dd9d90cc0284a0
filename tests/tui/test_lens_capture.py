"""What the lens remembers, and what of it is shown."""

from __future__ import annotations

from pushtui.wire.records import Frame, Line
from tests.tui.lens_records import chat, frame, line, stream, stream_head, upgrade
from tui.lens.capture import Capture
from tui.lens.entry import Kind
from tui.lens.filter import Filter


def captured(*, most_records: int = 1000, most_bytes: int = 1 << 20) -> Capture:
    capture = Capture(most_records, most_bytes)
    for record in (*upgrade(), *chat()):
        capture.take(record)
    return capture


def said(number: int) -> Frame:
    return frame(float(number), "down", 1, f"message {number}".encode())


def texts(capture: Capture) -> list[str]:
    return [entry.payload for entry in capture.shown]


def test_everything_is_shown_in_its_order() -> None:
    capture = captured()
    assert [entry.record for entry in capture.shown] == [*upgrade(), *chat()]
    assert [entry.number for entry in capture.shown] == list(range(1, capture.passed + 1))


def test_what_begins_and_ends_a_link_is_unfolded() -> None:
    capture = captured()
    kinds = {type(entry.record).__name__ for entry in capture.shown if entry.number in capture.unfolded}
    assert kinds == {"Request", "Response", "Close", "Wait"}


def test_the_oldest_give_way_by_number() -> None:
    capture = Capture(3)
    for number in range(10):
        capture.take(said(number))
    capture.trim()
    assert texts(capture) == ["message 7", "message 8", "message 9"]
    assert (capture.passed, capture.dropped) == (10, 7)


def test_the_oldest_give_way_by_bytes_but_the_newest_stays() -> None:
    capture = Capture(100, 5000)
    capture.take(frame(0, "down", 1, b"x" * 2000))
    capture.take(frame(1, "down", 1, b"y" * 3000))
    capture.take(frame(2, "down", 1, b"z" * 90_000))
    capture.trim()
    assert [text[0] for text in texts(capture)] == ["z"]
    assert capture.dropped == 2


def test_what_is_shown_is_bounded_without_anybody_looking() -> None:
    capture = Capture(10)
    for number in range(2000):
        capture.take(said(number))
    assert len(capture.shown) < 1000


def test_the_unfolded_are_forgotten_with_their_entries() -> None:
    capture = Capture(2)
    for record in upgrade():
        capture.take(record)
    assert len(capture.unfolded) == 2
    for number in range(5):
        capture.take(said(number))
    capture.trim()
    assert capture.unfolded == set()


def test_filtered_by_direction() -> None:
    capture = captured()
    capture.filter_by(Filter(direction="up"))
    assert {entry.direction for entry in capture.shown} == {"up", None}
    assert any(entry.kind is Kind.HANDSHAKE for entry in capture.shown)


def test_filtered_by_kind() -> None:
    capture = captured()
    capture.filter_by(Filter(kind=Kind.CONTROL))
    names = [type(entry.record).__name__ for entry in capture.shown]
    assert names == ["Frame", "Frame", "RoundTrip", "Frame", "Frame", "Close", "Wait"]


def test_comments_are_a_kind() -> None:
    capture = Capture()
    for record in (*stream_head(), *stream()):
        capture.take(record)
    capture.filter_by(Filter(kind=Kind.COMMENTS))
    assert [entry.record for entry in capture.shown] == [line(1.0, b": ping")]


def test_filtered_by_text_in_payloads_headers_and_lines_whatever_the_case() -> None:
    capture = captured()
    capture.filter_by(Filter(text="HÉLLO"))
    assert len(capture.shown) == 1
    capture.filter_by(Filter(text="sec-websocket-key: "))
    assert [type(entry.record).__name__ for entry in capture.shown] == ["Request"]
    capture.filter_by(Filter(text="server restarts"))
    assert [type(entry.record).__name__ for entry in capture.shown] == ["Wait"]


def test_a_filter_holds_for_what_comes() -> None:
    capture = Capture()
    capture.filter_by(Filter(text="7"))
    for number in range(10):
        capture.take(said(number))
    assert texts(capture) == ["message 7"]
    capture.filter_by(Filter())
    assert len(capture.shown) == 10


def test_directions_and_kinds_in_turn() -> None:
    asked = Filter()
    directions = [(asked := asked.other_direction()).direction for _ in range(3)]
    assert directions == ["up", "down", None]
    kinds = [(asked := asked.other_kind()).kind for _ in range(5)]
    assert kinds == [*Kind, None]


def test_what_a_filter_says() -> None:
    assert Filter().said == ""
    assert Filter("up", Kind.DATA, "foo").said == "↑ up data “foo”"


def test_paused_it_stands_still_and_counts() -> None:
    capture = Capture(5)
    for number in range(3):
        capture.take(said(number))
    capture.pause()
    for number in range(3, 20):
        capture.take(said(number))
    assert texts(capture) == ["message 0", "message 1", "message 2"]
    assert capture.new == 17
    capture.go_on()
    assert texts(capture) == [f"message {number}" for number in range(15, 20)]
    assert capture.new == 0


def test_a_filter_while_paused_shows_nothing_newer() -> None:
    capture = Capture()
    for number in range(3):
        capture.take(said(number))
    capture.pause()
    for number in range(3, 30):
        capture.take(said(number))
    capture.filter_by(Filter(text="2"))
    assert texts(capture) == ["message 2"]
    assert capture.new == 11  # 12, and 20 to 29
    capture.take(said(32))
    assert capture.new == 12


def test_cleared() -> None:
    capture = captured()
    capture.clear()
    assert (capture.shown, capture.passed, capture.dropped, capture.unfolded) == ([], 0, 0, set())
    capture.take(said(1))
    assert texts(capture) == ["message 1"]


def test_found_forth_and_back_and_around() -> None:
    capture = Capture()
    for number in range(30):
        capture.take(said(number))
    assert capture.find("message 1", 0, 1) == 1
    assert capture.find("message 1", 1, 1) == 10
    assert capture.find("message 1", 10, -1) == 1
    assert capture.find("message 1", 29, 1) == 1
    assert capture.find("MESSAGE 29", 29, 1) == 29
    assert capture.find("nobody", 0, 1) is None


def test_another_source_goes_on_in_time() -> None:
    capture = Capture()
    capture.take(said(7))
    capture.begin_anew()
    capture.take(said(1))
    assert [entry.record.at for entry in capture.shown] == [7.0, 8.0]
    assert [record.at for record in capture.records] == [7.0, 8.0]


def test_a_continuation_knows_its_message() -> None:
    capture = captured()
    (rest,) = [entry for entry in capture.shown if isinstance(entry.record, Frame) and entry.record.opcode == 0]
    assert rest.context.opcode == 1


def test_words_of_bytes_that_are_no_text() -> None:
    capture = Capture()
    capture.take(Line(0, b"\xff\xfeid: 7", 8))
    capture.take(frame(0, "down", 2, b"\xff\x00abc"))
    assert capture.find("id: 7", 1, 1) == 0
    assert capture.shown[1].payload == "ff 00 61 62 63"
