"""Looks at what any address sends, ours or not: an asynchronous iterator of records.

An event stream is read as an EventSource reads it (WHATWG HTML, section 9.2): it comes back after the reconnection
time with the last event id, and stops for good at 204, another status or another content type. A WebSocket ends
when it closes.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlsplit

from pushtui.client.address import Address, AddressRefusedError
from pushtui.client.clock import Clock, SystemClock
from pushtui.client.feed import Feed
from pushtui.client.observations import Record
from pushtui.protocol.text import safe_line
from pushtui.protocol.token import Token

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


async def inspect(
    target: Target, *, token: Token | None = None, once: bool = False, clock: Clock | None = None
) -> AsyncGenerator[Record, None]:
    """Yield what the address sends; a consumer that is slow slows down the server.

    Args:
        target: the address.
        token: what lets one in there.
        once: end with the first stream, instead of coming back.
        clock: the time by which to come back.

    Raises:
        NoServerError: the first try found nobody there.
        NoFlowError: there is no event stream, or no WebSocket, or not any more.
    """
    feed: Feed[Record] = Feed()
    looking = asyncio.ensure_future(_ending(_look(target, token, feed, once, clock or SystemClock()), feed))
    try:
        while True:
            try:
                record = await feed.next()
            except StopAsyncIteration:
                break
            yield record
        await looking
    finally:
        looking.cancel()
        await asyncio.wait([looking])


async def _ending(looking: Coroutine[Any, Any, None], feed: Feed[Record]) -> None:
    try:
        await looking
    finally:
        feed.end()


def _look(
    target: Target, token: Token | None, feed: Feed[Record], once: bool, clock: Clock
) -> Coroutine[Any, Any, None]:
    if target.is_websocket:
        from pushtui.client.websocket_inspection import look as look_at_websocket

        return look_at_websocket(target, token, feed)
    from pushtui.client.stream_inspection import look as look_at_stream

    return look_at_stream(target, token, feed, once=once, clock=clock)
