import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushtui.client.backoff import LONGEST_TOLD, Backoff


def test_the_span_doubles_up_to_the_cap() -> None:
    backoff = Backoff(chance=lambda: 1.0)
    assert [backoff.delay() for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_jitter_is_full() -> None:
    draws = iter([0.0, 0.25, 1.0])
    backoff = Backoff(initial=8, factor=1, chance=lambda: next(draws))
    assert [backoff.delay() for _ in range(3)] == [0, 2, 8]


def test_a_proof_begins_anew() -> None:
    backoff = Backoff(chance=lambda: 1.0)
    before = [backoff.delay() for _ in range(4)]
    backoff.proved()
    assert [backoff.delay() for _ in range(4)] == before


def test_a_server_that_answered_without_a_session_is_not_hammered() -> None:
    backoff = Backoff(chance=lambda: 0.0)
    assert [backoff.delay(answered=True) for _ in range(3)] == [1, 1, 1]


@given(st.floats(0, LONGEST_TOLD), st.floats(0, 1), st.integers(0, 5000), st.booleans())
def test_what_the_server_asks_for_is_the_least(told: float, drawn: float, tries: int, answered: bool) -> None:
    backoff = Backoff(chance=lambda: drawn)
    for _ in range(tries):
        backoff.delay()
    delay = backoff.delay(told=told, answered=answered)
    assert told <= delay <= max(told, 1) + 30


@pytest.mark.parametrize("told", [1e9, float("inf")])
def test_a_server_cannot_ask_for_ever(told: float) -> None:
    assert Backoff(chance=lambda: 0.0).delay(told=told) == LONGEST_TOLD
