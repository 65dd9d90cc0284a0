"""Recordings that the command made once play into the same lines for ever."""

import asyncio
import json
import signal
from pathlib import Path

import pytest

from tests.cli.conftest import Pushtui, PushtuiHere
from tests.cli.test_tail import Start, line_with
from tests.cli.test_tail import start as start

RECORDINGS = Path(__file__).parents[1] / "recordings"
AT_ONCE = ("--speed", "1000000")


@pytest.mark.parametrize("name", ["websocket", "event-stream"])
def test_a_recording_plays_into_the_same_lines(pushtui: Pushtui, name: str) -> None:
    ended = pushtui("replay", str(RECORDINGS / f"{name}.jsonl"), *AT_ONCE)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == (RECORDINGS / f"{name}.txt").read_text()


@pytest.mark.parametrize("name", ["websocket", "event-stream"])
def test_as_json_it_is_the_recording_again(pushtui: Pushtui, name: str) -> None:
    file = RECORDINGS / f"{name}.jsonl"
    ended = pushtui("replay", str(file), "--json", *AT_ONCE)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == file.read_text()


async def test_it_waits_as_long_as_it_took(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "slow.jsonl"
    first, *records = (RECORDINGS / "websocket.jsonl").read_text().splitlines()
    late = {**json.loads(records[1]), "at": 10_000}
    file.write_text("\n".join([first, records[0], json.dumps(late)]) + "\n")
    process = await start("replay", str(file), "--lines")
    assert "GET /echo" in await line_with("↑", process)
    process.send_signal(signal.SIGINT)
    printed, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 130
    assert b"101" not in printed


def test_what_cannot_be_played(pushtui_here: PushtuiHere, tmp_path: Path) -> None:
    file = tmp_path / "some.jsonl"
    assert pushtui_here("replay", str(file)) == (
        2,
        "",
        f"pushtui: {file} cannot be read: No such file or directory\n",
    )
    file.write_text("garbage\n")
    assert pushtui_here("replay", str(file)) == (
        2,
        "",
        f"pushtui: {file}: this is no recording of pushtui: its first line does not say what was recorded\n",
    )
    assert pushtui_here("replay", str(file), "--speed", "0")[0] == 2


def test_garbage_in_between_ends_it_with_its_line(pushtui: Pushtui, tmp_path: Path) -> None:
    file = tmp_path / "some.jsonl"
    lines = (RECORDINGS / "websocket.jsonl").read_text().splitlines()
    file.write_text("\n".join([*lines[:2], "\x1b[2J", *lines[2:]]) + "\n")
    ended = pushtui("replay", str(file), *AT_ONCE)
    assert ended.returncode == 2
    assert ended.stdout.startswith("    0.")
    assert f"{file}: line 3 of the recording is no record: " in ended.stderr
    assert ended.stderr.count("\n") == 1
