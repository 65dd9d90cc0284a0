"""``GET /status`` and ``GET /rooms/{room}``: the Server-Sent Events side (WHATWG HTML, section 9.2)."""

import asyncio
import json
import random
from dataclasses import dataclass

import msgspec
from aiohttp import web
from aiohttp.http import HttpVersion11

from pushtui.protocol import eventstream
from pushtui.protocol.close import CloseCode
from pushtui.protocol.limits import DEFAULT_REPLAY
from pushtui.protocol.positions import Position
from pushtui.protocol.roles import Right
from server import polling
from server.access.door import IDENTITY
from server.access.identity import Identity
from server.access.rules import Ending
from server.link import Link
from server.log.cursor import Cursor
from server.log.fanout import Start
from server.log.store import Entry, StoreBusyError
from server.log.streams import STATUS, room_of, room_stream
from server.log.wire import SSE, SSE_PLAIN, Wire
from server.refusal import RefusedError
from server.service import SERVICE, Service, named_position
from server.sink import TransportSink
from server.writing import checked_room

#: RFC 9112, section 7.1.
_LAST_CHUNK = b"0\r\n\r\n"


#: In ``?host=`` and ``?events=``: each reader holds its own.
_MOST_NAMES = 64


@dataclass(frozen=True, slots=True)
class HostsAndEvents:
    """Which entries of the status stream a reader wants; an empty set is all of them."""

    hosts: frozenset[str]
    events: frozenset[str]

    def admits(self, entry: Entry) -> bool:
        """Whether the entry is wanted. What belongs to no host is wanted whichever host was asked for."""
        if self.events and entry.kind not in self.events:
            return False
        if not self.hosts:
            return True
        host = msgspec.json.decode(entry.body, type=_Hosted).host
        return host is None or host in self.hosts


class _Hosted(msgspec.Struct):
    host: str | None = None


async def status(request: web.Request) -> web.StreamResponse:
    """The status stream."""
    selection = HostsAndEvents(_comma_list(request, "host"), _comma_list(request, "events"))
    wanted = selection if selection.hosts or selection.events else None
    return await _stream(request, STATUS, wanted)


async def room(request: web.Request) -> web.StreamResponse:
    """One room, to read along; or one page of it, see `server.polling`."""
    name = checked_room(request.match_info["room"])
    stream = room_stream(name)
    service = request.app[SERVICE]
    # In the same words as for no room: listening finds out nothing about a room of others.
    if service.store.state(stream) is None or service.rules.shut(request[IDENTITY], name) is not None:
        raise RefusedError("no_such_room", f"there is no room {name}; a first message makes it")
    if polling.is_asked(request):
        request[IDENTITY].require(Right.LISTEN)
        return await polling.poll(request, stream, _replay(request, service.limits.replay))
    events = _comma_list(request, "events")
    return await _stream(request, stream, HostsAndEvents(frozenset(), events) if events else None)


async def _stream(request: web.Request, stream: str, selection: HostsAndEvents | None) -> web.StreamResponse:
    service, identity = request.app[SERVICE], request[IDENTITY]
    identity.require(Right.LISTEN)
    position = named_position(request.headers.get("Last-Event-ID") or request.query.get("last_event_id"))
    replay = _replay(request, service.limits.replay)
    try:
        await service.fanout.open(stream)
    except StoreBusyError as error:
        raise RefusedError("busy", str(error), 1000) from error
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        }
    )
    chunked = request.version >= HttpVersion11
    if chunked:
        response.enable_chunked_encoding()
    await response.prepare(request)
    try:
        # Nothing may come between the decision and listening, so both are in one turn of the loop.
        start = await service.fanout.start(stream, position, replay, selection)
    except StoreBusyError:
        # Too late for an error's status; a connection that breaks is one to come back after.
        if request.transport is not None:
            request.transport.abort()
    else:
        reader = Reader(service, SSE if chunked else SSE_PLAIN, identity, stream)
        reader.take_over(request)
        reader.begin(start, selection)
    return response


class Reader(Link):
    """One event stream. What its client still says is passed over."""

    __slots__ = ("_cursor", "_over", "_service", "_silent_since", "_stream", "_wire", "_written", "identity",
                 "nick", "sink")  # fmt: skip

    kind = "sse"

    sink: TransportSink

    def __init__(self, service: Service, wire: Wire, identity: Identity, stream: str) -> None:
        super().__init__()
        self.identity = identity
        self.nick = identity.name
        self._stream = stream
        self._cursor: Cursor | None = None
        self._service = service
        self._wire = wire
        self._silent_since = asyncio.get_running_loop().time()
        self._written = 0
        self._over = False

    def begin(self, start: Start, selection: HostsAndEvents | None) -> None:
        """Say where it starts, and listen."""
        self.sink = TransportSink(self.transport, self, self._service.timing.unacknowledged)
        self.sink.write(self._wire.wrap(self._opening(start)))
        # What held when this was asked for may hold no longer.
        ending = self._service.rules.ending(self.identity) or self._shut()
        if ending is not None:
            self.end(*ending)
            return
        self._cursor = self._service.fanout.attach(self._stream, self._wire, self.sink, start.after, selection)
        self._service.connections.add(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """See `asyncio.Protocol`."""
        super().connection_lost(exc)
        if self._cursor is not None:
            self._service.fanout.detach(self._cursor)
        self._service.connections.remove(self)

    def review(self, rooms: frozenset[str]) -> None:
        """End if this is one of these rooms, and it is shut."""
        ending = self._shut() if room_of(self._stream) in rooms else None
        if ending is not None:
            self.end(*ending)

    def _shut(self) -> Ending | None:
        room = room_of(self._stream)
        reason = None if room is None else self._service.rules.shut(self.identity, room)
        return None if reason is None else Ending(CloseCode.REMOVED, reason)

    def tick(self, now: float) -> None:
        """Keep a silent stream alive."""
        if self.sink.written != self._written:
            self._written = self.sink.written
            self._silent_since = now
        elif now - self._silent_since >= self._service.timing.heartbeat and self.sink.has_room():
            self.sink.write(self._wire.wrap(eventstream.comment("still here")))
            self._written = self.sink.written
            self._silent_since = now

    def end(self, code: CloseCode, reason: str, retry_ms: int | None = None) -> None:
        """Say ``bye`` and when to come back, then end the response and its connection."""
        if self._over:
            return
        self._over = True
        # Nothing comes after it.
        if self._cursor is not None:
            self._service.fanout.detach(self._cursor)
        data = json.dumps({"code": code, "reason": reason})
        self.sink.write(self._wire.wrap(eventstream.block(data, event="bye", retry=retry_ms)))
        if self._wire is SSE:
            self.sink.write(_LAST_CHUNK)
        # Who comes back is to look for a server anew, not to meet this one over the same connection.
        if not self.transport.is_closing():
            self.transport.close()

    def _opening(self, start: Start) -> bytes:
        # Clients that lost one server at the same moment should not all come back at the same moment.
        retry = round(self._service.timing.retry * 1000 * random.uniform(1, 1.5))  # noqa: S311
        resume: dict[str, object] = {
            "outcome": start.outcome,
            "epoch": start.epoch,
            "after": start.after,
            "head": start.head,
        }
        if start.lost is not None:
            resume["lost"] = {"after": start.lost.after, "before": start.lost.before}
        position = str(Position(start.epoch, start.after))
        return eventstream.block(retry=retry) + eventstream.block(
            json.dumps(resume), event="resume", event_id=position
        )


def _comma_list(request: web.Request, name: str) -> frozenset[str]:
    names = frozenset(part for part in request.query.get(name, "").split(",") if part)
    if len(names) > _MOST_NAMES:
        raise RefusedError("malformed", f"{name} has at most {_MOST_NAMES} names")
    return names


def _replay(request: web.Request, most: int) -> int:
    text = request.query.get("replay")
    if text is None:
        return DEFAULT_REPLAY
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= most):
        raise RefusedError("malformed", f"replay is a number from 0 to {most}")
    return int(text)
