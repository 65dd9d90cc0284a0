"""Keeps a link alive: one try after the other, and between them the wait that the backoff says."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from pushtui.client.backoff import Backoff
from pushtui.client.clock import Clock
from pushtui.client.endings import Ending
from pushtui.client.happenings import Link, LinkState

#: How long a session has to last, in seconds, before the next loss counts as a first one.
PROOF = 5.0

logger = logging.getLogger(__name__)


class Reconnection:
    """The states of one link.

    Args:
        session: makes one try and returns how it ended; it calls `live` when the server has welcomed it.
        report: is told every change.
        backoff: the policy.
        clock: the time.
    """

    def __init__(
        self,
        session: Callable[[], Awaitable[Ending]],
        report: Callable[[Link], None],
        backoff: Backoff,
        clock: Clock,
    ) -> None:
        self.link = Link(LinkState.CONNECTING)
        self._session = session
        self._report = report
        self._backoff = backoff
        self._clock = clock
        self._skip = asyncio.Event()
        self._attempt = 1
        self._live_since: float | None = None
        self._down_since: float | None = None

    def live(self) -> None:
        """The server has welcomed this session."""
        now = self._clock.now()
        down_for = None if self._down_since is None else now - self._down_since
        self._live_since, self._down_since = now, None
        self._become(Link(LinkState.LIVE, attempt=self._attempt, down_for=down_for))

    def retry_now(self) -> None:
        """Make the next try at once; without effect when none is being waited for."""
        self._skip.set()

    def close(self) -> None:
        """The user wants no link any more; a link that ended for good before keeps its state."""
        if self.link.state not in (LinkState.REFUSED, LinkState.CLOSED):
            self._become(Link(LinkState.CLOSED, attempt=self._attempt))

    async def run(self) -> None:
        """Try until a session ends for good, or this is cancelled."""
        try:
            await self._keep_up()
        except asyncio.CancelledError:
            self.close()
            raise

    async def _keep_up(self) -> None:
        while True:
            self._live_since = None
            self._become(Link(LinkState.CONNECTING, attempt=self._attempt))
            ending = await self._try()
            proved = self._live_since is not None and self._clock.now() - self._live_since >= PROOF
            if proved:
                self._backoff.proved()
            if ending.state is LinkState.CONNECTING:
                continue
            if ending.state is not LinkState.LOST:
                self._become(Link(ending.state, ending.reason, attempt=self._attempt, code=ending.code))
                return
            self._attempt = 1 if proved else self._attempt + 1
            if self._down_since is None:
                self._down_since = self._clock.now()
            delay = self._backoff.delay(answered=ending.answered and not proved, told=ending.told)
            self._skip.clear()
            self._become(Link(LinkState.LOST, ending.reason, delay, self._attempt, code=ending.code))
            await self._clock.wait(self._skip, delay)

    async def _try(self) -> Ending:
        try:
            return await self._session()
        except Exception as error:
            # A fault of this program must not leave its user before a screen that has silently died.
            logger.exception("a session failed")
            return Ending(LinkState.LOST, f"a fault in pushtui ({type(error).__name__})")

    def _become(self, link: Link) -> None:
        self.link = link
        self._report(link)
