"""How a session ended or why there was none: one sentence, and whether it is worth coming back."""

import socket
import ssl
from collections.abc import Iterator
from typing import NamedTuple

from pushtui.client.happenings import LinkState
from pushtui.protocol.close import CloseCode, is_final
from pushtui.protocol.text import safe_line

#: HTTP statuses below 500 that are about this moment, not about the request: RFC 9110 and RFC 6585.
_PASSING = {408, 425, 429}

_REFUSALS = {
    401: "the server wants a valid token (HTTP 401)",
    403: "the server does not let you in (HTTP 403)",
}

_CLOSINGS = {
    CloseCode.NORMAL: "the server closed the connection",
    CloseCode.GOING_AWAY: "the server goes away",
    CloseCode.TOO_BIG: "a frame was too big for the server",
    CloseCode.RESTART: "the server restarts",
    CloseCode.NO_HELLO: "the server heard no hello in time",
    CloseCode.LAGGING: "this link could not keep up",
    CloseCode.NO_PONG: "the server had no answer to its pings",
    CloseCode.BAD_TOKEN: "the server wants a valid token",
    CloseCode.PROTOCOL_ERROR: "the server did not understand this client",
    CloseCode.NICK_TAKEN: "the nick is taken",
    CloseCode.REMOVED: "you were removed",
    CloseCode.REPLACED: "another connection of this session took over",
}


class Ending(NamedTuple):
    """How a session ended.

    Attributes:
        state: ``lost`` to come back after a while, ``connecting`` to come back at once, else not.
        reason: one clean sentence.
        code: the WebSocket close code or HTTP status behind it.
        told: the least wait in seconds that the server asked for.
        answered: there was a server at all.
    """

    state: LinkState
    reason: str
    code: int | None = None
    told: float = 0.0
    answered: bool = True


def closed(code: int, reason: str, retry_ms: int | None = None) -> Ending:
    """The server said goodbye: close codes of RFC 6455 section 7.4 and the contract's own.

    Args:
        code: the close code.
        reason: the server's words, may be empty.
        retry_ms: the least wait it asked for.
    """
    known = next((sentence for closing, sentence in _CLOSINGS.items() if closing == code), None)
    sentence = safe_line(reason).strip() or known or f"the server closed the connection with code {code}"
    state = LinkState.REFUSED if is_final(code) else LinkState.LOST
    return Ending(state, sentence, code, told=max(0, retry_ms or 0) / 1000)


def answered(status: int, retry_after: str | None = None) -> Ending:
    """The server answered with an HTTP status that begins no session.

    Args:
        status: the HTTP status.
        retry_after: the header of this name; RFC 9110 section 10.2.3, in its form of seconds.
    """
    told = float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else 0.0
    if status >= 500 or status in _PASSING:
        return Ending(LinkState.LOST, f"HTTP {status}", status, told)
    if status == 204:
        return Ending(LinkState.CLOSED, "the server has nothing more to say (HTTP 204)", status)
    return Ending(LinkState.REFUSED, _REFUSALS.get(status, f"there is no pushtui here (HTTP {status})"), status)


def unreachable(error: BaseException, authority: str) -> Ending:
    """No connection came about.

    Args:
        error: what the connecting raised; what is behind it is looked at too.
        authority: the server's host and port.
    """
    for cause in _causes(error):
        match cause:
            case ConnectionResetError() | BrokenPipeError():
                return Ending(LinkState.LOST, "the server hung up")
            case socket.gaierror():
                reason = f"no host of this name: {authority}"
            case ssl.SSLCertVerificationError():
                reason = f"the certificate of {authority} is not trusted: {cause.verify_message}"
            case ssl.SSLError():
                reason = f"no TLS at {authority}"
            case OSError(errno=int(), strerror=str(problem)) if not isinstance(cause, ConnectionRefusedError):
                reason = f"no way to {authority}: {problem}"
            case _:
                continue
        return Ending(LinkState.LOST, safe_line(reason), answered=False)
    return Ending(LinkState.LOST, f"no server at {authority}", answered=False)


def no_proxy(error: Exception) -> Ending:
    """The environment names a proxy that cannot be used.

    Args:
        error: what the library raised about it.
    """
    return Ending(LinkState.LOST, safe_line(f"the environment's proxy cannot be used: {error}"), answered=False)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                yield from _causes(inner)
        error = error.__cause__ or error.__context__
