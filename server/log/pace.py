"""How long a stream rests between two rounds over its listeners, so that what comes meanwhile shares a write."""

import math

#: In seconds. After a round over few there is no rest, and after one over very many nothing new waits longer.
_SHORTEST, _LONGEST = 0.001, 0.05
#: A stream is not busy as long as its rounds, one for each event, would leave the loop time for anything else.
_BUSY = 1.1
#: What was longer ago than this hardly counts.
_SECONDS = 0.1


class Pace:
    """The rests of one stream.

    Without rests, each event of a busy stream would be a round of its own, with a write for each listener, and
    what such a write costs has little to do with how much is written. A stream that is not busy never rests: what
    comes alone is heard at once.

    Args:
        head: the stream's, now.
        now: a time, in seconds.
    """

    __slots__ = ("_busy", "_ended", "_head")

    def __init__(self, head: int, now: float) -> None:
        self._busy = 0.0
        self._ended = now
        self._head = head

    def rest(self, head: int, seconds: float, now: float) -> float:
        """How many seconds to rest, after a round that ends now.

        Args:
            head: of the stream, at its end.
            seconds: what the round took, without what others did in between.
            now: a time, in seconds.
        """
        since = max(now - self._ended, seconds)
        share = (head - self._head) * seconds / since
        self._busy += (share - self._busy) * -math.expm1(-since / _SECONDS)
        self._ended, self._head = now, head
        if seconds < _SHORTEST or self._busy < _BUSY:
            return 0.0
        return min(seconds, _LONGEST)
