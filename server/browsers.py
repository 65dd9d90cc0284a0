"""What browsers are used for against a server they can reach: DNS rebinding, and pages of other sites.

A browser sends to this server whatever a page asks it to, from inside the user's network. Two headers that no page
can forge tell on it: ``Host`` is the name that the browser looked up, ``Origin`` is where the page comes from.
"""

import ipaddress
import re
import socket
from collections.abc import Collection
from typing import NamedTuple, Self

from aiohttp import web
from aiohttp.typedefs import Handler

from server.refusal import RefusedError

#: Header fields that a page of another origin may send, and methods: what this server understands.
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID",
    "Access-Control-Max-Age": "600",
}
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
_PORT = re.compile(r":[0-9]*\Z")
_PORTS = {"http": 80, "https": 443}


class Authority(NamedTuple):
    """A host and a port as they stand in an address (RFC 3986, section 3.2), without user names.

    Attributes:
        host: a name in small letters without a dot at its end, or an address in its shortest form.
        port: None when there is none.
    """

    host: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``name``, ``name:port``, ``192.0.2.7:port`` or ``[2001:db8::7]:port``.

        Raises:
            ValueError: it is nothing like that.
        """
        host, _, port = text.rpartition(":") if _PORT.search(text) else (text, "", "")
        if len(port) > 5 or (port and not 0 < int(port) < 65536):
            raise ValueError("that is no port")
        number = int(port) if port else None
        if host.startswith("[") and host.endswith("]"):
            return cls(str(ipaddress.IPv6Address(host[1:-1])), number)
        host = host.lower()
        if len(host) > 254 or not _NAME.fullmatch(host):
            raise ValueError("that is no host")
        return cls(host.removesuffix("."), number)

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address: then no name was looked up, and nobody can have bent it."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True


class Origin(NamedTuple):
    """Where a page comes from: RFC 6454."""

    scheme: str
    authority: Authority

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``https://name:port``.

        Raises:
            ValueError: it is nothing like that.
        """
        scheme, separator, rest = text.partition("://")
        if not separator or scheme.lower() not in _PORTS:
            raise ValueError("that is no origin of a web page")
        scheme = scheme.lower()
        authority = Authority.parse(rest)
        if authority.port is None:
            authority = authority._replace(port=_PORTS[scheme])
        return cls(scheme, authority)


def parse_hosts(text: str) -> frozenset[str]:
    """Names with commas between.

    Raises:
        ValueError: one of them is none, in one sentence.
    """
    found = set()
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            authority = Authority.parse(part)
        except ValueError:
            authority = None
        if authority is None or authority.port is not None:
            raise ValueError(f"{part!r} is no host name; write chat.example, and xn-- names for other alphabets")
        found.add(authority.host)
    return frozenset(found)


def parse_origins(text: str) -> frozenset[Origin]:
    """Origins with commas between.

    Raises:
        ValueError: one of them is none, in one sentence.
    """
    found = set()
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            found.add(Origin.parse(part))
        except ValueError:
            raise ValueError(f"{part!r} is no origin; write https://chat.example, without a path") from None
    return frozenset(found)


def own_names() -> frozenset[str]:
    """What this machine is called."""
    name = socket.gethostname().lower().removesuffix(".")
    return frozenset({name, name.partition(".")[0]}) - {""}


class Browsers:
    """Decides whose pages may speak to this server, and under which names it may be spoken to.

    Args:
        hosts: names of this server, besides ``localhost`` and IP addresses.
        origins: pages of other sites that may use it.
        encrypted: the server speaks TLS itself, so its own pages come by https.
    """

    def __init__(
        self, *, hosts: Collection[str] = (), origins: Collection[Origin] = (), encrypted: bool = False
    ) -> None:
        self._hosts = frozenset(hosts)
        self._origins = frozenset(origins)
        self._encrypted = encrypted

    def attach(self, app: web.Application) -> None:
        """Let an application's answers tell browsers what they may do with them."""
        if self._origins:
            app.on_response_prepare.append(self._tell)

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """A middleware that refuses every request with a wrong ``Host`` or ``Origin``."""
        host = self._host(request)
        origin = self._origin(request, host)
        if origin in self._origins and request.method == "OPTIONS":
            return web.Response(status=204, headers=_PREFLIGHT)
        return await handler(request)

    def _host(self, request: web.BaseRequest) -> Authority | None:
        given = request.headers.getall("Host", [])
        if len(given) != 1:
            if not given and request.version < (1, 1):
                return None
            raise RefusedError("malformed", "a request has exactly one Host: RFC 9112, section 3.2")
        try:
            host = Authority.parse(given[0])
        except ValueError:
            raise RefusedError("malformed", "the Host of this request is none") from None
        name = host.host
        if host.is_address or name == "localhost" or name.endswith(".localhost") or name in self._hosts:
            return host
        raise RefusedError(
            "not_allowed",
            f"this server is not known as {name}; if it should be, start it with --allow-host {name}",
        )

    def _origin(self, request: web.BaseRequest, host: Authority | None) -> Origin | None:
        given = request.headers.getall("Origin", [])
        if not given:
            return None
        text = given[0]
        try:
            if len(given) != 1:
                raise ValueError("two origins")
            origin = Origin.parse(text)
        except ValueError:
            raise RefusedError("not_allowed", "pages without one clear origin may not use this server") from None
        if origin in self._origins or self._is_own(origin, host):
            return origin
        site = text.lower()
        raise RefusedError(
            "not_allowed", f"pages of {site} may not use this server; --allow-origin {site} would let them"
        )

    def _is_own(self, origin: Origin, host: Authority | None) -> bool:
        if host is None or (self._encrypted and origin.scheme != "https"):
            return False
        # Behind a proxy that speaks TLS the scheme of the page says which port the browser left out.
        return origin.authority == (host.host, host.port or _PORTS[origin.scheme])

    async def _tell(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        response.headers.add("Vary", "Origin")
        given = request.headers.getall("Origin", [])
        try:
            allowed = len(given) == 1 and Origin.parse(given[0]) in self._origins
        except ValueError:
            allowed = False
        if allowed:
            response.headers["Access-Control-Allow-Origin"] = given[0]
            response.headers["Access-Control-Expose-Headers"] = "Retry-After"
