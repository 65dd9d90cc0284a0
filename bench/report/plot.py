"""Lines over the number of listeners, as an SVG: both axes logarithmic, light and dark by the reader's choice."""

import math
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from bench.workloads.sample import Sample

_WIDTH, _HEIGHT = 760, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 78, 210, 44, 52
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31")
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-size:15px;font-weight:600}"
    ".grid{stroke:#d0d7de}.ground{fill:#fff}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.grid{stroke:#30363d}.ground{fill:#0d1117}}"
)

Point = tuple[float, float]


def plots(samples: Sequence[Sample], folder: Path) -> list[Path]:
    """One picture for each workload and route that has several numbers of listeners."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for workload, route in dict.fromkeys((sample.workload, sample.route) for sample in samples):
        for figure, title in (
            ("deliveries_per_second", "deliveries per second"),
            ("server_us_per_delivery", "server µs for one delivery"),
        ):
            lines: dict[str, list[Point]] = {}
            for sample in samples:
                if (sample.workload, sample.route) == (workload, route) and sample.figures.get(figure, 0) > 0:
                    lines.setdefault(sample.peer, []).append((sample.listeners, sample.figures[figure]))
            if any(len(points) > 1 for points in lines.values()):
                path = folder / f"{workload}-{route}-{figure.split('_')[0]}.svg"
                path.write_text(drawn(f"{workload}, {route}: {title}", lines), encoding="utf-8")
                written.append(path)
    return written


def drawn(title: str, lines: dict[str, list[Point]]) -> str:
    """The picture: one line for each name, whose label stands where the line ends."""
    across = _Axis([x for points in lines.values() for x, _ in points], _LEFT, _WIDTH - _RIGHT)
    up = _Axis([y for points in lines.values() for _, y in points], _HEIGHT - _BOTTOM, _TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        f'<rect class="ground" width="{_WIDTH}" height="{_HEIGHT}"/>',
        f'<text class="title" x="{_LEFT}" y="24">{escape(title)}</text>',
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 12}" text-anchor="middle">listeners</text>',
    ]
    for tick in across.ticks():
        x = across.at(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>')
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 20}" text-anchor="middle">{_short(tick)}</text>')
    for tick in up.ticks():
        y = up.at(tick)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_short(tick)}</text>')
    labels = _apart({name: up.at(max(points)[1]) for name, points in lines.items()})
    for colour, (name, points) in zip(_COLOURS, lines.items(), strict=False):
        path = " ".join(f"{across.at(x):.1f},{up.at(y):.1f}" for x, y in sorted(points))
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2.5" points="{path}"/>')
        for x, y in points:
            parts.append(f'<circle cx="{across.at(x):.1f}" cy="{up.at(y):.1f}" r="3.5" fill="{colour}"/>')
        y = labels[name]
        parts.append(f'<rect x="{_WIDTH - _RIGHT + 14}" y="{y - 5:.1f}" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{_WIDTH - _RIGHT + 30}" y="{y + 4:.1f}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>\n"])


class _Axis:
    """A logarithmic one, from the power of ten below the least value to the one above the greatest."""

    def __init__(self, values: Sequence[float], begin: float, end: float) -> None:
        self._low = math.floor(math.log10(min(values)))
        self._high = max(self._low + 1, math.ceil(math.log10(max(values))))
        self._begin = begin
        self._end = end

    def at(self, value: float) -> float:
        share = (math.log10(value) - self._low) / (self._high - self._low)
        return self._begin + share * (self._end - self._begin)

    def ticks(self) -> list[float]:
        return [10.0**power for power in range(self._low, self._high + 1)]


def _apart(places: dict[str, float], least: float = 18) -> dict[str, float]:
    """The same places, moved down where labels would cover each other."""
    moved: dict[str, float] = {}
    before = -math.inf
    for name, place in sorted(places.items(), key=lambda item: item[1]):
        before = moved[name] = max(place, before + least)
    return moved


def _short(value: float) -> str:
    for limit, unit in ((1e6, " M"), (1e3, " k")):
        if value >= limit:
            return f"{value / limit:g}{unit}"
    return f"{value:g}"
