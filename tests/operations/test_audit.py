"""The audit of pinned packages, against a database of vulnerabilities on this machine that speaks as OSV does."""

import importlib.util
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

AUDIT = Path(__file__).parents[2] / ".ci" / "audit.py"

if importlib.util.find_spec("pip_audit") is None:
    pytest.skip("pip-audit is not installed", allow_module_level=True)


@contextmanager
def database(vulnerable: str | None) -> Iterator[str]:
    """Knows one vulnerability, of that package; the context is its URL."""

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            package = asked["package"]["name"]
            known = [vulnerability(package)] if package == vulnerable else []
            answer = json.dumps({"vulns": known} if known else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def vulnerability(package: str) -> dict[str, Any]:
    """In all versions below 999."""
    versions = [{"introduced": "0"}, {"fixed": "999"}]
    return {
        "id": "TEST-2026-1",
        "summary": "made up",
        "published": "2026-01-01T00:00:00Z",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": package},
                "ranges": [{"type": "ECOSYSTEM", "events": versions}],
            }
        ],
    }


def audit(url: str) -> "subprocess.CompletedProcess[str]":
    options = ("-s", "osv", "--osv-url", url)
    return subprocess.run(
        (sys.executable, AUDIT, *options), capture_output=True, encoding="utf-8", timeout=90, check=False
    )


def test_a_known_vulnerability_fails() -> None:
    with database("aiohttp") as url:
        ended = audit(url)
    assert ended.returncode == 1, ended.stderr
    assert "aiohttp 3." in ended.stdout
    assert "TEST-2026-1, mended in 999" in ended.stdout
    assert "1 with a known vulnerability" in ended.stdout


def test_none_is_well() -> None:
    with database(None) as url:
        ended = audit(url)
    assert ended.returncode == 0, ended.stderr
    assert "packages looked up, 0 with a known vulnerability" in ended.stdout
    assert "skipped" not in ended.stdout


def test_no_answer_is_said_and_fails_nothing() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        ended = audit(f"http://127.0.0.1:{nobody.getsockname()[1]}/")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("audit skipped: ")
    assert "looked up" not in ended.stdout
