"""What the head of the chat pane says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.state.rates import milliseconds, per_second, tail
from tui.widgets.pane_head import Head, Line, Part
from tui.widgets.wrapping import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui.state.link import Standing
    from tui.state.room import RoomView


def chat_head(
    rooms: Mapping[str, RoomView],
    shown: str,
    standing: Standing,
    *,
    latency_ms: float | None,
    rates: tuple[float, float] | None,
    away: bool,
) -> Head:
    """Return both lines: rooms, topic, people; then how the conversation comes.

    Args:
        rooms: those that were joined.
        shown: the name of the one that is shown, which is among them.
        standing: how the link stands.
        latency_ms: the last round trip.
        rates: messages per second, up and down; None while nothing comes through.
        away: whether we are.
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
    if view.members:
        here = sum(member.state == "here" for member in view.members.values())
        people.append(Part(f"{here} here", shed=1))
    return Head(Line((*_rooms(rooms, shown), *topic), tuple(people)), Line(tuple(how), tuple(figures)))


def _rooms(rooms: Mapping[str, RoomView], shown: str) -> list[Part]:
    parts = []
    for name, view in rooms.items():
        if name == shown:
            parts.append(Part(name, "bold $foreground", room=name))
        elif view.failed:
            parts.append(Part(f"{name} !", "$text-error", shed=3, room=name))
        elif view.unread:
            parts.append(Part(f"{name} {view.unread}", "$text-warning", shed=3, room=name))
        else:
            parts.append(Part(name, shed=6, room=name))
    return parts
