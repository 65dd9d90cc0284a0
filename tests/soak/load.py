"""Eight senders on a real store, until the process is killed: ``python -m tests.soak.load LOG DURABILITY PREFIX``.

Prints ``open EPOCH HEAD`` (``-`` for no epoch yet), then for each append that returned ``AUTHOR KEY EPOCH SEQ``.
"""

import asyncio
import itertools
import logging
import os
import sys
import time
from pathlib import Path

from server.log.sqlite import SqliteStore
from server.log.store import Draft, StoreBusyError
from tests.soak.ledger import STREAM

SENDERS = 8


async def run(log: Path, durability: str, prefix: str) -> None:
    store = SqliteStore(
        log,
        clock_ms=lambda: time.time_ns() // 1_000_000,
        durability="relaxed" if durability == "relaxed" else "full",
    )
    await store.open()
    state = store.state(STREAM)
    say(f"open {state.epoch if state else '-'} {state.head if state else 0}")
    await asyncio.gather(*(send(store, f"s{number}", prefix) for number in range(SENDERS)))


async def send(store: SqliteStore, author: str, prefix: str) -> None:
    for number in itertools.count():
        key = f"{prefix}.{number}"
        try:
            stored = await store.append(Draft(STREAM, "message", author, b'{"text":"%d"}' % number, key))
        except StoreBusyError:
            # The disk is gone. Once refused, never stored: there must not be an event after a hole.
            return
        say(f"{author} {key} {stored.epoch} {stored.seq}")


def say(line: str) -> None:
    # In one write, so that a line is there as a whole or not at all.
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    logging.disable()  # that the disk is gone is no news
    asyncio.run(run(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
