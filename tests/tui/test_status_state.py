from hypothesis import given
from hypothesis import strategies as st

from pushtui.client.happenings import CaughtUp, Link, LinkState, StatusResume
from pushtui.protocol.bodies import Alert, Mark, Notice
from pushtui.protocol.positions import Lost, Outcome
from pushtui.protocol.samples import Cpu, Memory, Sample
from tests.tui.samples import NOW, event, full_sample, live_state
from tui.state.levels import Level, level_of
from tui.state.status import HOSTS_KEPT, NOTICES_KEPT, POINTS_KEPT, StatusState


def bare(at: int, percent: float = 5.0, host: str = "ops-1") -> Sample:
    return Sample(host, at, 1.0, cpu=Cpu(percent, [], 1))


def texts(state: StatusState) -> list[tuple[str, str]]:
    return [(line.sign, line.text.replace("\N{NO-BREAK SPACE}", " ")) for line in state.notices]


def test_hosts_stand_in_the_order_of_their_names() -> None:
    state = live_state([bare(NOW, host=name) for name in ("web-2", "db", "web-1")])
    assert list(state.hosts) == ["db", "web-1", "web-2"]


def test_the_newest_sample_is_shown_and_all_are_points() -> None:
    state = live_state([bare(NOW + 1000 * n, n) for n in range(3)])
    view = state.hosts["ops-1"]
    assert view.sample.at == NOW + 2000
    assert [point.cpu for point in view.points] == [0, 1, 2]


def test_points_have_what_the_sample_has() -> None:
    point = live_state([full_sample()]).hosts["ops-1"].points[0]
    assert point[1:] == (1000, 37, 61, 0, 1.2e6, 3e5, 2.5e6, 4e5)
    assert live_state([bare(NOW)]).hosts["ops-1"].points[0][3:] == (None,) * 6


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60))
def test_points_are_in_order_without_doubles_however_samples_come(seconds: list[int]) -> None:
    state = StatusState()
    for second in seconds:
        state.apply(event(bare(NOW + 1000 * second), replayed=True), NOW + 100_000)
    view = state.hosts["ops-1"]
    assert [point.at for point in view.points] == sorted({NOW + 1000 * second for second in seconds})
    assert view.sample.at == view.points[-1].at


@given(st.integers(1, 40), st.integers(0, 40))
def test_a_replay_that_overlaps_adds_only_what_was_missing(held: int, again: int) -> None:
    state = live_state([bare(NOW + 1000 * n, n) for n in range(held)])
    for n in range(max(0, held - again), held + 10):
        state.apply(event(bare(NOW + 1000 * n, n), replayed=True), NOW + 100_000)
    assert [point.cpu for point in state.hosts["ops-1"].points] == list(range(held + 10))


def test_points_are_bounded() -> None:
    state = live_state([bare(NOW + 1000 * n) for n in range(POINTS_KEPT + 20)])
    points = state.hosts["ops-1"].points
    assert len(points) == POINTS_KEPT
    assert points[0].at == NOW + 20_000


def test_a_clock_that_was_set_back_starts_the_future_anew() -> None:
    state = live_state([bare(NOW, 1), bare(NOW + 1000, 2), bare(NOW + 9_000_000, 3)])
    state.apply(event(bare(NOW + 2000, 4)), NOW + 3000)
    view = state.hosts["ops-1"]
    assert view.sample.at == NOW + 2000
    assert [point.cpu for point in view.points] == [1, 2, 4]


def test_inventing_host_names_does_not_fill_the_memory() -> None:
    state = StatusState()
    for n in range(HOSTS_KEPT + 5):
        state.apply(event(bare(NOW + n, host=f"h{n:04}")), NOW + n)
    assert len(state.hosts) == HOSTS_KEPT
    assert "h0000" not in state.hosts
    assert f"h{HOSTS_KEPT + 4:04}" in state.hosts


def test_a_host_is_stale_after_two_of_its_intervals() -> None:
    view = live_state([Sample("ops-1", NOW - 60_000, 5.0)]).hosts["ops-1"]
    assert not view.is_stale(NOW - 60_000 + 10_000)
    assert view.is_stale(NOW - 60_000 + 10_001)
    assert view.age_seconds(NOW - 60_000 + 12_000) == 12


def test_the_clock_of_another_machine_does_not_make_a_live_sample_old() -> None:
    state = StatusState()
    state.apply(event(bare(NOW - 3_600_000)), NOW)
    assert not state.hosts["ops-1"].is_stale(NOW + 1000)


def test_a_replayed_sample_is_as_old_as_it_says() -> None:
    state = StatusState()
    state.apply(event(bare(NOW - 30_000), replayed=True), NOW)
    assert state.hosts["ops-1"].age_seconds(NOW) == 30


def test_a_lost_link_keeps_everything() -> None:
    state = live_state([full_sample()])
    state.apply(event(Notice("hi", "info", "ana"), 1, "notice"), NOW)
    state.apply(Link(LinkState.LOST, "gone", retry_in=3), NOW)
    assert list(state.hosts) == ["ops-1"]
    assert len(state.notices) == 1
    assert not state.live


def test_a_reset_drops_what_was_held() -> None:
    state = live_state([full_sample()])
    state.apply(event(Notice("hi", "info", "ana"), 1, "notice"), NOW)
    state.apply(Link(LinkState.LIVE, down_for=125), NOW)
    state.apply(StatusResume(Outcome.RESET, "zzzzzzzz", 0, 1), NOW)
    assert not state.hosts
    state.apply(event(bare(NOW, host="db"), 1, replayed=True), NOW)
    state.apply(CaughtUp(None, Outcome.RESET, 1), NOW)
    assert list(state.hosts) == ["db"]
    assert texts(state) == [("outcome", "link lost for 2 min · the log was reset")]


def test_outcomes_become_lines_once() -> None:
    state = live_state()
    state.apply(CaughtUp(None, Outcome.FRESH, 50), NOW)
    assert not state.notices
    state.apply(Link(LinkState.LIVE, down_for=3.2), NOW)
    state.apply(CaughtUp(None, Outcome.CAUGHT_UP, 7), NOW)
    state.apply(CaughtUp(None, Outcome.GAP, 4, Lost(10, 23)), NOW)
    assert texts(state) == [
        ("outcome", "gap: 12 lost, 4 replayed"),
        ("outcome", "link lost for 3 s · caught up, 7 replayed"),
    ]


def test_notices_marks_and_alerts_say_who_and_come_newest_first() -> None:
    state = live_state()
    alert = Alert("a1", "db", "cpu", "firing", 97.25, 95, NOW)
    for seq, body in enumerate(
        [
            Notice("backup is late", "critical", "cron"),
            Notice("done", "success", "ci", title="build 7"),
            Mark("rollback v1.3", "main", "ana"),
            alert,
            Alert("a1", "db", "cpu", "acked", 97, 95, NOW, by="ben"),
            Alert("a1", "db", "cpu", "resolved", 40, 95, NOW),
            Alert("a1", "db", "cpu", "unknown", 0, 95, NOW),
        ],
        start=1,
    ):
        state.apply(event(body, seq, "notice"), NOW + seq)
    assert texts(state)[::-1] == [
        ("critical", "backup is late · cron"),
        ("success", "build 7: done · ci"),
        ("mark", "rollback v1.3 · ana"),
        ("critical", "cpu is at 97.25, over 95 · db"),
        ("warning", "cpu is at 97, seen by ben · db"),
        ("success", "cpu is back at 40 · db"),
        ("info", "cpu is not reported any more · db"),
    ]
    assert state.noted == 7


def test_a_notice_that_is_held_is_not_doubled() -> None:
    state = live_state()
    for replayed in (False, True):
        state.apply(event(Notice("hi", "info", "ana"), 5, "notice", replayed=replayed), NOW)
    assert state.noted == 1


def test_a_notice_has_the_time_that_the_server_gave_it_but_none_in_the_future() -> None:
    state = StatusState()
    state.apply(event(Notice("hi", "info", "ana", at=NOW - 90_000), 1, "notice", replayed=True), NOW)
    state.apply(event(Notice("a clock that is ahead", "info", "ana", at=NOW + 90_000), 2, "notice"), NOW)
    state.apply(event(Notice("an older server", "info", "ana"), 3, "notice"), NOW)
    assert [line.at for line in state.notices] == [NOW, NOW, NOW - 90_000]


def test_notices_are_bounded_and_still_counted() -> None:
    state = live_state()
    for seq in range(NOTICES_KEPT + 3):
        state.apply(event(Notice(str(seq), "info", "x"), seq + 1, "notice"), NOW)
    assert len(state.notices) == NOTICES_KEPT
    assert state.noted == NOTICES_KEPT + 3


def test_an_unknown_kind_changes_nothing() -> None:
    state = live_state()
    state.apply(event(None, 1, "weather"), NOW)
    assert not state.hosts
    assert not state.notices


def test_levels() -> None:
    assert [level_of(value) for value in (None, 0, 79.9, 80, 94.9, 95, 200)] == [0, 0, 0, 1, 1, 2, 2]
    assert live_state([full_sample()]).level is Level.CALM
    assert live_state([full_sample(cpu=81), full_sample("db", disk=97)]).level is Level.CRITICAL
    swapping = Sample("ops-1", NOW, 1.0, memory=Memory(1, 1, 10, 85))
    assert live_state([swapping]).level is Level.WARNING
    assert StatusState().level is Level.CALM
