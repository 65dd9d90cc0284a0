"""Close codes: those of RFC 6455 section 7.4.1 that are used, and the application's own."""

from enum import IntEnum


class CloseCode(IntEnum):
    """4000-4499 invite to come back, 4500-4999 do not."""

    NORMAL = 1000
    GOING_AWAY = 1001
    VIOLATION = 1002
    NOT_UTF8 = 1007
    TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    RESTART = 1012

    NO_HELLO = 4000
    LAGGING = 4001
    NO_PONG = 4002

    BAD_TOKEN = 4500
    PROTOCOL_ERROR = 4501
    NICK_TAKEN = 4502
    REMOVED = 4503
    REPLACED = 4504


def is_final(code: int) -> bool:
    """Whether a client must not come back by itself."""
    return 4500 <= code <= 4999
