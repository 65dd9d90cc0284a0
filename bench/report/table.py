"""Figures as lines that a person reads, in a terminal or in Markdown."""

from collections.abc import Iterator, Sequence

from bench.workloads.sample import Sample

#: Above this share of a core it was the load that was measured.
BOTTLENECK_PERCENT = 90
#: Above this share of a core, other programs had a part in what was measured.
NOISE_PERCENT = 10

_COLUMNS = {
    "deliveries_per_second": "deliveries/s",
    "latency_p50_ms": "p50 ms",
    "latency_p99_ms": "p99 ms",
    "ack_p50_ms": "ack p50 ms",
    "server_us_per_delivery": "server µs each",
    "server_percent": "server %",
    "load_percent": "load %",
    "seconds": "seconds",
    "server_us_per_connection": "server µs each",
    "kb_per_connection": "KB each",
    "memory_grown_mib": "grown MiB",
    "alone_seconds": "alone s",
    "caught_up_seconds": "caught up s",
    "times_alone": "times",
    "stall_p99_ms": "stall p99 ms",
    "stall_worst_ms": "stall worst ms",
}
_KEYS = ("server", "in-out", "listeners")


def sections(samples: Sequence[Sample]) -> Iterator[tuple[str, list[list[str]]]]:
    """Each workload with its rows, the heading row first."""
    for workload in dict.fromkeys(sample.workload for sample in samples):
        chosen = [sample for sample in samples if sample.workload == workload]
        names = [name for name in _COLUMNS if any(name in sample.figures for sample in chosen)]
        rows = [[*_KEYS, *(_COLUMNS[name] for name in names), ""]]
        for one in sorted(chosen, key=lambda sample: (sample.route, sample.listeners)):
            cells = [_figure(one.figures.get(name)) for name in names]
            rows.append([one.peer, one.route, f"{one.listeners:,}", *cells, _remark(one)])
        yield workload, rows


def terminal(samples: Sequence[Sample]) -> str:
    """Columns under each other."""
    lines = []
    for workload, rows in sections(samples):
        widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
        lines += ["", workload]
        for row in rows:
            cells = [
                cell.ljust(width) if place < 2 or place == len(row) - 1 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines)


def markdown(samples: Sequence[Sample]) -> str:
    """Tables for the docs."""
    lines = []
    for workload, rows in sections(samples):
        heading, *others = rows
        ruler = ["---", "---", *["---:"] * (len(heading) - 3), "---"]
        lines += ["", f"### {workload}", ""]
        lines += ["| " + " | ".join(row) + " |" for row in (heading, ruler, *others)]
    return "\n".join(lines) + "\n"


def _remark(sample: Sample) -> str:
    remarks = []
    if sample.figures.get("lost"):
        remarks.append(f"{sample.figures['lost']:,.0f} not delivered")
    if sample.figures.get("load_percent", 0) > BOTTLENECK_PERCENT:
        remarks.append("the load was the bottleneck")
    if sample.figures.get("others_percent", 0) > NOISE_PERCENT:
        remarks.append(f"others used {sample.figures['others_percent']:.0f} % of a core")
    return "; ".join(remarks)


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
