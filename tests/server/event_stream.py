"""A reader of event streams for tests: the rules of WHATWG HTML section 9.2.6, over the real `httpx`."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import httpx

PATIENCE = 10.0


class Block(NamedTuple):
    """What stood between two blank lines: its fields as they came, comments under the name ``""``."""

    fields: tuple[tuple[str, str], ...]

    def first(self, name: str) -> str | None:
        return next((value for field, value in self.fields if field == name), None)

    @property
    def event(self) -> str | None:
        return self.first("event")

    @property
    def id(self) -> str | None:
        return self.first("id")

    @property
    def comment(self) -> str | None:
        return self.first("")

    @property
    def data(self) -> Any:
        return json.loads("\n".join(value for name, value in self.fields if name == "data"))


def parse_block(text: str) -> Block:
    fields = []
    for line in text.split("\n"):
        name, _, value = line.partition(":")
        fields.append((name, value.removeprefix(" ")))
    return Block(tuple(fields))


class EventStream:
    """One response that goes on."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._text = ""
        self._parts: AsyncIterator[str] = response.aiter_text()

    async def block(self) -> Block:
        """The next block.

        Raises:
            EOFError: the stream is over.
        """
        async with asyncio.timeout(PATIENCE):
            while "\n\n" not in self._text:
                try:
                    self._text += await anext(self._parts)
                except StopAsyncIteration:
                    raise EOFError(self._text) from None
        text, _, self._text = self._text.partition("\n\n")
        return parse_block(text)

    async def block_of(self, event: str) -> Block:
        """The next block of that event; others are passed over."""
        while (block := await self.block()).event != event:
            pass
        return block

    async def opening(self) -> Block:
        """The two blocks that every stream begins with; returns the second one, ``resume``."""
        retry = await self.block()
        assert [name for name, _ in retry.fields] == ["retry"]
        resume = await self.block()
        assert resume.event == "resume"
        return resume

    async def events(self, count: int) -> list[Block]:
        return [await self.block() for _ in range(count)]

    async def remaining(self) -> list[Block]:
        """Every block up to the end of the stream."""
        blocks = []
        try:
            while True:
                blocks.append(await self.block())
        except EOFError:
            pass
        assert not self._text, "the stream ended within a block"
        return blocks
