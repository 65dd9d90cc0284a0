"""Whatever happens to a server, its listeners are told and get exactly what the contract says.

Hypothesis plays: it appends, connects, lags, trims, drops, kills, restarts and restores, in any order. The log is
a real file; a kill leaves the files as they are at that moment, with appends on their way to them. What has to be
is said by `tests.server.model`. ``PUSHTUI_MODEL_EXAMPLES`` sets how many plays there are.
"""

import asyncio
import functools
import itertools
import os
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pushtui.retention import ALL, Retention
from server.log import cursor as cursor_module
from server.log import fanout as fanout_module
from server.log import tail as tail_module
from server.log.fanout import Fanout
from server.log.sqlite import SqliteStore
from server.log.store import Draft, Entry, Stored
from server.log.streams import STATUS
from server.log.tail import Tail
from tests.server.conftest import ticking_clock, until
from tests.server.files import Files
from tests.server.model import SAMPLE, Said, Stream
from tests.server.pure_listeners import WIRES, Listener

EXAMPLES = int(os.environ.get("PUSHTUI_MODEL_EXAMPLES", "40"))
MAIN, SHORT = "room:main", "room:short"
STREAMS = (MAIN, SHORT, STATUS)
KEPT_OF_SHORT = 5

streams = st.sampled_from(STREAMS)
authors = st.sampled_from("ab")
places = st.integers(0, 30)
#: Where a listener says it was, made from what it holds.
CLAIMS: dict[str, Callable[[str], str | None]] = {
    "what it holds": lambda held: held,
    "nothing": lambda _: None,
    "an empty text": lambda _: "",
    "far above the head": lambda held: held[:9] + "999999999999999999",
    "one above what it holds": lambda held: f"{held[:9]}{int(held[9:]) + 1}",
    "before the first": lambda held: held[:9] + "0",
    "another epoch": lambda held: "zzzzzzzz" + held[8:],
    "no position": lambda held: held + " ",
    "no number": lambda held: held[:9] + "-1",
    "too long a number": lambda held: held[:9] + "1" * 19,
}
claims = st.just("what it holds") | st.sampled_from(sorted(CLAIMS))
rooms = st.none() | st.integers(0, 2)


class Recovery(RuleBasedStateMachine):
    """One server's log over all its lives, and everyone who listens."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._folder = tempfile.TemporaryDirectory()
        self._path = Path(self._folder.name) / "log.sqlite3"
        self._patch = pytest.MonkeyPatch()
        # Short spans and pages, so that a dozen events need several.
        self._patch.setattr(tail_module, "SPAN_BYTES", 300)
        self._patch.setattr(cursor_module, "SPAN_BYTES", 300)
        self._patch.setattr(cursor_module, "_PAGE", 5)
        self._patch.setattr(fanout_module, "_PRELOAD", 6)
        self._patch.setattr(fanout_module, "Tail", functools.partial(Tail, capacity=6))
        self._clock = ticking_clock()
        self._texts = (f"n{number}" for number in itertools.count())
        self._keys = (f"k{number}" for number in itertools.count())
        self.model: dict[str, Stream] = {}
        self.gone: dict[str, Stream] = {}
        self.listeners: list[Listener] = []
        self.keyed: list[tuple[str, Said]] = []
        self.backup: tuple[Files, dict[str, list[Said]]] | None = None

    def _run(self, doing: Awaitable[Any]) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(20):
                await doing

        self._runner.run(bounded())

    # What the store does

    async def _open(self) -> None:
        self.store = SqliteStore(self._path, clock_ms=self._clock, keep=_keep)
        await self.store.open()
        self.store.follow(self._follow)
        self.fanout = Fanout(self.store)

    def _follow(self, entries: Sequence[Entry]) -> None:
        """The model learns from the feed what is durable, and that this can be."""
        for entry in entries:
            said = _said(entry)
            stream = self._stream(entry.stream)
            assert entry.seq == stream.head + 1
            assert said not in stream.entries or (said.key is not None and stream.known(said) is None)
            stream.entries.append(said)
        for name in {entry.stream for entry in entries} & {SHORT}:
            self.model[name].trim(self.model[name].head + 1 - KEPT_OF_SHORT)

    def _stream(self, name: str) -> Stream:
        stream = self.model.get(name)
        if stream is None:
            state = self.store.state(name)
            assert state is not None
            stream = self.model[name] = Stream(state.epoch)
            if (before := self.gone.pop(name, None)) is not None:
                assert state.epoch not in before.lives
                stream.lives |= before.lives
        return stream

    async def _append(self, name: str, said: Said) -> None:
        known = self._stream(name).known(said) if self.store.state(name) else None
        self._acked(name, said, await self.store.append(_draft(name, said)), known)

    def _acked(self, name: str, said: Said, stored: Stored, known: int | None) -> None:
        stream = self._stream(name)
        assert stored.epoch == stream.epoch
        assert stream.entries[stored.seq - 1] == said
        assert stored.duplicate or known is None
        assert known in (None, stored.seq)

    def _new(self, name: str, by: str, *, keyed: bool) -> Said:
        kind = "message" if name != STATUS else SAMPLE if not keyed else "notice"
        said = Said(kind, by, next(self._texts), next(self._keys) if keyed else None)
        if keyed:
            self.keyed.append((name, said))
        return said

    async def _settle(self) -> None:
        def at_rest() -> bool:
            return all(one.connection is None or one.connection.at_rest() for one in self.listeners)

        await until(at_rest)

    def _check_listeners(self) -> None:
        for listener in self.listeners:
            if listener.connection is not None:
                listener.check(self.model[listener.stream])

    async def _check_all_of_it(self) -> None:
        """What is in the file is what the model holds."""
        for name, stream in self.model.items():
            read: list[tuple[int, Said]] = []
            while page := await self.store.read(name, read[-1][0] if read else 0, 7):
                read += [(entry.seq, _said(entry)) for entry in page]
            assert read == list(stream.kept())

    def _drop_all(self) -> None:
        self._check_listeners()
        for listener in self.listeners:
            listener.drop()
        self.fanout.close()

    # What may happen

    @initialize(said=st.lists(st.tuples(streams, authors), max_size=20))
    def open(self, said: list[tuple[str, str]]) -> None:
        async def opening() -> None:
            await self._open()
            for name, by in said:
                await self._append(name, self._new(name, by, keyed=False))

        self._run(opening())

    @rule(name=streams, by=authors, count=st.integers(1, 9), keyed=st.booleans(), place=places)
    def say(self, name: str, by: str, count: int, keyed: bool, place: int) -> None:
        """Several at once, as in a room; among them perhaps something that was said before, with its key."""
        said = [(name, self._new(name, by, keyed=keyed)) for _ in range(count)]
        if place < len(self.keyed):
            said.append(self.keyed[place])

        async def saying() -> None:
            await asyncio.gather(*(self._append(*one) for one in said))
            await self._settle()

        self._run(saying())

    @rule(by=authors)
    def mark(self, by: str) -> None:
        """One append to two streams."""

        async def marking() -> None:
            names = (MAIN, STATUS)
            said = [self._new(name, by, keyed=True) for name in names]
            stored = await self.store.append(*(map(_draft, names, said)))
            self._acked(MAIN, said[0], stored, None)
            assert self.model[STATUS].entries[-1] == said[1]
            await self._settle()

        self._run(marking())

    @rule(
        name=streams,
        wire=st.sampled_from(sorted(WIRES)),
        claim=st.none() | claims,
        replay=st.integers(0, 12),
        room=rooms,
        meanwhile=st.integers(0, 6),
    )
    def come_in(
        self, name: str, wire: str, claim: str | None, replay: int, room: int | None, meanwhile: int
    ) -> None:
        """Somebody new comes, perhaps with a position that was made up."""
        listener = Listener(name, "stream" if name == STATUS and wire == "chat" else wire)
        self.listeners.append(listener)
        if claim is not None and name in self.model:
            listener.held = f"{self.model[name].epoch}.{self.model[name].head}"
        self._connect(listener, claim, replay, room, meanwhile)

    @precondition(lambda self: any(one.connection is None for one in self.listeners))
    @rule(place=places, claim=claims, replay=st.integers(0, 12), room=rooms, meanwhile=st.integers(0, 6))
    def come_back(self, place: int, claim: str, replay: int, room: int | None, meanwhile: int) -> None:
        away = [one for one in self.listeners if one.connection is None]
        self._connect(away[place % len(away)], claim, replay, room, meanwhile)

    def _connect(
        self, listener: Listener, claim: str | None, replay: int, room: int | None, meanwhile: int
    ) -> None:
        """Connect while others go on talking."""
        held = listener.held
        named = None if held is None or claim is None else CLAIMS[claim](held)

        async def connecting() -> None:
            start, due = await listener.connect(self.fanout, named, replay, room)
            stream = self._stream(listener.stream)
            assert (start.epoch, start.head, due) == (stream.epoch, stream.head, stream.due(named, replay))
            if named is not None and named == held and start.outcome == "reset":
                assert named[:8] != stream.epoch, "a position that was given out is good as long as its epoch is"

        async def all_at_once() -> None:
            said = [self._new(listener.stream, "c", keyed=False) for _ in range(meanwhile)]
            half = meanwhile // 2
            before = [asyncio.ensure_future(self._append(listener.stream, one)) for one in said[:half]]
            coming = asyncio.ensure_future(connecting())
            after = [asyncio.ensure_future(self._append(listener.stream, one)) for one in said[half:]]
            await asyncio.gather(*before, coming, *after)
            await self._settle()

        self._run(all_at_once())

    @precondition(lambda self: any(one.connection for one in self.listeners))
    @rule(place=places, room=st.none() | st.integers(1, 4))
    def give_room(self, place: int, room: int | None) -> None:
        """Let a listener that lags take so many writes, or all."""
        sinks = [one.connection.sink for one in self.listeners if one.connection is not None]
        sink = sinks[place % len(sinks)]

        async def giving() -> None:
            sink.give_room(room)
            await self._settle()

        self._run(giving())

    @precondition(lambda self: any(one.connection for one in self.listeners))
    @rule(place=places)
    def drop(self, place: int) -> None:
        present = [one for one in self.listeners if one.connection is not None]
        present[place % len(present)].drop()

    @rule(name=streams, below=st.integers(-6, 2))
    def trim(self, name: str, below: int) -> None:
        """Up to a place near the head."""
        if name in self.model:
            seq = self.model[name].head + 1 + below

            async def trimming() -> None:
                await self.store.trim(name, seq)
                self.model[name].trim(seq)
                await self._settle()

            self._run(trimming())

    @rule(
        how=st.sampled_from(["restart", "kill", "restore", "replace"]),
        names=st.lists(streams, max_size=6),
        turns=st.integers(0, 3),
        keyed=st.booleans(),
        back=st.booleans(),
    )
    def end(self, how: str, names: list[str], turns: int, keyed: bool, back: bool) -> None:
        """The server ends, comes again, and everyone who was there perhaps too."""
        here = [one for one in self.listeners if one.connection is not None]
        if how == "kill":
            self._kill(names, turns, keyed)
        elif how == "restart" or self.backup is None:
            self._restart()
        else:
            self._restore(how == "replace")
        for listener in here if back else ():
            self._connect(listener, "what it holds", 3, None, 0)

    def _restart(self) -> None:
        """In order: nothing changes."""

        async def restarting() -> None:
            self._drop_all()
            await self.store.close()
            await self._open()
            await self._check_all_of_it()

        self._run(restarting())

    def _kill(self, names: list[str], turns: int, keyed: bool) -> None:
        """What was shown or acked is there, in the same life; of the rest, some of it from the beginning."""

        async def killing() -> None:
            said = [(name, self._new(name, "c", keyed=keyed)) for name in names]
            asked = [asyncio.ensure_future(self.store.append(_draft(name, one))) for name, one in said]
            for _ in range(turns):
                await asyncio.sleep(0)
            # From here on the loop does not turn before the copy is made: nobody hears of what comes later.
            self._drop_all()
            files = Files.copy(self._path)
            told = {name: list(stream.entries) for name, stream in self.model.items()}
            self.store._feed._followers.clear()
            await asyncio.gather(*asked)
            await self.store.close()
            files.put_back(self._path)
            await self._open()
            on_the_way = [(name, one) for name, one in said if one not in told.get(name, ())]
            await self._take_over(told, on_the_way)

        self._run(killing())

    async def _take_over(self, told: dict[str, list[Said]], on_the_way: list[tuple[str, Said]]) -> None:
        found = []
        for name in set(self.store.streams()):
            stream = self._stream(name)
            state = self.store.state(name)
            assert state is not None
            assert state.epoch == stream.epoch
            before = len(told.get(name, ()))
            found += [(name, _said(entry)) for entry in await self.store.read(name, before, 1000)]
            assert state.head >= before
            stream.entries += [said for one, said in found if one == name]
            if name == SHORT:
                stream.trim(stream.head + 1 - KEPT_OF_SHORT)
        assert set(told) <= set(self.store.streams())
        committed = on_the_way[: len(found)]
        for name in STREAMS:
            assert [one for one in found if one[0] == name] == [one for one in committed if one[0] == name]
        await self._check_all_of_it()

    @rule()
    def back_up(self) -> None:
        entries = {name: list(stream.entries) for name, stream in self.model.items()}
        self.backup = Files.copy(self._path), entries

    def _restore(self, replaced: bool) -> None:
        """The log of another time: every stream begins a new life."""
        assert self.backup is not None
        files, entries = self.backup

        async def restoring() -> None:
            self._drop_all()
            await self.store.close()
            files.restore(self._path, replaced=replaced)
            await self._open()
            for name in set(self.model) - set(entries):
                self.gone[name] = self.model.pop(name)
            for name, held in entries.items():
                state = self.store.state(name)
                assert state is not None
                stream = self._stream(name)
                stream.begin_life(state.epoch)
                stream.entries = list(held)
                stream.floor = state.floor
                assert state.head == len(held)
            await self._check_all_of_it()
            # A copy of the life that was put back is one of the present life no longer.
            self.backup = Files.copy(self._path), entries

        self._run(restoring())

    # What always holds

    @invariant()
    def everyone_has_what_is_due(self) -> None:
        self._check_listeners()

    @invariant()
    def the_states_are_the_models(self) -> None:
        for name, stream in self.model.items():
            state = self.store.state(name)
            assert state is not None
            assert (state.epoch, state.head, state.floor) == (stream.epoch, stream.head, stream.floor)

    def teardown(self) -> None:
        async def ending() -> None:
            for listener in self.listeners:
                if listener.connection is not None:
                    listener.connection.sink.give_room()
            await self._settle()
            self._drop_all()
            await self.store.close()

        try:
            self._run(ending())
        finally:
            self._patch.undo()
            self._runner.close()
            self._folder.cleanup()


def _keep(name: str) -> Retention:
    return Retention(entries=KEPT_OF_SHORT) if name == SHORT else ALL


def _draft(name: str, said: Said) -> Draft:
    body = {"text": said.text}
    if name == STATUS:
        body |= {"by": said.by} | ({} if said.key is None else {"key": said.key})
    return Draft(name, said.kind, said.by, msgspec.json.encode(body), key=said.key)


def _said(entry: Entry) -> Said:
    return Said(entry.kind, entry.by, msgspec.json.decode(entry.body)["text"], entry.key)


TestRecovery = Recovery.TestCase
TestRecovery.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
