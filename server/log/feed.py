"""What the followers of a store have been told."""

import logging
from collections.abc import Callable, Mapping, Sequence

from server.log.store import Entry, Follower, StreamState

_log = logging.getLogger(__name__)


class Feed:
    """The followers of a store and the states of its streams, which move together.

    Changed on the event loop's thread only. `state` may be read from any thread.
    """

    def __init__(self, states: Mapping[str, StreamState] | None = None) -> None:
        self._states = dict(states or {})
        self._followers: dict[object, Follower] = {}

    def streams(self) -> Sequence[str]:
        """The names of all streams."""
        return tuple(self._states)

    def state(self, stream: str) -> StreamState | None:
        """One stream's state, None when there is no such stream."""
        return self._states.get(stream)

    def follow(self, follower: Follower) -> Callable[[], None]:
        """See `server.log.store.Store.follow`."""
        ticket = object()
        self._followers[ticket] = follower

        def unfollow() -> None:
            self._followers.pop(ticket, None)

        return unfollow

    def publish(self, states: Mapping[str, StreamState], entries: Sequence[Entry]) -> None:
        """Take over the changed states, then tell everyone. One follower's failure is not the others'."""
        self._states.update(states)
        if not entries:
            return
        for follower in tuple(self._followers.values()):
            try:
                follower(entries)
            except Exception:
                _log.exception("a follower of the log failed")
