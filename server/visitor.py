"""One HTTP connection, and how long it may take to say what it wants."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from pushtui.protocol.limits import Protection
from server.dismissal import LINGER, last_answer

logger = logging.getLogger(__name__)


class Heads:
    """Whose line and headers of a request are due. One pulse looks after all: a timer for each would cost more.

    All are given the same time, so whoever came first is also due first.

    Args:
        protection: what is waited for, and how long.
    """

    def __init__(self, protection: Protection) -> None:
        self.protection = protection
        self._loop = asyncio.get_running_loop()
        self._due: dict[Visitor, float] = {}
        self._pulse: asyncio.Task[None] | None = None

    def start(self, tick: float) -> None:
        """Begin to look, every so many seconds."""
        self._pulse = self._loop.create_task(self._beat(tick))

    def stop(self) -> None:
        """Look no longer."""
        if self._pulse is not None:
            self._pulse.cancel()

    def expect(self, visitor: "Visitor") -> None:
        """From now on the visitor has its time; not once more if it has already."""
        self._due.setdefault(visitor, self._loop.time() + self.protection.request_seconds)

    def met(self, visitor: "Visitor") -> None:
        """It has said what it wants, or is gone."""
        self._due.pop(visitor, None)

    def __len__(self) -> int:
        """How many are waited for."""
        return len(self._due)

    async def _beat(self, tick: float) -> None:
        while True:
            await asyncio.sleep(tick)
            for visitor in list(self._overdue(self._loop.time())):
                visitor.give_up()

    def _overdue(self, now: float) -> Iterator["Visitor"]:
        for visitor, due in self._due.items():
            if due > now:
                return
            yield visitor


class Visitor(web.RequestHandler):
    """aiohttp's protocol for one connection, with deadlines and a bound for the head of a request.

    Args:
        manager: of the application's runner.
        heads: see there.
        gone: called when the connection is over.

    Attributes:
        descriptor: see `server.sink.Flow`.
    """

    __slots__ = ("_dismissed", "_gone", "_head_bytes", "_heads", "descriptor")

    def __init__(self, manager: web.Server, heads: Heads, gone: Callable[[], None], **options: Any) -> None:
        super().__init__(manager, loop=asyncio.get_running_loop(), **options)
        self._heads = heads
        self._gone = gone
        self._head_bytes = 0
        self._dismissed = False
        self.descriptor = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self._heads.expect(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """See `asyncio.Protocol`."""
        self.descriptor = -1
        self._heads.met(self)
        self._gone()
        super().connection_lost(exc)

    def leave_to(self, successor: asyncio.Protocol) -> tuple[asyncio.Transport, Callable[[], None], bytes]:
        """Let another protocol have the connection. Here it is over: who still waits to answer is cancelled.

        Returns:
            The transport, what to call when the connection is over, and what came behind an upgrade.

        Raises:
            ConnectionResetError: the client is gone already.
        """
        transport, rest = self.transport, self._message_tail
        if transport is None:
            raise ConnectionResetError("the client is gone already")
        transport.set_protocol(successor)
        # Without it nothing that aiohttp does about the end reaches the connection.
        self.transport, self._message_tail = None, b""
        super().connection_lost(None)
        return transport, self._gone, rest

    async def drain(self) -> None:
        """Wait until there is room to write.

        Raises:
            ConnectionError: the client is gone.
        """
        await self._drain_helper()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if self._dismissed:
            return
        requests = self._request_count
        super().data_received(data)
        if self._request_count != requests:
            self._head_bytes = 0
            self._heads.met(self)
        elif data and self._is_idle():
            self._heads.expect(self)
            self._head_bytes += len(data)
            if self._head_bytes > self._heads.protection.headers_bytes:
                self._dismiss(431, "too_large", "the headers of this request are too long")

    def give_up(self) -> None:
        """The time is over."""
        if self._head_bytes:
            self._dismiss(408, "too_slow", "the line and headers of a request have to come sooner")
        else:
            self._heads.met(self)
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What is said to what is no HTTP: as all errors here, and without a traceback in the log."""
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        logger.debug("this is no HTTP: %s", message)
        if isinstance(exc, LineTooLong):
            message = f"a line of this request is longer than {self.max_field_size} bytes"
        self._dismissed = True
        sentence = (message or "this is no HTTP/1.1").partition("\n")[0]
        return _LastResponse.of(status, sentence, self.transport)

    def _is_idle(self) -> bool:
        """Whether nothing is being answered: what comes now belongs to the head of a request."""
        if self._waiter is None:
            return self._request_count == 0  # its task has not had its first turn yet
        return not self._waiter.done()

    def _dismiss(self, status: int, code: str, message: str) -> None:
        self._heads.met(self)
        self._dismissed = True
        if self.transport is not None:
            self.transport.write(last_answer(status, code, message))
            _finish(self.transport)
            self._loop.call_later(LINGER, self.force_close)


class _LastResponse(web.Response):
    """The connection ends with it, but not before the client had time to read it."""

    _transport: asyncio.Transport | None = None

    @classmethod
    def of(cls, status: int, message: str, transport: asyncio.Transport | None) -> "_LastResponse":
        """In the shape of all errors here."""
        response = cls(body=web.json_response({"code": "malformed", "message": message}).body, status=status)
        response.content_type = "application/json"
        response.headers["Server"] = "pushtui"
        response.force_close()
        response._transport = transport
        return response

    async def write_eof(self, data: bytes = b"") -> None:
        """See `aiohttp.web.StreamResponse`."""
        await super().write_eof(data)
        if self._transport is not None:
            _finish(self._transport)
        await asyncio.sleep(LINGER)


def _finish(transport: asyncio.Transport) -> None:
    """Say that nothing more comes, and go on reading. TLS knows no such half of an end in asyncio."""
    if transport.can_write_eof() and not transport.is_closing():
        transport.write_eof()
