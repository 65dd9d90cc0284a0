"""``python -m bench [PART …]``: measure, and print each figure beside what it should be under.

``fanout`` and ``peers`` stand alone, with options of their own: `bench.fanout`, `bench.peers.install`.
"""

import argparse
import platform
import sys

import psutil

from bench import fanout, log, micro, screen, slow, startup, timeline
from bench.peers import install

_PARTS = {
    "startup": startup.measure,
    "screen": screen.measure,
    "timeline": timeline.measure,
    "log": log.measure,
    "slow": slow.measure,
    "micro": micro.measure,
}


def main() -> int:
    """Run the parts that were asked for; exit code 1 when a figure is over its limit."""
    if sys.argv[1:2] == ["fanout"]:
        return fanout.main(sys.argv[2:])
    if sys.argv[1:2] == ["peers"]:
        return install.install()
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure pushtui on this machine.")
    parser.add_argument(
        "part",
        nargs="*",
        help=f"what to measure: {', '.join(_PARTS)}, or everything; fanout alone, and peers to install its peers",
    )
    wanted = parser.parse_args().part or list(_PARTS)
    unknown = [part for part in wanted if part not in _PARTS]
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(_PARTS)}")
    print(
        f"{psutil.cpu_count()} cores, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    )
    over = 0
    for part in wanted:
        for what, value, unit, limit in _PARTS[part]():
            verdict = "" if limit is None else f"(under {limit:g}: {'yes' if value < limit else 'NO'})"
            over += limit is not None and value >= limit
            print(f"{what:48} {_figure(value):>10} {unit:12} {verdict}", flush=True)
    return 1 if over else 0


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


sys.exit(main())
