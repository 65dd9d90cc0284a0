"""What is examined: a URL, how one introduces oneself there, and how long one waits."""

import ssl
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote, urlsplit

from pushtui.client.address import Address, AddressRefusedError
from pushtui.protocol.text import safe_line
from pushtui.protocol.token import Token

_PATH_SAFE = "/%:@!$&'()*+,;=~-._"
_QUERY_SAFE = _PATH_SAFE + "?"
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_MIB = 1 << 20


@dataclass(frozen=True)
class Bounds:
    """How long is waited, and how much is sent.

    Attributes:
        patience: seconds for what comes by itself: heartbeats, pings, the end of an idle connection.
        answer: seconds for an answer.
        late: seconds after which an answer or an event is late.
        pause: seconds of silence after which nothing more belongs to what came before.
        oversize: bytes of the message that no endpoint should take.
    """

    patience: float = 20
    answer: float = 5
    late: float = 2
    pause: float = 1
    oversize: int = 17 * _MIB

    @property
    def check(self) -> float:
        """Seconds for one check."""
        return self.patience + 6 * self.answer

    @property
    def whole(self) -> float:
        """Seconds for all checks together."""
        return 3 * self.patience + 24 * self.answer


@dataclass(frozen=True)
class Endpoint:
    """Where to, and as whom.

    Attributes:
        url: the address, to be shown.
        host: the name or IP address to connect to.
        port: likewise.
        authority: the value of ``Host``.
        target: path and query.
        websocket: a WebSocket, by its scheme; else an event stream.
        loopback: it is on this machine.
        tls: how to encrypt; None for no encryption.
        verified: the certificate is looked at.
        fields: header fields that are sent along with every request.
        origin: the page that one claims to be, None for none.
        token: what lets one in.
    """

    url: str
    host: str
    port: int
    authority: str
    target: str
    websocket: bool
    loopback: bool
    tls: ssl.SSLContext | None = None
    verified: bool = True
    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    origin: str | None = None
    token: Token | None = None

    @classmethod
    def parse(
        cls,
        text: str,
        *,
        insecure: bool = False,
        fields: tuple[tuple[str, str], ...] = (),
        origin: str | None = None,
        token: Token | None = None,
    ) -> Self:
        """Read a URL: ``http`` and ``https`` are event streams, ``ws`` and ``wss`` are WebSockets.

        Args:
            text: the URL.
            insecure: do not look at certificates.
            fields: see the class.
            origin: likewise.
            token: likewise.

        Raises:
            AddressRefusedError: it is none.
        """
        typed = text.strip()
        scheme, separator, rest = typed.partition("://")
        if not separator:
            raise AddressRefusedError(
                f"{safe_line(typed[:60])!r} is no URL: it begins with http:// or https:// (events), ws:// or wss://"
            )
        server = Address.parse(f"{scheme}://{rest.partition('#')[0].partition('?')[0].partition('/')[0]}")
        parts = urlsplit(typed)
        base = server.ws if parts.scheme in ("ws", "wss") else server.http
        query = f"?{quote(parts.query, safe=_QUERY_SAFE)}" if parts.query else ""
        target = f"{quote(parts.path, safe=_PATH_SAFE) or '/'}{query}"
        where = urlsplit(base)
        return cls(
            url=base + target,
            host=str(where.hostname),
            port=where.port or _PORTS[where.scheme],
            authority=server.authority,
            target=target,
            websocket=where.scheme in ("ws", "wss"),
            loopback=server.loopback,
            tls=_context(insecure) if where.scheme in ("https", "wss") else None,
            verified=not insecure,
            fields=fields,
            origin=origin,
            token=token,
        )


def _context(insecure: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
