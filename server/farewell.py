"""How a conversation ends that cannot go on."""

from pushtui.protocol.close import CloseCode
from server.log.store import StoreBusyError
from server.refusal import RefusedError, sentence


class FarewellError(Exception):
    """This conversation is over; the client is told why."""

    def __init__(self, code: CloseCode, reason: str, retry_ms: int | None = None) -> None:
        self.reason = sentence(reason)
        super().__init__(self.reason)
        self.code = code
        self.retry_ms = retry_ms


def busy(error: StoreBusyError) -> FarewellError:
    """The log cannot be read or written now; the client comes back later."""
    return FarewellError(CloseCode.LAGGING, str(error))


def refused(refusal: RefusedError) -> FarewellError:
    """A client that asked for too much at its hello comes back later, or not at all."""
    code = CloseCode.PROTOCOL_ERROR if refusal.retry_after_ms is None else CloseCode.LAGGING
    return FarewellError(code, refusal.message)
