"""``python -m bench peers``: fetch what the peers need into ``.bench``; what cannot be had is said."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.peers.peer import CACHE, PROGRAMS
from bench.peers.registry import PEERS

_PYTHON_PACKAGES = ("starlette", "uvicorn[standard]", "websockets")


def install() -> int:
    """All that this machine has the tools for; then each peer with a word about it."""
    CACHE.mkdir(exist_ok=True)
    _run([sys.executable, "-m", "venv", str(CACHE / "venv")])
    _run([str(CACHE / "venv" / "bin" / "python"), "-m", "pip", "install", "--quiet", *_PYTHON_PACKAGES])
    if shutil.which("npm"):
        folder = CACHE / "node"
        folder.mkdir(exist_ok=True)
        shutil.copy(PROGRAMS / "node_package.json", folder / "package.json")
        _run(["npm", "install", "--silent", "--no-fund", "--no-audit"], folder)
    if shutil.which("go"):
        _run(["go", "build", "-o", str(CACHE / "bin" / "centrifuge_room"), "."], PROGRAMS / "centrifuge")
    for peer in PEERS:
        print(f"{peer.title:44} {peer.missing() or 'there'}")
    return 0


def _run(command: Sequence[str], folder: Path | None = None) -> None:
    print("$", *command, flush=True)
    if subprocess.run(command, cwd=folder, check=False).returncode:
        print("  failed; the peer is left out")
