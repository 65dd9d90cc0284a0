"""Both stores, for what both have to do; and drafts to put into them."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from pushtui.retention import ALL, Retention
from server.log.memory import MemoryStore
from server.log.sqlite import SqliteStore
from server.log.store import Draft, Store

ROOM = "room:main"
KEPT_OF_SHORT = 3


def keep_short(stream: str) -> Retention:
    """Only the stream ``short`` is trimmed by itself."""
    return Retention(entries=KEPT_OF_SHORT) if stream == "short" else ALL


def said(text: str, *, stream: str = ROOM, by: str = "anna", key: str | None = None) -> Draft:
    """A message."""
    return Draft(stream, "message", by, msgspec.json.encode({"text": text}), key=key)


def topic(text: str, *, stream: str = ROOM) -> Draft:
    """A topic."""
    return Draft(stream, "topic", "anna", msgspec.json.encode({"text": text}))


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until the condition holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 (nothing tells when)
            await asyncio.sleep(0.001)


@pytest.fixture
def clock_ms() -> Callable[[], int]:
    """Every look at it is one millisecond later."""
    ticks = itertools.count(1_000_000)
    return lambda: next(ticks)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "log.sqlite3"


@pytest.fixture(params=["sqlite", "memory"])
async def store(request: pytest.FixtureRequest, path: Path, clock_ms: Callable[[], int]) -> AsyncIterator[Store]:
    store: Store
    if request.param == "sqlite":
        store = SqliteStore(path, clock_ms=clock_ms, keep=keep_short)
    else:
        store = MemoryStore(clock_ms=clock_ms, keep=keep_short)
    await store.open()
    yield store
    await store.close()
