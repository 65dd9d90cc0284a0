"""Let the Autobahn test suite judge the server's WebSocket: ``python -m tests.autobahn`` (``make autobahn``).

The suite is written in Python 2.7, so it gets an environment of its own below ``.autobahn/``, made at the first
run. The interpreter is ``python2.7`` on the PATH, or what the variable PYTHON27 names. Compression (12.*, 13.*) is
left out: the server declines it. Ends with 1 if a case failed, with 2 if there is no Python 2.7.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.server.serving import Serving

HOME = Path(".autobahn")
WSTEST = HOME / "suite" / "bin" / "wstest"
#: The last one that makes environments for Python 2.7.
VIRTUALENV = "virtualenv==20.21.1"
SUITE = "autobahntestsuite==25.10.1"
FINE = {"OK", "NON-STRICT", "INFORMATIONAL"}
FAILED, NO_PYTHON = 1, 2


def install(python: str) -> None:
    """Make the environment with the suite in it."""
    maker = HOME / "maker"
    subprocess.run([sys.executable, "-m", "venv", maker], check=True)
    subprocess.run([maker / "bin" / "pip", "install", "--quiet", VIRTUALENV], check=True)
    subprocess.run([maker / "bin" / "virtualenv", "--quiet", "--python", python, WSTEST.parents[1]], check=True)
    subprocess.run([WSTEST.parent / "pip", "install", "--quiet", SUITE], check=True)


async def judge(folder: Path) -> dict[str, dict[str, str]]:
    """Every case's verdicts, by its number; the suite's report is below ``.autobahn/report`` then."""
    async with Serving.running(folder, "--lab", "--memory") as serving:
        spec = folder / "spec.json"
        spec.write_text(
            json.dumps(
                {
                    "outdir": str((HOME / "report").absolute()),
                    "servers": [{"agent": "pushtui", "url": f"ws://127.0.0.1:{serving.port}/lab/echo"}],
                    "cases": ["*"],
                    "exclude-cases": ["12.*", "13.*"],
                    "exclude-agent-cases": {},
                }
            )
        )
        suite = await asyncio.create_subprocess_exec(
            WSTEST, "-m", "fuzzingclient", "-s", spec, stdout=asyncio.subprocess.DEVNULL
        )
        await suite.wait()
    cases: dict[str, dict[str, str]] = json.loads((HOME / "report" / "index.json").read_text())["pushtui"]
    return cases


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")


def tell(cases: dict[str, dict[str, str]]) -> int:
    """Print the verdicts; returns the exit code."""
    for what in ("behavior", "behaviorClose"):
        verdicts = Counter(case[what] for case in cases.values())
        say(f"{what}: {', '.join(f'{count} {verdict}' for verdict, count in verdicts.most_common())}")
    bad = 0
    for number, case in sorted(cases.items()):
        both = {case["behavior"], case["behaviorClose"]}
        if both != {"OK"}:
            say(f"{number}: {case['behavior']}, closing {case['behaviorClose']}")
        bad += not both <= FINE
    say(f"{len(cases)} cases, {bad} failed; the report is {HOME / 'report' / 'index.html'}")
    return FAILED if bad or not cases else 0


def main() -> int:
    """See above."""
    if not WSTEST.exists():
        python = shutil.which(os.environ.get("PYTHON27", "python2.7"))
        if python is None:
            say("not run: the suite needs a Python 2.7; put python2.7 on the PATH, or name one in PYTHON27")
            return NO_PYTHON
        install(python)
    with tempfile.TemporaryDirectory() as folder:
        return tell(asyncio.run(judge(Path(folder))))


sys.exit(main())
