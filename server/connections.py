"""Everyone who is connected, and the pulse that looks after them all."""

import asyncio
import contextlib
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Protocol

from pushtui.protocol.close import CloseCode
from pushtui.protocol.limits import Protection
from server.access.identity import Identity
from server.access.rules import Ending, Rules
from server.sink import TransportSink
from server.timing import Timing

logger = logging.getLogger(__name__)

#: When clients of a server that stops are asked to come back, each at a moment of its own.
_RETRY_MS = (500, 2500)
#: Connections that are looked at before others get their turn.
_AT_ONCE = 256


class Connection(Protocol):
    """One client that stays: a chat or an event stream."""

    kind: str
    sink: TransportSink

    @property
    def identity(self) -> Identity | None:
        """Who it is; None before a chat's ``hello`` said so."""
        ...

    @property
    def nick(self) -> str | None:
        """The name it goes by; None for who only listens, without a token."""
        ...

    def review(self, rooms: frozenset[str]) -> None:
        """Called when what holds in these rooms has changed: stay in none that is shut."""
        ...

    def tick(self, now: float) -> None:
        """Called now and then with the loop's time: keep the connection alive, or notice that it is dead."""
        ...

    def end(self, code: CloseCode, reason: str, retry_ms: int | None = None) -> None:
        """Tell the client why and when to come back, then close, without waiting for it. Idempotent."""
        ...


class Connections:
    """The set of all connections. One task looks after all of them: a timer for each would cost more."""

    def __init__(self, timing: Timing, protection: Protection) -> None:
        self._timing = timing
        self._protection = protection
        self._all: set[Connection] = set()
        self._farewell: tuple[CloseCode, str] | None = None
        self._empty = asyncio.Event()
        self._empty.set()
        self._pulse: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look after the connections."""
        self._pulse = asyncio.get_running_loop().create_task(self._beat())

    def add(self, connection: Connection) -> None:
        """Look after this one too. While all are told to go, it is told at once."""
        self._all.add(connection)
        self._empty.clear()
        if self._farewell is not None:
            # It came over an HTTP connection that was open already, so nothing else would tell it.
            self._end(connection, *self._farewell)

    def remove(self, connection: Connection) -> None:
        """This one is gone. Idempotent."""
        self._all.discard(connection)
        if not self._all:
            self._empty.set()

    def count(self) -> Counter[str]:
        """How many there are of each kind."""
        return Counter(connection.kind for connection in self._all)

    def dismiss(self, why: Callable[[Identity, str | None], Ending | None]) -> None:
        """End those for whom there is a reason to.

        Args:
            why: the reason for an identity and its nick, None to let it be.
        """
        for connection in list(self._all):
            ending = None if connection.identity is None else why(connection.identity, connection.nick)
            if ending is not None:
                # Not now: whoever decided this may have an answer to give on that very connection.
                asyncio.get_running_loop().call_soon(connection.end, *ending)

    def review(self, rules: Rules) -> None:
        """What holds has changed: end who cannot be here any more, and let nobody stay in a room that is shut."""
        news = rules.news()
        if news.people:
            self.dismiss(rules.ending)
        for connection in list(self._all) if news.rooms else ():
            connection.review(news.rooms)

    async def end_all(self, code: CloseCode, reason: str, drain: float, hurry: asyncio.Event) -> None:
        """Tell everyone, give them a moment to go, and drop those who do not.

        Args:
            code: the close code.
            reason: why, in a few words.
            drain: seconds over which clients are told, so that they do not all come back at once; when all have
                gone before, that is the end of it.
            hurry: tell the rest of them now.
        """
        self._farewell = code, reason
        everyone = list(self._all)
        random.shuffle(everyone)
        loop = asyncio.get_running_loop()
        endings = [
            loop.create_task(self._end_later(one, code, reason, drain * place / len(everyone), hurry))
            for place, one in enumerate(everyone)
        ]
        await self._draining(drain, hurry)
        if self._pulse is not None:
            self._pulse.cancel()
        try:
            async with asyncio.timeout(self._timing.farewell):
                await self._empty.wait()
        except TimeoutError:
            logger.info("%d clients did not go by themselves", len(self._all))
        for connection in list(self._all):
            connection.sink.abort()
        await asyncio.gather(*endings, return_exceptions=True)

    async def _draining(self, drain: float, hurry: asyncio.Event) -> None:
        """Return when everyone has gone, when somebody is in a hurry, or when the time is over."""
        waits = [asyncio.ensure_future(event.wait()) for event in (self._empty, hurry)]
        await asyncio.wait(waits, timeout=drain, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        # Who is still waiting for its turn has gone by itself, or is told now.
        hurry.set()

    async def _end_later(
        self, connection: Connection, code: CloseCode, reason: str, wait: float, hurry: asyncio.Event
    ) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await hurry.wait()
        if connection in self._all:
            self._end(connection, code, reason)

    def _end(self, connection: Connection, code: CloseCode, reason: str) -> None:
        connection.end(code, reason, random.randint(*_RETRY_MS))  # noqa: S311

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._timing.tick)
            everyone = iter(list(self._all))
            while some := list(islice(everyone, _AT_ONCE)):
                self._look_after(some, loop.time())
                # To look at ten thousand takes as many microseconds; nobody is to wait that long.
                await asyncio.sleep(0)

    def _look_after(self, some: Iterable[Connection], now: float) -> None:
        least, most = self._protection.least_bytes_per_second, self._protection.stuck_seconds
        for connection in some:
            if connection not in self._all:
                continue  # it has gone since
            if connection.sink.behind(now, least) > most:
                # A word to it would have to wait behind what it does not take.
                logger.info("a client took less than %d bytes/s for %g s and is cut off", least, most)
                connection.sink.abort()
            else:
                connection.tick(now)
