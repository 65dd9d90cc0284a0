"""All listeners of a measurement: one reader process on each core of the load, more if the file limit wants it."""

import multiprocessing
import resource
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from bench.load.opening import Opening
from bench.load.processor import SPARE_FILES
from bench.load.reader import Begin, Command, Connect, Connected, Hear, Heard, Quiet, read

_CONNECT_SECONDS = 300
#: Listeners who read at once and tell the latency, spread among all.
_PROMPT = 50


class ListenersLostError(Exception):
    """Connections could not be opened, or the server ended them."""


@dataclass(frozen=True, slots=True)
class Audibility:
    """What all listeners together have heard.

    Attributes:
        deliveries: messages, each listener counted.
        at: when the last expected one arrived, in ns of the monotonic clock; 0 if it has not.
        latencies: ns on the way, sorted; a sample when many messages arrive in one read.
        bytes: all that was read.
        processor: seconds that the busiest reader used.
        all_processor: and all of them together.
        closed: connections that the server has ended.
    """

    deliveries: int
    at: int
    latencies: Sequence[int]
    bytes: int
    processor: float
    all_processor: float
    closed: int

    def percentile(self, share: float) -> float:
        """The latency in ms that this share of the deliveries (0-1) did not exceed; 0 when there are none."""
        if not self.latencies:
            return 0.0
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))] / 1e6


class Audience:
    """The reader processes; `audience` makes them."""

    def __init__(self, readers: list[tuple[BaseProcess, Connection]]) -> None:
        self._pipes = [pipe for _, pipe in readers]
        self._shares = [0] * len(readers)

    def connect(self, port: int, openings: Sequence[Opening], *, slow: bool = False) -> float:
        """Open all of them, 256 at once in each process; returns how many seconds it took.

        Raises:
            ListenersLostError: one of them could not be opened.
        """
        count = len(self._pipes)
        began = time.monotonic_ns()
        for place, pipe in enumerate(self._pipes):
            pipe.send(Connect(port, list(openings[place::count]), max(1, len(openings) // _PROMPT), slow))
        shares = [len(openings[place::count]) for place in range(count)]
        answers = [
            self._answer(pipe, _CONNECT_SECONDS) for pipe, share in zip(self._pipes, shares, strict=True) if share
        ]
        ended = began
        for answer in answers:
            assert isinstance(answer, Connected)
            if answer.trouble is not None:
                raise ListenersLostError(answer.trouble)
            ended = max(ended, answer.at)
        if not slow:
            self._shares = [had + share for had, share in zip(self._shares, shares, strict=True)]
        return (ended - began) / 1e9

    def begin(self, messages: int, *, coming: int = 0) -> int:
        """Forget what was heard; each listener, and so many who are yet to come, are to get so many messages.

        Returns how many deliveries that makes.
        """
        count = len(self._pipes)
        for place, (pipe, share) in enumerate(zip(self._pipes, self._shares, strict=True)):
            pipe.send(Begin(messages * (share + len(range(place, coming, count)))))
        for pipe in self._pipes:
            self._answer(pipe, 10)
        return messages * (sum(self._shares) + coming)

    def hear(self, timeout: float) -> Audibility:
        """Wait until everything has arrived, or the time is over: whoever calls looks at `Audibility.at`."""
        self._tell(Hear(timeout))
        heard: list[Heard] = []
        for pipe in self._pipes:
            answer = self._answer(pipe, timeout + 60)
            assert isinstance(answer, Heard)
            heard.append(answer)
        latencies = array("q")
        for one in heard:
            latencies.extend(one.latencies)
        return Audibility(
            sum(one.deliveries for one in heard),
            max(one.at for one in heard) if all(one.at for one in heard) else 0,
            sorted(latencies),
            sum(one.bytes for one in heard),
            max(one.processor for one in heard),
            sum(one.processor for one in heard),
            sum(one.closed for one in heard),
        )

    def quiet(self, seconds: float = 0.3) -> None:
        """Wait until nothing has arrived for so long."""
        self._tell(Quiet(seconds))
        for pipe in self._pipes:
            self._answer(pipe, _CONNECT_SECONDS)

    def _tell(self, command: Command) -> None:
        for pipe in self._pipes:
            pipe.send(command)

    @staticmethod
    def _answer(pipe: Connection, timeout: float) -> object:
        if not pipe.poll(timeout):
            raise ListenersLostError(f"the listeners did not answer within {timeout:g} s")
        return pipe.recv()


@contextmanager
def audience(cores: Sequence[int], listeners: int) -> Iterator[Audience]:
    """Enough reader processes for so many listeners, one for each core at least."""
    each = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_FILES
    context = multiprocessing.get_context("spawn")
    readers: list[tuple[BaseProcess, Connection]] = []
    for place in range(max(len(cores), -(-listeners // each))):
        ours, theirs = context.Pipe()
        process: BaseProcess = context.Process(target=read, args=(theirs, cores[place % len(cores)]), daemon=True)
        process.start()
        theirs.close()
        readers.append((process, ours))
    try:
        yield Audience(readers)
    finally:
        for process, pipe in readers:
            pipe.close()
            process.terminate()
            process.join()
