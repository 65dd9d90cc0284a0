"""What every conversation needs, in one place; put together by `server.application`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from pushtui.protocol.limits import Limits, Protection
from pushtui.protocol.positions import Position
from server.access.access import Access
from server.access.allowances import Allowances
from server.access.rules import Rules
from server.connections import Connections
from server.log.fanout import Fanout
from server.log.store import Store
from server.people import People
from server.rooms import Rooms
from server.timing import Timing
from server.writing import Writing

if TYPE_CHECKING:
    from server.conversation import Conversation


@dataclass(frozen=True, slots=True)
class Service:
    """The log, the people and the settings."""

    name: str
    store: Store
    fanout: Fanout
    writing: Writing
    connections: Connections
    people: "People[Conversation]"
    rooms: Rooms
    access: Access
    rules: Rules
    allowances: Allowances
    limits: Limits
    protection: Protection
    timing: Timing


SERVICE = web.AppKey("service", Service)

#: Held by a client that names a position which is none: no log has this epoch, so the outcome is a reset.
_UNKNOWN = Position("", 0)


def named_position(text: str | None) -> Position | None:
    """The position that a client names; None when it names none."""
    if not text:
        return None
    try:
        return Position.parse(text)
    except ValueError:
        return _UNKNOWN
