"""What the tests of the chat client share."""

from typing import Any

import pytest

from pushtui.client.address import Address
from pushtui.client.backoff import Backoff
from pushtui.client.chat import ChatClient
from pushtui.client.happenings import (
    ChatHappening,
    Delivery,
    Link,
    LinkState,
    RoomEvent,
)
from pushtui.protocol import messages
from pushtui.protocol.bodies import Message
from tests.client.peers import (
    FakeClock,
)

both = pytest.mark.parametrize("subprotocol", messages.SUBPROTOCOLS)


def client(address: Address, **options: Any) -> ChatClient:
    settings: dict[str, Any] = {"nick": "ana", "clock": FakeClock()} | options
    return ChatClient(address, **settings)


def is_link(state: LinkState) -> Any:
    return lambda happening: isinstance(happening, Link) and happening.state is state


def slow() -> Backoff:
    """Nothing comes back by itself within a test."""
    return Backoff(initial=10_000, cap=10_000, chance=lambda: 1.0)


def links(happenings: list[ChatHappening]) -> list[Link]:
    return [happening for happening in happenings if isinstance(happening, Link)]


def is_delivery(state: str) -> Any:
    return lambda happening: isinstance(happening, Delivery) and happening.state == state


def texts(happenings: list[ChatHappening]) -> list[str]:
    return [
        happening.body.text
        for happening in happenings
        if isinstance(happening, RoomEvent) and isinstance(happening.body, Message)
    ]
