from dataclasses import dataclass

import pytest

from server.log import tail as tail_module
from server.log.store import Entry
from server.log.tail import Tail
from tests.server.log.listeners import entries, make_wire


def seqs(data: bytes) -> list[int]:
    return [int(line.split(b" ")[0]) for line in data.splitlines()]


def everything(tail: Tail, after: int) -> list[int]:
    """What a listener that always has room gets after a position."""
    wire = make_wire()
    found = []
    while after < tail.head:
        span = tail.span(after, wire)
        assert span.upto > after
        found += seqs(span.data)
        after = span.upto
    return found


def test_a_new_tail_stands_at_the_head() -> None:
    tail = Tail("epoch", 7)
    assert (tail.head, tail.begin, len(tail)) == (7, 7, 0)


def test_each_entry_is_encoded_once_for_each_wire() -> None:
    tail = Tail("epoch", 0)
    one, other = make_wire(), make_wire()
    tail.extend(entries(10))
    for after in range(10):
        tail.span(after, one)
    assert tail.encodings == 10
    tail.extend(entries(1, first=11))
    for after in range(11):
        tail.span(after, one)
    assert tail.encodings == 11
    tail.span(0, other)
    assert tail.encodings == 22


def test_listeners_at_the_same_position_share_the_bytes() -> None:
    tail = Tail("epoch", 0)
    wire = make_wire()
    tail.extend(entries(5))
    assert tail.span(2, wire).data is tail.span(2, wire).data
    assert tail.span(4, wire).data is tail.span(4, wire).data
    assert tail.span(2, wire).data != tail.span(3, wire).data


def test_a_span_ends_at_its_limit_and_the_next_one_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "SPAN_BYTES", 20)
    tail = Tail("epoch", 0)
    tail.extend(entries(30))
    first = tail.span(0, make_wire())
    assert len(first.data) <= 20
    assert first.entries == len(seqs(first.data)) > 1
    assert everything(tail, 0) == list(range(1, 31))


def test_an_entry_longer_than_a_span_is_a_span(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "SPAN_BYTES", 20)
    tail = Tail("epoch", 0)
    tail.extend([*entries(1), *entries(1, first=2, body=b"y" * 100), *entries(1, first=3)])
    assert everything(tail, 0) == [1, 2, 3]
    assert tail.span(1, make_wire()).entries == 1


def test_the_oldest_leave_when_there_are_too_many() -> None:
    tail = Tail("epoch", 0, capacity=4)
    tail.extend(entries(8))
    assert (tail.begin, len(tail)) == (0, 8)
    tail.extend(entries(1, first=9))
    assert (tail.begin, len(tail), tail.head) == (5, 4, 9)
    assert everything(tail, 5) == [6, 7, 8, 9]


def test_the_oldest_leave_when_they_are_too_long() -> None:
    tail = Tail("epoch", 0, capacity_bytes=100)
    tail.extend(entries(3, body=b"x" * 70))
    assert tail.begin == 2
    assert everything(tail, tail.begin) == [3]


def test_the_newest_stays_however_long_it_is() -> None:
    tail = Tail("epoch", 0, capacity_bytes=10)
    tail.extend(entries(1, body=b"x" * 1000))
    assert everything(tail, tail.begin) == [1]


def test_seqs_may_have_holes() -> None:
    tail = Tail("epoch", 10)
    tail.extend([*entries(1, first=13), *entries(1, first=20), *entries(1, first=21)])
    assert everything(tail, 10) == [13, 20, 21]
    assert everything(tail, 14) == [20, 21]
    assert tail.newest(2) == 19


def test_the_position_before_the_newest() -> None:
    tail = Tail("epoch", 0)
    tail.extend(entries(5))
    assert [tail.newest(count) for count in (0, 1, 5, 6)] == [5, 4, 0, None]


def test_what_was_read_from_the_store_goes_in_front() -> None:
    tail = Tail("epoch", 8)
    tail.extend(entries(2, first=9))
    tail.preload(entries(3, first=6))
    assert (tail.begin, tail.head) == (5, 10)
    assert everything(tail, 5) == [6, 7, 8, 9, 10]


@pytest.mark.parametrize(("first", "count"), [(4, 3), (8, 2), (1, 0)])
def test_what_does_not_fit_in_front_is_left_out(first: int, count: int) -> None:
    tail = Tail("epoch", 8)
    tail.preload(entries(count, first=first))
    assert (tail.begin, len(tail)) == (8, 0)


def test_an_erased_body_is_replaced_for_every_wire() -> None:
    tail = Tail("epoch", 0)
    one, other = make_wire(), make_wire()
    tail.extend(entries(3, body=b"secret"))
    assert b"secret" in tail.span(0, one).data
    assert b"secret" in tail.span(0, other).data
    tail.extend([Entry("room:main", 4, 0, "redact", "ana", None, b"{}", erased=((1, b"gone"), (3, b"gone")))])
    assert tail.span(0, one).data == b"1 gone\n2 secret\n3 gone\n4 {}\n"
    assert tail.span(0, other).data == b"1 gone\n2 secret\n3 gone\n4 {}\n"
    assert tail.erasures == 2


def test_a_body_that_is_not_held_is_erased_without_a_word() -> None:
    tail = Tail("epoch", 5)
    tail.extend([Entry("room:main", 6, 0, "redact", "ana", None, b"{}", erased=((2, b"gone"), (99, b"gone")))])
    assert everything(tail, 5) == [6]
    assert tail.erasures == 2


def test_an_entry_may_erase_one_of_its_own_batch() -> None:
    tail = Tail("epoch", 0)
    tail.extend(
        [*entries(1, body=b"secret"), Entry("room:main", 2, 0, "redact", "a", None, b"{}", erased=((1, b"gone"),))]
    )
    assert tail.span(0, make_wire()).data == b"1 gone\n2 {}\n"


@dataclass(frozen=True)
class OfKind:
    kind: str

    def admits(self, entry: Entry) -> bool:
        return entry.kind == self.kind


def test_a_selection_gets_what_it_admits_and_moves_past_the_rest() -> None:
    tail = Tail("epoch", 0)
    tail.extend([*entries(2), *entries(1, first=3, kind="mark"), *entries(2, first=4)])
    wire = make_wire()
    span = tail.span(0, wire, OfKind("mark"))
    assert (seqs(span.data), span.entries, span.upto) == ([3], 1, 5)
    nothing = tail.span(3, wire, OfKind("mark"))
    assert (nothing.data, nothing.entries, nothing.upto) == (b"", 0, 5)
    assert tail.encodings == 1, "what nobody wants is not encoded"


def test_equal_selections_share_their_bytes() -> None:
    tail = Tail("epoch", 0)
    tail.extend(entries(3))
    wire = make_wire()
    assert tail.span(0, wire, OfKind("message")).data is tail.span(0, wire, OfKind("message")).data


def test_what_is_remembered_of_spans_is_bounded() -> None:
    """Listeners at a thousand places would hold the stream hundreds of times over."""
    tail = Tail("epoch", 0)
    tail.extend(entries(1000, body=bytes(500)))
    wire = make_wire()
    for after in range(1000):
        tail.span(after, wire)
        held = sum(len(span.data) for span in tail._spans.values())
        assert held <= tail_module._SPANS_BYTES + tail_module.SPAN_BYTES
    assert len(tail._spans) > 1


def test_what_is_preloaded_is_bounded_too() -> None:
    tail = Tail("epoch", 20, capacity_bytes=1000)
    older = entries(20, body=bytes(300))
    tail.preload(older)
    assert (len(tail), tail.begin, tail.newest(3)) == (3, 17, 17)
    one = Tail("epoch", 20, capacity_bytes=10)
    one.preload(older)
    assert (len(one), one.begin) == (1, 19)


def test_shedding_leaves_the_newest() -> None:
    tail = Tail("epoch", 0)
    tail.extend(entries(20, body=bytes(300)))
    tail.shed(1000)
    assert (len(tail), tail.begin, tail.size <= 1000) == (3, 17, True)
    tail.shed(0)
    assert (len(tail), tail.begin, tail.head) == (1, 19, 20)
