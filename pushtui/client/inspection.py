"""Looks at what passes between here and any address, ours or not: records, as they are made.

An event stream is read as an EventSource reads it (WHATWG HTML, section 9.2): it comes back after the reconnection
time with the last event id, and stops for good at 204, another status or another content type. A WebSocket ends
when it closes.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import NamedTuple, Protocol, Self
from urllib.parse import quote, urlsplit

from pushtui.client.address import Address, AddressRefusedError
from pushtui.client.clock import Clock, SystemClock
from pushtui.client.feed import Feed
from pushtui.protocol.text import safe_line
from pushtui.protocol.token import Token
from pushtui.wire.records import Record
from pushtui.wire.watch import Watch

_PATH_SAFE = "/%:@!$&'()*+,;=~-._"
_QUERY_SAFE = _PATH_SAFE + "?"


class NoServerError(Exception):
    """The first try found nobody at that address; the message says why, in one sentence."""


class NoFlowError(Exception):
    """Whoever is at that address has nothing to inspect; the message says what it answered, in one sentence."""


class Target(NamedTuple):
    """What to inspect.

    Attributes:
        url: the address.
        authority: its host and port, to name it in a sentence.
        loopback: it is on this machine, so no proxy is in between.
    """

    url: str
    authority: str
    loopback: bool

    @property
    def is_websocket(self) -> bool:
        """Whether it is a WebSocket, by its scheme; else it is an event stream."""
        return self.url.startswith("ws")

    @property
    def encrypted(self) -> bool:
        """Whether nobody on the way can read along."""
        return self.url.startswith(("https:", "wss:"))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a URL: ``http`` and ``https`` are event streams, ``ws`` and ``wss`` are WebSockets.

        Raises:
            AddressRefusedError: it is none.
        """
        typed = text.strip()
        scheme, separator, rest = typed.partition("://")
        if not separator:
            raise AddressRefusedError(
                f"{safe_line(typed[:60])!r} is no URL: it begins with http:// or https:// (events), ws:// or wss://"
            )
        server = Address.parse(f"{scheme}://{rest.partition('#')[0].partition('?')[0].partition('/')[0]}")
        parts = urlsplit(typed)
        base = server.ws if parts.scheme in ("ws", "wss") else server.http
        query = f"?{quote(parts.query, safe=_QUERY_SAFE)}" if parts.query else ""
        return cls(f"{base}{quote(parts.path, safe=_PATH_SAFE) or '/'}{query}", server.authority, server.loopback)


class Asking(NamedTuple):
    """What to ask with.

    Attributes:
        token: what lets one in there.
        headers: further headers of the request.
        origin: the web page that the request is from, as its server is to believe.
        subprotocols: what a WebSocket offers, the most wanted first.
        last_event_id: where an event stream is to go on from, empty to begin.
        insecure: take any certificate.
    """

    token: Token | None = None
    headers: tuple[tuple[str, str], ...] = ()
    origin: str | None = None
    subprotocols: tuple[str, ...] = ()
    last_event_id: str = ""
    insecure: bool = False

    @property
    def with_origin(self) -> tuple[tuple[str, str], ...]:
        """The further headers, with that of the origin."""
        return self.headers if self.origin is None else (("Origin", self.origin), *self.headers)


class Inspection:
    """One look at an address.

    Args:
        target: the address.
        asking: what to ask with.
        once: end with the first event stream, instead of coming back.
        clock: the time of records, and by which to come back.
    """

    def __init__(
        self, target: Target, asking: Asking | None = None, *, once: bool = False, clock: Clock | None = None
    ) -> None:
        clock = clock or SystemClock()
        watch = Watch(clock.now)
        self._feed: Feed[Record] = Feed()
        watch.open(self._feed.put)
        self._look = _look(target, asking or Asking(), watch, self._feed, once, clock)

    async def records(self) -> AsyncGenerator[Record, None]:
        """Yield what passes, both ways; once for each inspection. A consumer that is slow slows down the server.

        Raises:
            NoServerError: the first try found nobody there.
            NoFlowError: there is no event stream, or no WebSocket, or not any more.
        """
        looking = asyncio.ensure_future(self._run())
        try:
            while True:
                try:
                    record = await self._feed.next()
                except StopAsyncIteration:
                    break
                yield record
            await looking
        finally:
            looking.cancel()
            await asyncio.wait([looking])

    async def send(self, message: str | bytes) -> None:
        """Send a message: text, or bytes as a binary one.

        Raises:
            pushtui.wire.watch.NotSentError: it is no WebSocket, or not an open one.
        """
        await self._look.send(message)

    async def _run(self) -> None:
        try:
            await self._look.run()
        finally:
            self._feed.end()


class _Look(Protocol):
    async def run(self) -> None: ...

    async def send(self, message: str | bytes) -> None: ...


def _look(target: Target, asking: Asking, watch: Watch, feed: Feed[Record], once: bool, clock: Clock) -> _Look:
    if target.is_websocket:
        from pushtui.client.websocket_inspection import WebSocketInspection

        return WebSocketInspection(target, asking, watch, feed)
    from pushtui.client.stream_inspection import StreamInspection

    return StreamInspection(target, asking, watch, feed, once=once, clock=clock)
