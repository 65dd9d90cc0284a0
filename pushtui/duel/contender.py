"""One reader of the duel: what it hears, what it costs, and what it does when its link is cut."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterable, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Any, ClassVar, Self

import httpx

from pushtui.client import endings
from pushtui.client.address import Address
from pushtui.client.backoff import Backoff
from pushtui.client.chat import ChatClient
from pushtui.client.happenings import CaughtUp, Link, LinkState, RoomEvent
from pushtui.client.polling import PollingClient
from pushtui.duel.measure import Bill, Diary, Tally, mark_of
from pushtui.duel.relay import Relay
from pushtui.duel.room_stream import RoomStream
from pushtui.duel.standing import Answer, Carried, Lane, Transport
from pushtui.protocol.bodies import Message
from pushtui.protocol.messages import Resume
from pushtui.protocol.token import Token

#: How long each part of a duel that depends on the server may take, in seconds.
PATIENCE = 20.0


class DuelError(Exception):
    """The duel cannot go on; the message is one sentence.

    Attributes:
        code: the WebSocket close code or HTTP status behind it, None if there was no server.
    """

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason)
        self.code = code


class Setting:
    """What all readers have in common.

    Args:
        address: the server.
        room: the duel's own.
        run: what marks its messages.
        token: what lets one in, if the server wants something.
        backoff: makes the policy of reconnecting of each.
    """

    def __init__(
        self, address: Address, room: str, run: str, *, token: Token | None, backoff: Callable[[], Backoff]
    ) -> None:
        self.address = address
        self.room = room
        self.run = run
        self.token = token
        self.backoff = backoff
        #: To make it takes longer than anything that is measured.
        self.tls = ssl.create_default_context()

    def nick(self, who: str) -> str:
        """A name that nobody else has; whoever has a token goes by the token's."""
        return f"duel-{self.run}-{who}"


class Contender:
    """Use it as an asynchronous context manager: it reads as long as the block runs.

    Args:
        setting: see there.
        changed: is called whenever there is something new to show.
        failed: is told what ends the duel.
    """

    transport: ClassVar[Transport]
    #: How it says where it was, when it comes back.
    names_its_place: ClassVar[str]
    #: Whose word it is when it comes back.
    waits_by: ClassVar[str] = "its own backoff"

    def __init__(self, setting: Setting, changed: Callable[[], None], failed: Callable[[DuelError], None]) -> None:
        self.setting = setting
        self.relay = Relay(setting.address)
        self.tally = Tally()
        self.ready = asyncio.Event()
        self.answer: Answer | None = None
        self._bill = Bill()
        self._diary: Diary | None = None
        self._link = Link(LinkState.CONNECTING)
        self._own: dict[str, asyncio.Event] = {}
        self._changed = changed
        self._failed = failed
        self._expected: int | None = None
        self._final: tuple[Carried, int] | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.relay)
            client = await stack.enter_async_context(self._client())
            reading = asyncio.create_task(self._read(client), name=f"duel {self.transport}")
            stack.push_async_callback(_ended, reading)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    # What each is for itself

    def _client(self) -> AbstractAsyncContextManager[AsyncIterable[Any]]:
        """Make the client; it connects to the relay."""
        raise NotImplementedError

    def requests(self) -> int:
        """How many HTTP requests it made, with the upgrade of a WebSocket."""
        raise NotImplementedError

    async def _say(self, text: str, heard: Callable[[], Awaitable[object]]) -> tuple[bool, int, int]:
        """Say something and wait until it is heard; see `Answer` for what is returned but the time."""
        async with Relay(self.setting.address) as relay:
            await self._post(relay.address, text)
            await heard()
            return False, relay.carried.sent_bytes, relay.carried.received_bytes

    # What is done to it

    def cut(self) -> None:
        """Cut its link."""
        self._bill.close(self.relay.carried, self.tally)
        self._diary = Diary(time.perf_counter(), self.relay.carried)
        self.relay.cut()

    async def reply(self) -> None:
        """Say something, and measure what that takes."""
        text = f"{self.setting.run} {self.transport} answers"
        heard = self._own[text] = asyncio.Event()
        before = time.perf_counter()
        same_link, sent, received = await self._say(text, heard.wait)
        self.answer = Answer(same_link, sent, received, (time.perf_counter() - before) * 1000)
        self._changed()

    def over(self, messages: int) -> None:
        """No more messages come: what is not there is lost."""
        self._expected = messages
        self._final = self.relay.carried, self.requests()
        self._bill.close(self.relay.carried, self.tally)

    @property
    def caught_up(self) -> bool:
        """Whether it has come back since its link was cut, if it was."""
        return self._diary is None or self._diary.back

    def lane(self) -> Lane:
        """How it stands."""
        carried, requests = self._final or (self.relay.carried, self.requests())
        self._bill.look(carried, self.tally)
        return Lane(
            transport=self.transport,
            link=str(self._link.state),
            heard=len(self.tally.heard),
            doubled=self.tally.doubled,
            lost=None if self._expected is None else self._expected - len(self.tally.heard),
            useful_bytes=self.tally.useful_bytes,
            carried=carried,
            opening=self._bill.opening,
            overhead_bytes=self._bill.overhead_bytes,
            requests=requests,
            latency=self.tally.latency,
            latencies_ms=self.tally.latencies_ms,
            recovery=None if self._diary is None else self._diary.recovery,
            answer=self.answer,
        )

    # What happens to it

    async def _read(self, client: AsyncIterable[Any]) -> None:
        async for happening in client:
            match happening:
                case Link():
                    self._take_link(happening)
                case Resume():
                    self._note(f"{self.names_its_place}: {happening.outcome}")
                case CaughtUp():
                    self._take_caught_up(happening)
                case RoomEvent(body=Message(text=text)):
                    self._hear(text, replayed=happening.replayed)
                case _:
                    continue
            self._changed()

    def _take_link(self, link: Link) -> None:
        self._link = link
        match link.state:
            case LinkState.REFUSED:
                self._failed(DuelError(f"{self.transport}: {link.reason}", link.code))
            case LinkState.LOST:
                if self._diary is not None:
                    self._diary.noticed = True
                self._note(f"{link.reason}; back in {link.retry_in or 0:.1f} s ({self.waits_by})")
            case LinkState.CONNECTING:
                self._note("connects again")

    def _take_caught_up(self, caught_up: CaughtUp) -> None:
        if self._diary is not None and not self._diary.back:
            self._note(f"{caught_up.replayed} missed, all replayed")
            self._diary.caught_up(time.perf_counter(), self.relay.carried, caught_up.replayed)
        if not self.ready.is_set():
            self._bill.ready(self.relay.carried)
            self.ready.set()

    def _hear(self, text: str, *, replayed: bool) -> None:
        if text in self._own:
            self._own[text].set()
        mark = mark_of(text, self.setting.run)
        if mark is not None:
            number, stamp_ns = mark
            latency_ms = (time.perf_counter_ns() - stamp_ns) / 1e6
            self.tally.hear(number, text, latency_ms, replayed=replayed)
            if self._diary is not None:
                self._diary.unnoticed(time.perf_counter(), self.relay.carried)

    def _note(self, what: str) -> None:
        if self._diary is not None and not self._diary.back:
            self._diary.note(time.perf_counter(), what)

    async def _post(self, address: Address, text: str) -> None:
        setting = self.setting
        headers = {} if setting.token is None else {"Authorization": setting.token.header}
        said = {"text": text, "from": setting.nick(self.transport)}
        try:
            # Made for this alone: while a stream or an answer is under way, its connection takes nothing else.
            async with httpx.AsyncClient(headers=headers, verify=setting.tls, trust_env=False) as client:
                response = await client.post(address.room(setting.room), json=said)
        except httpx.HTTPError as error:
            raise DuelError(f"{self.transport}: no answer to what it said") from error
        if response.status_code != 201:
            ending = endings.answered(response.status_code, None, response.content[: endings.LARGEST_REFUSAL])
            raise DuelError(f"{self.transport}: {ending.reason}", ending.code)


class WebSocketContender(Contender):
    """Reads, and speaks, over a WebSocket."""

    transport = "websocket"
    names_its_place = "hello with its position"

    def _client(self) -> AbstractAsyncContextManager[AsyncIterable[Any]]:
        setting = self.setting
        self._chat = ChatClient(
            self.relay.address,
            nick=setting.nick("ws"),
            rooms=(setting.room,),
            replay=0,
            token=setting.token,
            backoff=setting.backoff(),
        )
        return self._chat

    def requests(self) -> int:
        """The upgrades: one for each connection."""
        return self.relay.carried.connections

    async def _say(self, text: str, heard: Callable[[], Awaitable[object]]) -> tuple[bool, int, int]:
        before = self.relay.carried
        self._chat.say(self.setting.room, text)
        await heard()
        return True, self.relay.carried.since(before).sent_bytes, 0


class EventStreamContender(Contender):
    """Reads server-sent events."""

    transport = "sse"
    names_its_place = "GET with Last-Event-ID"
    waits_by = "the server's retry"
    _stream: RoomStream | None = None

    def _client(self) -> AbstractAsyncContextManager[AsyncIterable[Any]]:
        setting = self.setting
        self._stream = RoomStream(
            self.relay.address, setting.room, replay=0, token=setting.token, backoff=setting.backoff()
        )
        return self._stream

    def requests(self) -> int:
        """One for each stream."""
        return 0 if self._stream is None else self._stream.requests


class PollingContender(Contender):
    """Asks again and again."""

    transport = "polling"
    names_its_place = "GET with after=position"
    _polling: PollingClient | None = None

    def _client(self) -> AbstractAsyncContextManager[AsyncIterable[Any]]:
        setting = self.setting
        self._polling = PollingClient(
            self.relay.address, setting.room, replay=0, token=setting.token, backoff=setting.backoff()
        )
        return self._polling

    def requests(self) -> int:
        """One for each answer."""
        return 0 if self._polling is None else self._polling.requests


CONTENDERS = (WebSocketContender, EventStreamContender, PollingContender)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
