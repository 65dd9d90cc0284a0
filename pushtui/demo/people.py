"""The people of the demo: real clients that do what the conversation says."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

import httpx

from pushtui.client.address import Address
from pushtui.client.chat import ChatClient
from pushtui.client.happenings import RoomEvent, Undeliverable
from pushtui.demo.conversation import Away, Conversation, Mark, Me, Notify, Say, Step, Topic, varied

Sleep = Callable[[float], Coroutine[Any, Any, None]]


class People:
    """Everybody who takes part, connected while the ``async with`` block runs.

    Args:
        address: the server.
        conversation: what they do.
        sleep: waits for so many seconds.
        chance: what varies what they say in the end.
    """

    def __init__(
        self,
        address: Address,
        conversation: Conversation,
        *,
        sleep: Sleep = asyncio.sleep,
        chance: random.Random | None = None,
    ) -> None:
        self._address = address
        self._conversation = conversation
        self._sleep = sleep
        self._chance = chance or random.Random()  # noqa: S311 - it picks small talk
        self._clients: dict[str, ChatClient] = {}
        self._readers: list[asyncio.Task[None]] = []
        self._stored: dict[str, asyncio.Future[int]] = {}
        self._labels: dict[str, int] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._http = await stack.enter_async_context(httpx.AsyncClient(trust_env=not self._address.loopback))
            for nick in self._conversation.people:
                client = ChatClient(self._address, nick=nick, rooms=(self._conversation.room,), replay=0)
                self._clients[nick] = await stack.enter_async_context(client)
                self._readers.append(asyncio.create_task(self._read(client)))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)
        await self._stack.aclose()

    async def tell(self) -> None:
        """Do at once what has happened before anybody looks."""
        for step in self._conversation.told:
            await self._do(step)

    async def go_on(self) -> None:
        """Do the rest with its pauses, then go on for ever in variations."""
        for step in self._conversation.told_live:
            await self._live(step)
        while True:
            steps = list(self._conversation.afterwards)
            self._chance.shuffle(steps)
            for step in steps:
                await self._live(varied(step, self._chance))

    async def _live(self, step: Step) -> None:
        await self._sleep(step.pause)
        if isinstance(step, Say) and step.typing:
            client = self._clients[step.by]
            client.typing(self._conversation.room, True)
            await self._sleep(step.typing)
            client.typing(self._conversation.room, False)
        await self._do(step)

    async def _do(self, step: Step) -> None:
        room = self._conversation.room
        match step:
            case Notify(text=text, title=title, level=level, by=by):
                notice = {"text": text, "level": level, "title": title, "from": by}
                (await self._http.post(f"{self._address.http}/notices", json=notice)).raise_for_status()
            case Away(by=by, on=on, text=text):
                self._clients[by].away(on, text)
            case Topic(by=by, text=text):
                await self._settled(self._clients[by].topic(room, text))
            case Mark(by=by, text=text):
                await self._settled(self._clients[by].mark(room, text))
            case Me(by=by, text=text):
                await self._settled(self._clients[by].say(room, f"/me {text}"))
            case Say(by=by, text=text, label=label, reply_to=reply_to):
                target = self._labels.get(reply_to) if reply_to else None
                seq = await self._settled(self._clients[by].say(room, text, target))
                if label:
                    self._labels[label] = seq

    async def _settled(self, key: str) -> int:
        """Wait until what was said is stored, so that the next one speaks after it; returns its seq."""
        future = self._stored.setdefault(key, asyncio.get_running_loop().create_future())
        try:
            return await future
        finally:
            del self._stored[key]

    async def _read(self, client: ChatClient) -> None:
        async for happening in client:
            match happening:
                case RoomEvent(key=str() as key, by=by, seq=seq) if by == client.nick and key in self._stored:
                    self._stored[key].set_result(seq)
                case Undeliverable(key=key, reason=reason) if key in self._stored:
                    self._stored[key].set_exception(RuntimeError(reason))
