"""Many hosts at one glance: one line each, under a line of headings. Pure."""

from collections.abc import Sequence
from operator import attrgetter

from rich.cells import cell_len

from tui.state.levels import level_of
from tui.state.status import HostView
from tui.widgets import figures
from tui.widgets.host_panel import SPAN_SECONDS, percent_graph
from tui.widgets.spans import LEVEL_ROLES, LEVEL_SIGNS, STALE_SIGN, Line, Span, dimmed, fitted
from tui.widgets.sparkline import means, slots, step_for

PICKED_SIGN = "▸"

_SHARE = 8
_RATE = figures.RATE_WIDTH + 2
_LOAD = figures.LOAD_WIDTH + 2
_LEAST_GRAPH = 5
_GOOD_GRAPH = 12
_MOST_NAME = 24


class _Plan:
    """Which columns there are at one width, the most telling ones first."""

    def __init__(self, views: Sequence[HostView], width: int) -> None:
        self.name = min(12, width - 3 - 2 * _SHARE)
        rest = width - 3 - self.name - 2 * _SHARE
        self.disk = rest >= _SHARE
        rest -= _SHARE * self.disk
        self.load = rest >= _LEAST_GRAPH + 1 + _LOAD
        rest -= _LOAD * self.load
        self.rates = rest >= 2 * _RATE + _LEAST_GRAPH + 1
        rest -= 2 * _RATE * self.rates
        longest = max((cell_len(view.sample.host) for view in views), default=0)
        more = max(0, min(longest, _MOST_NAME) - self.name)
        more = min(more, max(0, rest - _GOOD_GRAPH - 1))
        self.name += more
        rest -= more
        self.graph = rest - 1 if rest > _LEAST_GRAPH else 0
        self.step = step_for(self.graph, SPAN_SECONDS) if self.graph else 1


def host_table(
    views: Sequence[HostView], width: int, now_ms: int, *, live: bool, picked: str | None = None
) -> list[Line]:
    """Lay hosts out as a table.

    Args:
        views: the hosts, in the order in which they are shown.
        width: in cells, from 30.
        now_ms: the time here, for the age of what is shown.
        live: whether the link is up.
        picked: the host that is marked.

    Returns:
        The headings, then one line for each host, all of at most ``width`` cells.
    """
    plan = _Plan(views, width)
    rows = [_row(view, plan, now_ms, live=live) for view in views]
    for view, row in zip(views, rows, strict=True):
        if view.sample.host == picked:
            row[0] = Span(PICKED_SIGN, "name")
    return [_headings(plan), *rows]


def _headings(plan: _Plan) -> Line:
    heads = [f" {fitted('host', plan.name)} ", " " * (plan.graph + 1) if plan.graph else ""]
    heads += [f"{'cpu':>6}  ", f"{'mem':>6}  ", f"{'disk':>6}  " if plan.disk else ""]
    heads += [f"{'↓':>{_RATE - 4}}    {'↑':>{_RATE - 4}}    " if plan.rates else ""]
    heads += [f"{'load':>{_LOAD}}" if plan.load else ""]
    return [Span("".join(heads), "muted")]


def _row(view: HostView, plan: _Plan, now_ms: int, *, live: bool) -> Line:
    sample = view.sample
    stale = not live or view.is_stale(now_ms)
    line: Line = [Span(f"{fitted(sample.host, plan.name)} ", "name")]
    if plan.graph and stale:
        age = f"{figures.short_duration(view.age_seconds(now_ms))} old"
        line.append(Span(fitted(age, plan.graph) + " "))
    elif plan.graph:
        values = means(view.points, attrgetter("cpu"), slots(view.points, plan.graph, plan.step))
        line += [*percent_graph(values)[0], Span(" ")]
    line += _share(sample.cpu.percent if sample.cpu else None)
    line += _share(sample.memory.percent if sample.memory else None)
    if plan.disk:
        line += _share(max((disk.percent for disk in sample.disks or ()), default=None))
    if plan.rates:
        net = sample.network
        received = figures.rate(net.received_bytes_per_second) if net else ""
        sent = figures.rate(net.sent_bytes_per_second) if net else ""
        line.append(Span(f"{received:>{_RATE}}{sent:>{_RATE}}"))
    if plan.load:
        load = figures.load(sample.cpu.load[0]) if sample.cpu and sample.cpu.load else ""
        line.append(Span(f"{load:>{_LOAD}}", "muted"))
    return [Span(STALE_SIGN, "warning"), *dimmed(line)] if stale else [Span(" "), *line]


def _share(percent: float | None) -> Line:
    if percent is None:
        return [Span(" " * _SHARE)]
    level = level_of(percent)
    return [Span(f"{figures.percent(percent)} {LEVEL_SIGNS[level]}", LEVEL_ROLES[level])]
