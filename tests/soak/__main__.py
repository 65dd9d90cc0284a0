"""``python -m tests.soak``: kill the store, kill the server, cut the power, many times; bounded in time.

Exit code 1, and a sentence, when an acknowledged event is not as it should be. ``--seed`` chooses the same moments
again (what the system does with them is its own business).
"""

# ruff: noqa: T201
# It is a program; this is how it speaks.

import argparse
import asyncio
import logging
import random
import secrets
import sys
import tempfile
import time
from pathlib import Path

from pushtui.settings import Durability
from tests.soak import powercut
from tests.soak.kills import kill_server, kill_store
from tests.soak.ledger import BrokenPromiseError, Ledger

_CONTROLS: tuple[tuple[Durability, str, str], ...] = (
    ("relaxed", "defaults", "with --durability relaxed (not promised; each cut has to end in a new epoch)"),
    ("full", "barrier=0", "on a drive that is never flushed (not promised)"),
)


def main() -> int:
    """Run everything; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=120, help="of a process with the store (default 120)")
    parser.add_argument("--server-kills", type=int, default=30, help="of pushtui serve (default 30)")
    parser.add_argument("--cuts", type=int, default=60, help="of the power (default 60)")
    parser.add_argument("--minutes", type=float, default=15, help="no new round begins after that (default 15)")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    wanted = parser.parse_args()
    logging.disable(logging.WARNING)
    print(f"seed {wanted.seed}", flush=True)
    rng = random.Random(wanted.seed)
    until = time.monotonic() + 60 * wanted.minutes
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pushtui-soak-") as name:
        folder = Path(name)
        try:
            short = asyncio.run(_all(folder, wanted, rng, until))
        except BrokenPromiseError as error:
            print(f"BROKEN: {error}")
            return 1
    print(f"all of it in {time.monotonic() - began:.0f} s" + (", cut short: out of time" if short else ""))
    return 0


async def _all(folder: Path, wanted: argparse.Namespace, rng: random.Random, until: float) -> bool:
    ledger, kills = await kill_store(folder / "store" / "log.sqlite3", wanted.kills, rng, until=until)
    _say(f"{kills} kills of a process with 8 senders on one log", ledger)
    ledger, server_kills = await kill_server(folder / "server", wanted.server_kills, rng, until=until)
    _say(f"{server_kills} kills of pushtui serve with 8 senders over HTTP", ledger)
    if (reason := powercut.refusal(folder)) is not None:
        print(f"skipped: power cuts; {reason}")
        return bool(kills < wanted.kills or server_kills < wanted.server_kills)
    cuts = await powercut.cut_power(folder / "power", wanted.cuts, rng, until=until)
    _say(f"{cuts.rounds} power cuts under 8 senders (ext4 on a drive with a volatile cache)", cuts.ledger)
    for durability, options, words in _CONTROLS:
        lossy = await powercut.cut_where_it_loses(
            folder / f"{durability}-{options}", 5, rng, durability=durability, options=options
        )
        told = len(lossy.ledger.acknowledged)
        print(
            f"for comparison, {lossy.rounds} power cuts {words}: {lossy.lost} of {told} acknowledged events lost"
        )
        if not lossy.lost:
            print("        these cuts lost nothing, so the ones above prove nothing on this machine")
    return bool(kills < wanted.kills or server_kills < wanted.server_kills or cuts.rounds < wanted.cuts)


def _say(what: str, ledger: Ledger) -> None:
    print(
        f"{what}:\n"
        f"    {len(ledger.acknowledged)} acknowledged events, each there once, in place and in order\n"
        f"    one epoch; head {ledger.head}, never back; {ledger.unanswered} stored whose answer was cut off",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
