"""Why a WebSocket did not open: what the library raises, as an ending."""

from websockets.exceptions import InvalidMessage, InvalidProxy, InvalidStatus, NegotiationError, WebSocketException

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
