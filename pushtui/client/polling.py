"""A room of a server by long polling: for where neither a WebSocket nor an event stream gets through."""

import asyncio
import ssl
from contextlib import aclosing

import httpx
from msgspec import Raw, Struct, structs

from pushtui import __version__
from pushtui.client import decoding, endings
from pushtui.client.address import Address
from pushtui.client.backoff import Backoff
from pushtui.client.clock import Clock, SystemClock
from pushtui.client.endings import Ending
from pushtui.client.feed import Feed
from pushtui.client.flow import Flow
from pushtui.client.happenings import CaughtUp, Link, LinkState, RoomEvent
from pushtui.client.reconnection import Reconnection
from pushtui.client.replay import Replay
from pushtui.client.traffic import Traffic
from pushtui.protocol import messages
from pushtui.protocol.codec import CODECS
from pushtui.protocol.limits import DEFAULT_REPLAY
from pushtui.protocol.positions import Lost, Outcome, Position
from pushtui.protocol.token import Token

#: How long the server is to wait for the first event, in seconds; proxies commonly give up after 60 or 30.
DEFAULT_WAIT = 25.0
_OPENING = 10.0
#: Bytes of one answer; the server's own have at most a tenth of it.
_LARGEST_ANSWER = 4 * 1024 * 1024
#: A server that answers with nothing, and without having waited, is asked again only after so many seconds.
_PAUSE = 1.0

PollingHappening = Link | messages.Resume | CaughtUp | RoomEvent


class _Answer(Struct):
    """One page, as the contract has it."""

    outcome: Outcome
    epoch: str
    after: int
    head: int
    position: str
    events: list[Raw]
    lost: Lost | None = None


class PollingClient(Flow[PollingHappening]):
    """A reader of one room.

    Use it as an asynchronous context manager, and iterate over it to learn what happens; one consumer at a time.
    The iteration goes on through lost links, and ends after a `Link` that is ``refused`` or ``closed``. A
    `messages.Resume` comes with the first answer on each link, and whenever the server says something else than
    that all goes on.

    Args:
        address: where the server is.
        room: the room's name.
        replay: how many events to begin with, when there is no position to go on from.
        position: where to go on from.
        wait: how long the server is to wait for the first event, in seconds, at most 60.
        token: what lets one in, if the server wants something.
        backoff: the policy of reconnecting.
        clock: the time by which to reconnect.

    Attributes:
        traffic: what was received; ``received_frames`` counts events.
        requests: how many were made.
    """

    def __init__(
        self,
        address: Address,
        room: str,
        *,
        replay: int = DEFAULT_REPLAY,
        position: Position | None = None,
        wait: float = DEFAULT_WAIT,
        token: Token | None = None,
        backoff: Backoff | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.address = address
        self.traffic = Traffic()
        self.requests = 0
        self._room = room
        self._begin = replay
        self._wait = wait
        self._after = "" if position is None else str(position)
        self._headers = {
            "User-Agent": f"pushtui/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        }
        if token is not None:
            self._headers["Authorization"] = token.header
        self._client: httpx.AsyncClient | None = None
        self._replay = Replay(room, position)
        feed: Feed[PollingHappening] = Feed()
        self._clock = clock or SystemClock()
        self._never = asyncio.Event()
        reconnection = Reconnection(self._session, feed.put, backoff or Backoff(), self._clock)
        super().__init__("pushtui polling", feed, reconnection)

    @property
    def position(self) -> str:
        """Where the next request goes on; empty before the first answer."""
        return self._after

    async def _let_go(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def _session(self) -> Ending:
        """Ask again and again, until there is no answer."""
        self._replay.link_lost()
        while True:
            await self._feed.room()
            # The first one on a link tells at once whether there is a link.
            wait = self._wait if self._replay.resumed else 0.0
            began = self._clock.now()
            answer = await self._ask(wait)
            if isinstance(answer, Ending):
                return answer
            if not self._take(answer) and wait and self._clock.now() - began < min(wait, _PAUSE):
                await self._clock.wait(self._never, _PAUSE)

    async def _ask(self, wait: float) -> _Answer | Ending:
        parameters = {"wait": f"{wait:g}", "replay": str(self._begin)}
        if self._after:
            parameters = {"after": self._after, "wait": f"{wait:g}"}
        authority = self.address.authority
        silence = wait + _OPENING
        try:
            if self._client is None:
                self._client = httpx.AsyncClient(
                    # The system's authorities and SSL_CERT_FILE, as for WebSockets; httpx alone has its own.
                    verify=ssl.create_default_context(),
                    trust_env=not self.address.loopback,
                )
            self.requests += 1
            async with self._client.stream(
                "GET",
                self.address.room(self._room),
                params=parameters,
                headers=self._headers,
                timeout=httpx.Timeout(_OPENING, read=silence),
            ) as response:
                return await self._read(response)
        except (httpx.ConnectError, httpx.ProxyError) as error:
            return endings.unreachable(error, authority)
        except (ImportError, httpx.InvalidURL) as error:
            return endings.no_proxy(error)
        except httpx.ReadTimeout:
            return Ending(LinkState.LOST, f"no answer for {silence:g} s")
        except httpx.TimeoutException:
            return Ending(LinkState.LOST, f"no answer from {authority}", answered=False)
        except httpx.HTTPError:
            return Ending(LinkState.LOST, "the server hung up")

    async def _read(self, response: httpx.Response) -> _Answer | Ending:
        status = response.status_code
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if status == 200 and media_type != "application/json":
            # An event stream has no end, so its body is not waited for.
            return Ending(LinkState.REFUSED, "there is no long polling here", status)
        body = bytearray()
        async with aclosing(response.aiter_bytes()) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                self.traffic.received_bytes += len(chunk)
                body += chunk
                if len(body) > _LARGEST_ANSWER:
                    return Ending(LinkState.LOST, f"an answer has more than {_LARGEST_ANSWER} bytes")
        if status != 200:
            refusal = bytes(body[: endings.LARGEST_REFUSAL])
            return endings.answered(status, response.headers.get("Retry-After"), refusal)
        try:
            answer = decoding.json(body.decode(errors="replace"), _Answer)
            Position.parse(answer.position)
        except (decoding.UnreadableError, ValueError):
            self.traffic.skipped_frames += 1
            return Ending(LinkState.LOST, "the server's answer cannot be read", status)
        return answer

    def _take(self, answer: _Answer) -> bool:
        """Tell what is in one answer; returns whether there was anything."""
        if not self._replay.resumed:
            self._reconnection.live()
        if not self._replay.resumed or answer.outcome is not Outcome.CAUGHT_UP:
            resume = messages.Resume(
                self._room, answer.outcome, answer.epoch, answer.after, answer.head, answer.lost
            )
            self._feed.put(resume)
            self._tell(self._replay.resume(resume))
        for raw in answer.events:
            self._hear(raw)
        self._after = answer.position
        return bool(answer.events)

    def _hear(self, raw: Raw) -> None:
        self.traffic.received_frames += 1
        try:
            event = decoding.frame(CODECS[messages.JSON], bytes(raw).decode())
        except decoding.UnreadableError:
            self.traffic.skipped_frames += 1
            return
        if not isinstance(event, RoomEvent):
            self.traffic.skipped_frames += 1
            return
        taken = self._replay.take(event.seq)
        self._tell(taken.before)
        if taken.new:
            self._feed.put(structs.replace(event, replayed=taken.replayed))
        self._tell(taken.after)

    def _tell(self, caught_up: CaughtUp | None) -> None:
        if caught_up is not None:
            self._feed.put(caught_up)
