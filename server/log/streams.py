"""How streams are named in the log."""

STATUS = "status"
_ROOM_PREFIX = "room:"


def room_stream(room: str) -> str:
    """The stream that holds a room's events."""
    return _ROOM_PREFIX + room


def room_of(stream: str) -> str | None:
    """The room whose events a stream holds, None for the status stream."""
    return stream.removeprefix(_ROOM_PREFIX) if stream.startswith(_ROOM_PREFIX) else None
