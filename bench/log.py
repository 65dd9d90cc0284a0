"""How fast the log acknowledges: each acknowledgement waits for the disk."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bench.measured import Measured
from server.log.sqlite import SqliteStore
from server.log.store import Draft

_SECONDS = 3.0
_SENDERS = (1, 16, 128)
_BODY = msgspec.json.encode({"text": "x" * 120})


def measure() -> Iterator[Measured]:
    """A fresh log for each number of senders; every sender waits for its acknowledgement before it goes on."""
    for senders in _SENDERS:
        latencies, processor = asyncio.run(_append(senders))
        acks = len(latencies)
        yield Measured(f"{senders:>3} senders: acknowledged", acks / _SECONDS, "a second")
        yield Measured(f"{senders:>3} senders: latency, median", 1000 * statistics.median(latencies), "ms")
        yield Measured(f"{senders:>3} senders: processor for each", 1e6 * processor / acks, "µs")


async def _append(senders: int) -> tuple[list[float], float]:
    latencies: list[float] = []
    with tempfile.TemporaryDirectory(prefix="pushtui-bench-") as folder:
        store = SqliteStore(Path(folder) / "log.sqlite3", clock_ms=lambda: time.time_ns() // 1_000_000)
        await store.open()
        began = time.process_time()
        end = time.monotonic() + _SECONDS

        async def send(by: str) -> None:
            number = 0
            while (start := time.monotonic()) < end:
                number += 1
                await store.append(Draft("room:main", "message", by, _BODY, key=str(number)))
                latencies.append(time.monotonic() - start)

        await asyncio.gather(*(send(f"sender{number}") for number in range(senders)))
        processor = time.process_time() - began
        await store.close()
    return latencies, processor
