"""Where a server is: one address that people type, and the URLs below it."""

import ipaddress
import re
from typing import NamedTuple, Self
from urllib.parse import SplitResult, quote, urlsplit

from pushtui.protocol.text import safe_line

DEFAULT_PORT = 8765
DEFAULT_ADDRESS = f"http://127.0.0.1:{DEFAULT_PORT}"

# What a host in a URL may be made of, once brackets are gone: letters and digits of any script, dot and hyphen;
# underscores occur in the names of containers.
_HOST = re.compile(r"[\w.-]+")
_WEBSOCKET_SCHEME = {"http": "ws", "https": "wss"}
_HTTP_SCHEME = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_PATH_SAFE = "/%:@!$&'()*+,;=~-._"
_FLOW_AT_END = re.compile(r"(?:/(?:chat|status))+\Z")
_SHOWN = 60


class AddressRefusedError(ValueError):
    """What was typed is not the address of a server; the message says why, in one sentence."""


class Address(NamedTuple):
    """One server, whichever way one talks to it.

    Attributes:
        http: the base URL for HTTP and server-sent events, without a slash at its end.
        ws: the same for the WebSocket.
        authority: ``host`` or ``host:port``, to name the server in a sentence.
        loopback: the server is on this machine, so no proxy is in between.
    """

    http: str
    ws: str
    authority: str
    loopback: bool

    @property
    def chat(self) -> str:
        """The URL of the chat."""
        return f"{self.ws}/chat"

    @property
    def status(self) -> str:
        """The URL of the status stream."""
        return f"{self.http}/status"

    @property
    def private(self) -> bool:
        """Whether nobody on the way can read along: it is encrypted, or does not leave this machine."""
        return self.loopback or self.http.startswith("https:")

    def room(self, name: str) -> str:
        """The URL of one room."""
        return f"{self.http}/rooms/{quote(name, safe='')}"

    def __str__(self) -> str:
        return self.http

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``http://``, ``https://``, ``ws://`` or ``wss://`` and a host, or just ``host`` or ``host:port``.

        Without a scheme it is HTTP, and without a port then pushtui's own. A path is kept: pushtui may be below
        one, behind a reverse proxy. A ``/chat`` or ``/status`` at its end is left out: people
        paste the URL of a flow as well. So pushtui cannot be below a path of these names.

        Raises:
            AddressRefusedError: it is no such thing.
        """
        typed = text.strip()
        shown = safe_line(typed[:_SHOWN] + ("…" if len(typed) > _SHOWN else ""))
        if not typed:
            raise AddressRefusedError("an address cannot be empty; one looks like http://127.0.0.1:8765")
        if any(character.isspace() or not character.isprintable() for character in typed):
            raise AddressRefusedError(f"{shown!r} is not an address: it has spaces or invisible characters")
        bare = "://" not in typed
        try:
            parts = urlsplit(f"http://{typed}" if bare else typed)
            port = parts.port
        except ValueError:
            raise AddressRefusedError(
                f"{shown!r} is not an address such as http://127.0.0.1:8765: its port is 1 to 65535"
                if _only_port_is_wrong(typed, bare)
                else f"{shown!r} is not an address such as http://127.0.0.1:8765"
            ) from None
        scheme = _HTTP_SCHEME.get(parts.scheme)
        if scheme is None:
            raise AddressRefusedError(f"{shown!r} is not an address: it begins with http, https, ws or wss")
        if "@" in parts.netloc:
            raise AddressRefusedError(
                "an address has no name or password before an '@': both would be seen by others"
            )
        if parts.query or parts.fragment:
            raise AddressRefusedError(f"{shown!r} is not an address: it ends before '?' and '#'")
        host = _host(parts, shown)
        if port == 0 or parts.netloc.endswith(":"):
            raise AddressRefusedError(f"{shown!r} is not an address: its port is 1 to 65535")
        if port is None and bare:
            port = DEFAULT_PORT
        authority = f"[{host}]" if ":" in host else host
        if port is not None:
            authority = f"{authority}:{port}"
        path = _FLOW_AT_END.sub("", parts.path.rstrip("/"))
        base = authority + quote(path, safe=_PATH_SAFE).rstrip("/")
        return cls(
            http=f"{scheme}://{base}",
            ws=f"{_WEBSOCKET_SCHEME[scheme]}://{base}",
            authority=authority,
            loopback=_is_loopback(host),
        )


def _only_port_is_wrong(typed: str, bare: bool) -> bool:
    try:
        return bool(urlsplit(f"http://{typed}" if bare else typed).hostname)
    except ValueError:
        return False


def _host(parts: SplitResult, shown: str) -> str:
    host = parts.hostname
    if not host:
        raise AddressRefusedError(f"{shown!r} is not an address: it names no host")
    if parts.netloc.startswith("["):
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError:
            raise AddressRefusedError(f"{shown!r} is not an address: in brackets stands an IPv6 address") from None
    if not _HOST.fullmatch(host) or not _is_encodable(host):
        raise AddressRefusedError(f"{shown!r} is not an address: {safe_line(host[:_SHOWN])!r} is not a host name")
    return host


def _is_encodable(host: str) -> bool:
    try:
        # Empty and overlong labels are found here too.
        return len(host.encode("idna")) <= 253
    except UnicodeError:
        return False


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    # Connecting to "any address" reaches this machine.
    return address.is_loopback or address.is_unspecified
