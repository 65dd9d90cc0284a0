"""Leaves secrets out of what is recorded: nobody who looks over a shoulder, or gets a recording, can use one.

In payloads only tokens of pushtui are known by their look; whatever else an endpoint takes for a secret stays.
"""

import re

from pushtui.protocol.token import masked
from pushtui.wire.records import Headers

_SECRET_HEADERS = frozenset(
    ("authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token")
)
_URL_HEADERS = frozenset(("location", "referer"))
_MARK = "…"
#: RFC 6750, section 2.3, and the names that others use.
_PARAMETER = re.compile(r"(?i)([?&#](?:access_token|auth_token|token|api_?key|secret|password)=)[^&#\s]+")
_USER = re.compile(r"(?<=://)[^/?#@\s]*@")
_TOKEN = re.compile(rb"(ptk_[0-9A-Za-z]{1,32}_)([0-9A-Za-z]+)")
_TOKEN_BEGINS = b"ptk_"


def headers(passed: Headers) -> Headers:
    """The same headers; of an ``Authorization`` the scheme is left, of a cookie its name."""
    return [(name, _header(name.lower(), value)) for name, value in passed]


def url(text: str) -> str:
    """A URL or the target of a request without tokens, passwords and keys."""
    return _USER.sub(f"{_MARK}@", _PARAMETER.sub(rf"\1{_MARK}", masked(text)))


def text(said: str) -> str:
    """Anything else that a peer said, without tokens."""
    return masked(said)


def payload(data: bytes) -> bytes:
    """The same number of bytes, with the secret of every token as asterisks."""
    if _TOKEN_BEGINS not in data:
        return data
    return _TOKEN.sub(lambda found: found[1] + b"*" * len(found[2]), data)


def _header(name: str, value: str) -> str:
    if name in _URL_HEADERS:
        return url(value)
    shown = masked(value)
    if name not in _SECRET_HEADERS or shown != value:
        return shown
    if name.endswith("cookie"):
        # Both take name=value first; what follows of Set-Cookie are attributes.
        known, separator, _ = value.partition("=")
        return f"{known}={_MARK}" if separator else _MARK
    scheme, separator, _ = value.strip().partition(" ")
    return f"{scheme} {_MARK}" if separator else _MARK
