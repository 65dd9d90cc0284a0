"""What the status pane knows: hosts with their recent past, and notices. Pure: the clock is given in."""

from bisect import bisect_left
from collections import deque
from typing import Literal, NamedTuple

from pushtui.client.happenings import CaughtUp, Link, LinkState, StatusEvent, StatusHappening, StatusResume
from pushtui.protocol.bodies import Alert, Mark, Notice
from pushtui.protocol.positions import Outcome, Position
from pushtui.protocol.samples import Sample
from tui.state.levels import Level, level_of

POINTS_KEPT = 600  # ten minutes at one sample a second
NOTICES_KEPT = 500
HOSTS_KEPT = 200  # host names come from outside: whoever invents new ones must not fill the memory

_CLOCK_SET_BACK_MS = 60_000
_LARGEST_MEASURE = 1e18  # sums of what anybody may claim to have measured stay finite

_BY = " ·\N{NO-BREAK SPACE}"

Sign = Literal["info", "success", "warning", "critical", "mark", "outcome"]

_ALERT_SIGNS: dict[str, Sign] = {
    "firing": "critical",
    "acked": "warning",
    "resolved": "success",
    "unknown": "info",
}


class Point(NamedTuple):
    """The measures of one sample that are drawn over time; None for what the host did not measure.

    ``at`` and ``interval_ms`` in ms; ``cpu``, ``memory`` and ``swap`` in percent; the rest in bytes per second.
    """

    at: int
    interval_ms: int
    cpu: float | None
    memory: float | None
    swap: float | None
    read: float | None
    written: float | None
    received: float | None
    sent: float | None


class HostView:
    """One host: its newest sample, and points of the last minutes, oldest first, one for each ``at``."""

    def __init__(self, sample: Sample, seen_ms: int) -> None:
        self.sample = sample
        self.points: list[Point] = [_point(sample)]
        self._seen_ms = seen_ms

    def add(self, sample: Sample, seen_ms: int, *, replayed: bool) -> None:
        """Take one more sample; one with a time that is already held changes nothing."""
        point = _point(sample)
        newest = self.sample.at
        if not replayed and sample.at < newest - _CLOCK_SET_BACK_MS:
            # The stream is in order, so the host's clock was set back: what lies in its future is no past.
            del self.points[bisect_left(self.points, (sample.at,)) :]
            newest = sample.at - 1
        if sample.at > newest:
            self.sample, self._seen_ms = sample, seen_ms
            self.points.append(point)
        else:
            index = bisect_left(self.points, (sample.at,))
            if index < len(self.points) and self.points[index].at == sample.at:
                return
            self.points.insert(index, point)
        del self.points[:-POINTS_KEPT]

    def age_seconds(self, now_ms: int) -> float:
        """Seconds since the newest sample came; by its own time if it came out of a replay."""
        return max(0, now_ms - self._seen_ms) / 1000

    def is_stale(self, now_ms: int) -> bool:
        """Whether the newest sample is older than two of the host's intervals."""
        return self.age_seconds(now_ms) > 2 * max(1.0, self.sample.interval)

    @property
    def level(self) -> Level:
        """The worst level of anything that has one."""
        sample = self.sample
        shares = [disk.percent for disk in sample.disks or ()]
        if sample.cpu:
            shares.append(sample.cpu.percent)
        if sample.memory:
            shares += [sample.memory.percent, sample.memory.swap_percent or 0.0]
        return max(map(level_of, shares), default=Level.CALM)


class NoticeLine(NamedTuple):
    """One entry below the hosts. ``position`` is None for what the client itself found out (outcomes)."""

    at: int
    sign: Sign
    text: str
    position: Position | None = None


class StatusState:
    """Everything that came over the status stream, as far as it is shown.

    Attributes:
        hosts: by name, in the order of the names.
        notices: notices, marks, alerts and outcomes, newest first.
        noted: how many entries ``notices`` ever got; it only grows, so a reader can tell what is new.
        link: how the link is doing.
    """

    def __init__(self) -> None:
        self.hosts: dict[str, HostView] = {}
        self.notices: deque[NoticeLine] = deque(maxlen=NOTICES_KEPT)
        self.noted = 0
        self.link = Link(LinkState.CONNECTING)
        self._down_for: float | None = None

    @property
    def live(self) -> bool:
        """Whether what is held is being kept up to date."""
        return self.link.state is LinkState.LIVE

    @property
    def level(self) -> Level:
        """The worst level of all hosts."""
        return max((view.level for view in self.hosts.values()), default=Level.CALM)

    def apply(self, happening: StatusHappening, now_ms: int) -> None:
        """Take over one happening. ``now_ms`` is the time here, in ms since the epoch."""
        match happening:
            case Link():
                self.link = happening
                if happening.down_for is not None:
                    self._down_for = happening.down_for
            case StatusResume():
                if happening.outcome is Outcome.RESET:
                    self.hosts.clear()
                    self.notices.clear()
            case CaughtUp():
                self._note_outcome(happening, now_ms)
            case StatusEvent(body=Sample() as sample):
                self._take_sample(sample, now_ms, replayed=happening.replayed)
            case StatusEvent(body=Notice() | Mark() | Alert() as body):
                self._take_notice(body, happening, now_ms)
            case StatusEvent():
                pass  # a kind that a newer server knows

    def _take_sample(self, sample: Sample, now_ms: int, *, replayed: bool) -> None:
        seen_ms = min(now_ms, sample.at) if replayed else now_ms
        if view := self.hosts.get(sample.host):
            view.add(sample, seen_ms, replayed=replayed)
            return
        if len(self.hosts) >= HOSTS_KEPT:
            del self.hosts[max(self.hosts, key=lambda name: self.hosts[name].age_seconds(now_ms))]
        self.hosts[sample.host] = HostView(sample, seen_ms)
        self.hosts = dict(sorted(self.hosts.items()))

    def _take_notice(self, body: Notice | Mark | Alert, event: StatusEvent, now_ms: int) -> None:
        if event.position is not None and any(line.position == event.position for line in self.notices):
            return
        at = now_ms if body.at is None else min(now_ms, body.at)
        match body:
            case Notice():
                title = f"{body.title}: " if body.title else ""
                self._note(NoticeLine(at, body.level, f"{title}{body.text}{_BY}{body.by}", event.position))
            case Mark():
                by = f"{_BY}{body.by}" if body.by else ""
                self._note(NoticeLine(at, "mark", f"{body.text}{by}", event.position))
            case Alert():
                self._note(NoticeLine(at, _ALERT_SIGNS[body.state], _alert_text(body), event.position))

    def _note_outcome(self, caught_up: CaughtUp, now_ms: int) -> None:
        down_for, self._down_for = self._down_for, None
        parts = [] if down_for is None else [f"link lost for {_rough_duration(down_for)}"]
        match caught_up.outcome:
            case Outcome.CAUGHT_UP:
                parts.append(f"caught up, {caught_up.replayed} replayed")
            case Outcome.GAP:
                lost = caught_up.lost.count if caught_up.lost else 0
                parts.append(f"gap: {lost} lost, {caught_up.replayed} replayed")
            case Outcome.RESET:
                parts.append("the log was reset")
            case Outcome.FRESH:
                if not parts:
                    return  # the very first time there is nothing to tell
        self._note(NoticeLine(now_ms, "outcome", " · ".join(parts)))

    def _note(self, line: NoticeLine) -> None:
        self.notices.appendleft(line)
        self.noted += 1


def _point(sample: Sample) -> Point:
    cpu, memory, disk_io, network = sample.cpu, sample.memory, sample.disk_io, sample.network
    return Point(
        at=sample.at,
        interval_ms=round(1000 * min(max(sample.interval, 0.1), 3600)),
        cpu=_bounded(cpu.percent) if cpu else None,
        memory=_bounded(memory.percent) if memory else None,
        swap=_bounded(memory.swap_percent) if memory and memory.swap_percent is not None else None,
        read=_bounded(disk_io.read_bytes_per_second) if disk_io else None,
        written=_bounded(disk_io.write_bytes_per_second) if disk_io else None,
        received=_bounded(network.received_bytes_per_second) if network else None,
        sent=_bounded(network.sent_bytes_per_second) if network else None,
    )


def _bounded(measure: float) -> float:
    return min(max(0.0, measure), _LARGEST_MEASURE)


def _alert_text(alert: Alert) -> str:
    value, threshold = f"{alert.value:.4g}", f"{alert.threshold:.4g}"
    match alert.state:
        case "firing":
            said = f"{alert.metric} is at {value}, over {threshold}"
        case "acked":
            said = f"{alert.metric} is at {value}, seen by {alert.by or 'somebody'}"
        case "resolved":
            said = f"{alert.metric} is back at {value}"
        case "unknown":
            said = f"{alert.metric} is not reported any more"
    return f"{said}{_BY}{alert.host}"


def _rough_duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{round(seconds / 3600)} h"
