import pytest

from pushtui.duel.measure import Bill, Diary, Tally, mark_of, marked, percentile
from pushtui.duel.standing import Carried, Latency, Step
from pushtui.duel.terms import LONGEST, SHORTEST


@pytest.mark.parametrize(
    ("count", "share", "expected"),
    [(1, 0.5, 1), (1, 0.99, 1), (2, 0.5, 1), (3, 0.5, 2), (100, 0.5, 50), (100, 0.99, 99), (101, 0.99, 100),
     (1000, 0.99, 990), (7, 1.0, 7)],
)  # fmt: skip
def test_percentiles_are_of_the_nearest_rank(count: int, share: float, expected: int) -> None:
    values = [float(value) for value in range(1, count + 1)]
    assert percentile(values, share) == expected
    assert sum(value <= expected for value in values) >= share * count


@pytest.mark.parametrize("size", [SHORTEST, 150, LONGEST])
def test_a_message_is_as_long_as_asked_and_says_who_it_is(size: int) -> None:
    text = marked("1a2b3c4d", 123_456_789, 10**18, size, "the quick brown fox ")
    assert len(text.encode()) == size
    assert mark_of(text, "1a2b3c4d") == (123_456_789, 10**18)
    assert mark_of(text, "ffffffff") is None


@pytest.mark.parametrize("text", ["", "hello", "run", "run 1", "run x 2 ", "run -1 2 ", "x run 1 2 ", "run 1 2"])
def test_what_others_say_is_no_message_of_the_duel(text: str) -> None:
    assert mark_of(text, "run") is None


def test_what_comes_twice_counts_once_and_is_told() -> None:
    tally = Tally()
    for number, latency in ((1, 4.0), (2, 2.0), (1, 9.0)):
        tally.hear(number, "näh", latency, replayed=False)
    assert (tally.heard, tally.doubled, tally.useful_bytes) == ({1, 2}, 1, 8)
    assert tally.latency == Latency(2.0, 4.0, 4.0)
    assert tally.latencies_ms == [4.0, 2.0]


def test_what_was_missed_says_nothing_about_latency() -> None:
    tally = Tally()
    assert tally.latency is None
    tally.hear(1, "x", 5000.0, replayed=True)
    assert tally.latency is None
    tally.hear(2, "x", 3.0, replayed=False)
    assert tally.latency == Latency(3.0, 3.0, 3.0)
    assert tally.latencies_ms == [5000.0, 3.0]


def test_what_is_beside_a_message() -> None:
    """From when the link is open until it is cut: neither the opening nor the coming back is in it."""
    bill, tally = Bill(), Tally()
    bill.look(Carried(100, 100, 1), tally)
    assert bill.overhead_bytes is None
    bill.ready(Carried(100, 200, 1))
    tally.hear(1, "x" * 50, 1.0, replayed=False)
    tally.hear(2, "x" * 50, 1.0, replayed=False)
    bill.look(Carried(110, 350, 1), tally)
    assert bill.overhead_bytes == 30
    bill.close(Carried(110, 370, 1), tally)
    assert bill.overhead_bytes == 40
    tally.hear(3, "x", 1.0, replayed=True)
    bill.look(Carried(9999, 9999, 2), tally)
    assert bill.overhead_bytes == 40
    assert bill.opening == Carried(100, 200, 1)


def test_what_happened_after_the_cut() -> None:
    diary = Diary(10.0, Carried(5, 6, 1))
    diary.note(10.5, "comes back")
    before = diary.recovery
    assert (before.back_ms, before.replayed, diary.back) == (None, 0, False)
    diary.caught_up(12.0, Carried(105, 206, 2), 7)
    recovery = diary.recovery
    assert recovery.steps == [Step(0.0, "the link is cut"), Step(500.0, "comes back")]
    assert (recovery.back_ms, recovery.replayed, recovery.carried) == (2000.0, 7, Carried(100, 200, 1))
    assert before.back_ms is None, "what was told before stays as it was told"


def test_a_cut_between_two_requests_goes_unnoticed() -> None:
    diary = Diary(10.0, Carried(5, 6, 1))
    diary.unnoticed(10.1, Carried(5, 9, 1))  # it was under way when the link was cut
    assert not diary.back
    diary.unnoticed(10.5, Carried(105, 206, 2))
    recovery = diary.recovery
    assert (diary.back, recovery.back_ms, recovery.carried) == (True, 500.0, Carried(100, 200, 1))
    assert recovery.steps[1:] == [Step(500.0, "between two requests; the next one opened another connection")]


def test_a_cut_that_was_noticed_is_over_when_all_is_there() -> None:
    diary = Diary(10.0, Carried(5, 6, 1))
    diary.noticed = True
    diary.unnoticed(10.5, Carried(105, 206, 2))
    assert not diary.back


def test_carried_since() -> None:
    both = Carried(10, 20, 3).since(Carried(4, 5, 1))
    assert (both, both.bytes) == (Carried(6, 15, 2), 21)
