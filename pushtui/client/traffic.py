"""What went over a link so far."""

from msgspec import Struct


class Traffic(Struct):
    """Plain counters over all sessions of one client; whoever wants rates takes differences.

    Attributes:
        received_frames: WebSocket messages, or events of an event stream.
        sent_frames: WebSocket messages; none for an event stream.
        received_bytes: their payload in bytes; for an event stream every byte of it.
        sent_bytes: their payload in bytes.
        skipped_frames: received, and unreadable or of a type that this version does not know.
    """

    received_frames: int = 0
    sent_frames: int = 0
    received_bytes: int = 0
    sent_bytes: int = 0
    skipped_frames: int = 0
