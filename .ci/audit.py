"""Look every pinned package up in the databases of known vulnerabilities, by pip-audit.

    python .ci/audit.py [OPTIONS OF PIP-AUDIT]

A known vulnerability fails. A database that cannot be asked within `SECONDS` does not: then a line begins with
``audit skipped`` and says why. pip-audit by itself does neither: it fails without a network, and where an index of
packages answers without the database behind it, it finds no vulnerability in what it could not look up.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SECONDS = 30.0
DATABASES = ("pypi", "osv")
REQUIREMENTS = Path(__file__).parents[1] / "requirements"


class NoAnswerError(Exception):
    """A database could not be asked; the message says why."""


def main(options: list[str]) -> int:
    """Ask one database after the other until one answers; returns the exit code."""
    deadline = time.monotonic() + SECONDS
    reasons = []
    for database in DATABASES:
        try:
            return _verdict(_ask(database, options, deadline - time.monotonic()))
        except NoAnswerError as error:
            reasons.append(f"{database}: {error}")
    print(f"audit skipped: {'; '.join(reasons)}")
    return 0


def _ask(database: str, options: list[str], seconds: float) -> list[dict[str, Any]]:
    """The packages as pip-audit reports them: each with its ``vulns``, or the ``skip_reason`` why it has none."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = (
            *(sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "--progress-spinner", "off"),
            *("-r", str(REQUIREMENTS / "run.txt"), "-r", str(REQUIREMENTS / "dev.txt")),
            *("-f", "json", "-o", str(report), "-s", database, *options),
        )
        try:
            ended = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=seconds, check=False)
        except subprocess.TimeoutExpired as error:
            raise NoAnswerError(f"no answer within {SECONDS:g} s") from error
        if not report.exists():
            said = ended.stderr.strip() or f"exit code {ended.returncode}"
            raise NoAnswerError(said.splitlines()[-1])
        packages: list[dict[str, Any]] = json.loads(report.read_text())["dependencies"]
    if not any("vulns" in package for package in packages):
        raise NoAnswerError(packages[0]["skip_reason"])
    return packages


def _verdict(packages: list[dict[str, Any]]) -> int:
    looked_up = [package for package in packages if "vulns" in package]
    vulnerable = [package for package in looked_up if package["vulns"]]
    for package in vulnerable:
        for found in package["vulns"]:
            mended = ", ".join(found["fix_versions"]) or "no version yet"
            print(f"{package['name']} {package['version']}: {found['id']}, mended in {mended}")
    for package in packages:
        if "vulns" not in package:
            print(f"audit skipped: {package['skip_reason']}")
    print(f"audit: {len(looked_up)} packages looked up, {len(vulnerable)} with a known vulnerability")
    return 1 if vulnerable else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
