"""The access file: several processes at once, modes, what is not ours."""

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pushtui.protocol.roles import Role
from server.access.file import NAME, AccessFile, AccessFileError
from server.access.records import Rule, TokenRecord
from server.access.secret import Secret


def record(name: str = "ana", role: Role = Role.MEMBER, secret: Secret | None = None, **rest: int) -> TokenRecord:
    secret = secret or Secret.draw()
    return TokenRecord(secret.id, name, role, secret.digest(), rest.pop("created", 1), **rest)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def file(folder: Path) -> Iterator[AccessFile]:
    file = AccessFile.open(folder)
    yield file
    file.close()


def test_nobody_else_can_read_it(file: AccessFile, folder: Path) -> None:
    file.add_token(record())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in folder.iterdir():
        assert stat.S_IMODE(name.stat().st_mode) == 0o600, name


def test_a_token_is_not_in_it(file: AccessFile, folder: Path) -> None:
    secret = Secret.draw()
    file.add_token(record(secret=secret))
    for name in folder.iterdir():
        assert secret.secret.encode() not in name.read_bytes()
        assert bytes.fromhex(secret.secret) not in name.read_bytes()


def test_what_was_kept_is_there_after_reopening(file: AccessFile, folder: Path) -> None:
    first, second = record("ana", Role.ADMIN, expires=99), record("bob")
    file.add_token(first)
    file.add_token(second)
    file.revoke([second.id], 5)
    file.used({first.id: 7})
    sanction = file.sanction("mute", name="bob", address="", room="main", until=50, by="ana", reason="loud", at=9)
    file.rule("ops", Rule(private=True, members=frozenset({"ana", "bob"})))
    file.close()
    held = AccessFile.open(folder)
    try:
        holdings = held.load()
    finally:
        held.close()
    assert holdings.tokens[first.id].used == 7
    assert holdings.tokens[first.id].role is Role.ADMIN
    assert (holdings.tokens[second.id].revoked, holdings.tokens[second.id].used) == (5, None)
    assert [(s.id, s.kind, s.name, s.room, s.until, s.reason) for s in holdings.sanctions] == [
        (sanction, "mute", "bob", "main", 50, "loud")
    ]
    assert holdings.rules == {"ops": Rule(private=True, members=frozenset({"ana", "bob"}))}


def test_the_first_revocation_counts(file: AccessFile) -> None:
    token = record()
    file.add_token(token)
    file.revoke([token.id], 5)
    file.revoke([token.id], 9)
    assert file.load().tokens[token.id].revoked == 5


def test_a_rule_replaces_the_one_before(file: AccessFile) -> None:
    file.rule("ops", Rule(private=True, members=frozenset({"ana"})))
    file.rule("ops", Rule(read_only=True, members=frozenset({"bob"})))
    assert file.load().rules == {"ops": Rule(read_only=True, members=frozenset({"bob"}))}


def test_what_was_lifted_is_gone(file: AccessFile) -> None:
    kept = [
        file.sanction("ban", name=name, address="", room="", until=None, by="ana", reason="", at=1)
        for name in ("bob", "eve")
    ]
    file.lift(kept[:1])
    assert [sanction.name for sanction in file.load().sanctions] == ["eve"]


def test_a_change_by_another_process_is_noticed(file: AccessFile, folder: Path) -> None:
    before = file.change()
    assert file.change() == before
    program = f"""
from pathlib import Path
from server.access.file import AccessFile
from tests.server.access.test_file import record
file = AccessFile.open(Path({str(folder)!r}))
file.add_token(record("eve"))
file.close()
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
    assert file.change() != before
    assert [token.name for token in file.load().tokens.values()] == ["eve"]


def test_each_change_by_another_process_is_noticed_though_the_file_was_opened_twice(
    file: AccessFile, folder: Path
) -> None:
    AccessFile.open(folder).close()  # as a server does to see whether there are tokens
    program = (
        "import pathlib, sys;"
        "from server.access.file import AccessFile;"
        "from server.access.records import TokenRecord;"
        "from pushtui.protocol.roles import Role;"
        f"file = AccessFile.open(pathlib.Path({str(folder)!r}));"
        "file.add_token(TokenRecord(sys.argv[1], sys.argv[1], Role.MEMBER, bytes(32), 1));"
        "file.close()"
    )
    for names in (["ana"], ["ana", "bob"], ["ana", "bob", "cleo"]):
        before = file.change()
        subprocess.run([sys.executable, "-c", program, names[-1]], check=True, timeout=30)
        assert file.change() != before
        assert sorted(file.load().tokens) == names


def test_another_database_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    other = sqlite3.connect(folder / NAME)
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = (folder / NAME).read_bytes()
    with pytest.raises(AccessFileError, match="another program's database"):
        AccessFile.open(folder)
    assert (folder / NAME).read_bytes() == before


def test_a_newer_format_is_refused(file: AccessFile, folder: Path) -> None:
    file.close()
    newer = sqlite3.connect(folder / NAME)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(AccessFileError, match="newer pushtui"):
        AccessFile.open(folder)


def test_what_is_no_database_is_refused(folder: Path) -> None:
    folder.mkdir()
    (folder / NAME).write_bytes(b"x" * 5000)
    with pytest.raises(AccessFileError, match="not a database"):
        AccessFile.open(folder)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(AccessFileError, match=r"cannot be opened \(Not a directory\)"):
        AccessFile.open(tmp_path / "file" / "data")


def test_a_change_that_fails_changes_nothing(file: AccessFile) -> None:
    token = record()
    file.add_token(token)
    with pytest.raises(AccessFileError, match="UNIQUE"):
        file.add_token(token)
    file.add_token(record("bob"))
    assert sorted(held.name for held in file.load().tokens.values()) == ["ana", "bob"]
