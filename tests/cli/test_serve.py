import re
import signal
import socket
import subprocess
from pathlib import Path
from typing import IO, cast

import pytest

from tests.cli.conftest import SECONDS, Pushtui, command


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_ends_well(
    environment: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    data = tmp_path / "data"
    with subprocess.Popen(
        command("serve", "--port", "0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment | {"PUSHTUI_SERVE_DATA": str(data), "PUSHTUI_LOG_LEVEL": "warning"},
    ) as server:
        assert server.stdout is not None
        first = server.stdout.readline()
        assert re.fullmatch(r"pushtui listens on http://127\.0\.0\.1:\d+\n", first)
        server.send_signal(number)
        server.wait(SECONDS)
        rest, said = server.stdout.read(), cast(IO[str], server.stderr).read()
    assert (server.returncode, said) == (0, "")
    assert f"pushtui connect {first.split()[-1]}" in rest
    assert str(data) in rest


def test_a_port_in_use(pushtui: Pushtui) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = pushtui("serve", "--memory", "--port", str(port))
    assert (ended.returncode, ended.stdout) == (3, "")
    assert f"port {port} on 127.0.0.1 is in use" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_data_folder_that_cannot_be_one(pushtui: Pushtui, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = pushtui("serve", "--port", "0", "--data", str(tmp_path / "file"), "--log-level", "warning")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert str(tmp_path / "file") in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_second_server_on_the_same_data(pushtui: Pushtui, environment: dict[str, str], tmp_path: Path) -> None:
    options = ("serve", "--port", "0", "--data", str(tmp_path), "--log-level", "warning")
    with subprocess.Popen(command(*options), stdout=subprocess.PIPE, env=environment) as first:
        try:
            assert first.stdout is not None
            first.stdout.readline()
            ended = pushtui(*options)
        finally:
            first.terminate()
            first.wait(SECONDS)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert str(tmp_path) in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_the_data_folder_is_the_users_own_by_default(pushtui: Pushtui, environment: dict[str, str]) -> None:
    # a folder that cannot be made tells where it would have been
    home = Path(environment["HOME"])
    home.mkdir()
    (home / ".local").touch()
    ended = pushtui("serve", "--port", "0")
    assert ended.returncode == 3
    assert str(home / ".local" / "share" / "pushtui") in ended.stderr
