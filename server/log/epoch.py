"""The name of one life of a stream."""

import secrets
from string import ascii_lowercase, digits

from pushtui.protocol.positions import EPOCH_LENGTH


def draw_epoch() -> str:
    """Draw an epoch; two streams, or two lives of one, practically never get the same."""
    return "".join(secrets.choice(ascii_lowercase + digits) for _ in range(EPOCH_LENGTH))
