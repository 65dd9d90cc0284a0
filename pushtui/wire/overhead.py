"""How many bytes pass for each one that an application wants to have there."""

from msgspec import Struct

from pushtui.wire.frames import BINARY, CONTINUATION, TEXT
from pushtui.wire.records import Dispatch, Frame, Line, Record, Request, Response


class Overhead(Struct):
    """Counts one flow, both ways. What HTTP's chunks, TLS and TCP add is not in it.

    Attributes:
        handshake_bytes: of requests and the heads of responses: once for each link.
        wire_bytes: of everything after that, pings and comments included.
        useful_bytes: of those the payload of data frames, or the data of events.
        messages: WebSocket messages, or events.
    """

    handshake_bytes: int = 0
    wire_bytes: int = 0
    useful_bytes: int = 0
    messages: int = 0

    def count(self, record: Record) -> None:
        """One more record."""
        match record:
            case Request() | Response():
                self.handshake_bytes += record.wire_bytes
            case Frame():
                self.wire_bytes += record.wire_bytes
                if record.opcode in (CONTINUATION, TEXT, BINARY):
                    self.useful_bytes += len(record.payload)
                    self.messages += record.fin
            case Line():
                self.wire_bytes += record.wire_bytes
            case Dispatch():
                self.useful_bytes += record.data_bytes
                self.messages += record.event != ""

    @property
    def ratio(self) -> float | None:
        """Bytes on the wire for each useful one, without the handshake; None before the first."""
        return self.wire_bytes / self.useful_bytes if self.useful_bytes else None

    @property
    def per_message(self) -> float | None:
        """Bytes on the wire beside the useful ones, for each message; None before the first."""
        return (self.wire_bytes - self.useful_bytes) / self.messages if self.messages else None
