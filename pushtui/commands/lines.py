"""What happens, as lines of plain text: for a pipe, and for a screen reader. Pure; times are local.

A line that begins with a time, a nick and a colon is what somebody said, and nothing else is: further lines of
a message are indented, and what nobody said has a sign where the nick would stand.
"""

import math
from collections.abc import Callable, Iterator
from datetime import datetime

from pushtui.client.happenings import (
    CaughtUp,
    ChatHappening,
    Link,
    LinkState,
    RoomEvent,
    StatusEvent,
    StatusHappening,
)
from pushtui.protocol.bodies import Alert, Edit, Level, Mark, Message, Notice, React, Redact, Topic
from pushtui.protocol.messages import Error, Presence, Resume, Welcome
from pushtui.protocol.positions import Outcome
from pushtui.protocol.samples import Sample

ME = "/me "
_INDENT = " " * 6
_AUTHORS_KEPT = 1000
_SIGNS: dict[Level, str] = {"info": "○", "success": "✓", "warning": "●", "critical": "▲"}


class ChatLines:
    """Turns what a `ChatClient` tells into lines.

    Args:
        now: the present, in ms since the epoch, for what carries no time.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._authors: dict[int, str] = {}

    def of(self, happening: ChatHappening) -> Iterator[str]:
        """The lines of one happening, often none."""
        match happening:
            case RoomEvent():
                yield from _indented(f"{_minute(happening.at)} {self._event(happening)}")
            case Presence(nick=nick, state=state, text=text):
                words = {"here": "is here", "away": "is away", "gone": "has gone"}[state]
                yield f"{_minute(self._now())} ○ {nick} {words}{_after(': ', text)}"
            case Welcome(rooms=rooms):
                for room in rooms:
                    here = ", ".join(member.nick for member in room.members if member.state != "gone")
                    if room.count is not None:
                        here += f" and {room.count - len(room.members)} more"
                    yield f"{_minute(self._now())} ○ {room.room}{_after(' · ', room.topic)} · here: {here}"
            case Link() | CaughtUp():
                for line in _link_or_outcome(happening):
                    yield f"{_minute(self._now())} ○ {line}"
            case Error(message=message):
                yield f"{_minute(self._now())} ! {message}"
            case Resume(outcome=Outcome.RESET):
                self._authors.clear()  # the numbers begin anew

    def _event(self, event: RoomEvent) -> str:
        by = event.by
        match event.body:
            case Message(text=text, reply_to=target):
                self._remember(event.seq, by)
                if text.startswith(ME):
                    return f"* {by} {text.removeprefix(ME)}"
                whom = self._authors.get(target) if target is not None else None
                return f"{by}{_after(' to ', whom)}: {text}"
            case Edit(target=target, text=text):
                self._remember(target, by)
                return f"○ {by} says it in other words: {text}"
            case Redact():
                return f"○ {by} took a message back"
            case React(target=target, emoji=emoji, on=on):
                whom = self._authors.get(target)
                return f"○ {by} {'reacts' if on else 'no longer reacts'}{_after(' to ', whom)} with {emoji}"
            case Topic(text=text):
                return f"○ topic: {text} · {by}"
            case Mark(text=text):
                return f"⚑ {text} · {by}"
            case Notice():
                return _notice(event.body)
            case Alert():
                return _alert(event.body)
            case None:
                return f"○ {by}: an event of the kind {event.kind!r}, which this version does not know"

    def _remember(self, seq: int, by: str) -> None:
        self._authors[seq] = by
        if len(self._authors) > _AUTHORS_KEPT:
            del self._authors[next(iter(self._authors))]


class StatusLines:
    """Turns what a `StatusClient` tells into lines; ``now`` as for `ChatLines`."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now

    def of(self, happening: StatusHappening) -> Iterator[str]:
        """The lines of one happening, often none."""
        match happening:
            case StatusEvent(body=Sample() as sample):
                yield f"{_second(sample.at)} {_sample(sample)}"
            case StatusEvent(body=body, kind=kind):
                at = None if body is None else body.at
                time = _second(self._now() if at is None else at)
                yield from _indented(f"{time} {_status_body(body, kind)}")
            case Link() | CaughtUp():
                for line in _link_or_outcome(happening):
                    yield f"{_second(self._now())} ○ {line}"


def _status_body(body: Notice | Mark | Alert | Sample | None, kind: str) -> str:
    match body:
        case Notice():
            return _notice(body)
        case Mark(text=text, by=by, room=room):
            return f"⚑ {text}{_after(' · ', by)}{_after(' in ', room)}"
        case Alert():
            return _alert(body)
        case _:
            return f"○ an event of the kind {kind!r}, which this version does not know"


def outcome(happening: CaughtUp) -> str:
    """How a stream went on, in words: ``caught up, 7 replayed``."""
    replayed = f"{happening.replayed} replayed"
    match happening.outcome:
        case Outcome.FRESH:
            return f"joined, {replayed}"
        case Outcome.CAUGHT_UP:
            return f"caught up, {replayed}"
        case Outcome.GAP:
            return f"gap: {happening.lost.count if happening.lost else 'some'} lost, {replayed}"
        case Outcome.RESET:
            return f"the log was reset, {replayed}"


def _link_or_outcome(happening: Link | CaughtUp) -> Iterator[str]:
    match happening:
        case CaughtUp():
            yield outcome(happening)
        case Link(state=LinkState.LOST, reason=reason, retry_in=retry_in):
            wait = "" if retry_in is None else f"; retry in {math.ceil(retry_in)} s"
            yield f"link lost{_after(': ', reason)}{wait}"
        case Link(state=LinkState.LIVE, down_for=None):
            yield "live"
        case Link(state=LinkState.LIVE, down_for=float() | int() as down_for):
            yield f"live again after {down_for:.0f} s"


def _sample(sample: Sample) -> str:
    parts = [sample.host]
    if sample.cpu:
        parts.append(f"cpu {sample.cpu.percent:.0f} %")
    if sample.memory:
        parts.append(f"mem {sample.memory.percent:.0f} %")
        if sample.memory.swap_percent is not None:
            parts.append(f"swap {sample.memory.swap_percent:.0f} %")
    if sample.cpu and sample.cpu.load:
        parts.append("load " + " ".join(f"{load:.2f}" for load in sample.cpu.load))
    parts += [f"disk {disk.mount} {disk.percent:.0f} %" for disk in sample.disks or ()]
    if sample.disk_io:
        read, written = sample.disk_io.read_bytes_per_second, sample.disk_io.write_bytes_per_second
        parts.append(f"read {_rate(read)} write {_rate(written)}")
    if sample.network:
        received, sent = sample.network.received_bytes_per_second, sample.network.sent_bytes_per_second
        parts.append(f"net ↓ {_rate(received)} ↑ {_rate(sent)}")
    if sample.skipped:
        parts.append(f"({sample.skipped} skipped)")
    return "  ".join(parts)


def _notice(notice: Notice) -> str:
    title = _after("", notice.title) + (": " if notice.title else "")
    return f"{_SIGNS[notice.level]} {notice.level}: {title}{notice.text} · {notice.by}"


def _alert(alert: Alert) -> str:
    sign = "▲" if alert.state == "firing" else "○"
    return f"{sign} {alert.host} {alert.metric} {alert.state}: {alert.value:g}, threshold {alert.threshold:g}"


def _rate(bytes_per_second: float) -> str:
    return f"{bytes_per_second / 1e6:.1f} MB/s"


def _after(lead: str, text: str | None) -> str:
    return f"{lead}{text}" if text else ""


def _indented(text: str) -> Iterator[str]:
    first, *rest = text.split("\n")
    yield first
    for line in rest:
        yield _INDENT + line


def _minute(at: int) -> str:
    return _clock(at, "%H:%M")


def _second(at: int) -> str:
    return _clock(at, "%H:%M:%S")


def _clock(at: int, form: str) -> str:
    try:
        return datetime.fromtimestamp(at / 1000).strftime(form)
    except (ValueError, OverflowError, OSError):  # a time that no calendar has
        return "some day"
