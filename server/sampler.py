"""Looks at this machine once in an interval."""

import asyncio
import logging
import platform
import re
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from pushtui.protocol import names
from pushtui.protocol.samples import (
    Cpu,
    Disk,
    DiskIo,
    Memory,
    Network,
    Process,
    Processes,
    Sample,
    Temperature,
)
from server.log.store import StoreBusyError
from server.rates import ByteRates, CoreShares, ProcessShares
from server.readings import Readings
from server.refusal import RefusedError

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

TOP_PROCESSES = 5
SLOW_SECONDS = 5.0
# A scan of all processes may take 0.4 % of a core: on a machine with very many it comes less often.
_SCAN_SHARE = 0.004
_SCAN_SECONDS_AT_MOST = 60.0


def host_name() -> str:
    """This machine's name, made one that `pushtui.protocol.names.host` accepts."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", platform.node()).lstrip("._-")[:253]
    try:
        return names.host(name)
    except names.NameRefusedError:
        return "localhost"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Sampler:
    """Makes samples of this machine.

    What changes slowly or costs much (disks, swap, sensors, the processes) is looked at every
    `SLOW_SECONDS` only and repeated in between. What this machine does not tell is absent; no failure of a
    reading goes beyond its field.

    Args:
        host: the name in the samples.
        clock_ms: the time in ms since the epoch.
        monotonic: seconds that never go back, for rates.
        readings: the machine.
    """

    def __init__(
        self,
        host: str | None = None,
        clock_ms: Callable[[], int] = _now_ms,
        monotonic: Callable[[], float] = time.monotonic,
        readings: Readings | None = None,
    ) -> None:
        self._host = host_name() if host is None else host
        self._clock_ms = clock_ms
        self._monotonic = monotonic
        self._readings = readings or Readings()
        self._taken: float | None = None
        self._cores = CoreShares()
        self._disk_io = ByteRates()
        self._network = ByteRates()
        self._shares = ProcessShares()
        self._slow_due = float("-inf")
        self._scan_due = float("-inf")
        self._scans = 0
        self._swap_percent: float | None = None
        self._disks: list[Disk] | None = None
        self._temperatures: list[Temperature] | None = None
        self._boot_time: float | None = None
        self._processes: Processes | None = None

    def take(self) -> Sample:
        """Look once. Blocks for about 1 ms, at a scan for longer: to be called in a thread, one at a time.

        The first sample has an interval of 0 and no rates: there is nothing to compare with.
        """
        now = self._monotonic()
        at = self._clock_ms()
        if now >= self._slow_due:
            self._slow_due = now + SLOW_SECONDS
            self._look_slowly()
        if now >= self._scan_due or self._scans == 1:
            self._scan()
        interval = 0.0 if self._taken is None else now - self._taken
        self._taken = now
        return Sample(
            host=self._host,
            at=at,
            interval=round(interval, 3),
            cpu=_told(self._cpu),
            memory=_told(self._memory),
            disks=self._disks or None,
            disk_io=_told(self._disk_rates),
            network=_told(self._network_rates),
            processes=self._processes,
            temperatures=self._temperatures or None,
            uptime_seconds=None if self._boot_time is None else max(0.0, round(at / 1000 - self._boot_time, 1)),
        )

    async def run(self, publish: Callable[[Sample], Awaitable[object]], interval: float) -> None:
        """Publish a sample every ``interval`` seconds until cancelled.

        The beat is steady: a sample that comes late does not move the next ones, and beats that were missed
        are left out. One that cannot be published is let go.
        """
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(self.take)
        due = loop.time()
        while True:
            due = next_beat(due, loop.time(), interval)
            await asyncio.sleep(due - loop.time())
            sample = await asyncio.to_thread(self.take)
            try:
                await publish(sample)
            except (RefusedError, StoreBusyError) as error:
                _log.debug("a sample was let go: %s", error)
            except Exception:
                _log.exception("a sample could not be published")

    def _cpu(self) -> Cpu | None:
        cores = self._readings.cores()
        shares = self._cores.update(cores)
        return None if shares is None else Cpu(*shares, count=len(cores), load=_told(self._readings.load))

    def _memory(self) -> Memory:
        return msgspec.structs.replace(self._readings.memory(), swap_percent=self._swap_percent)

    def _disk_rates(self) -> DiskIo | None:
        rates = self._disk_io.update(self._readings.disk_bytes(), self._monotonic())
        return None if rates is None else DiskIo(*rates)

    def _network_rates(self) -> Network | None:
        rates = self._network.update(self._readings.network_bytes(), self._monotonic())
        return None if rates is None else Network(*rates)

    def _look_slowly(self) -> None:
        self._swap_percent = _told(self._readings.swap_percent)
        self._disks = _told(self._readings.disks)
        self._temperatures = _told(self._readings.temperatures)
        self._boot_time = _told(self._readings.boot_time)

    def _scan(self) -> None:
        started = self._monotonic()
        self._processes = _told(self._busiest)
        self._scans += 1
        took = self._monotonic() - started
        self._scan_due = started + min(max(SLOW_SECONDS, took / _SCAN_SHARE), _SCAN_SECONDS_AT_MOST)

    def _busiest(self) -> Processes:
        count, seconds = self._readings.processes()
        top = []
        for pid, percent in self._shares.update(seconds, self._monotonic(), TOP_PROCESSES):
            described = _told(lambda pid=pid: self._readings.process(pid))  # type: ignore[misc]
            if described is not None:
                top.append(Process(pid, described[0], percent, described[1]))
        return Processes(count, top)


def next_beat(beat: float, now: float, interval: float) -> float:
    """The first time after ``now`` that is a whole number of intervals after ``beat``; all in seconds."""
    return beat + interval * max(1, int((now - beat) // interval) + 1)


def _told(reading: Callable[[], _T]) -> _T | None:
    """What a reading tells, None when it cannot: see `server.readings` for what may go wrong."""
    try:
        return reading()
    except Exception as error:
        _log.debug("not measured: %r", error)
        return None
