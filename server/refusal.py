"""Why something is not done: one code and one sentence, for a frame as for an HTTP answer."""

from typing import Literal

from pushtui.protocol.messages import Error
from pushtui.protocol.text import safe_line

#: The longest sentence in characters: it may quote what was sent.
_LONGEST = 500

Code = Literal[
    "malformed",
    "unknown_type",
    "too_long",
    "rate_limited",
    "unauthorized",
    "not_allowed",
    "no_such_room",
    "no_such_target",
    "busy",
]


class RefusedError(Exception):
    """What was asked for is not done, and nothing of it is stored. The sentence is one safe line."""

    def __init__(self, code: Code, message: str, retry_after_ms: int | None = None) -> None:
        self.message = sentence(message)
        super().__init__(self.message)
        self.code = code
        self.retry_after_ms = retry_after_ms

    def error(self, key: str | None) -> Error:
        """The frame that says it."""
        return Error(self.code, self.message, key, self.retry_after_ms)


def sentence(text: str) -> str:
    """What is told to a client, as one safe line of a bounded length."""
    return safe_line(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")
