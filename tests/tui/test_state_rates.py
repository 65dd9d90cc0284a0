import pytest

from tui.state.rates import Rate, milliseconds, per_second, tail


def test_a_steady_counter_has_its_rate_whatever_the_pace_of_looking() -> None:
    rate = Rate(window=5)
    seen = [rate.observe(3 * tick // 5, tick / 5) for tick in range(200)]
    assert seen[0] == 0
    assert all(abs(value - 3) < 0.25 for value in seen[25:])


def test_silence_brings_the_rate_back_to_nothing_within_the_window() -> None:
    rate = Rate(window=5)
    rate.observe(0, 0)
    assert rate.observe(10, 1) == 10
    falling = [rate.observe(10, 1 + second) for second in range(1, 7)]
    assert falling == sorted(falling, reverse=True)
    assert falling[-1] == 0


def test_a_counter_that_begins_anew_never_gives_a_negative_rate() -> None:
    rate = Rate()
    rate.observe(1000, 0)
    assert rate.observe(5, 1) == 0
    assert rate.observe(10, 2) == 5


def test_a_long_pause_counts_in_full() -> None:
    rate = Rate(window=5)
    rate.observe(0, 0)
    rate.observe(0, 1)
    assert rate.observe(60, 61) == 1


@pytest.mark.parametrize("rate", [0, 0.04, 0.2, 9.96, 99.94, 99.96, 999, 999.6, 9_949, 9_951, 50_000, 800_000])
def test_rates_keep_their_width(rate: float) -> None:
    assert len(per_second(rate)) == 6


@pytest.mark.parametrize("duration", [None, 0.3, 12, 99.96, 340, 9_999, 10_000, 120_000])
def test_round_trips_keep_their_width(duration: float | None) -> None:
    assert len(milliseconds(duration)) == 7


def test_figures() -> None:
    assert [per_second(rate).strip() for rate in (0.2, 120, 1234)] == ["0.2/s", "120/s", "1.2k/s"]
    assert [milliseconds(value).strip() for value in (None, 0.3, 340)] == ["– ms", "0.3 ms", "340 ms"]
    assert [tail(seq) for seq in (None, 0, 42, 1042, 771042)] == ["     ", "   …0", "  …42", "…1042", "…1042"]
