"""How a duel stands: everything that is shown of it, at any moment and in the end."""

from enum import StrEnum
from typing import Literal

from msgspec import Struct

Transport = Literal["websocket", "sse", "polling"]
TRANSPORTS: tuple[Transport, ...] = ("websocket", "sse", "polling")


class Phase(StrEnum):
    """Where a duel is."""

    OPENING = "opening"
    TALKING = "talking"
    ANSWERING = "answering"
    OVER = "over"


class Carried(Struct, frozen=True):
    """What a relay carried: bytes from and to its client, and how many connections there were."""

    sent_bytes: int = 0
    received_bytes: int = 0
    connections: int = 0

    @property
    def bytes(self) -> int:
        """Both ways together."""
        return self.sent_bytes + self.received_bytes

    def since(self, before: "Carried") -> "Carried":
        """What came after a moment."""
        return Carried(
            self.sent_bytes - before.sent_bytes,
            self.received_bytes - before.received_bytes,
            self.connections - before.connections,
        )


class Latency(Struct, frozen=True):
    """From saying to hearing, in ms, of what came live; none of what was missed and came later."""

    p50_ms: float
    p99_ms: float
    max_ms: float


class Step(Struct, frozen=True):
    """One thing that happened after the cut, so many ms after it."""

    at_ms: float
    what: str


class Recovery(Struct, frozen=True):
    """What a reader did when its link was cut.

    Attributes:
        steps: one after the other.
        back_ms: from the cut until everything that was missed was there; None while it is not.
        replayed: how many messages came again or late, because of the cut.
        carried: what coming back took, up to the end of the replay and with it.
    """

    steps: list[Step]
    back_ms: float | None = None
    replayed: int = 0
    carried: Carried = Carried()


class Answer(Struct, frozen=True):
    """What it takes a reader to say something itself.

    Attributes:
        same_link: whether it went over the link on which it reads.
        sent_bytes: that went for it, from the reader.
        received_bytes: that came for it over another link; none over the same one, where it is read as all else.
        ms: until it was read back, as everybody reads it.
    """

    same_link: bool
    sent_bytes: int
    received_bytes: int
    ms: float


class Lane(Struct, frozen=True):
    """One of the three.

    Attributes:
        transport: which one.
        link: how its link is doing.
        heard: how many of the messages came.
        doubled: how many came more than once.
        lost: how many never came; None as long as they may still come.
        useful_bytes: of the texts that came.
        carried: what its relay carried so far, without the answer.
        opening: of that, what it took until it was ready.
        overhead_bytes: per message and both ways, what was carried beside the text, while nothing was cut.
        requests: how many it made.
        latency: None before the first message.
        latencies_ms: of each message, as they came; of those that were missed too.
        recovery: None if nothing was cut (yet).
        answer: None as long as it has not said anything.
    """

    transport: Transport
    link: str = "connecting"
    heard: int = 0
    doubled: int = 0
    lost: int | None = None
    useful_bytes: int = 0
    carried: Carried = Carried()
    opening: Carried | None = None
    overhead_bytes: float | None = None
    requests: int = 0
    latency: Latency | None = None
    latencies_ms: list[float] = []
    recovery: Recovery | None = None
    answer: Answer | None = None

    @property
    def per_useful_byte(self) -> float | None:
        """Bytes on the wire for each useful one; None before there is one."""
        return self.carried.bytes / self.useful_bytes if self.useful_bytes else None


class Standing(Struct, frozen=True):
    """All three.

    Attributes:
        server: where it takes place.
        room: the duel's own.
        phase: how far it is.
        messages: how many there will be.
        size_bytes: of each text.
        rate_per_second: how many are said in a second.
        said: how many were said.
        lanes: in the order of `TRANSPORTS`.
    """

    server: str
    room: str
    phase: Phase
    messages: int
    size_bytes: int
    rate_per_second: float
    said: int
    lanes: list[Lane]
