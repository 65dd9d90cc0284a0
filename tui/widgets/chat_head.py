"""What the head of the chat pane says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pushtui.protocol.roles import Role
from tui.state.rates import grouped, milliseconds, per_second, tail
from tui.widgets.pane_head import Head, Line, Part
from tui.widgets.wrapping import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui.state.link import Standing
    from tui.state.room import RoomView
    from tui.state.rules import RoomRules


def chat_head(
    rooms: Mapping[str, RoomView],
    shown: str,
    standing: Standing,
    *,
    latency_ms: float | None,
    rates: tuple[float, float] | None,
    away: bool,
    role: Role = Role.MEMBER,
) -> Head:
    """Return both lines: rooms, topic, people; then how the conversation comes.

    Args:
        rooms: those that were joined.
        shown: the name of the one that is shown, which is among them.
        standing: how the link stands.
        latency_ms: the last round trip.
        rates: messages per second, up and down; None while nothing comes through.
        away: whether we are.
        role: what the server takes us for; what nearly everyone is is not worth a word.
    """
    view = rooms[shown]
    how = [
        Part("⇄", "bold $primary"),
        Part("websocket", shed=1, gap=" "),
        Part(f"{standing.sign} {standing.word}", standing.colour, gap=" · "),
    ]
    figures = [Part(tail(view.newest or None), shed=2)]
    if standing.detail:
        how.append(Part(standing.detail, standing.colour, gap=" · "))
    if rates is not None:
        how.append(Part(milliseconds(latency_ms), shed=5, gap=" · "))
        up, down = (per_second(rate) for rate in rates)
        figures[:0] = [Part(f"↑ {up}", shed=4), Part(f"↓ {down}", shed=3)]
    topic = [Part(clean(view.topic), gap=" · ")] if view.topic else []
    people = [Part("you are away", "$text-warning", shed=2)] if away else []
    if role is not Role.MEMBER:
        people.append(Part(role.value, shed=5))
    if words := _rules(view.rules):
        people.append(Part(words, "$foreground", shed=2))
    if view.crowd is not None:
        people.append(Part(f"{grouped(view.crowd)} here", shed=1))
    elif view.members:
        here = sum(member.state == "here" for member in view.members.values())
        people.append(Part(f"{here} here", shed=1))
    return Head(Line((*_rooms(rooms, shown), *topic), tuple(people)), Line(tuple(how), tuple(figures)))


def _rooms(rooms: Mapping[str, RoomView], shown: str) -> list[Part]:
    parts = []
    for name, view in rooms.items():
        label = clean(view.rules.label(name))
        if name == shown:
            parts.append(Part(label, "bold $foreground", room=name))
        elif view.failed:
            parts.append(Part(f"{label} !", "$text-error", shed=3, room=name))
        elif view.unread:
            parts.append(Part(f"{label} {view.unread}", "$text-warning", shed=3, room=name))
        else:
            parts.append(Part(label, shed=6, room=name))
    return parts


def _rules(rules: RoomRules) -> str:
    if rules.shut:
        return "closed to you"
    private = "you two alone" if rules.direct else "private" if rules.private else ""
    return " · ".join(filter(None, (private, "read-only" if rules.read_only else "")))
