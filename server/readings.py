"""What psutil can read of this machine, as plain figures.

Everything here may raise anything: psutil's errors, `OSError`, `AttributeError` for what a platform does not
have, and parsing errors where a container hides or fakes files. Who calls has to live with that.
"""

import math
import os
from typing import NamedTuple

import psutil

from pushtui.protocol.samples import Disk, Memory, Temperature
from pushtui.protocol.text import safe_line

DISKS = 8
TEMPERATURES = 8

# Images that are always full; macOS mounts the parts of one volume side by side.
_NO_DISKS = frozenset({"squashfs", "iso9660", "udf", "cramfs", "erofs"})
_PARTS_OF_A_VOLUME = "/System/Volumes/"
_LOOPBACKS = ("lo", "lo0", "Loopback")


class CoreTime(NamedTuple):
    """Seconds since the start: at work, and altogether."""

    busy: float
    total: float


class ProcessId(NamedTuple):
    """One process; the time of its start tells it from a later one with the same pid."""

    pid: int
    started: float


class Readings:
    """This machine, as it is at the moment of the call. Every method blocks for some µs to ms."""

    def cores(self) -> list[CoreTime]:
        """One for each core. Guests' time is part of the user's on Linux; waiting for a disk is idleness."""
        found = []
        for times in psutil.cpu_times(percpu=True):
            fields = times._asdict()
            total = sum(fields.values()) - fields.get("guest", 0.0) - fields.get("guest_nice", 0.0)
            found.append(CoreTime(total - fields["idle"] - fields.get("iowait", 0.0), total))
        return found

    def load(self) -> tuple[float, float, float]:
        """Over 1, 5 and 15 minutes."""
        one, five, fifteen = psutil.getloadavg()
        return round(one, 2), round(five, 2), round(fifteen, 2)

    def memory(self) -> Memory:
        """Without swap."""
        memory = psutil.virtual_memory()
        return Memory(memory.total, memory.total - memory.available, memory.percent)

    def swap_percent(self) -> float | None:
        """None where there is no swap."""
        swap = psutil.swap_memory()
        return swap.percent if swap.total else None

    def disks(self) -> list[Disk]:
        """Mounted file systems on a disk, each once, and always the root."""
        found: list[Disk] = []
        devices: set[str] = set()
        partitions = [
            (partition.mountpoint, partition.device)
            for partition in psutil.disk_partitions(all=False)
            if partition.fstype not in _NO_DISKS and not partition.mountpoint.startswith(_PARTS_OF_A_VOLUME)
        ]
        if os.sep == "/":
            partitions.append(("/", "/"))  # a container's root stands on no device of its own
        seen: set[str] = set()
        for mount, device in sorted(partitions, key=lambda partition: len(partition[0])):
            # containers mount single files from the host's disk
            if mount in seen or device in devices or not os.path.isdir(mount):
                continue
            seen.add(mount)
            devices.add(device)
            try:
                usage = psutil.disk_usage(mount)
            except OSError:
                continue
            if usage.total:
                found.append(Disk(safe_line(mount), usage.total, usage.used, usage.percent))
        return found[:DISKS]

    def disk_bytes(self) -> dict[str, tuple[int, int]]:
        """Read and written by each disk. On Linux not by partitions, volumes and loops: they stand on others."""
        counters = psutil.disk_io_counters(perdisk=True, nowrap=False)
        hardware = {name: io for name, io in counters.items() if os.path.exists(_sys_device(name))}
        if not hardware:
            total = psutil.disk_io_counters(nowrap=False)
            hardware = {} if total is None else {"all": total}
        return {name: (io.read_bytes, io.write_bytes) for name, io in hardware.items()}

    def network_bytes(self) -> dict[str, tuple[int, int]]:
        """Received and sent by each interface but loopback."""
        return {
            name: (io.bytes_recv, io.bytes_sent)
            for name, io in psutil.net_io_counters(pernic=True, nowrap=False).items()
            if name.partition(" ")[0] not in _LOOPBACKS
        }

    def processes(self) -> tuple[int, dict[ProcessId, float]]:
        """How many there are, and the CPU seconds of those that can be looked at. The costly one: 25 µs each."""
        count = 0
        seconds: dict[ProcessId, float] = {}
        for process in psutil.process_iter():
            count += 1
            try:
                times = process.cpu_times()
                seconds[ProcessId(process.pid, process.create_time())] = times.user + times.system
            except psutil.Error:
                continue
        return count, seconds

    def process(self, pid: int) -> tuple[str, int]:
        """A process's name and its resident bytes."""
        process = psutil.Process(pid)
        return safe_line(process.name()), process.memory_info().rss

    def temperatures(self) -> list[Temperature]:
        """What the sensors say, in °C; those that say nonsense left out."""
        found = [
            Temperature(safe_line(f"{chip} {sensor.label}".strip()), round(sensor.current, 1))
            for chip, sensors in psutil.sensors_temperatures().items()
            for sensor in sensors
            if math.isfinite(sensor.current) and -60 < sensor.current < 200
        ]
        return found[:TEMPERATURES]

    def boot_time(self) -> float:
        """In s since the epoch."""
        return psutil.boot_time()


def _sys_device(name: str) -> str:
    return f"/sys/block/{name.replace('/', '!')}/device"
