"""Why a WebSocket did not open: what the library raises, as an ending."""

import re

from websockets.exceptions import (
    InvalidHeader,
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    NegotiationError,
    WebSocketException,
)

from pushtui.client import endings
from pushtui.client.endings import Ending
from pushtui.client.happenings import LinkState
from pushtui.protocol.text import safe_line

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
            return endings.answered(response.status_code, response.headers.get("Retry-After"))
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
