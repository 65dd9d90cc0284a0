"""What is read of this very machine, and of files that other machines would show."""

import math
import os
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from server import readings
from server.readings import DISKS, Readings


def test_knows_its_disks_each_once() -> None:
    disks = Readings().disks()
    mounts = [disk.mount for disk in disks]
    assert os.sep in mounts or os.sep != "/"
    assert len(set(mounts)) == len(mounts) <= DISKS
    assert all(os.path.isdir(mount) for mount in mounts)
    assert all(disk.total_bytes > 0 for disk in disks)


def test_leaves_loopback_out() -> None:
    assert not {"lo", "lo0"} & set(Readings().network_bytes())


def test_counts_no_byte_twice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sda" / "device").mkdir(parents=True)
    (tmp_path / "dm-0").mkdir()
    monkeypatch.setattr(readings, "_sys_device", lambda name: str(tmp_path / name / "device"))
    written = {"sda": 10, "sda1": 10, "dm-0": 10}
    counters = {name: SimpleNamespace(read_bytes=0, write_bytes=bytes_) for name, bytes_ in written.items()}
    monkeypatch.setattr(psutil, "disk_io_counters", lambda **_: counters)
    assert Readings().disk_bytes() == {"sda": (0, 10)}


def test_takes_psutils_sum_where_no_disk_can_be_told_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(readings, "_sys_device", lambda name: str(tmp_path / name))
    total = SimpleNamespace(read_bytes=3, write_bytes=4)
    monkeypatch.setattr(psutil, "disk_io_counters", lambda perdisk=False, nowrap=True: {} if perdisk else total)
    assert Readings().disk_bytes() == {"all": (3, 4)}


def test_lists_a_device_once_and_no_files_or_images(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "hosts").touch()
    (tmp_path / "data" / "again").mkdir(parents=True)
    (tmp_path / "image").mkdir()
    (tmp_path / "lost").mkdir()
    mounts = [
        ("/dev/sda1", "hosts", "ext4"),
        ("/dev/sda1", "data/again", "ext4"),
        ("/dev/sda1", "data", "ext4"),
        ("/dev/loop0", "image", "squashfs"),
        ("/dev/sdb1", "lost", "ext4"),
    ]
    partitions = [
        SimpleNamespace(device=device, mountpoint=str(tmp_path / mount), fstype=kind)
        for device, mount, kind in mounts
    ]

    def usage(mount: str) -> SimpleNamespace:
        if mount.endswith("lost"):
            raise PermissionError(13, "no")
        return SimpleNamespace(total=100, used=50, percent=50.0)

    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: partitions)
    monkeypatch.setattr(psutil, "disk_usage", usage)
    assert [disk.mount for disk in Readings().disks()] == ["/", str(tmp_path / "data")]


def test_makes_sensors_speak_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    sensors = {
        "coretemp": [SimpleNamespace(label="Core 0", current=41.27), SimpleNamespace(label="", current=40.0)],
        "odd\x1b": [SimpleNamespace(label="x", current=value) for value in (math.nan, -273.2, 65261.8, 1.0)],
    }
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: sensors, raising=False)
    assert [(sensor.name, sensor.celsius) for sensor in Readings().temperatures()] == [
        ("coretemp Core 0", 41.3),
        ("coretemp", 40.0),
        ("odd\N{REPLACEMENT CHARACTER} x", 1.0),
    ]


def test_finds_this_process() -> None:
    count, seconds = Readings().processes()
    assert count >= len(seconds) >= 1
    [me] = [process for process in seconds if process.pid == os.getpid()]
    assert me.started == psutil.Process().create_time()
    assert seconds[me] > 0
    name, resident = Readings().process(os.getpid())
    assert name
    assert resident > 1_000_000
