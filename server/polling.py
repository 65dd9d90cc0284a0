"""``GET /rooms/{room}?after=POSITION&wait=25``: long polling, for clients that can do nothing else.

Each answer is one page of the log: what follows a position. Who asks when there is nothing yet waits for it, as a
listener like any other.
"""

import asyncio
from collections.abc import Callable
from typing import cast

import msgspec
from aiohttp import web

from pushtui.protocol.close import CloseCode
from pushtui.protocol.positions import Lost, Outcome, Position
from server.access.door import IDENTITY
from server.access.identity import Identity
from server.access.rules import Ending
from server.log.cursor import Cursor
from server.log.fanout import Start
from server.log.store import StoreBusyError
from server.log.streams import room_of
from server.log.wire import POLLING
from server.refusal import RefusedError
from server.service import SERVICE, Service, named_position
from server.sink import TransportSink
from server.visitor import Visitor

#: The longest wait in seconds. Proxies give up after 60 s of silence or sooner: ask for less behind one.
LONGEST_WAIT = 60.0
#: Bytes of events in one page, and at most one span of the tail more.
PAGE_BYTES = 256 * 1024
#: How often it is decided anew where to begin, when the log is trimmed faster than it can be read.
_TRIES = 3


class _Answer(msgspec.Struct, omit_defaults=True):
    """What stands before the events."""

    outcome: Outcome
    epoch: str
    after: int
    head: int
    position: str
    more: bool
    lost: Lost | None = None


def is_asked(request: web.Request) -> bool:
    """Whether a request for a room wants one page of it, and not an event stream."""
    return "after" in request.query or "wait" in request.query


async def poll(request: web.Request, stream: str, replay: int) -> web.StreamResponse:
    """Answer with what follows the client's position, at once if there is anything.

    Args:
        request: of somebody who may read the stream now.
        stream: its name.
        replay: how many of the newest events to begin with if the client starts afresh.

    Raises:
        RefusedError: what was asked for cannot be, or the log cannot be read now.
    """
    service = request.app[SERVICE]
    due = asyncio.get_running_loop().time() + _wait(request)
    sink = TransportSink(request.transport, cast(Visitor, request.protocol), service.timing.unacknowledged)
    poller = Poller(service, sink, request[IDENTITY], stream)
    service.connections.add(poller)
    try:
        body = await _body(poller, named_position(request.query.get("after")), replay, due)
        response = poller.refusal() if body is None else _page(body)
        # Here and not by the library: until it is sent, the client is looked after as all others are.
        await response.prepare(request)
        await response.write_eof()
        return response
    finally:
        service.connections.remove(poller)


async def _body(poller: "Poller", position: Position | None, replay: int, due: float) -> bytes | None:
    for _ in range(_TRIES):
        try:
            if await poller.read(position, replay, due):
                return poller.body()
        except StoreBusyError as error:
            raise RefusedError("busy", str(error), 1000) from error
    raise RefusedError("busy", "the log cannot be read that fast now", 1000)


class Page:
    """One answer in the making: what a `Cursor` writes, up to a bound.

    Attributes:
        changed: something was written, or nothing more will be.
        broken: it cannot be read on from here, and what was written is all.
    """

    def __init__(self, changed: asyncio.Event) -> None:
        self.changed = changed
        self.broken = False
        self._parts: list[bytes] = []
        self._length = 0

    def __len__(self) -> int:
        """Bytes of events."""
        return self._length

    def events(self) -> bytes:
        """The elements of a JSON array, without its brackets."""
        return b"".join(self._parts)[1:]

    def write(self, data: bytes) -> None:
        """See `server.log.cursor.Sink`."""
        self._parts.append(data)
        self._length += len(data)
        self.changed.set()

    def offer(self, data: bytes) -> bool:
        """A page has one way."""
        return False

    def has_room(self) -> bool:
        """See `server.log.cursor.Sink`."""
        return self._length < PAGE_BYTES

    def when_room(self, wake: Callable[[], None]) -> None:
        """A page that is full stays so."""

    async def room(self) -> bool:
        """See `server.log.cursor.Sink`."""
        return self.has_room()

    def abort(self) -> None:
        """See `server.log.cursor.Sink`."""
        self.broken = True
        self.changed.set()


class Poller:
    """One client that waits for its answer."""

    kind = "polling"

    def __init__(self, service: Service, sink: TransportSink, identity: Identity, stream: str) -> None:
        self.sink = sink
        self.identity = identity
        self.nick = identity.name
        self._service = service
        self._stream = stream
        self._changed = asyncio.Event()
        self._ending: Ending | None = None
        self._page = Page(self._changed)
        self._start: Start | None = None
        self._seq = 0
        self._head = 0
        self._behind = False

    async def read(self, position: Position | None, replay: int, due: float) -> bool:
        """Take what follows the position, and wait for it if need be.

        Args:
            position: where the client was.
            replay: how many of the newest entries it wants if it starts afresh.
            due: until when to wait, by the loop's clock.

        Returns:
            Whether there is an answer; if not, the log was trimmed meanwhile and it has to be decided anew.

        Raises:
            StoreBusyError: the log cannot be read.
        """
        fanout = self._service.fanout
        self._page = page = Page(self._changed)
        # Nothing may come between the decision and listening, so both are in one turn of the loop.
        self._start = start = await fanout.start(self._stream, position, replay)
        cursor = fanout.attach(self._stream, POLLING, page, start.after)
        try:
            await self._settled(cursor, due)
        finally:
            fanout.detach(cursor)
        self._seq, self._head = cursor.position, cursor.tail.head
        return len(page) > 0 or not page.broken

    async def _settled(self, cursor: Cursor, due: float) -> None:
        """Wait until the page is full, or has all that there is and not nothing, or it is time to answer."""
        page = self._page
        while page.has_room() and not page.broken and self._ending is None:
            self._behind = cursor.position < cursor.tail.head
            if page and not self._behind:
                return
            self._changed.clear()
            try:
                # Whoever is behind is given what there is, however little time it has.
                async with asyncio.timeout_at(None if self._behind else due):
                    await self._changed.wait()
            except TimeoutError:
                return

    def body(self) -> bytes | None:
        """The answer as JSON; None if the client is to be refused."""
        start = self._start
        if start is None or self._shut() is not None or (self._ending is not None and not self._page):
            return None
        answer = _Answer(
            outcome=start.outcome,
            epoch=start.epoch,
            after=start.after,
            head=self._head,
            position=str(Position(start.epoch, self._seq)),
            more=self._seq < self._head,
            lost=start.lost,
        )
        return b'%b,"events":[%b]}' % (msgspec.json.encode(answer)[:-1], self._page.events())

    def refusal(self) -> web.Response:
        """What the client is told instead of an answer: why, and when to come back."""
        code, reason, retry_ms = self._shut() or self._ending or Ending(CloseCode.RESTART, "the server stops")
        headers = {"Cache-Control": "no-store"}
        if retry_ms is not None:
            headers["Retry-After"] = str(-(-retry_ms // 1000))
        match code:
            case CloseCode.BAD_TOKEN:
                status, word = 401, "unauthorized"
                headers["WWW-Authenticate"] = "Bearer"
            case CloseCode.REMOVED:
                status, word = 403, "not_allowed"
            case _:
                status, word = 503, "busy"
        response = web.json_response({"code": word, "message": reason}, status=status, headers=headers)
        # Who comes back is to look for a server anew, not to meet this one over the same connection.
        response.force_close()
        return response

    def review(self, rooms: frozenset[str]) -> None:
        """End if this is one of these rooms, and it is shut."""
        if room_of(self._stream) in rooms and (shut := self._shut()) is not None:
            self._end(shut)

    def tick(self, now: float) -> None:
        """A cursor that found nothing where it looked in the store has told nobody."""
        if self._behind:
            self._changed.set()

    def end(self, code: CloseCode, reason: str, retry_ms: int | None = None) -> None:
        """Answer now, with the reason if there is nothing else."""
        self._end(Ending(code, reason, retry_ms))

    def _end(self, ending: Ending) -> None:
        self._ending = self._ending or ending
        self._changed.set()

    def _shut(self) -> Ending | None:
        """Why this client may not have what was read, None if it may: what held at first may hold no longer."""
        rules = self._service.rules
        if (ending := rules.ending(self.identity)) is not None:
            return ending
        room = room_of(self._stream)
        reason = None if room is None else rules.shut(self.identity, room)
        return None if reason is None else Ending(CloseCode.REMOVED, reason)


def _wait(request: web.Request) -> float:
    text = request.query.get("wait", "0")
    plain = text.isascii() and text.replace(".", "", 1).isdigit() and len(text) < 10
    if not plain or float(text) > LONGEST_WAIT:
        raise RefusedError("malformed", f"wait is a number of seconds from 0 to {LONGEST_WAIT:g}")
    return float(text)


def _page(body: bytes) -> web.Response:
    headers = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
    return web.Response(body=body, headers=headers)
