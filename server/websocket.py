"""The server's end of a WebSocket: RFC 6455 as aiohttp does it, and where it does not, as it says."""

import base64
import binascii
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from aiohttp import web

from pushtui.protocol.close import CloseCode
from server.framing import StrictReader

CLOSE_HANDSHAKE_SECONDS = 1.0
_VERSION = "13"
_VIOLATIONS: dict[int, str] = {
    CloseCode.VIOLATION: "that is no frame of RFC 6455",
    CloseCode.NOT_UTF8: "the text of a frame is not UTF-8",
    CloseCode.TOO_BIG: "a frame is longer than the limit that welcome tells",
}
#: Codes that no close frame carries, beside those that the library refuses: RFC 6455 section 7.4.
_NEVER_SENT = 1006
_LAST_CODE = 4999


async def upgrade(request: web.Request, *, message_bytes: int, subprotocols: Sequence[str] = ()) -> "WebSocket":
    """Become a WebSocket, without compression.

    Pings are the caller's to answer: what it writes itself must not be overtaken.

    Args:
        request: the client's.
        message_bytes: the most that one message may have, fragments together; more ends in 1009.
        subprotocols: those that can be spoken, whichever of them the client prefers.

    Raises:
        web.HTTPException: this is no upgrade, or the client speaks only other subprotocols.
    """
    offered = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    if offered != [""] and not set(offered) & set(subprotocols):
        raise web.HTTPBadRequest(text=f"the subprotocols here are {' and '.join(subprotocols) or 'none'}")
    _check(request)
    ws = WebSocket(message_bytes, subprotocols)
    await ws.prepare(request)
    return ws


class WebSocket(web.WebSocketResponse):
    """One that looks at what the library lets pass, answers a close with its code, and has a word with violators.

    Attributes:
        violated: called with the close code and a sentence before the library closes: it says nothing by itself.
    """

    violated: Callable[[CloseCode, str], None] | None = None

    def __init__(self, message_bytes: int, subprotocols: Sequence[str]) -> None:
        super().__init__(
            protocols=subprotocols,
            compress=False,
            autoping=False,
            max_msg_size=message_bytes + 1,  # the library refuses what reaches it
            timeout=CLOSE_HANDSHAKE_SECONDS,
        )
        self._message_bytes = message_bytes

    async def close(self, *, code: int = CloseCode.NORMAL, message: bytes = b"", drain: bool = True) -> bool:
        """See `aiohttp.web.WebSocketResponse.close`."""
        if code == CloseCode.NORMAL and self.close_code:
            code = _answer_to(self.close_code)
        sentence = _VIOLATIONS.get(code)
        if sentence is not None and self.violated is not None and not self.closed:
            self.violated(CloseCode(code), sentence)
            message = sentence.encode()
        return await super().close(code=code, message=message, drain=drain)

    def _post_start(self, request: web.BaseRequest, protocol: str | None, writer: Any) -> None:
        # The library has no way to be given another reader, and what came right after the handshake is read
        # in here: so it gets a protocol that puts ours in front of its own.
        seam = _Seam(request.protocol, self._strict)
        super()._post_start(SimpleNamespace(_protocol=request.protocol, protocol=seam), protocol, writer)  # type: ignore[arg-type]

    def _strict(self, reader: Any) -> StrictReader:
        queue: Any = self._reader
        return StrictReader(reader, queue, self._message_bytes)


class _Seam:
    """A protocol as far as a WebSocket needs it to begin."""

    def __init__(self, protocol: Any, strict: Callable[[Any], StrictReader]) -> None:
        self.keep_alive = protocol.keep_alive
        self._protocol = protocol
        self._strict = strict

    def set_parser(self, reader: Any, **options: Any) -> None:
        self._protocol.set_parser(self._strict(reader), **options)


def _check(request: web.Request) -> None:
    """The handshake, as far as the library lets pass what may not be or has no word for it: section 4.2.1."""
    headers = request.headers
    connection = {token.strip().lower() for token in headers.get("Connection", "").split(",")}
    if headers.get("Upgrade", "").strip().lower() != "websocket" or "upgrade" not in connection:
        raise web.HTTPBadRequest(text=f"this address speaks WebSocket (RFC 6455, version {_VERSION}) only")
    if headers.get("Sec-WebSocket-Version") != _VERSION:
        raise web.HTTPUpgradeRequired(
            text=f"this address speaks version {_VERSION} of WebSocket only",
            headers={"Sec-WebSocket-Version": _VERSION, "Upgrade": "websocket"},
        )
    try:
        key = base64.b64decode(headers.get("Sec-WebSocket-Key", "").strip(), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != 16:
        raise web.HTTPBadRequest(text="Sec-WebSocket-Key has to be 16 bytes in base64")


def _answer_to(code: int) -> int:
    """The code that answers a client's: its own, unless no client may send it."""
    return CloseCode.VIOLATION if code == _NEVER_SENT or code > _LAST_CODE else code
