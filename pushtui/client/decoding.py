"""From bytes to what can be used: typed, and clean of what could harm a terminal."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from pushtui.client.happenings import Page, RoomEvent
from pushtui.protocol import bodies, messages
from pushtui.protocol.bodies import ROOM_KINDS, RoomBody
from pushtui.protocol.codec import Codec
from pushtui.protocol.text import safe_line, safe_text

Shape = TypeVar("Shape")
Body = TypeVar("Body")

ServerFrame = (
    messages.Welcome
    | messages.Resume
    | RoomEvent
    | messages.Ack
    | messages.Presence
    | messages.Typing
    | messages.Crowd
    | messages.Members
    | Page
    | messages.Rules
    | messages.Done
    | messages.Invited
    | messages.Left
    | messages.Error
    | messages.Bye
)

#: The texts that may have several lines; every other one has a single line.
_MULTILINE = {(bodies.Message, "text"), (bodies.Edit, "text"), (bodies.Notice, "text"), (messages.Done, "message")}

#: What a server may make its clients show, in characters; no server of ours sends as much. The rest is left out.
LONGEST_LINE = 1000
LONGEST_TEXT = 64 * 1024


class UnreadableError(Exception):
    """What came is not what the contract says, or of a type that this version does not know."""


def frame(codec: Codec, data: bytes | str) -> ServerFrame:
    """Read one frame of the WebSocket conversation.

    Raises:
        UnreadableError: it cannot be read.
    """
    if isinstance(data, str) is codec.binary:
        raise UnreadableError("a frame of the wrong kind")
    message = _decoded(lambda: codec.decode_server(data))
    match message:
        case messages.Event():
            return _room_event(message)
        case messages.Page():
            events = [_room_event(event) for event in message.events]
            return Page(_line(message.id), _line(message.room), events, message.more)
        case _:
            return clean(message)


def json(data: str, shape: type[Shape]) -> Shape:
    """Read the data of a server-sent event.

    Raises:
        UnreadableError: it is not JSON of this shape.
    """
    return clean(_decoded(lambda: msgspec.json.decode(data, type=shape)))


def clean(value: Shape) -> Shape:
    """The same value with every text in it safe to show; structs and lists are gone through."""
    return _clean(value, _line)  # type: ignore[no-any-return]


def _clean(value: Any, scrub: Callable[[str], str]) -> Any:
    if type(value) is str:
        return scrub(value)
    if isinstance(value, msgspec.Struct):
        kind = type(value)
        fields = {
            name: _clean(getattr(value, name), _text if (kind, name) in _MULTILINE else _line)
            for name in value.__struct_fields__
        }
        return kind(**fields)
    if isinstance(value, list):
        return [_clean(item, scrub) for item in value]
    return value


def _line(text: str) -> str:
    return safe_line(text if len(text) <= LONGEST_LINE else f"{text[: LONGEST_LINE - 1]}…")


def _text(text: str) -> str:
    return safe_text(text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…")


def _room_event(event: messages.Event) -> RoomEvent:
    return RoomEvent(
        _line(event.room),
        event.seq,
        event.at,
        _line(event.kind),
        _line(event.by),
        _body(event),
        None if event.key is None else _line(event.key),
    )


def _body(event: messages.Event) -> RoomBody | None:
    shape = ROOM_KINDS.get(event.kind)
    if shape is None:
        return None
    try:
        return clean(_decoded(lambda: msgspec.convert(event.body, shape)))
    except UnreadableError:
        return None


def _decoded(decode: Callable[[], Body]) -> Body:
    try:
        return decode()
    # ValueError: broken JSON, UTF-8 or numbers; RecursionError: brackets within brackets without end.
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UnreadableError(str(error)) from error
