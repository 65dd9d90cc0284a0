"""Whatever happens to a log, its listeners are told and get exactly what the contract says.

Hypothesis plays: it appends, connects, lags, trims, drops, kills, restarts and restores, in any order. The log is
a real file; a kill leaves the files as they are at that moment, with appends on their way to them. What has to be
is said by `tests.server.model`. ``PUSHTUI_MODEL_EXAMPLES`` sets how many plays there are.
"""

import asyncio
import functools
import itertools
import os
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from server.log import cursor as cursor_module
from server.log import fanout as fanout_module
from server.log import tail as tail_module
from server.log.fanout import Fanout
from server.log.streams import STATUS
from server.log.tail import Tail
from tests.server.conftest import until
from tests.server.model import SAMPLE, Said
from tests.server.modelled_log import CLAIMS, SHORT, ModelledLog, draft
from tests.server.pure_listeners import WIRES, Listener

EXAMPLES = int(os.environ.get("PUSHTUI_MODEL_EXAMPLES", "40"))
MAIN = "room:main"

streams = st.sampled_from((MAIN, SHORT, STATUS))
authors = st.sampled_from("ab")
places = st.integers(0, 30)
claims = st.just("what it holds") | st.sampled_from(sorted(CLAIMS))
rooms = st.none() | st.integers(0, 2)
leavings = st.none() | st.integers(0, 8)


class Recovery(RuleBasedStateMachine):
    """One log over all its lives, and everyone who listens."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._folder = tempfile.TemporaryDirectory()
        self._patch = pytest.MonkeyPatch()
        # Short spans and pages, so that a dozen events need several.
        self._patch.setattr(tail_module, "SPAN_BYTES", 300)
        self._patch.setattr(cursor_module, "SPAN_BYTES", 300)
        self._patch.setattr(cursor_module, "_PAGE", 5)
        self._patch.setattr(fanout_module, "_PRELOAD", 6)
        self._patch.setattr(fanout_module, "Tail", functools.partial(Tail, capacity=6))
        self._texts = (f"n{number}" for number in itertools.count())
        self._keys = (f"k{number}" for number in itertools.count())
        self.log = ModelledLog(Path(self._folder.name) / "log.sqlite3")
        self.listeners: list[Listener] = []
        self.keyed: list[tuple[str, Said]] = []

    def _run(self, doing: Awaitable[Any]) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(20):
                await doing
                await self._settle()
                await asyncio.sleep(0)  # tails that nobody needs go in the next turn

        self._runner.run(bounded())

    async def _begin(self) -> None:
        await self.log.prepare().open()
        self.fanout = Fanout(self.log.store)

    async def _close(self) -> None:
        self.fanout.close()
        await self.log.store.close()

    async def _settle(self) -> None:
        def at_rest() -> bool:
            return all(one.connection is None or one.connection.at_rest() for one in self.listeners)

        await until(at_rest)

    def _new(self, name: str, by: str, *, keyed: bool) -> Said:
        kind = "message" if name != STATUS else "notice" if keyed else SAMPLE
        said = Said(kind, by, next(self._texts), next(self._keys) if keyed else None)
        if keyed:
            self.keyed.append((name, said))
        return said

    def _drop_all(self) -> None:
        self.everyone_has_what_is_due()
        for listener in self.listeners:
            listener.drop()

    # What may happen

    @initialize(said=st.lists(st.tuples(streams, authors), max_size=20))
    def open(self, said: list[tuple[str, str]]) -> None:
        async def opening() -> None:
            await self._begin()
            for name, by in said:
                await self.log.append(name, self._new(name, by, keyed=False))

        self._run(opening())

    @rule(name=streams, by=authors, count=st.integers(1, 9), keyed=st.booleans(), place=places)
    def say(self, name: str, by: str, count: int, keyed: bool, place: int) -> None:
        """Several at once, as in a room; among them perhaps something that was said before, with its key."""
        said = [(name, self._new(name, by, keyed=keyed)) for _ in range(count)]
        if place < len(self.keyed):
            said.append(self.keyed[place])

        async def saying() -> None:
            await asyncio.gather(*(self.log.append(*one) for one in said))

        self._run(saying())

    @rule(by=authors)
    def mark(self, by: str) -> None:
        """One append to two streams."""

        async def marking() -> None:
            names = (MAIN, STATUS)
            said = [self._new(name, by, keyed=True) for name in names]
            stored = await self.log.store.append(*(map(draft, names, said)))
            self.log.acked(MAIN, said[0], stored, None)
            assert self.log.stream(STATUS).entries[-1] == said[1]

        self._run(marking())

    @rule(
        name=streams,
        wire=st.sampled_from(sorted(WIRES)),
        claim=st.none() | claims,
        replay=st.integers(0, 12),
        room=rooms,
        meanwhile=st.integers(0, 6),
        leave=leavings,
    )
    def come_in(
        self,
        name: str,
        wire: str,
        claim: str | None,
        replay: int,
        room: int | None,
        meanwhile: int,
        leave: int | None,
    ) -> None:
        """Somebody new comes, perhaps with a position that was made up."""
        listener = Listener(name, "stream" if name == STATUS and wire == "chat" else wire)
        self.listeners.append(listener)
        if claim is not None and name in self.log.streams:
            stream = self.log.stream(name)
            listener.held = f"{stream.epoch}.{stream.head}"
        self._run(self._connect(listener, claim, replay, room, meanwhile, leave))

    @precondition(lambda self: any(one.connection is None for one in self.listeners))
    @rule(
        place=places,
        claim=claims,
        replay=st.integers(0, 12),
        room=rooms,
        meanwhile=st.integers(0, 6),
        leave=leavings,
    )
    def come_back(
        self, place: int, claim: str, replay: int, room: int | None, meanwhile: int, leave: int | None
    ) -> None:
        away = [one for one in self.listeners if one.connection is None]
        self._run(self._connect(away[place % len(away)], claim, replay, room, meanwhile, leave))

    async def _connect(
        self,
        listener: Listener,
        claim: str | None,
        replay: int,
        room: int | None,
        meanwhile: int,
        leave: int | None = None,
    ) -> None:
        """Connect while others go on talking, and perhaps everyone who listens goes after so many turns."""
        name, held = listener.stream, listener.held
        others = [one for one in self.listeners if one.stream == name and one.connection is not None]
        others = [one for one in self.listeners if one.stream == name and one.connection is not None]
        named = None if held is None or claim is None else CLAIMS[claim](held)

        async def connecting() -> None:
            start, due = await listener.connect(self.fanout, named, replay, room)
            stream = self.log.stream(name)
            assert (start.epoch, start.head, due) == (stream.epoch, stream.head, stream.due(named, replay))
            if named is not None and named == held and start.outcome == "reset":
                assert named[:8] != stream.epoch, "a position that was given out is good as long as its epoch is"

        talk = [self.log.append(name, self._new(name, "c", keyed=False)) for _ in range(meanwhile)]

        async def leaving() -> None:
            if leave is not None:
                for _ in range(leave):
                    await asyncio.sleep(0)
                for one in others:
                    one.drop()

        await asyncio.gather(*talk[: meanwhile // 2], connecting(), leaving(), *talk[meanwhile // 2 :])

    @precondition(lambda self: any(one.connection for one in self.listeners))
    @rule(place=places, room=st.none() | st.integers(1, 4))
    def give_room(self, place: int, room: int | None) -> None:
        """Let a listener that lags take so many writes, or all."""
        sinks = [one.connection.sink for one in self.listeners if one.connection is not None]

        async def giving() -> None:
            sinks[place % len(sinks)].give_room(room)

        self._run(giving())

    @precondition(lambda self: any(one.connection for one in self.listeners))
    @rule(place=places)
    def drop(self, place: int) -> None:
        present = [one for one in self.listeners if one.connection is not None]
        present[place % len(present)].drop()

    @rule(name=streams, below=st.integers(-6, 2))
    def trim(self, name: str, below: int) -> None:
        """Up to a place near the head."""
        if name in self.log.streams:
            self._run(self.log.trim(name, self.log.stream(name).head + 1 + below))

    @rule()
    def back_up(self) -> None:
        self.log.back_up()

    @rule(
        how=st.sampled_from(["restart", "kill", "restore in place", "restore"]),
        names=st.lists(streams, max_size=6),
        turns=st.integers(0, 3),
        keyed=st.booleans(),
        back=st.booleans(),
    )
    def end(self, how: str, names: list[str], turns: int, keyed: bool, back: bool) -> None:
        """The server ends, comes again, and everyone who was there perhaps too."""
        here = [one for one in self.listeners if one.connection is not None]

        async def ending() -> None:
            if how == "kill":
                await self._kill([(name, self._new(name, "c", keyed=keyed)) for name in names], turns)
            else:
                self._drop_all()
                if how == "restart":
                    await self.log.restart(self._close, self._begin)
                else:
                    await self.log.restore(self._close, self._begin, replaced=how == "restore")
            for listener in here if back else ():
                await self._connect(listener, "what it holds", 3, None, 0)

        self._run(ending())

    async def _kill(self, said: list[tuple[str, Said]], turns: int) -> None:
        asked = [asyncio.ensure_future(self.log.store.append(draft(name, one))) for name, one in said]
        for _ in range(turns):
            await asyncio.sleep(0)
        self._drop_all()

        async def close() -> None:
            await asyncio.gather(*asked)
            await self._close()

        await self.log.kill(close, self._begin, said)

    # What always holds

    @invariant()
    def everyone_has_what_is_due(self) -> None:
        for listener in self.listeners:
            if listener.connection is not None:
                listener.check(self.log.stream(listener.stream))

    @invariant()
    def tails_are_there_for_those_who_listen(self) -> None:
        here = {one.stream for one in self.listeners if one.connection is not None}
        assert here <= set(self.fanout._tails) <= here | {STATUS}

    @invariant()
    def the_states_are_the_models(self) -> None:
        self.log.check_states()

    def teardown(self) -> None:
        async def ending() -> None:
            for listener in self.listeners:
                if listener.connection is not None:
                    listener.connection.sink.give_room()
            await self._settle()
            self._drop_all()
            await self._close()

        try:
            self._run(ending())
        finally:
            self._patch.undo()
            self._runner.close()
            self._folder.cleanup()


TestRecovery = Recovery.TestCase
TestRecovery.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
