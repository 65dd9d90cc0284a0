"""``POST``: messages into rooms, notices, and samples of other hosts. For curl, scripts and agents."""

from typing import TypeVar

import msgspec
from aiohttp import web

from pushtui.protocol import bodies, names
from pushtui.protocol.positions import Position
from pushtui.protocol.samples import Sample
from server.access.door import IDENTITY
from server.access.identity import Author
from server.log.store import Stored
from server.log.streams import STATUS, room_stream
from server.refusal import RefusedError
from server.service import SERVICE, Service
from server.writing import checked_nick, checked_room

ANONYMOUS = "anonymous"

#: ``curl -d hello`` names the form type, and means the text as it stands.
_PLAIN = frozenset({"text/plain", "application/x-www-form-urlencoded", "application/octet-stream"})

T = TypeVar("T")


class _PostedMessage(msgspec.Struct):
    text: str
    key: str | None = None
    author: str = msgspec.field(name="from", default=ANONYMOUS)


class _PostedNotice(msgspec.Struct):
    text: str
    title: str | None = None
    level: bodies.Level = "info"
    key: str | None = None
    author: str = msgspec.field(name="from", default=ANONYMOUS)


async def message(request: web.Request) -> web.Response:
    """One message into a room; the room is made if there is none."""
    service = request.app[SERVICE]
    room = checked_room(request.match_info["room"])
    posted = await _body(request, _PostedMessage)
    stored = await service.writing.message(_author(request, posted.author), room, posted.text, posted.key)
    return _created(service, room_stream(room), stored)


async def notice(request: web.Request) -> web.Response:
    """A push notification to everyone who reads the status stream."""
    service = request.app[SERVICE]
    posted = await _body(request, _PostedNotice)
    author = _author(request, posted.author)
    stored = await service.writing.notice(author, posted.text, posted.level, posted.title, posted.key)
    return _created(service, STATUS, stored)


async def sample(request: web.Request) -> web.Response:
    """One look at another host."""
    service = request.app[SERVICE]
    try:
        host = names.host(request.match_info["host"])
    except names.NameRefusedError as error:
        raise RefusedError("malformed", str(error)) from error
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="a sample is application/json")
    posted = _decode(await request.read(), Sample)
    if posted.host != host:
        raise RefusedError("malformed", f"the sample is of another host than {host}")
    await service.writing.sample(posted, request[IDENTITY])
    return web.Response(status=202)


def _author(request: web.Request, name: str) -> Author:
    """Who posts: the token's name if there is one, else the name that is given."""
    identity = request[IDENTITY]
    if identity.name is not None:
        return Author(identity.name, identity)
    nick = checked_nick(name)
    if (reserved := request.app[SERVICE].access.reserved(nick)) is not None:
        raise RefusedError("not_allowed", f"{reserved} is somebody who has a token")
    return Author(nick, identity)


async def _body(request: web.Request, shape: type[T]) -> T:
    """Read ``text`` alone, or the JSON object around it."""
    data = await request.read()
    if request.content_type == "application/json":
        return _decode(data, shape)
    if request.content_type not in _PLAIN:
        raise web.HTTPUnsupportedMediaType(text="send text/plain, or application/json with a text in it")
    try:
        return shape(text=data.decode())  # type: ignore[call-arg]
    except UnicodeDecodeError:
        raise RefusedError("malformed", "the text is not UTF-8") from None


def _decode(data: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError("malformed", f"the body cannot be read: {error}") from error


def _created(service: Service, stream: str, stored: Stored) -> web.Response:
    return web.json_response(
        {
            "position": str(Position(stored.epoch, stored.seq)),
            "duplicate": stored.duplicate,
            "listeners": service.fanout.listeners(stream),
        },
        status=201,
    )
