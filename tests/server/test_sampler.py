"""The sampler: on this very machine, and on one that does odd things."""

import asyncio
import contextlib
import logging
import math
import platform
import time
from collections.abc import Callable

import msgspec
import psutil
import pytest

from pushtui.protocol import names
from pushtui.protocol.samples import Disk, Memory, Sample, Temperature
from server.log.store import StoreBusyError
from server.readings import CoreTime, ProcessId, Readings
from server.refusal import RefusedError
from server.sampler import SLOW_SECONDS, Sampler, host_name, next_beat


class Machine(Readings):
    """A machine whose figures are set by the test."""

    def __init__(self) -> None:
        self.core_times = [CoreTime(10.0, 100.0), CoreTime(20.0, 100.0)]
        self.disk = {"sda": (0, 0)}
        self.network = {"eth0": (0, 0)}
        self.seconds = {ProcessId(1, 1.0): 5.0, ProcessId(2, 1.0): 5.0}
        self.scan_costs: Callable[[], None] = lambda: None
        self.scans = 0

    def cores(self) -> list[CoreTime]:
        return list(self.core_times)

    def load(self) -> tuple[float, float, float]:
        return 0.5, 0.25, 0.125

    def memory(self) -> Memory:
        return Memory(1000, 400, 40.0)

    def swap_percent(self) -> float | None:
        return 1.5

    def disks(self) -> list[Disk]:
        return [Disk("/", 100, 50, 50.0)]

    def disk_bytes(self) -> dict[str, tuple[int, int]]:
        return dict(self.disk)

    def network_bytes(self) -> dict[str, tuple[int, int]]:
        return dict(self.network)

    def processes(self) -> tuple[int, dict[ProcessId, float]]:
        self.scans += 1
        self.scan_costs()
        return len(self.seconds) + 1, dict(self.seconds)

    def process(self, pid: int) -> tuple[str, int]:
        if pid == 13:
            raise psutil.AccessDenied(pid)
        return f"process {pid}", pid * 1000

    def temperatures(self) -> list[Temperature]:
        return [Temperature("cpu", 42.0)]

    def boot_time(self) -> float:
        return 1000.0


class Clock:
    """Both clocks of a sampler, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def ms(self) -> int:
        return 1_060_000 + int(self.seconds * 1000)

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sampler(machine: Machine, clock: Clock) -> Sampler:
    return Sampler("box", clock.ms, clock.monotonic, machine)


class TestThisMachine:
    def test_gives_a_sample_of_the_contract(self) -> None:
        sampler = Sampler()
        sampler.take()
        sample = sampler.take()
        assert msgspec.json.decode(msgspec.json.encode(sample), type=Sample) == sample
        assert sample.host == host_name()
        assert abs(sample.at - time.time() * 1000) < 60_000
        assert sample.cpu is not None
        assert sample.cpu.count == len(sample.cpu.per_core) == psutil.cpu_count()
        assert all(0 <= percent <= 100 for percent in [sample.cpu.percent, *sample.cpu.per_core])
        assert sample.memory is not None
        assert sample.memory.total_bytes == psutil.virtual_memory().total
        assert 0 < sample.memory.used_bytes < sample.memory.total_bytes
        assert sample.uptime_seconds is not None
        assert sample.uptime_seconds > 0


class TestSample:
    def test_the_first_one_has_no_rates(self, sampler: Sampler) -> None:
        first = sampler.take()
        assert first == Sample(
            "box",
            1_060_000,
            0.0,
            memory=Memory(1000, 400, 40.0, 1.5),
            disks=[Disk("/", 100, 50, 50.0)],
            processes=msgspec.convert({"count": 3, "top": []}, type=type(first.processes)),
            temperatures=[Temperature("cpu", 42.0)],
            uptime_seconds=60.0,
        )

    def test_rates_are_per_second_since_the_one_before(
        self, sampler: Sampler, machine: Machine, clock: Clock
    ) -> None:
        sampler.take()
        clock.advance(2)
        machine.disk = {"sda": (3000, 500)}
        machine.network = {"eth0": (200, 100)}
        machine.core_times = [CoreTime(11.0, 102.0), CoreTime(20.0, 102.0)]
        machine.seconds = {ProcessId(1, 1.0): 5.5, ProcessId(2, 1.0): 8.0}
        sample = sampler.take()
        assert sample.interval == 2.0
        assert sample.disk_io is not None
        assert sample.network is not None
        assert sample.cpu is not None
        assert sample.processes is not None
        assert (sample.disk_io.read_bytes_per_second, sample.disk_io.write_bytes_per_second) == (1500.0, 250.0)
        assert (sample.network.received_bytes_per_second, sample.network.sent_bytes_per_second) == (100.0, 50.0)
        assert (sample.cpu.percent, sample.cpu.per_core, sample.cpu.count) == (25.0, [50.0, 0.0], 2)
        assert sample.cpu.load == (0.5, 0.25, 0.125)
        assert [(process.pid, process.name, process.cpu_percent) for process in sample.processes.top] == [
            (2, "process 2", 150.0),
            (1, "process 1", 25.0),
        ]

    def test_the_processes_are_scanned_at_most_every_five_seconds(
        self, sampler: Sampler, machine: Machine, clock: Clock
    ) -> None:
        scans = []
        for _ in range(12):
            sampler.take()
            scans.append(machine.scans)
            clock.advance(1)
        assert scans == [1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4]

    def test_a_costly_scan_comes_less_often(self, sampler: Sampler, machine: Machine, clock: Clock) -> None:
        machine.scan_costs = lambda: clock.advance(0.1)
        sampler.take()
        sampler.take()
        clock.advance(24)
        sampler.take()
        assert machine.scans == 2
        clock.advance(2)
        sampler.take()
        assert machine.scans == 3

    def test_a_process_that_does_not_tell_is_left_out(
        self, sampler: Sampler, machine: Machine, clock: Clock
    ) -> None:
        sampler.take()
        clock.advance(1)
        machine.seconds = {ProcessId(13, 1.0): 99.0, ProcessId(2, 1.0): 5.5}
        sample = sampler.take()
        assert sample.processes is not None
        assert [process.pid for process in sample.processes.top] == [2]
        assert sample.processes.count == 3

    @pytest.mark.parametrize(
        ("reading", "field"),
        [
            ("cores", "cpu"),
            ("memory", "memory"),
            ("disks", "disks"),
            ("disk_bytes", "disk_io"),
            ("network_bytes", "network"),
            ("processes", "processes"),
            ("temperatures", "temperatures"),
            ("boot_time", "uptime_seconds"),
        ],
    )
    @pytest.mark.parametrize("error", [AttributeError("no such sensor"), PermissionError(13, "no"), KeyError("x")])
    def test_what_cannot_be_measured_is_absent_and_nothing_else(
        self,
        sampler: Sampler,
        machine: Machine,
        clock: Clock,
        monkeypatch: pytest.MonkeyPatch,
        reading: str,
        field: str,
        error: Exception,
    ) -> None:
        def refuse() -> object:
            raise error

        monkeypatch.setattr(machine, reading, refuse)
        sampler.take()
        clock.advance(SLOW_SECONDS)
        sample = sampler.take()
        fields = ("cpu", "memory", "disks", "disk_io", "network", "processes", "temperatures", "uptime_seconds")
        assert [name for name in fields if getattr(sample, name) is None] == [field]
        assert field not in msgspec.json.decode(msgspec.json.encode(sample))

    def test_load_and_swap_may_be_missing_alone(
        self, sampler: Sampler, machine: Machine, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(machine, "load", None)
        monkeypatch.setattr(machine, "swap_percent", lambda: None)
        sampler.take()
        clock.advance(1)
        sample = sampler.take()
        assert sample.cpu is not None
        assert sample.cpu.load is None
        assert sample.memory == Memory(1000, 400, 40.0)

    def test_uptime_is_never_negative(self, sampler: Sampler, machine: Machine) -> None:
        machine.boot_time = lambda: 9e9  # type: ignore[method-assign]
        assert sampler.take().uptime_seconds == 0.0


class TestHostName:
    @pytest.mark.parametrize(
        ("node", "expected"),
        [
            ("web-1.example.org", "web-1.example.org"),
            ("Anna's MacBook Pro", "Anna-s-MacBook-Pro"),
            ("_gateway", "gateway"),
            ("häuschen", "h-uschen"),
            ("\x1b[31mred", "31mred"),
            ("...", "localhost"),
            ("", "localhost"),
            ("a" * 300, "a" * 253),
        ],
    )
    def test_is_always_a_valid_one(self, monkeypatch: pytest.MonkeyPatch, node: str, expected: str) -> None:
        monkeypatch.setattr(platform, "node", lambda: node)
        assert host_name() == names.host(expected)


class TestRun:
    async def test_publishes_until_cancelled(self, sampler: Sampler) -> None:
        published: list[Sample] = []
        enough = asyncio.Event()

        async def publish(sample: Sample) -> None:
            published.append(sample)
            if len(published) == 3:
                enough.set()

        running = asyncio.create_task(sampler.run(publish, 0.001))
        async with asyncio.timeout(10):
            await enough.wait()
        await ended(running)
        assert {sample.host for sample in published} == {"box"}

    async def test_goes_on_after_a_sample_that_could_not_be_published(
        self, sampler: Sampler, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.ERROR)
        failures: list[Exception] = [StoreBusyError("full"), RefusedError("busy", "full"), LookupError("a bug")]
        published = asyncio.Event()

        async def publish(sample: Sample) -> None:
            if failures:
                raise failures.pop(0)
            published.set()

        running = asyncio.create_task(sampler.run(publish, 0.001))
        async with asyncio.timeout(10):
            await published.wait()
        await ended(running)
        assert [record.message for record in caplog.records] == ["a sample could not be published"]

    async def test_the_loop_turns_while_a_sample_is_taken(self, sampler: Sampler, machine: Machine) -> None:
        loop = asyncio.get_running_loop()
        turned = asyncio.Event()

        def slow() -> None:
            asyncio.run_coroutine_threadsafe(_set(turned), loop).result(10)

        machine.scan_costs = slow
        running = asyncio.create_task(sampler.run(_ignore, 0.001))
        async with asyncio.timeout(10):
            await turned.wait()
        await ended(running)

    @pytest.mark.parametrize(
        ("now", "expected"), [(100.0, 101.0), (100.4, 101.0), (101.0, 102.0), (103.7, 104.0), (99.0, 101.0)]
    )
    def test_the_beat_is_steady(self, now: float, expected: float) -> None:
        assert math.isclose(next_beat(100.0, now, 1.0), expected)


async def ended(running: asyncio.Task[None]) -> None:
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def _set(event: asyncio.Event) -> None:
    event.set()


async def _ignore(sample: Sample) -> None:
    del sample
