"""How a session ended or why there was none: one sentence, and whether it is worth coming back."""

import socket
import ssl
from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct

from pushtui.client import decoding
from pushtui.client.happenings import LinkState
from pushtui.protocol.close import CloseCode, is_final
from pushtui.protocol.text import safe_line
from pushtui.protocol.token import masked

#: HTTP statuses below 500 that are about this moment, not about the request: RFC 9110 and RFC 6585.
_PASSING = {408, 425, 429}

#: No token, or none that is good: RFC 9110, section 15.5.2.
UNAUTHORIZED = 401
_SHOWN = 100
#: How much of its reason; more would push everything else off a small screen.
_LONGEST_REASON = 200
#: How much of a refusal's body is read.
LARGEST_REFUSAL = 4096

_REFUSALS = {
    UNAUTHORIZED: "the server wants a valid token (HTTP 401)",
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


class _Refusal(Struct):
    """The body of an error, as the contract has it."""

    code: str
    message: str


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
    sentence = _reason(reason) or known or f"the server closed the connection with code {code}"
    state = LinkState.REFUSED if is_final(code) else LinkState.LOST
    return Ending(state, sentence, code, told=max(0, retry_ms or 0) / 1000)


def wants_token(code: int | None) -> bool:
    """Whether a close code or an HTTP status says that there was no token, or that it does not hold."""
    return code in (UNAUTHORIZED, CloseCode.BAD_TOKEN)


def redirected(origin: str) -> Ending:
    """The server sends one to another origin, and a token is only for the one it was given for.

    Args:
        origin: the other one: scheme, host and port.
    """
    there = masked(safe_line(origin[:_SHOWN]))
    return Ending(LinkState.REFUSED, f"the server redirects to {there}, and your token is not for there")


def answered(status: int, retry_after: str | None = None, body: bytes | None = None) -> Ending:
    """The server answered with an HTTP status that begins no session.

    Args:
        status: the HTTP status.
        retry_after: the header of this name; RFC 9110 section 10.2.3, in its form of seconds.
        body: what came with it; pushtui's own refusals say why.
    """
    told = float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else 0.0
    if status >= 500 or status in _PASSING:
        return Ending(LinkState.LOST, _said(body) or f"HTTP {status}", status, told)
    if status == 204:
        return Ending(LinkState.CLOSED, "the server has nothing more to say (HTTP 204)", status)
    known = _REFUSALS.get(status, f"there is no pushtui here (HTTP {status})")
    return Ending(LinkState.REFUSED, _said(body) or known, status)


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


def _said(body: bytes | None) -> str:
    try:
        said = decoding.json((body or b"").decode(errors="replace"), _Refusal).message
    except decoding.UnreadableError:
        return ""
    return _reason(said)


def _reason(said: str) -> str:
    said = masked(safe_line(said).strip())
    return said if len(said) <= _LONGEST_REASON else f"{said[:_LONGEST_REASON]}…"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                yield from _causes(inner)
        error = error.__cause__ or error.__context__
