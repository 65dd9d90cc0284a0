"""A WebSocket that tells what passes over it, frame by frame: RFC 6455, section 5.

The library hands out messages, later than the pings after them, and never what it sends by itself. So frames are
seen where it reads and writes them. They are whole there, so a watch that is opened in between begins with one.
"""

import sys
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame as LibraryFrame
from websockets.http11 import Response
from websockets.protocol import Event

from pushtui.wire import heads, masking
from pushtui.wire.frames import PING, PONG, FrameReader, wire_bytes
from pushtui.wire.records import Close, Frame, RoundTrip
from pushtui.wire.watch import Watch

#: RFC 6455, section 7.1.5: no close frame came.
ABNORMAL = 1006
_PINGS = 64


class WatchedConnection(ClientConnection):
    """A connection with a lens on it.

    Args:
        watch: is told what passes; nothing is made for it while nobody watches, but the handshake.
        arguments: as for `ClientConnection`.
        options: likewise.
    """

    def __init__(self, watch: Watch, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._watch = watch
        self._frames = FrameReader(sys.maxsize)
        self._pings: dict[bytes, float] = {}
        self._answers: list[bytes] | None = None
        self._has_asked = False

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol.data_received`."""
        if not self._watch.on:
            super().data_received(data)
            return
        # What the library answers by itself it writes before it hands out what it answers.
        self._answers = []
        super().data_received(data)
        answers, self._answers = self._answers, None
        for answer in answers:
            self._sent(answer)

    def send_data(self) -> None:
        """See `ClientConnection.send_data`."""
        if not self._has_asked:
            self._ask()
        elif self._watch.on:
            for data in self.protocol.writes:
                if self._answers is None:
                    self._sent(data)
                else:
                    self._answers.append(data)
        super().send_data()

    def process_event(self, event: Event) -> None:
        """See `ClientConnection.process_event`."""
        if isinstance(event, Response):
            self._watch.handshake(
                heads.response(
                    self._watch.now(), event.status_code, event.reason_phrase, list(event.headers.raw_items())
                )
            )
        elif self._watch.on and isinstance(event, LibraryFrame):
            self._received(event)
        super().process_event(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol.connection_lost`."""
        super().connection_lost(exc)
        if self._watch.on and self.response is not None and self.protocol.handshake_exc is None:
            self._watch.tell(self._close())

    def _ask(self) -> None:
        if self.request is not None and self.protocol.writes:
            self._has_asked = True
            self._watch.handshake(
                heads.request(self._watch.now(), "GET", self.request.path, list(self.request.headers.raw_items()))
            )

    def _sent(self, data: bytes) -> None:
        for frame in self._frames.feed(data):
            at = self._watch.now()
            if frame.opcode == PING:
                if len(self._pings) >= _PINGS:  # a server that never answers
                    del self._pings[next(iter(self._pings))]
                self._pings[frame.payload] = at
            self._watch.tell(
                Frame(
                    at,
                    "up",
                    frame.opcode,
                    masking.payload(frame.payload),
                    frame.fin,
                    frame.rsv,
                    frame.mask,
                    frame.wire_bytes,
                )
            )

    def _received(self, frame: LibraryFrame) -> None:
        at = self._watch.now()
        payload = bytes(frame.data)
        self._watch.tell(
            Frame(
                at,
                "down",
                int(frame.opcode),
                masking.payload(payload),
                frame.fin,
                frame.rsv1 << 2 | frame.rsv2 << 1 | frame.rsv3,
                # The library takes none that is masked, or longer than it need be.
                wire_bytes=wire_bytes(len(payload), masked=False),
            )
        )
        if frame.opcode == PONG and payload in self._pings:
            self._watch.tell(RoundTrip(at, at - self._pings.pop(payload)))

    def _close(self) -> Close:
        came, went = self.protocol.close_rcvd, self.protocol.close_sent
        at = self._watch.now()
        if came is not None and (went is None or self.protocol.close_rcvd_then_sent):
            return Close(at, masking.text(came.reason), int(came.code), "server")
        if went is not None:
            return Close(at, masking.text(went.reason), int(went.code), "client")
        return Close(at, "the connection broke", ABNORMAL, "nobody")
