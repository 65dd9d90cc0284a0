"""The status stream of a server, by server-sent events that come back by themselves."""

from collections.abc import Iterable
from urllib.parse import urlencode

from msgspec import Struct

from pushtui.client import decoding, endings
from pushtui.client.address import Address
from pushtui.client.backoff import Backoff
from pushtui.client.clock import Clock, SystemClock
from pushtui.client.endings import Ending
from pushtui.client.event_source import EventSource, NoStreamError
from pushtui.client.event_stream import Comment, Retry, StreamEvent, StreamItem
from pushtui.client.feed import Feed
from pushtui.client.flow import Flow
from pushtui.client.happenings import CaughtUp, LinkState, StatusEvent, StatusHappening, StatusResume
from pushtui.client.reconnection import Reconnection
from pushtui.client.replay import Replay
from pushtui.client.traffic import Traffic
from pushtui.client.watched_link import watched
from pushtui.protocol.bodies import Alert, Mark, Notice
from pushtui.protocol.close import CloseCode
from pushtui.protocol.positions import Position
from pushtui.protocol.samples import Sample
from pushtui.protocol.text import safe_line
from pushtui.protocol.token import Token
from pushtui.wire.watch import Watch

#: How many events to begin with: five minutes of one host that is looked at once a second.
DEFAULT_REPLAY = 300
#: Three heartbeats without one, in seconds: the link is half open. Nothing else would show it.
SILENCE = 45.0

_KINDS: dict[str, type[Sample | Notice | Mark | Alert]] = {
    "sample": Sample,
    "notice": Notice,
    "mark": Mark,
    "alert": Alert,
}


class _Farewell(Struct):
    """The data of a ``bye``, as in the WebSocket frame of that name."""

    code: int = CloseCode.RESTART
    reason: str = ""


class StatusClient(Flow[StatusHappening]):
    """A reader of the status stream.

    Use it as an asynchronous context manager, and iterate over it to learn what happens; one consumer at a time.
    The iteration goes on through lost links, and ends after a `Link` that is ``refused`` or ``closed``.

    Args:
        address: where the server is.
        replay: how many events to begin with, when there is no position to go on from.
        position: where to go on from.
        hosts: only samples and alerts of these; all if empty.
        events: only events of these kinds; all if empty.
        token: what lets one in, if the server wants something.
        backoff: the policy of reconnecting.
        silence: how long a link may be silent, in seconds, before it counts as lost.
        clock: the time by which to reconnect.

    Attributes:
        traffic: what was received; ``received_frames`` counts events.
        watch: tells what passes, line by line, to whoever opens it.
    """

    def __init__(
        self,
        address: Address,
        *,
        replay: int = DEFAULT_REPLAY,
        position: Position | None = None,
        hosts: Iterable[str] = (),
        events: Iterable[str] = (),
        token: Token | None = None,
        backoff: Backoff | None = None,
        silence: float = SILENCE,
        clock: Clock | None = None,
    ) -> None:
        self.address = address
        self.traffic = Traffic()
        self.watch = Watch()
        parameters = {"replay": str(replay)}
        if narrow := ",".join(hosts):
            parameters["host"] = narrow
        if narrow := ",".join(events):
            parameters["events"] = narrow
        self._source = EventSource(
            f"{address.status}?{urlencode(parameters)}",
            authority=address.authority,
            loopback=address.loopback,
            token=token,
            last_event_id="" if position is None else str(position),
            silence=silence,
            traffic=self.traffic,
            watch=self.watch,
        )
        self._replay = Replay(position=position)
        feed: Feed[StatusHappening] = Feed()
        reconnection = Reconnection(
            self._session,
            watched(feed.put, self.watch, lambda: self._source.last_event_id),
            backoff or Backoff(),
            clock or SystemClock(),
        )
        super().__init__("pushtui status", feed, reconnection)

    @property
    def last_event_id(self) -> str:
        """Where a reconnect goes on, clean to show; empty before the first event."""
        return safe_line(self._source.last_event_id)

    @property
    def retry_ms(self) -> int | None:
        """The reconnection time that the server asked for last, None before it did."""
        return self._source.retry_ms

    async def _let_go(self) -> None:
        await self._source.aclose()

    async def _session(self) -> Ending:
        try:
            ending = await self._source.session(self._hear, room=self._feed.room)
        except NoStreamError as error:
            ending = _no_stream(error)
        self._replay.link_lost()
        return ending._replace(told=max(ending.told, (self.retry_ms or 0) / 1000))

    def _hear(self, item: StreamItem) -> Ending | None:
        match item:
            case Comment():
                # A heartbeat is for silence: what was to be replayed and passed the filters is here.
                self._tell(self._replay.finished())
            case StreamEvent(event="bye"):
                self.traffic.received_frames += 1
                return self._farewell(item)
            case StreamEvent():
                self.traffic.received_frames += 1
                self._take(item)
            case Retry():
                pass  # the source has it
        return None

    def _take(self, event: StreamEvent) -> None:
        if event.event == "resume":
            self._resume(event)
            return
        kind = safe_line(event.event)
        body = self._body(event)
        position = _position(event.id)
        if position is None:
            self._feed.put(StatusEvent(None, kind, body))
            return
        taken = self._replay.take(position.seq)
        self._tell(taken.before)
        if taken.new:
            self._feed.put(StatusEvent(position, kind, body, taken.replayed))
        self._tell(taken.after)

    def _resume(self, event: StreamEvent) -> None:
        try:
            resume = decoding.json(event.data, StatusResume)
        except decoding.UnreadableError:
            self.traffic.skipped_frames += 1
            return
        if not self._replay.resumed:
            self._reconnection.live()
        self._feed.put(resume)
        self._tell(self._replay.resume(resume))

    def _body(self, event: StreamEvent) -> Sample | Notice | Mark | Alert | None:
        shape = _KINDS.get(event.event)
        if shape is None:
            return None
        try:
            return decoding.json(event.data, shape)
        except decoding.UnreadableError:
            self.traffic.skipped_frames += 1
            return None

    def _farewell(self, event: StreamEvent) -> Ending:
        try:
            farewell = decoding.json(event.data, _Farewell)
        except decoding.UnreadableError:
            farewell = _Farewell()
        return endings.closed(farewell.code, farewell.reason)

    def _tell(self, caught_up: CaughtUp | None) -> None:
        if caught_up is not None:
            self._feed.put(caught_up)


def _no_stream(error: NoStreamError) -> Ending:
    if error.status != 200:
        return endings.answered(error.status, error.retry_after, error.body)
    found = error.media_type or "nothing"
    return Ending(LinkState.REFUSED, f"there is no status stream here: it answers with {found}", 200)


def _position(identity: str | None) -> Position | None:
    try:
        return None if identity is None else Position.parse(identity)
    except ValueError:
        return None
