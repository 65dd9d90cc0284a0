"""What tests of the log core listen with: a sink that one opens and closes, and a wire that one can read."""

import asyncio
from collections.abc import Callable, Sequence

from server.log.store import Entry
from server.log.wire import Wire


def make_wire() -> Wire:
    """One line for each entry: its seq and its body."""
    return Wire("test", lambda entry, _epoch: b"%d %b\n" % (entry.seq, entry.body), lambda payload: payload)


class ListSink:
    """Keeps what is written.

    Attributes:
        open: whether there is room; after each write it goes down by one, None is room without an end.
        writes: what came in one piece each.
        aborted: whether the listener was cut off.
    """

    def __init__(self, room: int | None = None) -> None:
        self.writes: list[bytes] = []
        self.aborted = False
        self._room = room
        self._wakes: list[Callable[[], None]] = []
        self._waiters: list[asyncio.Future[bool]] = []

    def write(self, data: bytes) -> None:
        if self.aborted:
            return
        assert self.has_room(), "written although there was no room"
        self.writes.append(data)
        if self._room is not None:
            self._room -= 1

    def offer(self, data: bytes) -> bool:
        if self.aborted or not self.has_room():
            return False
        self.write(data)
        return True

    def has_room(self) -> bool:
        return self._room is None or self._room > 0

    def when_room(self, wake: Callable[[], None]) -> None:
        assert not self.has_room()
        self._wakes.append(wake)

    async def room(self) -> bool:
        while not self.has_room() and not self.aborted:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter
        return not self.aborted

    @property
    def asked(self) -> bool:
        """Whether somebody waits for room."""
        return bool(self._wakes)

    def give_room(self, writes: int | None = None) -> None:
        """Room for that many writes, or for all."""
        self._room = None if writes is None or self._room is None else self._room + writes
        self._release()

    def abort(self) -> None:
        self.aborted = True
        self._release()

    def _release(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(True)
        self._waiters.clear()
        wakes, self._wakes = self._wakes, []
        for wake in wakes:
            wake()

    def lines(self) -> list[str]:
        return b"".join(self.writes).decode().splitlines()

    def seqs(self) -> list[int]:
        return [int(line.split(" ", 1)[0]) for line in self.lines()]


def entries(count: int, *, first: int = 1, body: bytes = b'"x"', kind: str = "message") -> Sequence[Entry]:
    """Consecutive entries."""
    return [Entry("room:main", seq, 0, kind, "ana", None, body) for seq in range(first, first + count)]
