"""How long the server wants things said to wait. Pure: the clock is given in."""

import math

from pushtui.protocol.messages import Error

#: What the server says when it cannot take something now, and what the person reads then.
_WHY = {"rate_limited": "sending too fast", "busy": "the server is busy"}
#: What a server gets that does not say for how long.
_USUAL_SECONDS = 1.0


def passes(error: Error) -> bool:
    """Whether the client says by itself again what was refused."""
    return error.key is not None and error.code in _WHY


class Hold:
    """Begins with a refusal that passes, and lasts until nothing waits any more: the client says it all again."""

    def __init__(self) -> None:
        self._why = ""
        self._until = 0.0

    def begin(self, error: Error, now: float) -> bool:
        """Take in an error; False when it is none that passes. ``now`` is in seconds, as for `sentence`."""
        if not passes(error):
            return False
        wait = _USUAL_SECONDS if error.retry_after_ms is None else error.retry_after_ms / 1000
        self._why, self._until = _WHY[error.code], now + wait
        return True

    def end(self) -> None:
        """There is nothing that waits for the server, or no server."""
        self._why = ""

    def sentence(self, waiting: int, now: float) -> str:
        """Return how long it lasts and what waits, empty without a hold.

        Between two that were taken the server may ask for another second, so it never counts down to nothing:
        that would come and go with each message.
        """
        if not self._why:
            return ""
        rest = math.ceil(self._until - now)
        left = f"{rest} s" if rest < 120 else f"{rest // 60} min"
        many = f", {waiting} message{'s wait' if waiting > 1 else ' waits'}" if waiting else ""
        return f"{self._why}: goes on in {left if rest > 1 else '1 s'}{many}"
