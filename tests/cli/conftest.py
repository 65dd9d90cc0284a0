import io
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

import pytest

from pushtui.cli import main

SECONDS = 30
Pushtui = Callable[..., "subprocess.CompletedProcess[str]"]
PushtuiHere = Callable[..., tuple[int, str, str]]


def clean_environment(home: Path) -> dict[str, str]:
    """An environment in which nothing of the user's own settings counts."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PUSHTUI_", "XDG_")) and name not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")
    }
    return environment | {"HOME": str(home), "COLUMNS": "200", "TZ": "UTC"}


def command(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "pushtui", *arguments)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A clean environment, in this process as well."""
    clean = clean_environment(tmp_path / "home")
    for name in set(os.environ) - set(clean):
        monkeypatch.delenv(name)
    for name, value in clean.items():
        monkeypatch.setenv(name, value)
    return clean


@pytest.fixture
def pushtui(environment: dict[str, str]) -> Pushtui:
    """Runs the command to its end."""

    def run(*arguments: str, text: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments),
            input=text or "",
            capture_output=True,
            encoding="utf-8",
            env=environment | variables,
            timeout=SECONDS,
            check=False,
        )

    return run


@pytest.fixture
def pushtui_here(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> PushtuiHere:
    """Runs the command in this process: its exit code, and what it said on standard output and error."""

    def run(*arguments: str, text: str = "", **variables: str) -> tuple[int, str, str]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))
        code = main(arguments)
        return code, *capsys.readouterr()

    return run


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real server, one for all tests: each takes rooms of its own."""
    environment = clean_environment(tmp_path_factory.mktemp("home"))
    with subprocess.Popen(
        command("serve", "--port", "0", "--memory", "--interval", "0.2", "--log-level", "error"),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
    ) as process:
        try:
            found = re.search(r"http://\S+", cast(IO[str], process.stdout).readline())
            assert found
            yield found[0]
        finally:
            process.terminate()
            process.wait(SECONDS)


@pytest.fixture
def room(request: pytest.FixtureRequest) -> str:
    """A room of this test's own."""
    return cast(str, request.node.name)[:60].replace("[", ".").replace("]", "").replace(" ", "-")


@pytest.fixture
def silent_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return cast(int, unused.getsockname()[1])
