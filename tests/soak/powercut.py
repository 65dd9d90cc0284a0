"""Power cuts on Linux, without special hardware: a drive with a volatile cache, made of two file systems.

The log is on an ext4 in a file (the *drive*), which is attached by a loop device. That file is on another ext4
(the *cache*), in a file as well. What the inner file system writes to its drive stays in the page cache of the
outer one; only when it flushes its drive, as an fsync makes it do, is the file written to the outer one's device.
So the page cache of the outer file system is what a real drive's volatile cache is.

The cut is ext4's own: ``EXT4_IOC_SHUTDOWN`` with ``NOLOGFLUSH`` (what xfstests tries crashes with) stops the outer
file system from one instruction to the next. Nothing that it held in memory gets out afterwards, its journal
included, and every later flush fails. Before it, random ranges of the cache are written out, in no order, as a
drive may do at any time. Then everything is unmounted and mounted again: the outer journal is replayed, then the
inner one, then SQLite opens its ``-wal``. The senders run until they are killed after the cut; whatever they were
told is compared, also what they were told at the last moment.

SIGKILL, or a copy of a mounted device, would prove less: with the one the page cache survives, and the other is
not of one moment.
"""

import contextlib
import fcntl
import os
import random
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pushtui.settings import Durability
from tests.soak import kills
from tests.soak.ledger import Ledger, read, require

_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32): EXT4_IOC_SHUTDOWN
_NOLOGFLUSH = 2
_MIB = 1 << 20


class NotPermittedError(Exception):
    """This machine does not let us; the message says what."""


@dataclass
class Drive:
    """A drive that loses its cache when its power is cut.

    Args:
        folder: for the image and the places where it is mounted.
        mebibytes: what the inner file system has.
        options: of its mount; ``barrier=0`` never flushes the drive.
    """

    folder: Path
    mebibytes: int
    options: str = "defaults"
    _undo: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def place(self) -> Path:
        """Where the inner file system is mounted."""
        return self.folder / "drive"

    @property
    def _image(self) -> Path:
        return self.folder / "cache" / "image"

    def make(self) -> None:
        """Make both file systems and mount them.

        Raises:
            NotPermittedError: that cannot be done here.
        """
        for name in ("cache", "drive"):
            (self.folder / name).mkdir(parents=True)
        outer = self.folder / "image"
        fill(outer, self.mebibytes + self.mebibytes // 4 + 24)
        run("mkfs.ext4", "-q", "-F", str(outer))
        with self._undoing():
            self._mount(outer, self.folder / "cache", "defaults")
            # Written in full, so that flushing it never needs the outer file system's own journal.
            fill(self._image, self.mebibytes)
            run("mkfs.ext4", "-q", "-F", str(self._image))
            self._mount(self._image, self.place, self.options)

    def cut(self, rng: random.Random) -> None:
        """Cut the power. What is mounted fails from now on."""
        image = os.open(self._image, os.O_RDONLY)
        folder = os.open(self.folder / "cache", os.O_RDONLY)
        try:
            for _ in range(rng.randint(0, 3)):
                offset, length = rng.randrange(self.mebibytes * _MIB), rng.randrange(_MIB)
                os.posix_fadvise(image, offset, length, os.POSIX_FADV_DONTNEED)
            fcntl.ioctl(folder, _SHUTDOWN, struct.pack("I", _NOLOGFLUSH))
        finally:
            os.close(image)
            os.close(folder)

    def restore(self) -> None:
        """Power is back: mount again what the cut left."""
        self.close()
        with self._undoing():
            self._mount(self.folder / "image", self.folder / "cache", "defaults")
            self._mount(self._image, self.place, self.options)

    def close(self) -> None:
        """Unmount everything."""
        self._undo.close()

    @contextlib.contextmanager
    def _undoing(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.close()
            raise

    def _mount(self, image: Path, place: Path, options: str) -> None:
        device = run("losetup", "--find", "--show", str(image))
        self._undo.callback(run, "losetup", "--detach", device)
        run("mount", "-t", "ext4", "-o", options, device, str(place))
        self._undo.callback(run, "umount", str(place))


def refusal(folder: Path) -> str | None:
    """Why power cannot be cut on this machine; None when it can."""
    if missing := [name for name in ("losetup", "mount", "umount", "mkfs.ext4") if shutil.which(name) is None]:
        return f"no {', '.join(missing)}"
    if os.geteuid() != 0:
        return "only root may mount"
    drive = Drive(folder / "trial", 8)
    try:
        drive.make()
        drive.cut(random.Random(0))
        drive.restore()
    except (NotPermittedError, OSError) as error:
        return str(error)
    finally:
        drive.close()
    return None


@dataclass
class Cuts:
    """What came of a number of power cuts.

    Attributes:
        rounds: how many there were.
        ledger: of what was acknowledged; compared with the log after each cut, if it was to hold.
        lost: how many acknowledged events were not there, where that was to be expected.
        epochs: how many epochs the stream had.
    """

    rounds: int
    ledger: Ledger
    lost: int = 0
    epochs: int = 1


async def cut_power(
    folder: Path, rounds: int, rng: random.Random, *, mebibytes: int = 96, until: float | None = None
) -> Cuts:
    """Cut the power of one drive again and again while eight senders store on it.

    Every acknowledgement counts, also those that were on their way at the moment of the cut.

    Raises:
        BrokenPromiseError: a promise does not hold.
        NotPermittedError: this machine does not let us.
    """
    ledger = Ledger()
    drive = Drive(folder, mebibytes)
    drive.make()
    done = 0
    log = drive.place / "data" / "log.sqlite3"
    try:
        while done < rounds and (until is None or time.monotonic() < until):
            kills.note(cut_under_load(drive, log, "full", f"r{done}", rng, lines=1), ledger)
            await ledger.compare(log)
            done += 1
        await ledger.compare(log, whole=True)
    finally:
        drive.close()
    return Cuts(done, ledger)


async def cut_where_it_loses(
    folder: Path, rounds: int, rng: random.Random, *, durability: Durability, options: str, mebibytes: int = 48
) -> Cuts:
    """The same where acknowledged events are lost: the proof that the cuts are able to show it.

    With ``relaxed`` every cut has to end in a new epoch; that is required here as well.
    """
    cuts = Cuts(0, Ledger(), epochs=0)
    for number in range(rounds):
        drive = Drive(folder / str(number), mebibytes, options)
        drive.make()
        log = drive.place / "data" / "log.sqlite3"
        try:
            ledger = Ledger()
            kills.note(cut_under_load(drive, log, durability, "r", rng, lines=100), ledger)
            found = await read(log)
            held = {(entry.by, entry.key or "") for entry in found.entries}
            if durability == "relaxed":
                require(found.epoch != ledger.epoch, "a relaxed log kept its epoch over a power cut")
            cuts.lost += ledger.missing(held)
            cuts.ledger.acknowledged.update(
                {(f"{number}.{author}", key): told for (author, key), told in ledger.acknowledged.items()}
            )
            cuts.epochs += found.epoch != ledger.epoch
            cuts.rounds += 1
        finally:
            drive.close()
    return cuts


def cut_under_load(
    drive: Drive, log: Path, durability: Durability, prefix: str, rng: random.Random, *, lines: int
) -> bytes:
    """One cut some time after the senders printed so many lines; returns all that they printed."""
    with kills.loading(log, durability, prefix) as process:
        text = kills.heard(process, lines)
        text += kills.heard_within(process, rng.uniform(0, kills.LONGEST))
        drive.cut(rng)
        process.kill()
        text += kills.remaining(process)
    drive.restore()
    return text


def fill(path: Path, mebibytes: int) -> None:
    with path.open("wb") as file:
        for _ in range(mebibytes):
            file.write(bytes(_MIB))
        os.fsync(file.fileno())


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotPermittedError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout.strip()
