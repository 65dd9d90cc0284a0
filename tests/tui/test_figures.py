import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.widgets import figures

anything = st.floats(allow_nan=True, allow_infinity=True) | st.floats(min_value=0, max_value=2e13)


@given(anything)
def test_columns_keep_their_width(value: float) -> None:
    assert len(figures.percent(value)) == figures.PERCENT_WIDTH
    assert len(figures.amount(value)) == figures.AMOUNT_WIDTH
    assert len(figures.rate(value)) == figures.RATE_WIDTH
    assert len(figures.duration(value)) >= figures.DURATION_WIDTH
    assert len(figures.load(value)) == figures.LOAD_WIDTH
    assert len(figures.temperature(value)) == 6


@given(anything, anything)
def test_used_of_total_never_outgrows_its_column(used: float, total: float) -> None:
    assert len(figures.used_of_total(used, total)) <= 13


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "  0 B  "),
        (512, "512 B  "),
        (999, "999 B  "),
        (1000, "1.0 KiB"),
        (1023 * 1024, "1.0 MiB"),
        (10 * 1024**2 - 1, " 10 MiB"),
        (9.8 * 1024**3, "9.8 GiB"),
        (9.9 * 1024**4, "9.9 TiB"),
        (-5, "  0 B  "),
        (float("inf"), "999 EiB"),
    ],
)
def test_amounts(size: float, text: str) -> None:
    assert figures.amount(size) == text


@pytest.mark.parametrize(
    ("rate", "text"), [(0, "  0 B/s "), (999.4, "999 B/s "), (999_700, "1.0 MB/s"), (1_240_000, "1.2 MB/s")]
)
def test_rates_count_in_thousands(rate: float, text: str) -> None:
    assert figures.rate(rate) == text


def test_a_scale_is_told_without_padding() -> None:
    assert figures.round_rate(1e5) == "100 kB/s"
    assert figures.round_rate(1e7) == "10 MB/s"


def test_used_is_in_the_unit_of_the_total() -> None:
    assert figures.used_of_total(9.8 * 1024**3, 16 * 1024**3) == "9.8 / 16 GiB"
    assert figures.used_of_total(40 * 1024**2, 2 * 1024**4) == "0.0 / 2.0 TiB"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (7199, "1 h"), (86_400 * 12 + 5, "12 d"), (-3, "0 s")],
)
def test_durations_are_in_their_largest_unit(seconds: float, text: str) -> None:
    assert figures.short_duration(seconds) == text


@pytest.mark.parametrize(("load", "text"), [(0.424, "0.42"), (9.996, "10.0"), (12.44, "12.4"), (128, " 128")])
def test_loads(load: float, text: str) -> None:
    assert figures.load(load) == text
