"""SIGKILL at random moments: a process that uses the store, and a real ``pushtui serve``."""

import http.client
import itertools
import json
import random
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.soak.ledger import Acknowledgement, Ledger, require
from tests.soak.load import SENDERS

ROOT = Path(__file__).parents[2]
#: How long a round sends at most, in seconds.
LONGEST = 0.4
#: The share of rounds that end while the log is being opened.
EARLY = 0.15
_START_SECONDS = 20
_STARTING_SECONDS = 0.6


async def kill_store(
    log: Path, rounds: int, rng: random.Random, *, until: float | None = None
) -> tuple[Ledger, int]:
    """Kill a process with eight senders again and again, on one log.

    Args:
        log: its file.
        rounds: how often.
        rng: chooses the moments.
        until: on the monotonic clock; no new round begins then.

    Returns:
        The ledger, compared with the whole log, and the number of rounds.

    Raises:
        BrokenPromiseError: a promise does not hold.
    """
    ledger = Ledger()
    done = 0
    while done < rounds and (until is None or time.monotonic() < until):
        load_until_killed(log, f"r{done}", rng, ledger)
        done += 1
        if rng.random() < 0.5:  # else the next one opens what a killed one left
            await ledger.compare(log)
    await ledger.compare(log, whole=True)
    return ledger, done


def load_until_killed(log: Path, prefix: str, rng: random.Random, ledger: Ledger) -> None:
    """One round: start, listen to the acknowledgements, kill, listen to what was still on its way."""
    with loading(log, "full", prefix) as process:
        if rng.random() < EARLY:
            text = heard_within(process, rng.uniform(0, _STARTING_SECONDS))
        else:
            text = heard(process, 1)
            text += heard_within(process, rng.uniform(0, LONGEST))
        process.kill()
        text += remaining(process)
    note(text, ledger)


@contextmanager
def loading(log: Path, durability: str, prefix: str) -> Iterator[subprocess.Popen[bytes]]:
    """The process of `tests.soak.load`; it is killed at the end."""
    command = [sys.executable, "-m", "tests.soak.load", str(log), durability, prefix]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, bufsize=0) as process:
        try:
            yield process
        finally:
            process.kill()


def heard(process: subprocess.Popen[bytes], lines: int) -> bytes:
    """What is said until there are so many lines; the first one comes when the log is open."""
    assert process.stdout is not None
    text = b""
    deadline = time.monotonic() + _START_SECONDS
    while text.count(b"\n") < lines:
        ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        chunk = process.stdout.read(65536) if ready else b""
        assert chunk, "the senders do not get on"
        text += chunk
    return text


def heard_within(process: subprocess.Popen[bytes], seconds: float) -> bytes:
    """What is said in that time."""
    assert process.stdout is not None
    text = b""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        ready, _, _ = select.select([process.stdout], [], [], left)
        if ready:
            chunk = process.stdout.read(65536)
            if not chunk:
                break
            text += chunk
    return text


def remaining(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    text = b""
    while chunk := process.stdout.read(65536):
        text += chunk
    return text


def note(text: bytes, ledger: Ledger) -> None:
    """Take over what the senders printed; a line without an end was not said."""
    for line in text.decode().split("\n")[:-1]:
        words = line.split()
        if words[0] != "open":
            ledger.hear(Acknowledgement(words[0], words[1], words[2], int(words[3])))
        elif words[1] != "-":
            before = ledger.head
            ledger.see(words[1], int(words[2]))
            require(int(words[2]) >= before, f"head went back from {before} to {words[2]}")


async def kill_server(
    data: Path, rounds: int, rng: random.Random, *, until: float | None = None
) -> tuple[Ledger, int]:
    """The same with ``pushtui serve`` and eight senders that post over HTTP."""
    ledger = Ledger()
    done = 0
    while done < rounds and (until is None or time.monotonic() < until):
        serve_until_killed(data, f"r{done}", rng, ledger)
        done += 1
        if rng.random() < 0.5:
            await ledger.compare(data / "log.sqlite3")
    await ledger.compare(data / "log.sqlite3", whole=True)
    return ledger, done


def serve_until_killed(data: Path, prefix: str, rng: random.Random, ledger: Ledger) -> None:
    command = [sys.executable, "-m", "pushtui", "serve", "--port", "0", "--data", str(data), "--interval", "3600"]
    with subprocess.Popen(
        [*command, "--log-level", "error", "--send-rate", "0"], stdout=subprocess.PIPE, cwd=ROOT, text=True
    ) as server:
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline().rstrip().rpartition(":")[2])
            told: list[list[Acknowledgement]] = [[] for _ in range(SENDERS)]
            senders = [
                threading.Thread(target=post, args=(port, f"s{number}", prefix, told[number]))
                for number in range(SENDERS)
            ]
            for sender in senders:
                sender.start()
            threading.Event().wait(rng.uniform(0, LONGEST))
        finally:
            server.send_signal(signal.SIGKILL)
        for sender in senders:
            sender.join()
    for one in itertools.chain.from_iterable(told):
        ledger.hear(one)


def post(port: int, author: str, prefix: str, heard: list[Acknowledgement]) -> None:
    """Post until the server is gone."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    number = 0
    try:
        while True:
            key = f"{prefix}.{number}"
            body = json.dumps({"text": str(number), "key": key, "from": author})
            connection.request("POST", "/rooms/main", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
            assert response.status == 201, answer
            epoch, _, seq = answer["position"].partition(".")
            heard.append(Acknowledgement(author, key, epoch, int(seq)))
            number += 1
    except (OSError, http.client.HTTPException, json.JSONDecodeError):
        return
    finally:
        connection.close()
