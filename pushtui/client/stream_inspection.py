"""Looks at an event stream, and comes back as an EventSource does."""

from msgspec import UNSET

from pushtui.client.backoff import Backoff
from pushtui.client.clock import Clock
from pushtui.client.endings import Ending
from pushtui.client.event_source import EventSource, NoStreamError, Opened
from pushtui.client.event_stream import Comment, Retry, StreamEvent, StreamItem
from pushtui.client.feed import Feed
from pushtui.client.happenings import Link, LinkState
from pushtui.client.inspection import NoFlowError, NoServerError, Target
from pushtui.client.observations import (
    Record,
    SseClosed,
    SseComment,
    SseEvent,
    SseOpen,
    SseReconnecting,
    SseRetry,
)
from pushtui.client.reconnection import Reconnection
from pushtui.protocol.token import Token

#: The reconnection time before a server sets one; the rules leave it to the client, browsers take 3 s.
DEFAULT_RETRY_MS = 3000
#: The least wait in seconds, so that a stream that ends at once and wants no wait is not a busy loop.
LEAST = 0.05
#: After tries that found no stream the wait grows up to this, in seconds, as the rules allow.
LONGEST = 30.0


async def look(target: Target, token: Token | None, feed: Feed[Record], *, once: bool, clock: Clock) -> None:
    """Tell the feed what the stream sends.

    Raises:
        NoServerError: see `pushtui.client.inspection.inspect`.
        NoFlowError: likewise.
    """
    inspection = _Inspection(target, token, feed, once, clock)
    try:
        await inspection.reconnection.run()
    finally:
        await inspection.source.aclose()
    if inspection.failure is not None:
        raise inspection.failure


class _Inspection:
    def __init__(self, target: Target, token: Token | None, feed: Feed[Record], once: bool, clock: Clock) -> None:
        self.failure: Exception | None = None
        self.source = EventSource(target.url, authority=target.authority, loopback=target.loopback, token=token)
        # No jitter and no backoff of its own: what the rules say is in each ending.
        self.reconnection = Reconnection(
            self._session, self._report, Backoff(initial=0.0, cap=0.0, floor=0.0), clock
        )
        self._authority = target.authority
        self._feed = feed
        self._once = once
        self._is_open = False
        self._was_open = False
        self._failures = 0

    async def _session(self) -> Ending:
        self._is_open = False
        try:
            ending = await self.source.session(self._take, opened=self._opened, room=self._feed.room)
        except NoStreamError as error:
            return self._no_stream(error)
        if ending.state is LinkState.REFUSED:
            self.failure = NoFlowError(ending.reason)
            return ending
        if not self._is_open and not self._was_open:
            self.failure = NoServerError(ending.reason)
            return ending._replace(state=LinkState.REFUSED)
        if self._once and self._is_open:
            return ending._replace(state=LinkState.CLOSED)
        return ending._replace(told=self._wait())

    def _opened(self, opened: Opened) -> None:
        self._is_open = self._was_open = True
        self._failures = 0
        self._feed.put(SseOpen(status=opened.status, headers=opened.headers))
        self.reconnection.live()

    def _take(self, item: StreamItem) -> None:
        match item:
            case StreamEvent():
                self._feed.put(SseEvent(event=item.event, data=item.data, id=self.source.last_event_id))
            case Retry():
                self._feed.put(SseRetry(ms=item.ms))
            case Comment():
                self._feed.put(SseComment(text=item.text))

    def _no_stream(self, error: NoStreamError) -> Ending:
        status = error.status
        if status == 204:
            return Ending(LinkState.CLOSED, "the server has nothing more to say (HTTP 204)", status)
        found = f"HTTP {status}" if status != 200 else f"it answers with {error.media_type or 'no content type'}"
        self.failure = NoFlowError(f"no event stream at {self._authority}: {found}")
        return Ending(LinkState.REFUSED, found, status)

    def _wait(self) -> float:
        retry = self.source.retry_ms
        reconnection_time = (DEFAULT_RETRY_MS if retry is None else retry) / 1000
        if self._is_open:
            return max(reconnection_time, LEAST)
        self._failures += 1
        grown = max(reconnection_time, LEAST) * (1 << min(self._failures, 16))
        return max(min(grown, LONGEST), reconnection_time)

    def _report(self, link: Link) -> None:
        match link.state:
            case LinkState.LOST:
                if self._is_open:
                    self._feed.put(SseClosed(reason=link.reason))
                self._feed.put(
                    SseReconnecting(
                        after_ms=round((link.retry_in or 0) * 1000),
                        last_event_id=self.source.last_event_id,
                        reason=UNSET if self._is_open else link.reason,
                    )
                )
            case LinkState.CLOSED | LinkState.REFUSED if not isinstance(self.failure, NoServerError):
                self._feed.put(SseClosed(reason=link.reason, status=UNSET if link.code is None else link.code))
