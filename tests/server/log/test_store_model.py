"""Any interleaving of appends, trims and reopenings leaves in a store what a plain model says."""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.log.memory import MemoryStore
from server.log.sqlite import SqliteStore
from server.log.store import Draft, Entry, Store
from tests.server.log.conftest import KEPT_OF_SHORT, keep_short, said, topic

# How long the key of a trimmed entry is known is the store's business: keys are used where nothing is trimmed.
KEYED, TRIMMED, SHORT = STREAMS = ("keyed", "trimmed", "short")
NOW = 5


@dataclass(frozen=True)
class Trim:
    below: int


texts = st.text("xyz", max_size=3)
erasures = st.builds(
    Draft,
    stream=st.sampled_from(STREAMS),
    kind=st.just("redact"),
    by=st.just("anna"),
    body=st.just(b"{}"),
    erase=st.lists(st.tuples(st.integers(1, 8), st.just(b'{"text":""}')), max_size=2).map(tuple),
)
keyed = st.builds(
    said, texts, stream=st.just(KEYED), by=st.sampled_from(["anna", "bert"]), key=st.sampled_from(["a", "b", "c"])
)
plain = st.builds(said, texts, stream=st.sampled_from(STREAMS))
topics = st.builds(topic, texts, stream=st.sampled_from(STREAMS))
appends = st.lists(keyed | plain | topics | erasures, min_size=1, max_size=3)
trims = st.builds(Trim, st.integers(0, 12))
#: Rounds of what is asked for at once; the store is opened anew between two rounds.
rounds = st.lists(st.lists(appends | trims, max_size=8), max_size=5)


class Model:
    """What should be in a store, kept in the plainest way."""

    def __init__(self) -> None:
        self.entries: dict[str, list[Entry]] = {}
        self.told: list[Entry] = []
        self.floors = dict.fromkeys(STREAMS, 1)
        self.topics = dict.fromkeys(STREAMS, "")

    def known(self, draft: Draft) -> int | None:
        for entry in self.entries.get(draft.stream, []):
            if draft.key is not None and (entry.by, entry.key) == (draft.by, draft.key):
                return entry.seq
        return None

    def append(self, drafts: Sequence[Draft]) -> tuple[int, bool]:
        if (seq := self.known(drafts[0])) is not None:
            return seq, True
        seqs = [self.store(draft) for draft in drafts if self.known(draft) is None]
        return seqs[0], False

    def store(self, draft: Draft) -> int:
        entries = self.entries.setdefault(draft.stream, [])
        seq = len(entries) + 1
        entry = Entry(draft.stream, seq, NOW, draft.kind, draft.by, draft.key, draft.body)
        entries.append(entry)
        self.told.append(msgspec.structs.replace(entry, erased=draft.erase))
        for target, body in draft.erase:
            if target <= seq:
                entries[target - 1] = msgspec.structs.replace(entries[target - 1], body=body)
        if draft.kind == "topic":
            self.topics[draft.stream] = msgspec.json.decode(draft.body)["text"]
        if draft.stream == SHORT:
            self.floors[SHORT] = max(1, seq - KEPT_OF_SHORT + 1)
        return seq

    def answer(self, question: list[Draft] | Trim) -> tuple[int, bool] | None:
        if isinstance(question, Trim):
            self.trim(question.below)
            return None
        return self.append(question)

    def trim(self, below: int) -> None:
        head = len(self.entries.get(TRIMMED, []))
        self.floors[TRIMMED] = max(self.floors[TRIMMED], min(below, head + 1))


async def ask(store: Store, question: list[Draft] | Trim) -> tuple[int, bool] | None:
    if isinstance(question, Trim):
        await store.trim(TRIMMED, question.below)
        return None
    stored = await store.append(*question)
    return stored.seq, stored.duplicate


async def check(store: Store, model: Model, epochs: dict[str, str]) -> None:
    assert set(store.streams()) == set(model.entries)
    for stream, entries in model.entries.items():
        state = store.state(stream)
        assert state is not None
        floor = model.floors[stream]
        assert (state.floor, state.head, state.topic) == (floor, len(entries), model.topics[stream])
        assert epochs.setdefault(stream, state.epoch) == state.epoch
        kept = entries[floor - 1 :]
        paged: list[Entry] = []
        while page := await store.read(stream, paged[-1].seq if paged else 0, 2):
            paged.extend(page)
        assert paged == kept
        assert list(await store.read_before(stream, len(entries) + 1, 100)) == kept
        assert [await store.get(stream, entry.seq) for entry in kept] == kept


@pytest.mark.parametrize("kind", ["sqlite", "memory"])
@given(played=rounds)
@settings(max_examples=60, deadline=None)
def test_any_interleaving(kind: str, played: list[list[list[Draft] | Trim]]) -> None:
    async def play(path: Path) -> None:
        model = Model()
        told: list[Entry] = []
        epochs: dict[str, str] = {}
        memory = MemoryStore(clock_ms=lambda: NOW, keep=keep_short)
        for questions in played:
            store: Store = memory
            if kind == "sqlite":
                store = SqliteStore(path, clock_ms=lambda: NOW, keep=keep_short)
            await store.open()
            unfollow = store.follow(told.extend)
            answers = await asyncio.gather(*(ask(store, question) for question in questions))
            assert answers == [model.answer(question) for question in questions]
            assert told == model.told
            await check(store, model, epochs)
            unfollow()
            await store.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder) / "log.sqlite3"))
