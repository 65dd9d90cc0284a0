"""One connection after the other to an event stream: WHATWG HTML, section 9.2 (server-sent events).

When to come back is the caller's business; what to come back with (the last event id) is known here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from typing import Literal

import httpx
from httpx_sse import aconnect_sse

from pushtui import __version__
from pushtui.client import endings, tls
from pushtui.client.endings import Ending
from pushtui.client.event_stream import LARGEST_EVENT, EventStream, EventTooLongError, Retry, StreamItem
from pushtui.client.happenings import LinkState
from pushtui.client.traffic import Traffic
from pushtui.client.watched_request import WatchedRequest
from pushtui.protocol.text import safe_line
from pushtui.protocol.token import Token
from pushtui.wire import masking
from pushtui.wire.records import Close
from pushtui.wire.watch import Watch

_OPENING = 10.0
# How long the reason of a refusal is waited for, in seconds.
_REFUSAL = 2.0
# Servers commonly take 8 KiB for all headers together; a longer id would make every later request fail.
_LONGEST_ID = 4096


class NoStreamError(Exception):
    """The answer is no event stream: by the rules a client does not come back.

    Attributes:
        status: the HTTP status.
        media_type: what it answers with, clean to show, empty if it does not say.
        retry_after: the header of this name.
        body: the beginning of what came with it, unless it is a stream.
    """

    def __init__(self, status: int, media_type: str, retry_after: str | None, body: bytes = b"") -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.media_type = media_type
        self.retry_after = retry_after
        self.body = body

    @property
    def found(self) -> str:
        """What was there instead, in a few words."""
        if self.status == 204:
            return "the server has nothing more to say (HTTP 204)"
        return (
            f"HTTP {self.status}"
            if self.status != 200
            else f"it answers with {self.media_type or 'no content type'}"
        )


class _RedirectedError(Exception):
    """The server sends one elsewhere, where the token is not for; the text is that origin."""


class EventSource:
    """An address that sends events.

    Args:
        url: the address, with its query.
        authority: its host and port, to name it in a sentence.
        loopback: it is on this machine, so that no proxy is in between.
        token: what lets one in; with it a redirect to another origin is not followed.
        last_event_id: where to go on from, empty to begin.
        silence: how long a connection may be silent, in seconds, before it counts as lost; None for ever.
        traffic: counts the bytes.
        watch: is told what passes, line by line.
        headers: further ones, for that origin only, as a token is.
        insecure: take any certificate.

    Attributes:
        last_event_id: where the next connection goes on.
        retry_ms: the reconnection time that the server asked for last, None before it did.
    """

    def __init__(
        self,
        url: str,
        *,
        authority: str,
        loopback: bool,
        token: Token | None = None,
        last_event_id: str = "",
        silence: float | None = None,
        traffic: Traffic | None = None,
        watch: Watch | None = None,
        headers: Sequence[tuple[str, str]] = (),
        insecure: bool = False,
    ) -> None:
        self.last_event_id = last_event_id
        self.retry_ms: int | None = None
        self._url = url
        self._authority = authority
        self._loopback = loopback
        self._token = token
        self._silence = silence
        self._traffic = traffic or Traffic()
        self._watch = watch or Watch()
        self._trace = WatchedRequest(self._watch)
        self._further = headers
        self._insecure = insecure
        self._began = False
        self._closed_by: Literal["client", "server", "nobody"] = "nobody"
        self._client: httpx.AsyncClient | None = None

    async def aclose(self) -> None:
        """Let go of everything."""
        if self._client is not None:
            await self._client.aclose()

    async def session(
        self,
        take: Callable[[StreamItem], Ending | None],
        *,
        opened: Callable[[], None] = lambda: None,
        room: Callable[[], Awaitable[None]],
    ) -> Ending:
        """Connect once, and read to the end; returns how it ended.

        Args:
            take: is given each item; what it returns, if anything, ends the session.
            opened: is told that the stream has begun.
            room: is awaited before more is read.

        Raises:
            NoStreamError: the server answered with something else.
        """
        self._began, self._closed_by = False, "nobody"
        try:
            ending = await self._session(take, opened, room)
        except NoStreamError as error:
            if self._watch.on:
                self._watch.tell(Close(self._watch.now(), masking.text(error.found), by="client"))
            raise
        if self._began and self._watch.on:
            self._watch.tell(Close(self._watch.now(), masking.text(ending.reason), by=self._closed_by))
        return ending

    async def _session(
        self,
        take: Callable[[StreamItem], Ending | None],
        opened: Callable[[], None],
        room: Callable[[], Awaitable[None]],
    ) -> Ending:
        if self._client is None:
            try:
                self._client = httpx.AsyncClient(
                    timeout=httpx.Timeout(_OPENING, read=self._silence),
                    # The same as for WebSockets; httpx alone has authorities of its own.
                    verify=tls.context(insecure=self._insecure),
                    trust_env=not self._loopback,
                    event_hooks={"response": [_stay]} if self._token is not None or self._further else {},
                )
            except (ImportError, ValueError, httpx.InvalidURL) as error:
                return endings.no_proxy(error)
        try:
            async with aconnect_sse(
                self._client,
                "GET",
                self._url,
                headers=self._headers(),
                follow_redirects=True,
                extensions={"trace": self._trace},
            ) as source:
                response = source.response
                await _check(response)
                self._began = True
                opened()
                return await self._read(response, take, room)
        except _RedirectedError as error:
            return endings.redirected(str(error))
        except (httpx.ConnectError, httpx.ProxyError) as error:
            return endings.unreachable(error, self._authority)
        except httpx.ReadTimeout:
            self._closed_by = "client"
            return Ending(LinkState.LOST, f"no answer for {self._silence:g} s")
        except httpx.TimeoutException:
            return Ending(LinkState.LOST, f"no answer from {self._authority}", answered=False)
        except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
            # A stream without its last chunk was ended by the server: many never send it.
            self._closed_by = "server" if isinstance(error, httpx.RemoteProtocolError) else "nobody"
            return Ending(LinkState.LOST, "the server hung up")
        except httpx.TooManyRedirects:
            return Ending(LinkState.LOST, "the server redirects without end")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Ending(LinkState.LOST, safe_line(f"the request failed: {error}"))

    def _headers(self) -> httpx.Headers:
        headers = httpx.Headers({"User-Agent": f"pushtui/{__version__}", "Accept-Encoding": "identity"})
        if self._token is not None:
            headers["Authorization"] = self._token.header
        identity = self.last_event_id.strip(" ")
        sent = identity.encode()
        # An id that is no header value (RFC 9110 section 5.5) would make every later request fail.
        if sent and len(sent) <= _LONGEST_ID and min(identity) >= " " and "\x7f" not in identity:
            headers.update({b"Last-Event-ID": sent})
        for name in {name for name, _ in self._further} & headers.keys():
            del headers[name]
        return httpx.Headers([*headers.raw, *((name.encode(), value.encode()) for name, value in self._further)])

    async def _read(
        self,
        response: httpx.Response,
        take: Callable[[StreamItem], Ending | None],
        room: Callable[[], Awaitable[None]],
    ) -> Ending:
        stream = EventStream(self.last_event_id, self._watch)
        async with aclosing(response.aiter_bytes()) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                self._traffic.received_bytes += len(chunk)
                try:
                    for item in stream.feed(chunk):
                        self.last_event_id = stream.last_event_id
                        if isinstance(item, Retry):
                            self.retry_ms = item.ms
                        ending = take(item)
                        if ending is not None:
                            self._closed_by = "client"
                            return ending
                except EventTooLongError:
                    self._closed_by = "client"
                    return Ending(LinkState.LOST, f"the server sent an event of more than {LARGEST_EVENT} bytes")
                self.last_event_id = stream.last_event_id
                await room()
        self._closed_by = "server"
        return Ending(LinkState.LOST, "the server hung up")


async def _check(response: httpx.Response) -> None:
    status = response.status_code
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if status != 200 or media_type != "text/event-stream":
        body = await _refusal(response) if media_type == "application/json" else b""
        raise NoStreamError(status, safe_line(media_type[:60]), response.headers.get("Retry-After"), body)


async def _refusal(response: httpx.Response) -> bytes:
    body = b""
    with suppress(httpx.HTTPError, TimeoutError):
        async with asyncio.timeout(_REFUSAL), aclosing(response.aiter_bytes()) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                body += chunk
                if len(body) >= endings.LARGEST_REFUSAL:
                    break
    return body[: endings.LARGEST_REFUSAL]


async def _stay(response: httpx.Response) -> None:
    """Raise `_RedirectedError` for a redirect to another origin: the library would go there without the token."""
    if not response.has_redirect_location:
        return
    here = response.request.url
    try:
        there = here.join(response.headers["Location"])
    except httpx.InvalidURL:
        return  # which it finds itself
    if _origin(there) != _origin(here):
        raise _RedirectedError("{}://{}:{}".format(*_origin(there)))


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)
