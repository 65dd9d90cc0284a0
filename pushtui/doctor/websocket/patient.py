"""The WebSocket that is examined, and what all checks know of it."""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from pushtui.doctor.endpoint import Bounds, Endpoint
from pushtui.doctor.head import Head
from pushtui.doctor.link import Link
from pushtui.doctor.probe import Manners, Probe, accept_of, new_key, shake
from pushtui.protocol.messages import JSON, SUBPROTOCOLS

_SWITCHING = 101


class NotOpenError(Exception):
    """There is no WebSocket; the message says what was answered instead."""


class Patient:
    """One endpoint.

    Args:
        endpoint: where it is.
        bounds: how long to wait for it.
        subprotocols: that it is known to speak; offered in every handshake.
        text: a message that it answers, to see how it puts fragments together.

    Attributes:
        manners: what it did wrong by itself.
        opened: the head of the answer to a plain handshake, as soon as there was one.
        speaks_pushtui: it chose a subprotocol of pushtui.
        hopeless: see `pushtui.doctor.check.Subject`.
    """

    def __init__(
        self, endpoint: Endpoint, bounds: Bounds, *, subprotocols: Sequence[str] = (), text: str | None = None
    ) -> None:
        self.endpoint = endpoint
        self.bounds = bounds
        self.subprotocols = tuple(subprotocols)
        self.manners = Manners()
        self.opened: Head | None = None
        self.speaks_pushtui = False
        self.hopeless: str | None = None
        self._text = text

    @property
    def offer(self) -> dict[str, str | None]:
        """The header field that offers the subprotocols."""
        return {"Sec-WebSocket-Protocol": ", ".join(self.subprotocols)} if self.subprotocols else {}

    @property
    def known(self) -> tuple[str, ...]:
        """Subprotocols that it may speak."""
        return self.subprotocols or SUBPROTOCOLS

    def message(self) -> str | None:
        """A message that it answers, None when none is known: pushtui answers a ``hello`` into no room."""
        if self._text is not None or not self.speaks_pushtui:
            return self._text
        name = f"doctor-{secrets.token_hex(4)}"
        return f'{{"type": "hello", "nick": "{name}", "session": "{name}", "rooms": {{}}}}'

    def message_offer(self) -> dict[str, str | None]:
        """What the handshake offers when `message` is to be said."""
        return self.offer if self._text is not None else {"Sec-WebSocket-Protocol": JSON}

    async def ask(self, fields: Mapping[str, str | None], *, key: str | None = None) -> Head:
        """The answer to a handshake, on a connection that then ends."""
        async with await Link.open(self.endpoint, self.bounds.answer) as link:
            return await shake(link, self.endpoint, self.bounds, {**self.offer, **fields}, key=key)

    @asynccontextmanager
    async def open(self, fields: Mapping[str, str | None] | None = None) -> AsyncIterator[Probe]:
        """A WebSocket of one's own.

        Raises:
            NotOpenError: there is none.
        """
        key = new_key()
        async with await Link.open(self.endpoint, self.bounds.answer) as link:
            head = await shake(link, self.endpoint, self.bounds, {**self.offer, **(fields or {})}, key=key)
            if head.status != _SWITCHING or head.get("sec-websocket-accept") != accept_of(key):
                raise NotOpenError(f"one more handshake was answered with {head.status}")
            yield Probe(link, self.bounds, self.manners)
