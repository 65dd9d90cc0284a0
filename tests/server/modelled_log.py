"""A log in a real file beside the model of it, over all its lives: each start, kill and restore is checked."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from pushtui.retention import ALL, Retention
from server.log.sqlite import SqliteStore
from server.log.store import Draft, Entry, Stored
from server.log.streams import STATUS
from tests.server.conftest import ticking_clock
from tests.server.files import Files
from tests.server.model import Said, Stream

SHORT = "room:short"
KEPT_OF_SHORT = 5

#: Where a listener says it was, made from what it holds.
CLAIMS: dict[str, Callable[[str], str | None]] = {
    "what it holds": lambda held: held,
    "nothing": lambda _: None,
    "an empty text": lambda _: "",
    "far above the head": lambda held: held[:9] + "999999999999999999",
    "one above what it holds": lambda held: f"{held[:9]}{int(held[9:]) + 1}",
    "before the first": lambda held: held[:9] + "0",
    "another epoch": lambda held: "zzzzzzzz" + held[8:],
    "no position": lambda held: held + "x",
    "no number": lambda held: held[:9] + "-1",
    "too long a number": lambda held: held[:9] + "1" * 19,
}


class ModelledLog:
    """The store of the present life, and what has to be in it.

    Args:
        path: of the file.

    Attributes:
        streams: the model.
        store: open from `open` on.
    """

    def __init__(self, path: Path) -> None:
        self.streams: dict[str, Stream] = {}
        self.store = SqliteStore(path, clock_ms=ticking_clock(), keep=_keep)
        self._path = path
        self._clock = ticking_clock()
        self._gone: dict[str, Stream] = {}
        self._unfollow: Callable[[], None] = lambda: None
        self._backup: tuple[Files, dict[str, list[Said]]] | None = None

    def prepare(self) -> SqliteStore:
        """The store of the next life; who opens it may be a server. The model follows it before anyone else."""
        self.store = SqliteStore(self._path, clock_ms=self._clock, keep=_keep)
        self._unfollow = self.store.follow(self._follow)
        return self.store

    def stream(self, name: str) -> Stream:
        """One stream of the model. What the store has made, the model has too."""
        stream = self.streams.get(name)
        if stream is None:
            state = self.store.state(name)
            assert state is not None
            stream = self.streams[name] = Stream(state.epoch)
            if (before := self._gone.pop(name, None)) is not None:
                assert state.epoch not in before.lives
                stream.lives |= before.lives
        return stream

    def known(self, name: str, said: Said) -> int | None:
        """Where the key went first, if that is kept."""
        return None if self.store.state(name) is None else self.stream(name).known(said)

    async def append(self, name: str, said: Said) -> None:
        """Say it, or say it again, and see that the answer is right."""
        known = self.known(name, said)
        self.acked(name, said, await self.store.append(draft(name, said)), known)

    def acked(self, name: str, said: Said, stored: Stored, known: int | None) -> None:
        """An answer has come: the event is where it says; ``known`` is where its key was when it was asked for."""
        stream = self.stream(name)
        assert stored.epoch == stream.epoch
        assert stream.entries[stored.seq - 1] == said
        assert stored.duplicate or known is None
        assert known in (None, stored.seq)

    async def trim(self, name: str, below: int) -> None:
        await self.store.trim(name, below)
        self.streams[name].trim(below)

    def check_states(self) -> None:
        for name, stream in self.streams.items():
            state = self.store.state(name)
            assert state is not None
            assert (state.epoch, state.head, state.floor) == (stream.epoch, stream.head, stream.floor)

    async def check_entries(self) -> None:
        """What can be read from the file is what the model holds."""
        self.check_states()
        for name, stream in self.streams.items():
            read: list[tuple[int, Said]] = []
            while page := await self.store.read(name, read[-1][0] if read else 0, 7):
                read += [(entry.seq, _said(entry)) for entry in page]
            assert read == list(stream.kept())

    # Ends and beginnings. Each takes what closes the present life, and what begins the next one.

    async def restart(self, close: Callable[[], Awaitable[None]], begin: Callable[[], Awaitable[None]]) -> None:
        """In order: nothing changes."""
        await close()
        await begin()
        await self.check_entries()

    async def kill(
        self,
        close: Callable[[], Awaitable[None]],
        begin: Callable[[], Awaitable[None]],
        said: Sequence[tuple[str, Said]],
    ) -> None:
        """At this moment: the loop does not turn before the files are copied, so nobody hears of what comes later.

        What was told is there, in the same life. Of what was ``said`` and is on its way, some is there: the first
        so many.
        """
        files = Files.copy(self._path)
        told = {name: list(stream.entries) for name, stream in self.streams.items()}
        self._unfollow()
        await close()
        files.put_back(self._path)
        await begin()
        assert set(told) <= set(self.store.streams())
        found: list[tuple[str, Said]] = []
        for name in self.store.streams():
            stream = self.stream(name)
            state = self.store.state(name)
            assert state is not None
            assert state.epoch == stream.epoch
            before = len(told.get(name, ()))
            assert state.head >= before
            found += [(name, _said(entry)) for entry in await self.store.read(name, before, 1000)]
            stream.entries += [one for stored_in, one in found if stored_in == name]
            if name == SHORT:
                stream.trim(stream.head + 1 - KEPT_OF_SHORT)
        on_the_way = [(name, one) for name, one in said if one not in told.get(name, ())]
        for name in self.streams:
            committed = [one for stored_in, one in on_the_way[: len(found)] if stored_in == name]
            assert [one for stored_in, one in found if stored_in == name] == committed
        await self.check_entries()

    def back_up(self) -> None:
        entries = {name: list(stream.entries) for name, stream in self.streams.items()}
        self._backup = Files.copy(self._path), entries

    async def restore(
        self, close: Callable[[], Awaitable[None]], begin: Callable[[], Awaitable[None]], *, replaced: bool
    ) -> None:
        """Put the copy back, if there is one: every stream begins a new life."""
        await close()
        if self._backup is None:
            await begin()
            return
        files, entries = self._backup
        files.restore(self._path, replaced=replaced)
        await begin()
        for name in set(self.streams) - set(entries):
            self._gone[name] = self.streams.pop(name)
        for name, held in entries.items():
            state = self.store.state(name)
            assert state is not None
            stream = self.stream(name)
            stream.begin_life(state.epoch)
            stream.entries = list(held)
            stream.floor = state.floor
        await self.check_entries()

    def _follow(self, entries: Sequence[Entry]) -> None:
        """The model learns from the feed what is durable, and that this can be."""
        for entry in entries:
            said = _said(entry)
            stream = self.stream(entry.stream)
            assert entry.seq == stream.head + 1
            assert said not in stream.entries or (said.key is not None and stream.known(said) is None)
            stream.entries.append(said)
        for name in {entry.stream for entry in entries} & {SHORT}:
            self.streams[name].trim(self.streams[name].head + 1 - KEPT_OF_SHORT)


def draft(name: str, said: Said) -> Draft:
    """What the store is asked for. On the status stream the body says what a chat's frame says around it."""
    body = {"text": said.text}
    if name == STATUS:
        body |= {"by": said.by} | ({} if said.key is None else {"key": said.key})
    return Draft(name, said.kind, said.by, msgspec.json.encode(body), key=said.key)


def _keep(name: str) -> Retention:
    return Retention(entries=KEPT_OF_SHORT) if name == SHORT else ALL


def _said(entry: Entry) -> Said:
    return Said(entry.kind, entry.by, msgspec.json.decode(entry.body)["text"], entry.key)
