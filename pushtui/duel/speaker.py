"""Who says the messages of a duel: somebody in the room, over a link of their own that nobody cuts."""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from pushtui.client.chat import ChatClient
from pushtui.client.happenings import CaughtUp, Link, LinkState, Undeliverable
from pushtui.duel.contender import DuelError, Setting
from pushtui.duel.measure import marked


class Speaker:
    """Use it as an asynchronous context manager.

    Args:
        setting: of the duel.
        changed: is called when it is ready.
        failed: is told what ends the duel.

    Attributes:
        ready: it is in the room, which is there from then on.
        said: how many messages were said.
    """

    def __init__(self, setting: Setting, changed: Callable[[], None], failed: Callable[[DuelError], None]) -> None:
        self.ready = asyncio.Event()
        self.said = 0
        self._setting = setting
        self._changed = changed
        self._failed = failed
        self._client = ChatClient(
            setting.address,
            nick=setting.nick("speaker"),
            rooms=(setting.room,),
            replay=0,
            token=setting.token,
            backoff=setting.backoff(),
        )
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        self._reading = asyncio.create_task(self._read(), name="duel speaker")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self._client.__aexit__(kind, error, trace)

    def say(self, size: int, filler: str) -> None:
        """Say the next message.

        Args:
            size: of its text in bytes.
            filler: what it is made of beside its marks; ASCII.
        """
        self.said += 1
        text = marked(self._setting.run, self.said, time.perf_counter_ns(), size, filler)
        self._client.say(self._setting.room, text)

    async def _read(self) -> None:
        async for happening in self._client:
            match happening:
                case CaughtUp():
                    self.ready.set()
                    self._changed()
                case Link(state=LinkState.REFUSED, reason=reason, code=code):
                    self._failed(DuelError(f"the speaker cannot come in: {reason}", code))
                case Link(state=LinkState.LOST, reason=reason, code=code) if not self.ready.is_set():
                    self._failed(DuelError(reason, code))
                case Undeliverable(reason=reason):
                    self._failed(DuelError(f"the server does not take the messages: {reason}", 403))
