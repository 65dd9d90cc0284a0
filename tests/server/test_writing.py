"""The one way into the log, where what happens at the same time or is very long matters."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from pushtui.protocol.limits import LIMITS
from pushtui.protocol.messages import Edit, Redact, Send, SetMark, SetTopic
from server import writing as writing_module
from server.log.memory import MemoryStore
from server.log.store import Entry
from server.log.streams import room_stream
from server.refusal import RefusedError
from tests.server.conftest import Build, author

ROOM = room_stream("main")
ANA = author("ana")


class EditedMeanwhile(MemoryStore):
    """While somebody walks through the room, something else is tried.

    Attributes:
        meanwhile: begun during the next walk.
    """

    meanwhile: Callable[[], None] | None = None

    async def read(self, stream: str, after: int, limit: int, most_bytes: int | None = None) -> Sequence[Entry]:
        found = await super().read(stream, after, limit, most_bytes)
        if self.meanwhile is not None:
            begin, self.meanwhile = self.meanwhile, None
            begin()
            for _ in range(10):
                await asyncio.sleep(0)
        return found


async def test_an_edit_beside_a_redaction_leaves_no_text_behind(build: Build) -> None:
    store = EditedMeanwhile(clock_ms=lambda: 1)
    writing = (await build(store)).service.writing
    await writing.write(ANA, Send("1", "main", "swordfish"))
    edits: list[asyncio.Task[object]] = []

    def edit() -> None:
        edits.append(asyncio.create_task(writing.write(ANA, Edit("2", "main", 1, "swordfish again"))))

    store.meanwhile = edit
    await writing.write(ANA, Redact("3", "main", 1))
    with pytest.raises(RefusedError, match="there is no message 1"):
        await edits[0]
    entries = await store.read(ROOM, 0, 10)
    assert [entry.kind for entry in entries] == ["message", "redact"]
    assert not any(b"swordfish" in entry.body for entry in entries)


@pytest.mark.parametrize("kind", [Send, SetTopic, SetMark])
async def test_what_is_much_too_long_is_not_made_safe_first(
    build: Build, monkeypatch: pytest.MonkeyPatch, kind: Callable[[str, str, str], Send | SetTopic | SetMark]
) -> None:
    def clean(text: str) -> str:
        assert len(text) <= LIMITS.text_bytes
        return text

    writing = (await build()).service.writing
    monkeypatch.setattr(writing_module, "safe_text", clean)
    monkeypatch.setattr(writing_module, "safe_line", clean)
    with pytest.raises(RefusedError, match="has at most") as refused:
        await writing.write(ANA, kind("1", "main", "\x1b" * LIMITS.frame_bytes))
    assert refused.value.code == "too_long"
