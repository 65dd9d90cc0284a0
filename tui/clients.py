"""What the screen needs of the clients, and how it comes by them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from pushtui.protocol.limits import LIMITS
from tui.keyring import Keyring

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from pushtui.client.address import Address
    from pushtui.client.happenings import ChatHappening, Link, StatusHappening
    from pushtui.protocol.messages import Action
    from pushtui.wire.watch import Watch


class Counters(Protocol):
    """How much has travelled so far."""

    @property
    def received_frames(self) -> int:
        """Frames or events that came in."""

    @property
    def sent_frames(self) -> int:
        """Frames that went out."""


class Chat(Protocol):
    """The part of `pushtui.client.chat.ChatClient` that the screen uses. Nothing in it waits."""

    @property
    def nick(self) -> str:
        """Who the server takes us for."""

    @property
    def link(self) -> Link:
        """How the link is doing."""

    @property
    def traffic(self) -> Counters:
        """How much has travelled."""

    @property
    def latency_ms(self) -> float | None:
        """The last round trip, None before the first."""

    @property
    def kept(self) -> bool:
        """Whether what is not stored yet outlives the program."""

    @property
    def watch(self) -> Watch:
        """Tells what passes, frame by frame."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def __aiter__(self) -> AsyncIterator[ChatHappening]: ...

    def say(self, room: str, text: str, reply_to: int | None = None) -> str:
        """Say something; returns its key."""

    def topic(self, room: str, text: str) -> str:
        """Set the topic; returns the key."""

    def mark(self, room: str, text: str) -> str:
        """Set a mark; returns the key."""

    def join(self, room: str) -> None:
        """One more room."""

    def leave(self, room: str) -> None:
        """One room less."""

    def typing(self, room: str, on: bool) -> None:
        """Begin or stop to type."""

    def away(self, on: bool, text: str | None = None) -> None:
        """Be away, or back."""

    def history(self, room: str, before: int, limit: int = 100) -> str:
        """Ask for older events; returns the id that their page will carry."""

    def moderate(
        self,
        action: Action,
        *,
        nick: str | None = None,
        room: str | None = None,
        address: str | None = None,
        seconds: int | None = None,
        reason: str | None = None,
        on: bool = True,
    ) -> str:
        """Ask for an act of moderation; returns the key that the answer will carry."""

    def direct(self, nick: str) -> str:
        """Ask for the room of two with somebody; returns the key that the answer will carry."""

    def retry(self, key: str) -> None:
        """Queue again what failed."""

    def take_back(self, key: str) -> str | None:
        """Give up what failed or was never sent; returns its text, None when it may be stored."""

    def rename(self, nick: str) -> None:
        """Come back under another nick."""

    def retry_now(self) -> None:
        """Do not wait for the next try."""


class Status(Protocol):
    """The part of `pushtui.client.status.StatusClient` that the screen uses."""

    @property
    def link(self) -> Link:
        """How the link is doing."""

    @property
    def traffic(self) -> Counters:
        """How much has travelled; ``received_frames`` counts events."""

    @property
    def retry_ms(self) -> int | None:
        """The reconnection time that the server asked for."""

    @property
    def last_event_id(self) -> str:
        """Where this client would go on; empty before the first id."""

    @property
    def watch(self) -> Watch:
        """Tells what passes, line by line."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def __aiter__(self) -> AsyncIterator[StatusHappening]: ...

    def retry_now(self) -> None:
        """Do not wait for the next try."""


class Clients(NamedTuple):
    """How the screen makes its two clients. Tests give scripted ones."""

    chat: Callable[[Address, str, Sequence[str]], Chat]
    """Of an address, a nick and rooms."""
    status: Callable[[Address], Status]


def real_clients(keyring: Keyring | None = None, outbox: Path | None = None) -> Clients:
    """Return clients that talk to a server; their libraries are loaded when one is made, after the first paint.

    Args:
        keyring: the tokens for servers that want one.
        outbox: the folder that keeps what is not stored yet; None keeps it in memory.
    """
    keyring = keyring or Keyring()

    def chat(address: Address, nick: str, rooms: Sequence[str]) -> Chat:
        from pushtui.client.chat import ChatClient

        return ChatClient(address, nick=nick, rooms=rooms, token=keyring.of(address), outbox=outbox)

    def status(address: Address) -> Status:
        from pushtui.client.status import StatusClient

        # Samples come every second: fewer events would leave out the notices of the last minutes.
        return StatusClient(address, replay=LIMITS.replay, token=keyring.of(address))

    return Clients(chat, status)
