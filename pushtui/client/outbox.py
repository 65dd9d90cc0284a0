"""What was said and is not stored yet."""

from pushtui.protocol.messages import Edit, React, Redact, Send, SetMark, SetTopic

Keyed = Send | Edit | Redact | React | SetTopic | SetMark

#: How many may wait for a link: days of a person's talk, and no more than 32 MiB of the longest texts.
LIMIT = 2_000


class Outbox:
    """What was said, in order, until the server has stored it.

    One at a time is on its way. A server that is busy may refuse one and take the next; were both on their way,
    the second would be stored before the first comes again. So what is said is stored in the order in which it was
    said, and what was cut off is said again, with its key, before anything that came later.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._waiting: dict[str, Keyed] = {}
        self._sent: str | None = None
        self._unsure: str | None = None
        self._not_before = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def unsure(self) -> bool:
        """Whether something was sent, and may be stored, but no answer came yet."""
        return self._unsure is not None

    @property
    def sent(self) -> str | None:
        """The key of what is on its way over this link."""
        return self._sent

    def add(self, said: Keyed) -> bool:
        """Put it at the end; False when too much is waiting."""
        if len(self._waiting) >= self._limit:
            return False
        self._waiting[said.key] = said
        return True

    def next(self, now: float) -> Keyed | None:
        """What is to be sent now, None while that has to wait. It counts as sent."""
        if self._sent is not None or not self._waiting or now < self._not_before:
            return None
        said = next(iter(self._waiting.values()))
        self._sent = said.key
        self._unsure = said.key
        return said

    def pause(self, now: float) -> float | None:
        """The seconds until `next` may have something, None when that takes an answer or something new."""
        if self._sent is not None or not self._waiting:
            return None
        return max(0.0, self._not_before - now)

    def link_lost(self) -> str | None:
        """What was on its way may or may not be stored: it is sent again on the next link. Returns its key."""
        key, self._sent = self._sent, None
        return key

    def stored(self, key: str) -> bool:
        """The server has stored it; False for a key that is not waiting."""
        return self._remove(key) is not None

    def again(self, key: str, not_before: float) -> bool:
        """The server could not take it now; it stays first in the row. False for a key that is not waiting."""
        if key not in self._waiting:
            return False
        self._answered(key)
        self._not_before = not_before
        return True

    def failed(self, key: str) -> Keyed | None:
        """The server will not take it: returns what it was, None for a key that is not waiting."""
        return self._remove(key)

    def _remove(self, key: str) -> Keyed | None:
        self._answered(key)
        return self._waiting.pop(key, None)

    def _answered(self, key: str) -> None:
        if key == self._sent:
            self._sent = None
        if key == self._unsure:
            self._unsure = None
