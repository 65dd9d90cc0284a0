import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pushtui.client import outbox_file
from pushtui.client.address import Address
from pushtui.client.outbox import Entry, Keyed
from pushtui.client.outbox_file import OutboxFile, OutboxUnusableError, path_of
from pushtui.protocol import messages
from pushtui.protocol.messages import Send


def entry(key: str, text: str = "hello", reason: str | None = None) -> Entry:
    return Entry(Send(key, "main", text), 1_700_000_000_000, reason)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "outbox.jsonl"


def kept(path: Path) -> list[Entry]:
    with closing(OutboxFile(path)) as file:
        return list(file.entries)


def test_what_is_put_is_there_for_the_next_program_in_order(path: Path) -> None:
    frames: list[Keyed] = [
        messages.Send("a", "main", "two\nlines \u2028 \x9b", 7),
        messages.Edit("b", "main", 1, "b"),
        messages.Redact("c", "ops", 1),
        messages.React("d", "main", 1, "👍", False),
        messages.SetTopic("e", "main", "e"),
        messages.SetMark("f", "main", "f"),
    ]
    entries = [Entry(said, at) for at, said in enumerate(frames)] + [entry("g", reason="no way")]
    with closing(OutboxFile(path)) as file:
        for one in entries:
            file.put(one)
    assert kept(path) == entries


def test_what_is_gone_is_gone(path: Path) -> None:
    with closing(OutboxFile(path)) as file:
        for key in "abc":
            file.put(entry(key))
        file.remove("b")
        file.remove("x")
    assert kept(path) == [entry("a"), entry("c")]


def test_one_put_again_is_replaced_and_comes_last(path: Path) -> None:
    with closing(OutboxFile(path)) as file:
        file.put(entry("a"))
        file.put(entry("b"))
        file.put(entry("a", reason="no"))
        assert list(file.entries) == [entry("b"), entry("a", reason="no")]
    assert kept(path) == [entry("b"), entry("a", reason="no")]


def test_nothing_is_left_when_nothing_waits(path: Path) -> None:
    with closing(OutboxFile(path)) as file:
        file.put(entry("a"))
        file.remove("a")
        assert path.stat().st_size == 0
    assert not path.exists()


def test_only_its_owner_can_read_it(path: Path) -> None:
    with closing(OutboxFile(path)) as file:
        file.put(entry("a"))
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_one_program_at_a_time_has_it(path: Path) -> None:
    with closing(OutboxFile(path)) as file:
        file.put(entry("a"))
        with pytest.raises(OutboxUnusableError, match="another pushtui has the outbox of this nick"):
            OutboxFile(path)
    assert kept(path) == [entry("a")]


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(OutboxUnusableError, match="state cannot be used"):
        OutboxFile(tmp_path / "state" / "outbox.jsonl")


def test_authors_and_servers_have_a_file_each(tmp_path: Path) -> None:
    here, there = Address.parse("127.0.0.1:1"), Address.parse("127.0.0.1:2")
    paths = {
        path_of(tmp_path, server, nick) for server in (here, there) for nick in ("ana", "Ana", "ben", "😀" * 32)
    }
    assert len(paths) == 8
    assert all(len(os.fsencode(path.name)) < 200 and path.parent == tmp_path for path in paths)
    assert path_of(tmp_path, here, "ana") == path_of(tmp_path, Address.parse("ws://127.0.0.1:1"), "ana")


def test_history_does_not_pile_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_file, "HISTORY", 1000)
    with closing(OutboxFile(path)) as file:
        file.put(entry("failed", reason="no"))
        for number in range(200):
            file.put(entry(f"k{number}"))
            file.remove(f"k{number}")
            assert path.stat().st_size < 2000
    assert kept(path) == [entry("failed", reason="no")]


@pytest.mark.parametrize("torn", [b'{"sa', b'{"gone":"a"', b"\0" * 20])
def test_a_last_line_that_was_not_finished_never_was(path: Path, torn: bytes) -> None:
    with closing(OutboxFile(path)) as file:
        file.put(entry("a"))
    with path.open("ab") as journal:
        journal.write(torn)
    with closing(OutboxFile(path)) as file:
        file.put(entry("b"))
    assert kept(path) == [entry("a"), entry("b")]


def test_what_a_later_version_wrote_is_set_aside_and_not_thrown_away(path: Path) -> None:
    with closing(OutboxFile(path)) as file:
        file.put(entry("a"))
    with path.open("ab") as journal:
        journal.write(b'{"novel": 1}\n')
    written = path.read_bytes()
    assert kept(path) == [entry("a")]
    assert path.with_suffix(".unreadable").read_bytes() == written


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """As on a full disk, a write stops short and the next one fails."""
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_told_and_what_could_not_be_written_is_as_soon_as_it_can(path: Path) -> None:
    with closing(OutboxFile(path)) as file:
        file.put(entry("a"))
        with file_size_limit(path.stat().st_size + 10):
            file.put(entry("b"))
            assert "outbox.jsonl cannot be written (File too large)" in file.problem
            file.put(entry("c"))
            assert file.problem
        file.put(entry("d"))
        assert file.problem == ""
    assert kept(path) == [entry(key) for key in "abcd"]


def test_a_program_that_dies_on_a_full_disk_leaves_what_was_written(path: Path) -> None:
    with closing(OutboxFile(path)) as file:
        file.put(entry("a"))
        with file_size_limit(path.stat().st_size + 10):
            file.put(entry("b"))
            snapshot = path.read_bytes()
    path.write_bytes(snapshot)
    assert kept(path) == [entry("a")]


changes = st.lists(
    st.tuples(st.sampled_from(["put", "fail", "remove"]), st.sampled_from("abcd"), st.text(max_size=5)),
    max_size=30,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(changes, st.data())
def test_at_any_byte_the_journal_can_be_cut_off_there(
    path: Path, script: list[tuple[str, str, str]], data: st.DataObject
) -> None:
    """What a power cut leaves is a beginning of what was written: its entries are those of some moment before."""
    path.unlink(missing_ok=True)
    states: list[list[Entry]] = [[]]
    with closing(OutboxFile(path)) as file:
        file.put(entry("first"))
        states.append(list(file.entries))
        for change, key, text in script:
            said = entry(key, text.encode(errors="replace").decode(), "no" if change == "fail" else None)
            if change == "remove":
                file.remove(key)
            else:
                file.put(said)
            states.append(list(file.entries))
        journal = path.read_bytes()
    path.write_bytes(journal[: data.draw(st.integers(0, len(journal)))])
    found = kept(path)
    assert found in states
    path.write_bytes(journal)
    assert kept(path) == states[-1]


def test_a_program_that_is_killed_leaves_all_that_put_returned_for(path: Path) -> None:
    program = "\n".join(
        (
            "import sys",
            "from pathlib import Path",
            "from pushtui.client.outbox_file import OutboxFile",
            "from tests.client.test_outbox_file import entry",
            "file = OutboxFile(Path(sys.argv[1]))",
            "for number in range(10**9):",
            "    file.put(entry(f'k{number}'))",
            "    print(f'k{number}', flush=True)",
        )
    )
    with subprocess.Popen(
        (sys.executable, "-c", program, str(path)), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(20):
            process.stdout.readline()
        process.kill()
        told = 20 + len([line for line in process.stdout if line.endswith("\n")])
    found = [one.key for one in kept(path)]
    assert found == [f"k{number}" for number in range(len(found))]
    assert len(found) >= told
