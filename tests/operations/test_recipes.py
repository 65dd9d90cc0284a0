"""The other recipes: the unit for systemd, what Prometheus scrapes, and when it raises an alarm."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import httpx

from pushtui.commands.line import app
from tests.operations.proxies import RECIPES, needs, replaced
from tests.operations.served import Served

UNIT = (RECIPES / "pushtui.service").read_text()
ALERTS = (RECIPES / "pushtui-alerts.yml").read_text()
PROGRAM = "/opt/pushtui/.venv/bin/pushtui"


def checked(*command: str) -> None:
    """The checker has nothing to say against it."""
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr + ended.stdout


def test_the_unit_starts_what_there_is_and_gives_it_time_to_end() -> None:
    found = re.search(r"^ExecStart=(\S+) (.*)$", UNIT, re.MULTILINE)
    assert found is not None
    assert found[1] == PROGRAM
    _, bound, _ = app.parse_args(shlex.split(found[2]), print_error=False, exit_on_error=False)
    given = bound.arguments
    assert str(given["data"]) == "/var/lib/pushtui"  # what StateDirectory makes
    assert "StateDirectory=pushtui\n" in UNIT
    seconds = re.search(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE)
    assert seconds is not None
    assert int(seconds[1]) > given["drain"] + 3


def test_systemd_finds_no_fault_in_the_unit(tmp_path: Path) -> None:
    needs("systemd-analyze")
    unit = tmp_path / "pushtui.service"
    unit.write_text(replaced(UNIT, {f"ExecStart={PROGRAM} ": f"ExecStart={sys.executable} -m pushtui "}))
    checked("systemd-analyze", "verify", "--man=no", str(unit))


def test_every_metric_that_is_written_about_is_there(tmp_path: Path) -> None:
    expressions = re.findall(r"^ +expr: (.*)$", ALERTS, re.MULTILINE)
    names = set(re.findall(r"\b(?:pushtui|process)_\w+", " ".join(expressions)))
    streams = set(re.findall(r"stream=(\"\w+\")", " ".join(expressions)))
    server = Served(tmp_path / "data")
    server.start()
    try:
        told = httpx.get(f"http://127.0.0.1:{server.port}/metrics", trust_env=False).text
    finally:
        server.stop()
    section = (RECIPES.parent / "operations.md").read_text().partition("| metric |")[2].partition("\n\n")[0]
    names |= set(re.findall(r"`(pushtui_\w+)", section))
    assert len(names) > 9
    assert names <= set(re.findall(r"^(\w+)(?:\{.*\})? ", told, re.MULTILINE))
    assert all(f"{{stream={stream}}}" in told for stream in streams)


def test_prometheus_finds_no_fault_in_its_files(tmp_path: Path) -> None:
    needs("promtool")
    token = tmp_path / "pushtui.token"
    token.write_text("ptk_0_0")
    (tmp_path / "pushtui-alerts.yml").write_text(ALERTS)
    (tmp_path / "prometheus.yml").write_text(
        replaced((RECIPES / "prometheus.yml").read_text(), {"/etc/prometheus/pushtui.token": str(token)})
    )
    checked("promtool", "check", "config", str(tmp_path / "prometheus.yml"))
