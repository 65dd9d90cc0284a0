"""A reader who lags behind the status is spared old samples, told how many, and loses nothing else."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pushtui.protocol.samples import Sample
from server.log import cursor as cursor_module
from server.log import tail as tail_module
from server.log.conflation import conflated
from server.log.fanout import Fanout
from server.log.memory import MemoryStore
from server.log.store import Draft, Entry
from server.log.streams import STATUS
from tests.server.log.conftest import until
from tests.server.log.listeners import ListSink, make_wire


def body(host: str, at: int) -> bytes:
    return msgspec.json.encode(Sample(host, at, 1.0))


def draft(kind: str, host: str, number: int) -> Draft:
    return Draft(STATUS, kind, host, body(host, number) if kind == "sample" else b'{"text":"%d"}' % number)


kinds_and_hosts = st.lists(
    st.tuples(st.sampled_from(["sample", "sample", "sample", "notice", "mark"]), st.sampled_from("abc")),
    max_size=60,
)


@given(kinds_and_hosts)
def test_only_the_newest_sample_of_each_host_stays_and_counts_the_others(made: list[tuple[str, str]]) -> None:
    entries = [
        Entry(STATUS, seq, 0, kind, host, None, draft(kind, host, seq).body)
        for seq, (kind, host) in enumerate(made, 1)
    ]
    kept = conflated(entries)
    assert [entry.seq for entry in kept] == sorted(entry.seq for entry in kept)
    assert [entry for entry in kept if entry.kind != "sample"] == [e for e in entries if e.kind != "sample"]
    for host in "abc":
        seqs = [entry.seq for entry in entries if entry.kind == "sample" and entry.by == host]
        samples = [entry for entry in kept if entry.kind == "sample" and entry.by == host]
        assert [sample.seq for sample in samples] == seqs[-1:]
        for sample in samples:
            assert (msgspec.json.decode(sample.body, type=Sample).skipped or 0) == len(seqs) - 1


@pytest.mark.parametrize("capacity", [4, 1000])
@settings(max_examples=60, deadline=None)
@given(kinds_and_hosts, kinds_and_hosts, st.lists(st.integers(1, 5), max_size=8))
async def test_a_lagging_reader_gets_what_it_came_back_for_in_full_and_the_rest_honestly_counted(
    capacity: int, before: list[tuple[str, str]], after: list[tuple[str, str]], rooms: list[int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tail_module, "SPAN_BYTES", 400)
        patch.setattr(cursor_module, "SPAN_BYTES", 400)
        patch.setattr(cursor_module, "_PAGE", 7)
        store = MemoryStore(clock_ms=lambda: 0)
        await store.open()
        await store.create(STATUS)
        fanout = Fanout(store)
        tail = await fanout.open(STATUS)
        tail._capacity = capacity
        number = 0
        for kind, host in before:
            number += 1
            await store.append(draft(kind, host, number))
        sink = ListSink(room=1)
        wire = make_wire()
        cursor = fanout.attach(STATUS, wire, sink, 0)
        for index, (kind, host) in enumerate(after):
            number += 1
            await store.append(draft(kind, host, number))
            if index < len(rooms):
                sink.give_room(rooms[index])
        sink.give_room()
        await until(lambda: cursor.position == number)
        everything = [*before, *after]
        seen = [line.split(" ", 1) for line in sink.lines()]
        seqs = [int(seq) for seq, _ in seen]
        assert seqs == sorted(set(seqs))
        assert set(range(1, len(before) + 1)) <= set(seqs), "a replay is never thinned out"
        others = [seq for seq, (kind, _) in enumerate(everything, 1) if kind != "sample"]
        assert [seq for seq in seqs if everything[seq - 1][0] != "sample"] == others
        for host in "abc":
            made = [seq for seq, (kind, by) in enumerate(everything, 1) if kind == "sample" and by == host]
            got = [msgspec.json.decode(text, type=Sample) for seq, text in seen if int(seq) in made]
            assert len(got) + sum(sample.skipped or 0 for sample in got) == len(made)
            assert [sample.at for sample in got][-1:] == made[-1:]
        fanout.close()
        await store.close()


async def test_a_reader_without_room_gets_the_newest_of_each_host_then() -> None:
    store = MemoryStore(clock_ms=lambda: 0)
    await store.open()
    await store.create(STATUS)
    fanout = Fanout(store)
    await fanout.open(STATUS)
    sink = ListSink(room=0)
    cursor = fanout.attach(STATUS, make_wire(), sink, 0)
    for number in range(1, 10):
        await store.append(draft("sample", "ab"[number % 2], number))
    await store.append(draft("notice", "cron", 10))
    await until(lambda: sink.asked)
    sink.give_room(1)
    await until(lambda: cursor.position == 10)
    assert sink.seqs() == [8, 9, 10]
    skipped = [msgspec.json.decode(line.split(" ", 1)[1]).get("skipped") for line in sink.lines()]
    assert skipped == [3, 4, None]
    sink.give_room()
    await store.append(draft("sample", "a", 11))
    await store.append(draft("sample", "a", 12))
    await until(lambda: cursor.position == 12)
    assert sink.seqs()[3:] == [11, 12], "who has caught up gets everything again"
    fanout.close()
    await store.close()
