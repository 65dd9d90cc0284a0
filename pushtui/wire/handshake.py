"""What joins the two halves of a WebSocket's opening handshake: RFC 6455, section 4."""

import base64
import hashlib
from typing import NamedTuple

from pushtui.wire.records import Headers, Request, Response

#: RFC 6455, section 1.3: no server that does not know WebSockets adds this to a key.
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Accept(NamedTuple):
    """How ``Sec-WebSocket-Accept`` comes from ``Sec-WebSocket-Key``: RFC 6455, section 4.2.2.

    Attributes:
        joined: the key and the `GUID`, one behind the other.
        sha1: the SHA-1 hash of that, in hexadecimal.
        value: the same hash in base64, which is the header's value.
    """

    joined: str
    sha1: str
    value: str

    @classmethod
    def of(cls, key: str) -> "Accept":
        """Compute it."""
        joined = key.strip() + GUID
        digest = hashlib.sha1(joined.encode(errors="replace"), usedforsecurity=False)
        return cls(joined, digest.hexdigest(), base64.b64encode(digest.digest()).decode())


class Handshake(NamedTuple):
    """What was asked for, and what was answered.

    Attributes:
        accept: what the answer has to be, None if the request is for no WebSocket.
        accepted: the ``Sec-WebSocket-Accept`` that came, None for none.
        offered: the subprotocols, by the client's preference.
        chosen: the one that the server took, None for none.
    """

    accept: Accept | None
    accepted: str | None
    offered: tuple[str, ...]
    chosen: str | None

    @classmethod
    def of(cls, request: Request | None, response: Response) -> "Handshake":
        """Read both; without the request nothing is known of what was asked for."""
        asked = [] if request is None else request.headers
        key = header(asked, "Sec-WebSocket-Key")
        return cls(
            None if key is None else Accept.of(key),
            header(response.headers, "Sec-WebSocket-Accept"),
            tuple(filter(None, map(str.strip, (header(asked, "Sec-WebSocket-Protocol") or "").split(",")))),
            header(response.headers, "Sec-WebSocket-Protocol"),
        )


def header(headers: Headers, name: str) -> str | None:
    """The value of a header, those of several joined by commas (RFC 9110, section 5.3); None if there is none."""
    values = [value for one, value in headers if one.lower() == name.lower()]
    return ", ".join(values) if values else None
