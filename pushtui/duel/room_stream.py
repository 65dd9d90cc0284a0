"""A room by server-sent events that come back by themselves."""

from msgspec import structs

from pushtui.client import decoding, endings
from pushtui.client.address import Address
from pushtui.client.backoff import Backoff
from pushtui.client.clock import SystemClock
from pushtui.client.endings import Ending
from pushtui.client.event_source import EventSource, NoStreamError
from pushtui.client.event_stream import StreamEvent, StreamItem
from pushtui.client.feed import Feed
from pushtui.client.flow import Flow
from pushtui.client.happenings import CaughtUp, LinkState, RoomEvent, StatusResume
from pushtui.client.polling import PollingHappening
from pushtui.client.reconnection import Reconnection
from pushtui.client.replay import Replay
from pushtui.protocol import messages
from pushtui.protocol.codec import CODECS
from pushtui.protocol.token import Token

#: Three heartbeats without one, in seconds: the link is half open.
_SILENCE = 45.0


class RoomStream(Flow[PollingHappening]):
    """A reader of one room; it is used, and tells what happens, as `pushtui.client.polling.PollingClient`.

    Args:
        address: where the server is.
        room: the room's name.
        replay: how many events to begin with.
        token: what lets one in, if the server wants something.
        backoff: the policy of reconnecting.

    Attributes:
        requests: how many were made.
    """

    def __init__(self, address: Address, room: str, *, replay: int, token: Token | None, backoff: Backoff) -> None:
        self.requests = 0
        self._room = room
        self._source = EventSource(
            f"{address.room(room)}?replay={replay}",
            authority=address.authority,
            loopback=address.loopback,
            token=token,
            silence=_SILENCE,
        )
        self._replay = Replay(room)
        feed: Feed[PollingHappening] = Feed()
        reconnection = Reconnection(self._session, feed.put, backoff, SystemClock())
        super().__init__("pushtui room stream", feed, reconnection)

    async def _let_go(self) -> None:
        await self._source.aclose()

    async def _session(self) -> Ending:
        self.requests += 1
        try:
            ending = await self._source.session(self._hear, room=self._feed.room)
        except NoStreamError as error:
            if error.status != 200:
                ending = endings.answered(error.status, error.retry_after, error.body)
            else:
                ending = Ending(LinkState.REFUSED, "there is no event stream here", 200)
        self._replay.link_lost()
        return ending._replace(told=max(ending.told, (self._source.retry_ms or 0) / 1000))

    def _hear(self, item: StreamItem) -> Ending | None:
        if not isinstance(item, StreamEvent):
            return None
        try:
            if item.event == "bye":
                bye = decoding.json(item.data, messages.Bye)
                return endings.closed(bye.code, bye.reason)
            if item.event == "resume":
                self._resume(decoding.json(item.data, StatusResume))
            else:
                self._event(item.data)
        except decoding.UnreadableError:
            pass  # nothing of ours
        return None

    def _resume(self, resume: StatusResume) -> None:
        self._reconnection.live()
        self._feed.put(
            messages.Resume(self._room, resume.outcome, resume.epoch, resume.after, resume.head, resume.lost)
        )
        self._tell(self._replay.resume(resume))

    def _event(self, data: str) -> None:
        event = decoding.frame(CODECS[messages.JSON], data)
        if not isinstance(event, RoomEvent):
            return
        taken = self._replay.take(event.seq)
        self._tell(taken.before)
        if taken.new:
            self._feed.put(structs.replace(event, replayed=taken.replayed))
        self._tell(taken.after)

    def _tell(self, caught_up: CaughtUp | None) -> None:
        if caught_up is not None:
            self._feed.put(caught_up)
