"""What happens, as JSON objects: one for each happening, with its ``type``."""

from typing import Any

import msgspec

from pushtui.client.happenings import (
    CaughtUp,
    ChatHappening,
    RoomEvent,
    StatusEvent,
    StatusHappening,
    StatusResume,
)
from pushtui.protocol.positions import Position

_TYPES: dict[type, str] = {RoomEvent: "event", StatusEvent: "event", StatusResume: "resume", CaughtUp: "caught_up"}


def record(happening: ChatHappening | StatusHappening) -> str:
    """One line of JSON: the happening's ``type`` and its fields; a position as the text that the wire has."""
    fields = msgspec.to_builtins(happening)
    fields.pop("type", None)
    if isinstance(happening, StatusEvent):
        fields["position"] = _written(happening.position)
    kind = _TYPES.get(type(happening), type(happening).__name__.lower())
    return msgspec.json.encode({"type": kind, **fields}).decode()


def _written(position: Position | None) -> Any:
    return None if position is None else str(position)
