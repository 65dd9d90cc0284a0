"""Opens a WebSocket; and if it does not open, why: what the library raises, as an ending."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import urljoin, urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import (
    InvalidHeader,
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    NegotiationError,
    WebSocketException,
)

from pushtui import __version__
from pushtui.client import endings
from pushtui.client.endings import Ending
from pushtui.client.happenings import LinkState
from pushtui.client.watched_connection import WatchedConnection
from pushtui.protocol.text import safe_line
from pushtui.protocol.token import Token
from pushtui.wire.watch import Watch


class RedirectedError(WebSocketException):
    """The server sends one elsewhere, where the token is not for; the text is that origin."""


class Opening(connect):
    """One try to open a WebSocket. Redirects are followed, but with a token only within the origin it is for.

    Args:
        uri: the address.
        token: what lets one in there.
        watch: is told what passes.
        headers: further ones, which are for that origin only, as a token is.
        options: as for `websockets.asyncio.client.connect`.
    """

    def __init__(
        self,
        uri: str,
        *,
        token: Token | None,
        watch: Watch,
        headers: Sequence[tuple[str, str]] = (),
        **options: Any,
    ) -> None:
        own = [] if token is None else [("Authorization", token.header)]
        super().__init__(
            uri,
            additional_headers=[*own, *headers],
            user_agent_header=f"pushtui/{__version__}",
            create_connection=partial(WatchedConnection, watch),  # type: ignore[arg-type]
            **options,
        )
        self._bound = bool(own or headers)

    def process_redirect(self, exc: Exception) -> Exception | str:
        """See `connect.process_redirect`."""
        if self._bound and isinstance(exc, InvalidStatus) and "Location" in exc.response.headers:
            there = urljoin(self.uri, exc.response.headers["Location"])
            if _origin(there) != _origin(self.uri):
                return RedirectedError(_origin(there))
        return super().process_redirect(exc)


def _origin(uri: str) -> str:
    try:
        parts = urlsplit(uri)
        port = parts.port or {"ws": 80, "wss": 443}.get(parts.scheme)
    except ValueError:
        return "nowhere"
    return f"{parts.scheme}://{parts.hostname}:{port}"


#: All that opening one can raise; ImportError is about proxies.
ERRORS = (WebSocketException, TimeoutError, OSError, ImportError)


def ending(error: BaseException, authority: str) -> Ending:
    """How a try ended that came to no connection.

    Args:
        error: one of `ERRORS`.
        authority: the server's host and port.
    """
    match error:
        case InvalidStatus():
            response = error.response
            return endings.answered(
                response.status_code,
                response.headers.get("Retry-After"),
                bytes(response.body[: endings.LARGEST_REFUSAL]),
            )
        case RedirectedError():
            return endings.redirected(str(error))
        case NegotiationError():
            return Ending(LinkState.REFUSED, "the server does not speak this protocol")
        case InvalidMessage() if isinstance(error.__cause__, EOFError):
            return Ending(LinkState.LOST, "the server hung up")
        case InvalidMessage() if (status := _old_http_status(error)) is not None:
            answered = endings.answered(status)
            if answered.state is LinkState.LOST or status in (401, 403):
                return answered
            return Ending(LinkState.REFUSED, f"there is no WebSocket at {authority}")
        case InvalidHeader():
            return Ending(LinkState.REFUSED, f"there is no WebSocket at {authority}")
        case InvalidMessage():
            return Ending(LinkState.LOST, f"what answers at {authority} is no web server")
        case InvalidProxy() | ImportError():
            return endings.no_proxy(error)
        case TimeoutError():
            return Ending(LinkState.LOST, f"no answer from {authority}", answered=False)
        case OSError():
            return endings.unreachable(error, authority)
        case _:
            return Ending(LinkState.LOST, safe_line(f"the handshake failed: {error}"))


def _old_http_status(error: InvalidMessage) -> int | None:
    """The status of an HTTP/1.0 answer, which the library refuses to read: RFC 6455 section 4.1 wants 1.1."""
    found = re.search(r": HTTP/1\.0 ([1-5][0-9]{2}) ", str(error.__cause__))
    return None if found is None else int(found[1])
