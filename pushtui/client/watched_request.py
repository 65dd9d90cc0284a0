"""Requests over HTTP as they are sent, and the heads of the answers as they come."""

from typing import Any

from pushtui.wire import heads
from pushtui.wire.records import Headers
from pushtui.wire.watch import Watch


class WatchedRequest:
    """What httpx calls with each step of a request, redirects included: its extension ``trace``.

    Args:
        watch: is told both heads, as the handshake of the link.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    async def __call__(self, step: str, details: dict[str, Any]) -> None:
        """One more step."""
        if step == "http11.send_request_headers.started":
            request = details["request"]
            self._watch.handshake(
                heads.request(
                    self._watch.now(),
                    request.method.decode(),
                    request.url.target.decode(errors="replace"),
                    _decoded(request.headers),
                )
            )
        elif step == "http11.receive_response_headers.complete":
            version, status, reason, headers = details["return_value"][:4]
            self._watch.handshake(
                heads.response(
                    self._watch.now(),
                    status,
                    _text(reason),
                    _decoded(headers),
                    version=_text(version),
                )
            )


def _decoded(headers: list[tuple[bytes, bytes]]) -> Headers:
    return [(_text(name), _text(value)) for name, value in headers]


def _text(data: bytes) -> str:
    # A value may be UTF-8, as a Last-Event-ID is, or any other bytes.
    return data.decode(errors="surrogateescape")
