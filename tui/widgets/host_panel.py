"""One host in full: what it measured, as lines of exactly known shape. Pure.

Every row has the same columns, so the eye finds a figure where it was a second ago:

    margin 1 | label 6 | graph, as wide as there is room | blank 1 | figure 9 | side 0, 14 or 26 | margin 1
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from rich.cells import cell_len

from pushtui.protocol.samples import Disk
from tui.state.levels import Level, level_of
from tui.state.status import HostView
from tui.widgets import figures
from tui.widgets.spans import (
    LEVEL_ROLES,
    LEVEL_SIGNS,
    STALE_SIGN,
    Line,
    Span,
    dimmed,
    filled,
    fitted,
    flowed,
)
from tui.widgets.sparkline import Measure, means, scale_for, slots, sparkline, step_for

LEAST_WIDTH = 30
SPAN_SECONDS = 240
LEAST_RATE_SCALE = 100_000.0  # bytes per second

_LABEL = 6
_FIGURE = 9
_GRAPH_ROLES = {Level.CALM: "graph", Level.WARNING: "graph-warning", Level.CRITICAL: "graph-critical"}
_CORE_ROWS = 2
_TOP_ROWS = 4
_SCALE = 12
_LEAST_DRAWN_PAIR = 64
_DISK_ROWS = 6


class Form(IntEnum):
    """How much room a panel takes: 8 to 11 lines, or some 20 with higher graphs, rates over time and a list."""

    FULL = 1
    ROOMY = 2


class _Flow(NamedTuple):
    """One direction of a rate, and what it is called where there is little room, some, or a row of its own."""

    initial: str
    name: str
    row: str
    measure: Measure


_FLOWS = (
    ("i/o", (_Flow("r", "read", "read", attrgetter("read")), _Flow("w", "write", "write", attrgetter("written")))),
    ("net", (_Flow("↓", "↓", "net ↓", attrgetter("received")), _Flow("↑", "↑", "net ↑", attrgetter("sent")))),
)


class _Layout:
    """One host at one width: where things stand, and which points each column of a graph is for."""

    def __init__(self, view: HostView, width: int) -> None:
        self.sample = view.sample
        self.points = view.points
        self.width = max(width, LEAST_WIDTH)
        self.side = 0 if width < 40 else 14 if width < 72 else 26
        self.graph = self.width - 3 - _LABEL - _FIGURE - self.side
        self.step = step_for(self.graph, SPAN_SECONDS)
        self._slots = slots(self.points, self.graph, self.step)

    @property
    def span(self) -> str:
        """How far back the graphs reach, for people."""
        return f"{self.graph * self.step / 60:.0f} min"

    def means(self, measure: Measure) -> list[float | None]:
        """A measure over time, one value for each column of the graph."""
        return means(self.points, measure, self._slots)

    def row(self, label: str, graph: Line, figure: Line, side: Line | None = None) -> Line:
        """One row of the panel."""
        line = [Span(f" {label:<{_LABEL}}", "muted"), *graph, Span(" "), *figure]
        return [*line, Span(" "), *side] if side and self.side else line


def host_panel(view: HostView, width: int, now_ms: int, *, live: bool, form: Form) -> list[Line]:
    """Lay one host out.

    Args:
        view: what is known of it.
        width: in cells, from 30.
        now_ms: the time here, for the age of what is shown.
        live: whether the link is up; without it nothing is current.
        form: how much room there is.

    Returns:
        Lines of at most ``width`` cells. What the host does not measure has no line.
    """
    layout = _Layout(view, width)
    roomy = form is Form.ROOMY
    lines = [
        *_cpu(layout, rows=3 if roomy else 1),
        *_memory(layout),
        *(_disk_rows(layout) if roomy else _disk_flow(layout)),
        *(_rate_rows(layout) if roomy and layout.side else _rate_pairs(layout)),
        *(_process_rows(layout) if roomy else _process_flow(layout)),
        *_temperatures(layout),
    ]
    stale = not live or view.is_stale(now_ms)
    if stale:
        lines = [dimmed(line) for line in lines]
    return [_head(view, layout.width, now_ms, stale=stale), *lines]


def share(percent: float) -> Line:
    """A percentage with its level sign, in 9 cells."""
    level = level_of(percent)
    role = LEVEL_ROLES[level]
    return [Span(figures.percent(percent), role), Span(f" {LEVEL_SIGNS[level]} ", role)]


def percent_graph(values: Sequence[float | None], rows: int = 1) -> list[Line]:
    """A sparkline of percentages, 0 to 100, each column in the colour of its level."""
    levels = [level_of(value) for value in values]
    return [_coloured(text, levels) for text in sparkline(values, 100.0, rows)]


def _coloured(text: str, levels: Sequence[Level]) -> Line:
    spans, start = [], 0
    for level, run in groupby(levels):
        end = start + sum(1 for _ in run)
        spans.append(Span(text[start:end], _GRAPH_ROLES[level]))
        start = end
    return spans


def _head(view: HostView, width: int, now_ms: int, *, stale: bool) -> Line:
    sample = view.sample
    if stale:
        age = figures.short_duration(view.age_seconds(now_ms))
        choices = [Span(f"{STALE_SIGN} {age} old", "warning")]
    else:
        up = "" if sample.uptime_seconds is None else f"up {figures.duration(sample.uptime_seconds).strip():<6}"
        loads = [figures.load(average) for average in (sample.cpu.load or ())] if sample.cpu else []
        load = f"load {' '.join(loads)}" if loads else ""
        short = f"load {loads[0]}" if loads else ""
        choices = [
            Span("  ".join(filter(None, parts)), "muted") for parts in ((up, load), (up, short), (short,), ())
        ]
    name = cell_len(sample.host)
    wanted = min(name, 12)
    right = next((span for span in choices if 1 + wanted + 2 + len(span.text) + 1 <= width), choices[-1])
    room = width - 2 - len(right.text) - 2
    return [Span(" "), Span(fitted(sample.host, room), "name"), Span("  "), right]


def _cpu(layout: _Layout, rows: int) -> Iterable[Line]:
    cpu = layout.sample.cpu
    if cpu is None:
        return
    cores = _core_bars(cpu.per_core, layout.side - 1)
    count = Span(_count(cpu.count), "muted")
    beside = bool(cores) and len(cpu.per_core) <= layout.side - 1
    notes: list[Line] = [cores, [count]] if beside else [[count]]
    if rows > 1:
        notes.append([Span(f"last {layout.span}", "muted")])
    elif beside:
        beside_bars = f" {count.text}"
        if len(cpu.per_core) + len(beside_bars) + 2 + len(layout.span) < layout.side:
            beside_bars += f"  {layout.span}"
        if len(cpu.per_core) + len(beside_bars) < layout.side:
            notes = [[*cores, Span(beside_bars, "muted")]]
    graphs = percent_graph(layout.means(attrgetter("cpu")), rows)
    for row, graph in enumerate(graphs):
        figure = share(cpu.percent) if row == 0 else [Span(" " * _FIGURE)]
        yield layout.row("cpu" if row == 0 else "", graph, figure, notes[row] if row < len(notes) else None)
    if cpu.per_core and not beside:
        room = layout.width - 1 - _LABEL - 1
        # With more cores than cells each bar stands for several: the busiest of them.
        group = -(-len(cpu.per_core) // (room * _CORE_ROWS))
        bars = [max(cpu.per_core[start : start + group]) for start in range(0, len(cpu.per_core), group)]
        for start in range(0, len(bars), room):
            label = "cores" if start == 0 else ""
            yield [Span(f" {label:<{_LABEL}}", "muted"), *_core_bars(bars[start : start + room], room)]


def _count(cores: int | None) -> str:
    if cores is None:
        return ""
    return "1 core" if cores == 1 else f"{cores} cores"


def _core_bars(per_core: Sequence[float], room: int) -> Line:
    cores = per_core[: max(room, 0)]
    return _coloured(sparkline(cores, 100.0)[0], [level_of(percent) for percent in cores])


def _memory(layout: _Layout) -> Iterable[Line]:
    memory = layout.sample.memory
    if memory is None:
        return
    side = [Span(figures.used_of_total(memory.used_bytes, memory.total_bytes), "muted")]
    graphs = percent_graph(layout.means(attrgetter("memory")))
    yield layout.row("mem", graphs[0], share(memory.percent), side)
    if memory.swap_percent is not None:
        graphs = percent_graph(layout.means(attrgetter("swap")))
        yield layout.row("swap", graphs[0], share(memory.swap_percent))


def _disk_flow(layout: _Layout) -> list[Line]:
    if not layout.sample.disks:
        return []
    items: list[Line] = []
    for disk in _worst_first(layout.sample.disks):
        level = level_of(disk.percent)
        figure = f"{figures.percent(disk.percent)[1:]} {LEVEL_SIGNS[level]}"
        items.append([Span(fitted(disk.mount, min(16, cell_len(disk.mount)))), Span(figure, LEVEL_ROLES[level])])
    return flowed(Span(f" {'disk':<{_LABEL}}", "muted"), items, layout.width, rows=2)


def _disk_rows(layout: _Layout) -> Iterable[Line]:
    disks = _worst_first(layout.sample.disks or [])[:_DISK_ROWS]
    mount = min(max((cell_len(disk.mount) for disk in disks), default=0), layout.graph // 2)
    for row, disk in enumerate(disks):
        room = layout.graph - mount - 1
        full = min(max(round(disk.percent / 100 * room), 0), room)
        bar = [
            Span(f"{fitted(disk.mount, mount)} "),
            Span("━" * full, _GRAPH_ROLES[level_of(disk.percent)]),
            Span("─" * (room - full), "track"),
        ]
        side = [Span(figures.used_of_total(disk.used_bytes, disk.total_bytes), "muted")]
        yield layout.row("disk" if row == 0 else "", bar, share(disk.percent), side)


def _worst_first(disks: Sequence[Disk]) -> list[Disk]:
    return sorted(disks, key=lambda disk: -level_of(disk.percent))


def _rate_pairs(layout: _Layout) -> Iterable[Line]:
    room = layout.width - 2 - _LABEL
    drawn = room >= _LEAST_DRAWN_PAIR
    half = (room - _SCALE * drawn) // 2
    graph_room = half - 6 - 1 - figures.RATE_WIDTH - 2
    pair_slots = slots(layout.points, graph_room, step_for(graph_room, SPAN_SECONDS)) if drawn else []
    for label, pair in _pairs(layout):
        line = [Span(f" {label:<{_LABEL}}", "muted")]
        graphs, top = (
            _drawn([means(layout.points, flow.measure, pair_slots) for flow in pair]) if drawn else ([], 0.0)
        )
        for index, flow in enumerate(pair):
            if drawn:
                way = [Span(f"{flow.name:<6}", "muted"), *graphs[index], Span(" ")]
            else:
                way = [Span(f"{flow.name if half >= 16 else flow.initial} ", "muted")]
            line += filled([*way, Span(_now(layout, flow))], half)
        yield [*line, Span(f"of {figures.round_rate(top)}", "muted")] if drawn else line


def _rate_rows(layout: _Layout) -> Iterable[Line]:
    for _, pair in _pairs(layout):
        graphs, top = _drawn([layout.means(flow.measure) for flow in pair])
        for flow, graph in zip(pair, graphs, strict=True):
            side = [Span(f"of {figures.round_rate(top)}", "muted")]
            yield layout.row(flow.row, graph, [Span(f" {_now(layout, flow)}")], side)


def _pairs(layout: _Layout) -> Iterable[tuple[str, tuple[_Flow, _Flow]]]:
    return ((label, pair) for label, pair in _FLOWS if pair[0].measure(layout.points[-1]) is not None)


def _now(layout: _Layout, flow: _Flow) -> str:
    return figures.rate(flow.measure(layout.points[-1]) or 0.0)


def _drawn(pair: Sequence[Sequence[float | None]]) -> tuple[list[Line], float]:
    """Both directions on one scale, so that they can be compared; and the scale."""
    top = scale_for(max((value or 0.0 for values in pair for value in values), default=0.0), LEAST_RATE_SCALE)
    return [[Span(sparkline(values, top)[0], "graph")] for values in pair], top


def _process_flow(layout: _Layout) -> list[Line]:
    if not layout.sample.processes or not layout.sample.processes.top:
        return []
    room = layout.width - 2 - _LABEL
    count = max(1, room // 18)
    cell = room // count
    line = [Span(f" {'top':<{_LABEL}}", "muted")]
    for process in layout.sample.processes.top[:count]:
        name = fitted(process.name, min(cell - 8, cell_len(process.name)))
        line += filled([Span(name), Span(figures.percent(process.cpu_percent), "muted")], cell)
    return [line]


def _process_rows(layout: _Layout) -> Iterable[Line]:
    if not layout.sample.processes:
        return
    for row, process in enumerate(layout.sample.processes.top[:_TOP_ROWS]):
        name = [Span(fitted(process.name, layout.graph))]
        figure = [Span(figures.percent(process.cpu_percent)), Span("   ")]
        side = [Span(figures.amount(process.memory_bytes).strip(), "muted")]
        yield layout.row("top" if row == 0 else "", name, figure, side)


def _temperatures(layout: _Layout) -> list[Line]:
    if not layout.sample.temperatures:
        return []
    items: list[Line] = [
        [
            Span(f"{fitted(sensor.name, min(12, cell_len(sensor.name)))} ", "muted"),
            Span(figures.temperature(sensor.celsius)),
        ]
        for sensor in layout.sample.temperatures
    ]
    return flowed(Span(f" {'temp':<{_LABEL}}", "muted"), items, layout.width, rows=1)
