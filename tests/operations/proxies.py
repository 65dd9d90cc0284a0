"""The reverse proxies of docs/recipes: the real programs, with the recipes as they stand there.

Of a recipe only what has to be another one on this machine is replaced: the name's port, the server's port, and
the certificate's place.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

RECIPES = Path(__file__).parents[2] / "docs" / "recipes"
#: The name in the recipes and in the certificate.
NAME = "chat.example"
SECONDS = 20


class Certificate(NamedTuple):
    """A certificate for `NAME` that nobody signed but itself, and its key; both PEM files."""

    certificate: Path
    key: Path

    @classmethod
    def make(cls, folder: Path) -> "Certificate":
        """Make one as docs/operations.md says."""
        made = cls(folder / "cert.pem", folder / "key.pem")
        subprocess.run(
            (
                *(
                    "openssl",
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:prime256v1",
                    "-nodes",
                ),
                *("-keyout", made.key, "-out", made.certificate, "-days", "30"),
                *("-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"),
            ),
            check=True,
            capture_output=True,
            timeout=SECONDS,
        )
        return made


class Proxy(NamedTuple):
    """One that runs: the port on which it speaks TLS, and the file where it notes who asked for what."""

    port: int
    access_log: Path


def needs(*commands: str) -> None:
    """Skip a test where one of the commands is missing."""
    # Debian keeps the proxies with the commands for root.
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin"))
    for command in commands:
        if shutil.which(command, path=path) is None:
            pytest.skip(f"{command} is not installed")


@contextlib.contextmanager
def nginx(folder: Path, certificate: Certificate, server_port: int) -> Iterator[Proxy]:
    """Run nginx before that port of this machine."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        port = listener.getsockname()[1]
        recipe = replaced(
            (RECIPES / "nginx.conf").read_text(),
            {
                "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
                "server 127.0.0.1:8765;": f"server 127.0.0.1:{server_port};",
                "/etc/ssl/chat.example/cert.pem": str(certificate.certificate),
                "/etc/ssl/chat.example/key.pem": str(certificate.key),
            },
        )
        (folder / "pushtui.conf").write_text(recipe)
        access_log = folder / "access.log"
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        work = "".join(f"{kind}_temp_path {folder / kind};" for kind in kinds)
        (folder / "nginx.conf").write_text(
            f"daemon off; pid {folder / 'pid'}; error_log stderr warn; {'user root;' if os.geteuid() == 0 else ''}"
            f"events {{}} http {{ access_log {access_log}; {work} include {folder / 'pushtui.conf'}; }}"
        )
        # It takes over a listener whose number it is told here, as at an upgrade of itself: so the port is ours
        # from the beginning, and a request that comes before nginx is ready waits.
        command = ("nginx", "-c", str(folder / "nginx.conf"), "-e", "stderr")
        with _running(command, folder, keep=listener, NGINX=f"{listener.fileno()};"):
            yield Proxy(port, access_log)


@contextlib.contextmanager
def caddy(folder: Path, certificate: Certificate, server_port: int) -> Iterator[Proxy]:
    """Run Caddy before that port of this machine."""
    # Bound, but without listening: Caddy shares the port, as it does with a second Caddy at an upgrade.
    with socket.socket() as reservation:
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reservation.bind(("127.0.0.1", 0))
        port = reservation.getsockname()[1]
        access_log = folder / "access.log"
        recipe = replaced(
            (RECIPES / "Caddyfile").read_text(),
            {
                "\tauto_https disable_redirects\n": "\tauto_https off\n\tadmin off\n",
                "\nchat.example {\n": (
                    f"\nhttps://chat.example:{port} {{\n\tbind 127.0.0.1\n"
                    f"\ttls {certificate.certificate} {certificate.key}\n"
                    f"\tlog {{\n\t\toutput file {access_log}\n\t}}\n"
                ),
                "reverse_proxy 127.0.0.1:8765": f"reverse_proxy 127.0.0.1:{server_port}",
            },
        )
        (folder / "Caddyfile").write_text(recipe)
        command = ("caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile")
        with _running(command, folder, HOME=str(folder)) as process:
            _wait_for(port, process)
            yield Proxy(port, access_log)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until somebody accepts connections there, or the process has ended."""
    until = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), SECONDS):
            return
        time.sleep(0.01)  # it tells nobody when it is ready


def replaced(recipe: str, replacements: dict[str, str]) -> str:
    """The recipe with each thing replaced; each has to stand in it exactly once."""
    for old, new in replacements.items():
        assert recipe.count(old) == 1, old
        recipe = recipe.replace(old, new)
    return recipe


@contextlib.contextmanager
def _running(
    command: tuple[str, ...], folder: Path, *, keep: socket.socket | None = None, **variables: str
) -> Iterator[subprocess.Popen[bytes]]:
    said = folder / "stderr"
    with (
        said.open("wb") as errors,
        subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=os.environ | {"PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"} | variables,
            pass_fds=() if keep is None else (keep.fileno(),),
        ) as process,
    ):
        try:
            yield process
            assert process.poll() is None, said.read_text()
        finally:
            process.terminate()
            try:
                process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
