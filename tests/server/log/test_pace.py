"""When a stream rests: a clock that is turned by hand."""

import pytest

from server.log.pace import Pace


def play(pace: Pace, *, seconds: float, every: float, events: int, rounds: int, begin: float = 0.0) -> list[float]:
    """Rounds of so many seconds, begun one after the other at these times, each with so many new events."""
    numbers = range(1, rounds + 1)
    return [pace.rest(events * number, seconds, begin + every * number + seconds) for number in numbers]


def test_what_comes_now_and_then_is_never_waited_for() -> None:
    rests = play(Pace(0, 0.0), seconds=0.006, every=0.010, events=1, rounds=1000)
    assert not any(rests)


def test_a_busy_stream_rests_as_long_as_a_round_takes() -> None:
    rests = play(Pace(0, 0.0), seconds=0.006, every=0.008, events=3, rounds=200)
    assert rests[0] == 0
    assert rests[-1] == 0.006


def test_it_stays_busy_while_it_rests() -> None:
    """With rests there are fewer rounds, and as many events."""
    pace = Pace(0, 0.0)
    play(pace, seconds=0.006, every=0.008, events=3, rounds=200)
    head, begin = 600, 200 * 0.008
    rests = [pace.rest(head + 5 * number, 0.006, begin + 0.012 * number) for number in range(1, 200)]
    assert set(rests) == {0.006}


def test_one_long_round_is_no_busy_stream() -> None:
    pace = Pace(0, 0.0)
    play(pace, seconds=0.006, every=0.010, events=1, rounds=100)
    assert pace.rest(101, 0.030, 1.04) == 0


def test_after_a_pause_all_is_forgotten() -> None:
    pace = Pace(0, 0.0)
    assert play(pace, seconds=0.006, every=0.008, events=3, rounds=200)[-1]
    assert pace.rest(601, 0.006, 3.0) == 0


def test_a_round_over_few_is_followed_at_once() -> None:
    assert not any(play(Pace(0, 0.0), seconds=0.0009, every=0.001, events=5, rounds=500))


@pytest.mark.parametrize("seconds", [0.06, 0.5])
def test_a_rest_has_a_bound(seconds: float) -> None:
    assert play(Pace(0, 0.0), seconds=seconds, every=seconds, events=9, rounds=50)[-1] == 0.05
