"""When a server looks for garbage."""

import asyncio
import gc
import weakref

from server.garbage import Garbage


class Node:
    """One that refers to itself."""

    def __init__(self) -> None:
        self.itself = self


class Clock:
    """Processor time, used by hand."""

    def __init__(self) -> None:
        self.used = 0.0

    def __call__(self) -> float:
        return self.used


def old_garbage() -> "weakref.ref[Node]":
    """A cycle that nothing refers to, among the oldest: only a look at everything finds it."""
    node = Node()
    gc.collect()
    return weakref.ref(node)


def test_everything_is_looked_through_in_a_quiet_second() -> None:
    clock = Clock()
    garbage = Garbage(clock)
    found = old_garbage()
    assert not garbage.look(19)
    assert found() is not None
    assert garbage.look(20)
    assert found() is None


def test_not_while_there_is_work_to_do() -> None:
    clock = Clock()
    garbage = Garbage(clock)
    found = old_garbage()
    clock.used = 0.5
    assert not garbage.look(99)
    assert found() is not None


def test_but_not_never() -> None:
    clock = Clock()
    garbage = Garbage(clock)
    found = old_garbage()
    clock.used = 0.5
    assert garbage.look(100)
    assert found() is None


async def test_it_ends_as_it_began() -> None:
    thresholds, frozen = gc.get_threshold(), gc.get_freeze_count()
    task = asyncio.create_task(Garbage().run())
    await asyncio.sleep(0)
    assert gc.get_threshold()[2] > 1_000_000
    assert gc.get_freeze_count() > frozen
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert gc.get_threshold() == thresholds
    assert gc.get_freeze_count() == 0
