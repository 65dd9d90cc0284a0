"""Looks at an event stream, and comes back as an EventSource does."""

from pushtui.client.backoff import Backoff
from pushtui.client.clock import Clock
from pushtui.client.endings import Ending
from pushtui.client.event_source import EventSource, NoStreamError
from pushtui.client.feed import Feed
from pushtui.client.happenings import LinkState
from pushtui.client.inspection import Asking, NoFlowError, NoServerError, Target
from pushtui.client.reconnection import Reconnection
from pushtui.client.watched_link import watched
from pushtui.wire.records import Record
from pushtui.wire.watch import NotSentError, Watch

#: The reconnection time before a server sets one; the rules leave it to the client, browsers take 3 s.
DEFAULT_RETRY_MS = 3000
#: The least wait in seconds, so that a stream that ends at once and wants no wait is not a busy loop.
LEAST = 0.05
#: After tries that found no stream the wait grows up to this, in seconds, as the rules allow.
LONGEST = 30.0


class StreamInspection:
    """See `pushtui.client.inspection.Inspection`; the feed is here for its room only."""

    def __init__(
        self, target: Target, asking: Asking, watch: Watch, feed: Feed[Record], *, once: bool, clock: Clock
    ) -> None:
        self._failure: Exception | None = None
        self._source = EventSource(
            target.url,
            authority=target.authority,
            loopback=target.loopback,
            token=asking.token,
            last_event_id=asking.last_event_id,
            watch=watch,
            headers=asking.with_origin,
            insecure=asking.insecure,
        )
        # No jitter and no backoff of its own: what the rules say is in each ending.
        self._reconnection = Reconnection(
            self._session,
            watched(lambda _: None, watch, lambda: self._source.last_event_id),
            Backoff(initial=0.0, cap=0.0, floor=0.0),
            clock,
        )
        self._authority = target.authority
        self._feed = feed
        self._once = once
        self._is_open = False
        self._was_open = False
        self._failures = 0

    async def run(self) -> None:
        """Read until there is no more.

        Raises:
            NoServerError: see `pushtui.client.inspection.Inspection.records`.
            NoFlowError: likewise.
        """
        try:
            await self._reconnection.run()
        finally:
            await self._source.aclose()
        if self._failure is not None:
            raise self._failure

    async def send(self, message: str | bytes) -> None:
        """Raise `NotSentError`: events go one way."""
        raise NotSentError("an event stream takes no messages")

    async def _session(self) -> Ending:
        self._is_open = False
        try:
            ending = await self._source.session(lambda _: None, opened=self._opened, room=self._feed.room)
        except NoStreamError as error:
            return self._no_stream(error)
        if ending.state is LinkState.REFUSED:
            self._failure = NoFlowError(ending.reason)
            return ending
        if not self._is_open and not self._was_open:
            self._failure = NoServerError(ending.reason)
            return ending._replace(state=LinkState.REFUSED)
        if self._once and self._is_open:
            return ending._replace(state=LinkState.CLOSED)
        return ending._replace(told=self._wait())

    def _opened(self) -> None:
        self._is_open = self._was_open = True
        self._failures = 0
        self._reconnection.live()

    def _no_stream(self, error: NoStreamError) -> Ending:
        if error.status == 204:
            return Ending(LinkState.CLOSED, error.found, error.status)
        self._failure = NoFlowError(f"no event stream at {self._authority}: {error.found}")
        return Ending(LinkState.REFUSED, error.found, error.status)

    def _wait(self) -> float:
        retry = self._source.retry_ms
        reconnection_time = (DEFAULT_RETRY_MS if retry is None else retry) / 1000
        if self._is_open:
            return max(reconnection_time, LEAST)
        self._failures += 1
        grown = max(reconnection_time, LEAST) * (1 << min(self._failures, 16))
        return max(min(grown, LONGEST), reconnection_time)
