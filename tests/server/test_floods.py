"""Token buckets: what they let through, and what they hold."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushtui.protocol.limits import Rate
from server.floods import Bucket, Buckets


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


rates = st.builds(Rate, st.floats(0.01, 1000), st.integers(1, 1000))
amounts = st.floats(0.01, 2000)
pauses = st.floats(0, 100)


def test_a_burst_and_then_the_rate() -> None:
    clock = Clock()
    bucket = Bucket(Rate(2, 5), clock)
    assert [bucket.take() for _ in range(5)] == [0] * 5
    assert bucket.take() == pytest.approx(0.5)
    assert bucket.wait() == pytest.approx(0.5)
    clock.now += 0.5
    assert bucket.wait() == 0
    assert bucket.take() == 0
    assert bucket.take() == pytest.approx(0.5)


def test_no_rate_is_no_limit() -> None:
    bucket = Bucket(Rate(0, 0), Clock())
    buckets: Buckets[int] = Buckets(Rate(0, 0), Clock())
    assert not any(bucket.take(1000) for _ in range(1000))
    assert not any(buckets.take(key, 1000) for key in range(1000))
    assert len(buckets) == 0


def test_more_than_the_burst_leaves_a_debt() -> None:
    clock = Clock()
    bucket = Bucket(Rate(1, 5), clock)
    assert bucket.take(20) == 0
    assert bucket.take(1) == pytest.approx(16)


def test_keys_do_not_know_each_other() -> None:
    clock = Clock()
    buckets: Buckets[str] = Buckets(Rate(1, 1), clock)
    assert buckets.take("ana") == 0
    assert buckets.take("ana") == pytest.approx(1)
    assert buckets.wait("ben") == 0
    assert buckets.take("ben") == 0


def test_full_buckets_are_forgotten() -> None:
    clock = Clock()
    buckets: Buckets[int] = Buckets(Rate(1, 10), clock, most=100)
    for key in range(100):
        buckets.take(key)
    clock.now += 2
    buckets.take(100)
    assert len(buckets) == 1


def test_who_is_refused_stays_so_in_a_flood_of_keys() -> None:
    buckets: Buckets[object] = Buckets(Rate(1, 10), Clock(), most=100)
    assert buckets.take("greedy", 10) == 0
    for key in range(10_000):
        assert buckets.take(key) == 0
        assert len(buckets) <= 100
    assert buckets.take("greedy") == pytest.approx(1)


@given(rates, st.lists(st.tuples(pauses, amounts)))
def test_never_more_than_burst_and_rate(rate: Rate, takings: list[tuple[float, float]]) -> None:
    clock = Clock()
    bucket = Bucket(rate, clock)
    taken = 0.0
    for pause, n in takings:
        clock.now += pause
        before = taken
        if bucket.take(n) == 0:
            taken += n
            room = rate.burst + rate.per_second * (clock.now - 1000)
            # What is larger than the burst may go into debt, once.
            assert before + min(n, rate.burst) <= room * (1 + 1e-6) + rate.per_second * 1e-5


@given(rates, st.lists(st.tuples(pauses, amounts)))
def test_who_waits_as_told_is_served(rate: Rate, takings: list[tuple[float, float]]) -> None:
    clock = Clock()
    bucket = Bucket(rate, clock)
    for pause, n in takings:
        clock.now += pause
        wait = bucket.wait(n)
        assert wait >= 0
        assert bucket.take(n) == wait
        if wait:
            clock.now += wait
            assert bucket.take(n) == 0


@given(rates, st.lists(st.tuples(st.integers(0, 3), pauses, amounts)))
def test_many_buckets_are_as_one_each(rate: Rate, takings: list[tuple[int, float, float]]) -> None:
    clock = Clock()
    buckets: Buckets[int] = Buckets(rate, clock)
    alone = {key: Bucket(rate, clock) for key in range(4)}
    for key, pause, n in takings:
        clock.now += pause
        assert buckets.take(key, n) == pytest.approx(alone[key].take(n))


@given(st.lists(st.integers()), st.integers(1, 20))
def test_memory_is_bounded(keys: list[int], most: int) -> None:
    buckets: Buckets[int] = Buckets(Rate(0.1, 5), Clock(), most=most)
    for key in keys:
        buckets.take(key)
        assert len(buckets) <= most
