"""Why something is not done: one code and one sentence, for a frame as for an HTTP answer."""

from typing import Literal

from pushtui.protocol.messages import Error

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
    """What was asked for is not done, and nothing of it is stored."""

    def __init__(self, code: Code, message: str, retry_after_ms: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after_ms = retry_after_ms

    def error(self, key: str | None) -> Error:
        """The frame that says it."""
        return Error(self.code, self.message, key, self.retry_after_ms)
