"""The order of events of a duel: everybody comes, messages are said, the links are cut once, everybody answers."""

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack

from pushtui.client.address import Address
from pushtui.client.backoff import Backoff
from pushtui.duel.contender import CONTENDERS, PATIENCE, Contender, DuelError, Setting
from pushtui.duel.speaker import Speaker
from pushtui.duel.standing import Phase, Standing
from pushtui.duel.terms import Terms
from pushtui.protocol.token import Token

_ROOM = "duel-{}"
_FILLER = "the quick brown fox jumps over the lazy dog "


class Duel:
    """One duel, to be run once.

    Args:
        address: the server.
        terms: see there.
        token: what lets one in, if the server wants something.
        run: what marks its messages and its room, drawn if not given.
        backoff: makes the policy of reconnecting of each.
        changed: is called whenever there is something new to show.
    """

    def __init__(
        self,
        address: Address,
        terms: Terms,
        *,
        token: Token | None = None,
        run: str | None = None,
        backoff: Callable[[], Backoff] | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        run = run or f"{random.getrandbits(32):08x}"
        setting = Setting(
            address,
            _ROOM.format(run),
            run,
            token=token,
            backoff=backoff or _same_waits,
        )
        self._setting = setting
        self._terms = terms
        self._phase = Phase.OPENING
        self._changed = changed
        self._progress = asyncio.Event()
        self._failure: DuelError | None = None
        self._speaker = Speaker(setting, self._something_new, self._fail)
        self._contenders: tuple[Contender, ...] = tuple(
            kind(setting, self._something_new, self._fail) for kind in CONTENDERS
        )

    async def run(self) -> Standing:
        """Let it take place; returns how it stands in the end.

        Raises:
            DuelError: it cannot.
        """
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._speaker)
            await self._until(self._speaker.ready.is_set, "the server does not answer")
            for contender in self._contenders:
                await stack.enter_async_context(contender)
            await self._until(
                lambda: all(one.ready.is_set() for one in self._contenders), "not all three come through"
            )
            self._enter(Phase.TALKING)
            await self._talk()
            await self._hear_out()
            for contender in self._contenders:
                contender.over(self._terms.messages)
            self._enter(Phase.ANSWERING)
            for contender in self._contenders:
                await self._reply(contender)
            self._enter(Phase.OVER)
        return self.standing()

    def standing(self) -> Standing:
        """How it stands now."""
        terms, setting = self._terms, self._setting
        return Standing(
            server=setting.address.authority,
            room=setting.room,
            phase=self._phase,
            messages=terms.messages,
            size_bytes=terms.size,
            rate_per_second=terms.rate,
            said=self._speaker.said,
            lanes=[contender.lane() for contender in self._contenders],
        )

    async def _talk(self) -> None:
        """Say everything, at the rate; cut the links when half of it was said."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        for number in range(self._terms.messages):
            await asyncio.sleep(max(0.0, begin + number / self._terms.rate - loop.time()))
            if self._failure is not None:
                raise self._failure
            if self._terms.cut and number == self._terms.messages // 2:
                for contender in self._contenders:
                    contender.cut()
            self._speaker.say(self._terms.size, _FILLER)
            self._changed()

    async def _hear_out(self) -> None:
        """Wait for what is on its way; what does not come in time is lost."""
        try:
            await self._until(self._is_all_heard, "")
        except DuelError:
            if self._failure is not None:
                raise

    def _is_all_heard(self) -> bool:
        return all(len(one.tally.heard) >= self._terms.messages and one.caught_up for one in self._contenders)

    async def _reply(self, contender: Contender) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await contender.reply()
        except TimeoutError:
            raise self._failure or DuelError(f"{contender.transport}: its answer did not come back") from None

    async def _until(self, holds: Callable[[], bool], otherwise: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds():
                    if self._failure is not None:
                        raise self._failure
                    self._progress.clear()
                    await self._progress.wait()
        except TimeoutError:
            raise DuelError(otherwise) from None

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self._changed()

    def _something_new(self) -> None:
        self._progress.set()
        self._changed()

    def _fail(self, error: DuelError) -> None:
        self._failure = self._failure or error
        self._progress.set()


def _same_waits() -> Backoff:
    """In every duel and for each reader, the mean: who comes back first is not to be a matter of luck."""
    return Backoff(chance=lambda: 0.5)
