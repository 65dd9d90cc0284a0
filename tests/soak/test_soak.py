"""A few rounds of what ``make soak`` does many times; and that the ledger notices what it is there for."""

import random
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from server.log.sqlite import SqliteStore
from server.log.store import Draft
from tests.soak import powercut
from tests.soak.kills import kill_server, kill_store
from tests.soak.ledger import STREAM, Acknowledgement, BrokenPromiseError, Ledger


@pytest.fixture
def rng() -> random.Random:
    seed = secrets.randbits(32)
    print(f"seed {seed}")  # noqa: T201 (pytest shows it when the test fails)
    return random.Random(seed)


async def test_killed_stores_keep_what_they_acknowledged(tmp_path: Path, rng: random.Random) -> None:
    ledger, rounds = await kill_store(tmp_path / "data" / "log.sqlite3", 4, rng)
    assert rounds == 4
    assert ledger.head == len(ledger.acknowledged) + ledger.unanswered


async def test_killed_servers_keep_what_they_acknowledged(tmp_path: Path, rng: random.Random) -> None:
    ledger, rounds = await kill_server(tmp_path / "data", 2, rng)
    assert rounds == 2
    assert ledger.head == len(ledger.acknowledged) + ledger.unanswered


class TestPowerCuts:
    @pytest.fixture(autouse=True)
    def permitted(self, tmp_path: Path) -> None:
        if (reason := powercut.refusal(tmp_path)) is not None:
            pytest.skip(f"power cannot be cut here: {reason}")

    async def test_nothing_acknowledged_is_lost(self, tmp_path: Path, rng: random.Random) -> None:
        cuts = await powercut.cut_power(tmp_path / "full", 2, rng, mebibytes=32)
        assert cuts.rounds == 2
        assert cuts.ledger.head == len(cuts.ledger.acknowledged) + cuts.ledger.unanswered

    async def test_a_relaxed_log_has_a_new_epoch(self, tmp_path: Path, rng: random.Random) -> None:
        cuts = await powercut.cut_where_it_loses(
            tmp_path / "relaxed", 1, rng, durability="relaxed", options="defaults", mebibytes=32
        )
        assert cuts.epochs == 1


class TestLedger:
    @pytest.fixture
    async def log(self, path: Path) -> Path:
        store = SqliteStore(path, clock_ms=lambda: 1)
        await store.open()
        for number in range(3):
            await store.append(Draft(STREAM, "message", "s0", b"{}", f"r.{number}"))
        await store.close()
        return path

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "log.sqlite3"

    @pytest.fixture
    async def told(self, log: Path) -> Callable[..., Acknowledgement]:
        store = SqliteStore(log, clock_ms=lambda: 1)
        await store.open()
        state = store.state(STREAM)
        await store.close()
        assert state is not None
        epoch = state.epoch
        return lambda key, seq, author="s0": Acknowledgement(author, key, epoch, seq)

    async def test_all_there(self, log: Path, told: Callable[..., Acknowledgement]) -> None:
        ledger = Ledger()
        ledger.hear(told("r.0", 1))
        ledger.hear(told("r.2", 3))
        await ledger.compare(log)
        await ledger.compare(log, whole=True)
        assert ledger.unanswered == 1

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            (("r.3", 3), "is at None"),
            (("r.1", 3), "is at 2"),
            (("r.1", 2, "s1"), "is at None"),
            (("r.3", 4), "head went back from 4 to 3"),
        ],
    )
    async def test_something_else(
        self, log: Path, told: Callable[..., Acknowledgement], wrong: tuple[str, ...], words: str
    ) -> None:
        ledger = Ledger()
        ledger.hear(told(*wrong))
        with pytest.raises(BrokenPromiseError, match=words):
            await ledger.compare(log)

    async def test_two_places_for_one(self, log: Path, told: Callable[..., Acknowledgement]) -> None:
        ledger = Ledger()
        ledger.hear(told("r.0", 1))
        with pytest.raises(BrokenPromiseError, match="acknowledged twice"):
            ledger.hear(told("r.0", 2))

    async def test_another_epoch(self, log: Path, told: Callable[..., Acknowledgement]) -> None:
        ledger = Ledger()
        ledger.hear(told("r.0", 1)._replace(epoch="another0"))
        with pytest.raises(BrokenPromiseError, match="the epoch changed"):
            await ledger.compare(log)

    async def test_out_of_order(self, log: Path) -> None:
        store = SqliteStore(log, clock_ms=lambda: 1)
        await store.open()
        await store.append(Draft(STREAM, "message", "s0", b"{}", "r.4"))
        await store.close()
        with pytest.raises(BrokenPromiseError, match="out of order"):
            await Ledger().compare(log)
