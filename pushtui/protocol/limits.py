"""The limits that both sides know. A server tells its own in ``welcome`` and at ``GET /``."""

from msgspec import Struct


class Limits(Struct, frozen=True):
    """What one connection may ask for. Sizes are UTF-8 bytes where the name says bytes, else code points."""

    frame_bytes: int = 64 * 1024
    text_bytes: int = 16 * 1024
    topic_characters: int = 250
    nick_characters: int = 32
    room_characters: int = 64
    key_characters: int = 128
    rooms_per_connection: int = 64
    replay: int = 1000
    history: int = 200
    hello_seconds: float = 10


DEFAULT_REPLAY = 50
LIMITS = Limits()
