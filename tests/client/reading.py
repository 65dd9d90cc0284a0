"""What the tests of the status client share."""

import json
from typing import Any

from pushtui.client.address import Address
from pushtui.client.backoff import Backoff
from pushtui.client.happenings import Link, LinkState, StatusEvent, StatusHappening
from pushtui.client.status import StatusClient
from pushtui.protocol.bodies import Notice
from pushtui.protocol.eventstream import block
from pushtui.protocol.positions import Position
from tests.client.peers import (
    EPOCH,
    FakeClock,
)


def client(address: Address, **options: Any) -> StatusClient:
    settings: dict[str, Any] = {"clock": FakeClock(), "backoff": Backoff(chance=lambda: 0.0)} | options
    return StatusClient(address, **settings)


def opening(after: int = 0, head: int = 0, outcome: str = "fresh", retry: int = 2000, **more: Any) -> bytes:
    data = {"outcome": outcome, "epoch": EPOCH, "after": after, "head": head} | more
    resume = block(json.dumps(data), event="resume", event_id=f"{EPOCH}.{after}")
    return block(retry=retry) + resume


def notice(seq: int, text: str = "x") -> bytes:
    data = {"text": text, "level": "info", "by": "ben"}
    return block(json.dumps(data), event="notice", event_id=f"{EPOCH}.{seq}")


def told_notice(seq: int, replayed: bool = False) -> StatusEvent:
    return StatusEvent(Position(EPOCH, seq), "notice", Notice("x", "info", "ben"), replayed)


def is_link(state: LinkState) -> Any:
    return lambda happening: isinstance(happening, Link) and happening.state is state


def is_event(seq: int) -> Any:
    return lambda happening: isinstance(happening, StatusEvent) and happening.position == Position(EPOCH, seq)


def links(happenings: list[StatusHappening]) -> list[Link]:
    return [happening for happening in happenings if isinstance(happening, Link)]


def events(happenings: list[StatusHappening]) -> list[StatusEvent]:
    return [happening for happening in happenings if isinstance(happening, StatusEvent)]
