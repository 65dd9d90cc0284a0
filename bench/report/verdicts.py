"""What was to be reached, and whether it was."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.workloads.sample import Sample

_OURS = "pushtui"
_RIVAL = "nchan"
_MANY = 1000
_FEW, _MOST = 100, 10_000
_ROUTES = ("ws-ws", "post-sse")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One figure beside what it should be.

    Attributes:
        what: in words.
        value: what was measured.
        target: what it should be.
        at_least: whether more is better.
        unit: of both.
    """

    what: str
    value: float
    target: float
    at_least: bool
    unit: str

    @property
    def reached(self) -> bool:
        """Whether it is as good as it should be."""
        return self.value >= self.target if self.at_least else self.value <= self.target

    def __str__(self) -> str:
        bound = "at least" if self.at_least else "at most"
        word = "reached" if self.reached else "NOT reached"
        return f"{self.what:66} {self.value:9.3g} {self.unit:8} ({bound} {self.target:g}: {word})"


def verdicts(samples: Sequence[Sample]) -> Iterator[Verdict]:
    """Those for which there are figures in this run."""
    found = _Found(samples)
    for route in _ROUTES:
        yield from found.ratio("one", route, "deliveries_per_second", 1.5, at_least=True)
        yield from found.ratio("burst", route, "deliveries_per_second", 20, at_least=True)
        yield from found.ratio("steady", route, "latency_p99_ms", 1, at_least=False)
        yield from found.growth(route)
    for wire in ("ws", "sse"):
        yield from found.own("memory", wire, "kb_per_connection", 12, "KB")
        yield from found.own("idle", wire, "server_percent", 2, "% core")
        yield from found.own("storm", wire, "times_alone", 3, "times")
        for how in ("one by one", "burst"):
            yield from found.own(f"stall, {how}", f"post-{wire}", "stall_worst_ms", 10, "ms")


class _Found:
    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples

    def ratio(self, workload: str, route: str, figure: str, target: float, *, at_least: bool) -> Iterator[Verdict]:
        """Ours divided by the rival's."""
        ours = self._figure(workload, _OURS, route, figure, lambda count: count == _MANY)
        rival = self._figure(workload, _RIVAL, route, figure, lambda count: count == _MANY)
        if ours is not None and rival:
            name = figure.replace("_", " ")
            what = f"{workload}, {route}, {_MANY} listeners: {name}, times {_RIVAL}'s"
            yield Verdict(what, ours / rival, target, at_least, "times")

    def growth(self, route: str) -> Iterator[Verdict]:
        """What one delivery costs the server among many, compared with among few."""
        few = self._figure("paced", _OURS, route, "server_us_per_delivery", lambda count: count == _FEW)
        most = self._figure("paced", _OURS, route, "server_us_per_delivery", lambda count: count == _MOST)
        if few and most is not None:
            what = f"paced, {route}: cost of a delivery at {_MOST}, times that at {_FEW}"
            yield Verdict(what, most / few, 1.2, False, "times")

    def own(self, workload: str, route: str, figure: str, target: float, unit: str) -> Iterator[Verdict]:
        """Ours alone, with as many listeners as there were."""
        value = self._figure(workload, _OURS, route, figure, lambda _: True)
        if value is not None:
            name = figure.replace("_", " ")
            yield Verdict(f"{workload}, {route}: {name}", value, target, False, unit)

    def _figure(
        self, workload: str, peer: str, route: str, figure: str, fits: Callable[[int], bool]
    ) -> float | None:
        for sample in self._samples:
            if (sample.workload, sample.peer, sample.route) == (workload, peer, route) and fits(sample.listeners):
                return sample.figures[figure]
        return None
