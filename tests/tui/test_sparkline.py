from operator import attrgetter

from hypothesis import given
from hypothesis import strategies as st

from tui.state.status import Point
from tui.widgets.sparkline import BLOCKS, GAP, means, scale_for, slots, sparkline, step_for

cpu = attrgetter("cpu")


def point(at: int, value: float | None = 1.0, interval_ms: int = 1000) -> Point:
    return Point(at, interval_ms, value, None, None, None, None, None, None)


def drawn(points: list[Point], columns: int, step: int = 1) -> list[float | None]:
    return means(points, cpu, slots(points, columns, step))


def test_the_scale_is_fixed() -> None:
    assert sparkline([3, 4, 5, 4], 100) == ["▁▁▁▁"]
    assert sparkline([0, 50, 100], 100) == ["▁▅█"]


def test_what_is_out_of_range_is_drawn_at_the_nearer_end() -> None:
    assert sparkline([-5, 250], 100) == ["▁█"]


def test_a_gap_stays_empty() -> None:
    assert sparkline([10, None, 10], 100) == ["▁ ▁"]


def test_more_rows_have_finer_steps() -> None:
    assert sparkline([0, 45, 55, 100], 100, rows=2) == ["  ▁█", "▁███"]


@given(st.lists(st.none() | st.floats(allow_nan=False, width=32), max_size=40), st.integers(1, 4))
def test_each_value_has_one_column_in_every_row(values: list[float | None], rows: int) -> None:
    lines = sparkline(values, 100.0, rows)
    assert [len(line) for line in lines] == [len(values)] * rows
    assert set("".join(lines)) <= {*BLOCKS, GAP}
    for column, value in enumerate(values):
        assert (lines[-1][column] == GAP) is (value is None)


def test_the_newest_step_is_at_the_right() -> None:
    assert drawn([point(1000, 1), point(2000, 2), point(3000, 3)], 2) == [2, 3]
    assert drawn([point(3000, 3)], 3) == [None, None, 3]


def test_a_step_is_the_mean_of_its_points() -> None:
    points = [point(at * 1000, value) for at, value in [(4, 9), (5, 1), (6, 2), (7, 3), (10, 8)]]
    assert drawn(points, 2, step=5) == [2, 8]


def test_missed_samples_leave_a_gap_and_are_not_glued_together() -> None:
    points = [point(1000, 1), point(2000, 2), point(7000, 7)]
    assert drawn(points, 7) == [1, 2, None, None, None, None, 7]


def test_jitter_leaves_no_gap() -> None:
    points = [point(1000, 1), point(1990, 2), point(3005, 3)]  # nothing between 2.0 and 3.0 s
    assert drawn(points, 3) == [1.5, 3, 3]


def test_a_host_with_a_long_interval_has_no_gaps() -> None:
    points = [point(at, 1, 5000) for at in (5000, 10_000, 15_000)]
    assert drawn(points, 11) == [1] * 11


def test_what_was_not_measured_is_a_gap() -> None:
    assert drawn([point(1000), point(2000, None), point(3000)], 3) == [1, None, 1]


def test_no_points_are_gaps() -> None:
    assert drawn([], 3) == [None] * 3


@given(st.lists(st.integers(0, 200_000), min_size=1, max_size=60, unique=True), st.sampled_from([1, 5, 30]))
def test_past_steps_stand_still_while_the_newest_grows(times: list[int], step: int) -> None:
    points = [point(at, float(at)) for at in sorted(times)]
    before = drawn(points, 300, step)
    later = points[-1].at // (1000 * step) * 1000 * step + 1000 * step - 1  # still in the newest step
    after = drawn([*points, point(later + 1, 0.0)], 301, step)
    assert after[:299] == before[:299]


def test_a_step_reaches_far_enough_back() -> None:
    assert step_for(300, 240) == 1
    assert step_for(16, 240) == 15
    assert step_for(1, 240) == 30


def test_scales_move_by_powers_of_ten() -> None:
    assert scale_for(0, 1e5) == 1e5
    assert scale_for(100_001, 1e5) == 1e6
    assert scale_for(4.2e8, 1e5) == 1e9
