"""The store in memory does not grow without end."""

from collections.abc import Callable

import pytest

from pushtui.retention import ALL, Retention
from server.log import memory
from server.log.memory import MemoryStore
from tests.server.log.conftest import ROOM, said


async def test_a_stream_without_a_limit_has_one_all_the_same(
    clock_ms: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "MOST_ENTRIES", 10)
    store = MemoryStore(clock_ms=clock_ms, keep=lambda stream: ALL if stream == ROOM else Retention(entries=1000))
    await store.open()
    for number in range(25):
        await store.append(said("x", key=str(number)), said("x", key=str(number), stream="other"))
    for stream in (ROOM, "other"):
        assert [entry.seq for entry in await store.read(stream, 0, 100)] == list(range(16, 26))
        assert len(store._streams[stream].entries) == len(store._streams[stream].keys) == 10
    await store.close()
