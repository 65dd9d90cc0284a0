"""Makes records of what begins a connection: measured as it passed, masked, and in text that can be written down.

What is given holds bytes that are no ASCII, or no UTF-8, as Python's ``surrogateescape`` has them.
"""

from pushtui.wire import masking
from pushtui.wire.records import Headers, Request, Response

_VERSION = "HTTP/1.1"
_ESCAPED = "surrogateescape"


def request(at: float, method: str, target: str, headers: Headers, *, version: str = _VERSION) -> Request:
    """What was asked; headers as they were sent."""
    length = _length(f"{method} {target} {version}", headers)
    return Request(at, method, masking.url(_text(target)), version, _headers(headers), length)


def response(at: float, status: int, reason: str, headers: Headers, *, version: str = _VERSION) -> Response:
    """What was answered; headers as they came."""
    length = _length(f"{version} {status} {reason}", headers)
    return Response(at, version, status, masking.text(_text(reason)), _headers(headers), length)


def _length(first: str, headers: Headers) -> int:
    """With one space behind each colon, as everyone writes it; parsers do not tell."""
    lines = (first, *(f"{name}: {value}" for name, value in headers), "")
    return sum(len(line.encode(errors=_ESCAPED)) + len("\r\n") for line in lines)


def _headers(headers: Headers) -> Headers:
    return masking.headers([(_text(name), _text(value)) for name, value in headers])


def _text(escaped: str) -> str:
    return escaped.encode(errors=_ESCAPED).decode(errors="backslashreplace")
