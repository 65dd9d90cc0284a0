import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushtui.client.happenings import Link, LinkState
from pushtui.protocol.samples import Cpu, Disk, Memory, Process, Processes, Sample
from tests.tui.samples import GIB, NOW, event, full_sample, live_state
from tui.state.status import HostView
from tui.widgets.host_overview import HostOverview
from tui.widgets.host_panel import Form, host_panel
from tui.widgets.host_table import host_table
from tui.widgets.spans import Line, width_of


def text(line: Line) -> str:
    return "".join(span.text for span in line)


def panel(sample: Sample, width: int = 46, form: Form = Form.FULL) -> list[str]:
    view = live_state([sample]).hosts[sample.host]
    return [text(line) for line in host_panel(view, width, NOW, live=True, form=form)]


def labels(lines: list[str]) -> list[str]:
    return [line[1:7].strip() for line in lines]


def roles(lines: list[Line], containing: str) -> set[str]:
    return {span.role for line in lines for span in line if containing in span.text}


@pytest.mark.parametrize("width", [30, 39, 40, 46, 60, 71, 72, 80, 120])
@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("cores", [1, 8, 12, 13, 32, 600])
def test_no_line_is_wider_than_the_pane(width: int, form: Form, cores: int) -> None:
    view = live_state([full_sample("a-host-with-quite-a-long-name.example.org", cores=cores)])
    (host,) = view.hosts.values()
    for line in host_panel(host, width, NOW, live=True, form=form):
        assert width_of(line) <= width, text(line)


def test_everything_measured_is_there() -> None:
    whole = "\n".join(panel(full_sample(), 80))
    for part in ("ops-1", "up 12 d", "load 0.42 0.38 0.30", "37 %", "8 cores", "9.8 / 16 GiB", "/var 41 %"):
        assert part in whole
    for part in ("1.2 MB/s", "300 kB/s", "2.5 MB/s", "400 kB/s", "of 10 MB/s", "postgres", " 54 °C"):
        assert part in whole


def test_what_is_not_measured_leaves_no_hole() -> None:
    assert labels(panel(full_sample())) == ["ops-1", "cpu", "mem", "swap", "disk", "i/o", "net", "top", "temp"]
    sample = Sample("ops-1", NOW, 1.0, memory=Memory(GIB, GIB // 2, 50))
    assert labels(panel(sample)) == ["ops-1", "mem"]
    assert labels(panel(Sample("ops-1", NOW, 1.0))) == ["ops-1"]


def test_figures_stand_still_while_they_change() -> None:
    for form in Form:
        calm = panel(full_sample(cpu=3, disk=4), form=form)
        busy = panel(full_sample(cpu=100, disk=79), form=form)
        assert [line.find("%") for line in calm] == [line.find("%") for line in busy]
        assert list(map(len, calm)) == list(map(len, busy))


@pytest.mark.parametrize(("percent", "sign"), [(79, " "), (80, "●"), (95, "▲")])
def test_a_level_has_a_sign_and_a_colour(percent: float, sign: str) -> None:
    view = live_state([full_sample(cpu=percent)]).hosts["ops-1"]
    lines = host_panel(view, 46, NOW, live=True, form=Form.FULL)
    assert f"{percent} % {sign}" in text(lines[1])
    assert roles(lines[1:2], str(percent)) == {{" ": "", "●": "warning", "▲": "critical"}[sign]}


def test_the_worst_disks_come_first() -> None:
    disks = [Disk(f"/{name}", GIB, GIB, percent) for name, percent in [("a", 10), ("b", 96), ("c", 85), ("d", 20)]]
    lines = panel(Sample("ops-1", NOW, 1.0, disks=disks), form=Form.ROOMY)
    assert [line[7:9] for line in lines[1:]] == ["/b", "/c", "/a", "/d"]


def test_cores_have_a_bar_each_and_wrap() -> None:
    per_core = [0.0, 30.0, 60.0, 99.0] * 8
    sample = Sample("ops-1", NOW, 1.0, cpu=Cpu(40, per_core, 32))
    lines = panel(sample, 30)
    assert labels(lines) == ["ops-1", "cpu", "cores", ""]
    assert (lines[2][7:] + lines[3][7:]).replace(" ", "") == "▁▃▅█" * 8
    assert labels(panel(sample, 46)) == ["ops-1", "cpu", "cores"]
    assert labels(panel(sample, 46)[:2]) == ["ops-1", "cpu"]


def test_a_thousand_cores_take_no_more_than_two_lines_and_show_the_busiest() -> None:
    sample = Sample("ops-1", NOW, 1.0, cpu=Cpu(1, [0.0] * 999 + [100.0], 1000))
    lines = panel(sample, 46)
    assert len(lines) == 4
    assert lines[3].rstrip().endswith("█")


def test_an_old_sample_is_dim_and_says_its_age() -> None:
    view = live_state([full_sample(disk=90)]).hosts["ops-1"]
    lines = host_panel(view, 46, NOW + 12_000, live=True, form=Form.FULL)
    assert "○ 12 s old" in text(lines[0])
    assert {span.role for line in lines[1:] for span in line} == {"muted"}
    assert "90 % ●" in text(lines[4])


def test_without_a_link_nothing_is_current() -> None:
    view = live_state([full_sample()]).hosts["ops-1"]
    assert "○ 0 s old" in text(host_panel(view, 46, NOW, live=False, form=Form.FULL)[0])


def test_names_from_outside_cannot_leave_their_place() -> None:
    name = "a\nb\x1b[31m[/]" + "漢" * 40
    processes = Processes(1, [Process(1, name, 1, 1)])
    sample = Sample("ops-1", NOW, 1.0, disks=[Disk(name, 1, 1, 1)], processes=processes)
    view = live_state([sample]).hosts["ops-1"]
    for form in Form:
        for line in host_panel(view, 46, NOW, live=True, form=form):
            assert not set("\n\x1b") & set(text(line))
            assert width_of(line) <= 46


number = st.floats(allow_nan=False, allow_infinity=False)


@given(number, number, number, st.integers(30, 130), st.sampled_from(Form))
def test_no_figure_breaks_the_panel(first: float, second: float, third: float, width: int, form: Form) -> None:
    sample = Sample(
        "ops-1",
        NOW,
        first,
        cpu=Cpu(first, [first, second], 2, (first, second, third)),
        memory=Memory(16, -3, second, third),
        disks=[Disk("/", 0, 0, third)],
        processes=Processes(1, [Process(1, "x", second, 10**40)]),
        uptime_seconds=first,
    )
    view = HostView(sample, NOW)
    for line in host_panel(view, width, NOW, live=True, form=form):
        assert width_of(line) <= width


HOSTS = [full_sample("db", cpu=97), full_sample("ops-1"), Sample("web", NOW, 1.0, cpu=Cpu(4, [], 1))]


@pytest.mark.parametrize("width", [30, 40, 46, 60, 80, 120])
def test_a_table_has_one_line_for_each_host(width: int) -> None:
    lines = host_table(list(live_state(HOSTS).hosts.values()), width, NOW, live=True)
    assert len(lines) == 4
    assert all(width_of(line) <= width for line in lines)
    assert text(lines[0]).split()[:3] == ["host", "cpu", "mem"]
    assert [text(line).split()[0] for line in lines[1:]] == ["db", "ops-1", "web"]
    assert "97 % ▲" in text(lines[1])


def test_a_table_tells_who_is_stale_and_who_is_picked() -> None:
    state = live_state(HOSTS)
    state.apply(event(full_sample("db", NOW + 30_000)), NOW + 30_000)
    lines = host_table(list(state.hosts.values()), 80, NOW + 30_000, live=True, picked="db")
    assert text(lines[1]).startswith("▸db")
    assert text(lines[2]).startswith("○ops-1")
    assert "30 s old" in text(lines[2])
    state.apply(Link(LinkState.LOST), NOW)
    lines = host_table(list(state.hosts.values()), 80, NOW + 30_000, live=False)
    assert all(text(line).startswith("○") for line in lines[1:])


def overview(count: int, width: int, room: int, view: HostOverview | None = None) -> list[str]:
    hosts = live_state([full_sample(f"h{n}") for n in range(count)]).hosts
    return [text(line) for line in (view or HostOverview()).lines(hosts, width, room, NOW, live=True)]


def test_the_richest_form_that_fits_is_chosen() -> None:
    assert "write" in labels(overview(1, 46, 20))
    assert labels(overview(1, 46, 12)).count("net") == 1
    assert labels(overview(2, 46, 20)).count("cpu") == 2
    assert len(overview(2, 120, 12)) == len(overview(1, 60, 12))  # side by side
    assert overview(6, 46, 8)[0].split()[0] == "host"


def test_with_a_table_one_host_is_shown_in_full_where_there_is_room() -> None:
    lines = overview(6, 46, 20)
    assert lines[1].startswith("▸h0")
    assert labels(lines)[8] == "h0"
    assert len(lines) <= 20


def test_a_picked_host_is_shown_even_if_the_table_has_to_go() -> None:
    view = HostOverview()
    view.picked = "h3"
    lines = overview(6, 46, 12, view)
    assert labels(lines)[0] == "h3"
    assert "esc  all 6 hosts" in lines[-1]
    assert view.host_at(2) is None


def test_the_form_follows_when_hosts_and_room_change() -> None:
    view = HostOverview()
    assert not overview(1, 46, 20, view)[0].startswith(" host ")
    assert overview(8, 46, 12, view)[0].startswith(" host ")
    assert view.host_at(1) == "h0"
    assert view.host_at(9) is None
    assert "write" in labels(overview(1, 46, 20, view))
