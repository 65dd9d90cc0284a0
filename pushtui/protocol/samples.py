"""One look at one host: the body of a ``sample`` event.

Names follow psutil; a field that a host cannot measure is absent.
"""

from msgspec import Struct


class Cpu(Struct, frozen=True, omit_defaults=True):
    """``percent`` of all cores together and of each one (0-100); ``load`` over 1, 5 and 15 minutes.

    ``per_core`` is empty, and ``count`` None, where only the whole is known.
    """

    percent: float
    per_core: list[float] = []
    count: int | None = None
    load: tuple[float, float, float] | None = None


class Memory(Struct, frozen=True, omit_defaults=True):
    """Memory that cannot be had without swapping, as psutil counts it."""

    total_bytes: int
    used_bytes: int
    percent: float
    swap_percent: float | None = None


class Disk(Struct, frozen=True):
    """One mounted file system."""

    mount: str
    total_bytes: int
    used_bytes: int
    percent: float


class DiskIo(Struct, frozen=True):
    """All disks together, since the sample before."""

    read_bytes_per_second: float
    write_bytes_per_second: float


class Network(Struct, frozen=True):
    """All interfaces but loopback together, since the sample before."""

    received_bytes_per_second: float
    sent_bytes_per_second: float


class Process(Struct, frozen=True):
    """One process; 100 percent is one core, so it may be more."""

    pid: int
    name: str
    cpu_percent: float
    memory_bytes: int


class Processes(Struct, frozen=True):
    """How many there are, and the busiest ones first."""

    count: int
    top: list[Process]


class Temperature(Struct, frozen=True):
    """One sensor."""

    name: str
    celsius: float


class Sample(Struct, frozen=True, omit_defaults=True):
    """What one host is doing. ``at`` in ms since the epoch, ``interval`` in s since the sample before."""

    host: str
    at: int
    interval: float
    cpu: Cpu | None = None
    memory: Memory | None = None
    disks: list[Disk] | None = None
    disk_io: DiskIo | None = None
    network: Network | None = None
    processes: Processes | None = None
    temperatures: list[Temperature] | None = None
    uptime_seconds: float | None = None
    skipped: int | None = None
