"""``python -m bench fanout``: pushtui beside other push servers, in one run on one machine."""

import argparse
import json
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import psutil

from bench.load.audience import ListenersLostError
from bench.load.processor import cores, pin
from bench.peers.peer import Peer, Wire
from bench.peers.registry import PEERS
from bench.report.medians import medians
from bench.report.plot import plots
from bench.report.table import markdown, terminal
from bench.report.verdicts import verdicts
from bench.workloads.crowd import crowd
from bench.workloads.rooms import rooms
from bench.workloads.sample import Sample, Stage
from bench.workloads.saying import say
from bench.workloads.slow import mixed
from bench.workloads.stall import stall
from bench.workloads.storm import storm

_LISTENERS = (1, 10, 100, 1000, 5000, 10_000)
_QUICK_LISTENERS = (100, 1000)
_QUICK_PEERS = ("pushtui", "nchan")
_WORKLOADS = ("say", "rooms", "mixed", "crowd", "storm", "stall")
_QUICK_WORKLOADS = ("say", "crowd", "storm")
_WIRES: Sequence[Wire] = ("ws", "sse")
#: A way through that is only looked at with this many listeners; the others show how the cost grows.
_SIDE_ROUTE, _SIDE_LISTENERS = ("post", "ws"), 1000


@dataclass(frozen=True, slots=True)
class _Task:
    """One server, one load; a repeat goes through all of them, so that noise of the machine hits all alike."""

    name: str
    play: Callable[[], Iterator[Sample]]


def main(arguments: Sequence[str]) -> int:
    """Measure, print, write; exit code 1 when a target is not reached."""
    options = _options(arguments)
    server_core, load_cores = cores()
    stage = Stage(server_core, load_cores, options.quick)
    pin(load_cores[-1])
    print(_machine())
    print(f"the server on core {server_core}, the load on {', '.join(map(str, load_cores))}")
    peers = [peer for peer in PEERS if peer.name in options.peers]
    for peer in peers:
        print(f"{peer.title:44} stores {peer.stores:26} {_left_out(peer)}")
    peers = [peer for peer in peers if peer.missing() is None]
    for path in (options.json, options.markdown):
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
    samples: list[Sample] = []
    began = time.monotonic()
    for repeat in range(options.repeats):
        for task in _tasks(stage, peers, options, first=repeat == 0):
            print(f"[{time.monotonic() - began:6.0f} s] {repeat + 1}/{options.repeats} {task.name}", flush=True)
            try:
                samples.extend(task.play())
            except (ListenersLostError, OSError, RuntimeError, psutil.Error) as error:
                print(f"  left out: {error}")
            if options.json:
                options.json.write_text(_json(peers, samples))
    return _report(options, samples)


def _report(options: argparse.Namespace, samples: Sequence[Sample]) -> int:
    middle = medians(samples)
    print(terminal(middle))
    print()
    judged = list(verdicts(middle))
    for verdict in judged:
        print(verdict)
    if options.markdown:
        options.markdown.write_text(markdown(middle))
    if options.plots:
        for path in plots(middle, options.plots):
            print(path)
    return 0 if all(verdict.reached for verdict in judged) else 1


def _tasks(stage: Stage, peers: Sequence[Peer], options: argparse.Namespace, *, first: bool) -> Iterator[_Task]:
    if "say" in options.workloads:
        for listeners in options.listeners:
            for route in dict.fromkeys(route for peer in peers for route in peer.routes):
                if route == _SIDE_ROUTE and listeners != _SIDE_LISTENERS:
                    continue
                for peer in peers:
                    if route in peer.routes:
                        name = f"{peer.name} {'-'.join(route)} to {listeners}"
                        yield _Task(name, partial(say, stage, peer, route, listeners))
    for workload, play in (("rooms", rooms), ("mixed", mixed)):
        if workload in options.workloads:
            for peer in peers:
                yield _Task(f"{peer.name} {workload}", partial(play, stage, peer))
    for wire in _WIRES:
        if "crowd" in options.workloads:
            for peer in peers:
                if wire in {out for _, out in peer.routes}:
                    name = f"{peer.name} crowd by {wire}"
                    yield _Task(name, partial(crowd, stage, peer, wire, idle=first))
        for workload, alone in (("storm", storm), ("stall", stall)):
            if workload in options.workloads and any(peer.name == "pushtui" for peer in peers):
                yield _Task(f"pushtui {workload} by {wire}", partial(alone, stage, wire))


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench fanout", description=__doc__)
    names = ",".join(peer.name for peer in PEERS)
    parser.add_argument("--quick", action="store_true", help="two minutes: pushtui and Nchan, short, once")
    parser.add_argument("--peers", type=_list, help=f"of {names}; by default all that are there")
    parser.add_argument("--workloads", type=_list, help=f"of {','.join(_WORKLOADS)}")
    parser.add_argument(
        "--listeners", type=lambda text: [int(one) for one in _list(text)], help="how many, in turn"
    )
    parser.add_argument("--repeats", type=int, help="of everything; the medians count (default 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every single run")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="the tables")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="pictures, as SVG")
    options = parser.parse_args(arguments)
    options.listeners = options.listeners or (_QUICK_LISTENERS if options.quick else _LISTENERS)
    options.repeats = options.repeats or (1 if options.quick else 3)
    options.workloads = options.workloads or (_QUICK_WORKLOADS if options.quick else _WORKLOADS)
    options.peers = options.peers or (_QUICK_PEERS if options.quick else [peer.name for peer in PEERS])
    for given, known in ((options.peers, [peer.name for peer in PEERS]), (options.workloads, _WORKLOADS)):
        unknown = set(given) - set(known)
        if unknown:
            parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return options


def _list(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def _left_out(peer: Peer) -> str:
    missing = peer.missing()
    return "" if missing is None else f"left out: {missing}"


def _machine() -> str:
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = psutil.virtual_memory().total / (1 << 30)
    system = f"{platform.system()} {platform.release()}"
    return f"{psutil.cpu_count()} cores ({model}), {memory:.0f} GiB, {system}, Python {platform.python_version()}"


def _json(peers: Sequence[Peer], samples: Sequence[Sample]) -> str:
    content = {
        "machine": _machine(),
        "peers": {peer.name: {"title": peer.title, "stores": peer.stores} for peer in peers},
        "samples": [asdict(sample) for sample in samples],
    }
    return json.dumps(content, indent=1)
