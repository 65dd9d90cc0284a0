"""Tokens on the command line: made, listed, taken back; given, asked for, and never shown."""

import json
import os
import re
import stat
import subprocess
import time
from pathlib import Path

import pytest

from pushtui.commands import credential
from pushtui.exits import CommandError, Exit
from pushtui.protocol.roles import Role
from server.access import tokens
from server.access.file import NAME, AccessFile
from tests.cli.conftest import SECONDS, PushtuiHere, command
from tests.client.peers import TOKEN

SHAPE = re.compile(r"ptk_([0-9a-f]{12})_([0-9a-f]{64})\n")
IN_CLEAR = TOKEN.header.removeprefix("Bearer ")


def make(data: Path, name: str, role: Role = Role.MEMBER, lasts: int | None = None) -> str:
    file = AccessFile.open(data)
    try:
        return str(tokens.create(file, name, role, now=time.time_ns() // 1_000_000, lasts=lasts))
    finally:
        file.close()


def kept(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


# Made, listed, taken back


def test_a_token_is_printed_alone_and_once(pushtui_here: PushtuiHere, tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    code, printed, said = pushtui_here("token", "create", "ana", "--expires", "30d", "--data", str(data))
    assert code == 0
    found = SHAPE.fullmatch(printed)
    assert found
    assert "shown this once" in said
    assert "PUSHTUI_TOKEN" in said
    assert "--token-file" in said
    assert f"pushtui token revoke {found[1]}" in said
    assert found[2] not in said
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for file in data.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert found[2].encode() not in file.read_bytes()


def test_the_list_tells_all_but_the_tokens(pushtui_here: PushtuiHere, tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    secrets = [
        make(tmp_path, "ana"),
        make(tmp_path, "ops-1", Role.AGENT, lasts=-1),
        make(tmp_path, "美咲", Role.ADMIN),
    ]
    assert pushtui_here("token", "revoke", "ana", *data)[0] == 0
    code, printed, _ = pushtui_here("token", "list", *data)
    assert code == 0
    head, *rows = printed.splitlines()
    assert head.split() == ["id", "role", "state", "created", "expires", "last", "used", "name"]
    starts = {head.index(word) for word in ("role", "state", "created", "expires", "last used", "name")}
    for row in rows:
        assert all(row[start - 2 : start] == "  " and row[start] != " " for start in starts)
    found = {row[head.index("name") :]: row.split() for row in rows}
    assert found["ana"][1:3] == ["member", "revoked"]
    assert found["ops-1"][1:3] == ["agent", "expired"]
    assert found["美咲"][1:3] == ["admin", "valid"]
    assert found["美咲"][-2] == "never"
    code, printed, _ = pushtui_here("token", "list", "--json", *data)
    records = [json.loads(line) for line in printed.splitlines()]
    assert {record["name"]: record["state"] for record in records} == {
        "ana": "revoked",
        "ops-1": "expired",
        "美咲": "valid",
    }
    for secret in secrets:
        assert secret.rpartition("_")[2] not in printed


def test_a_look_makes_nothing(pushtui_here: PushtuiHere, tmp_path: Path) -> None:
    data = tmp_path / "mistyped"
    assert pushtui_here("token", "list", "--data", str(data)) == (
        0,
        "",
        f"no token was ever made for the server of {data}\n",
    )
    code, _, said = pushtui_here("token", "revoke", "ana", "--data", str(data))
    assert (code, said) == (5, f"pushtui: no token was ever made for the server of {data}\n")
    assert not data.exists()


def test_what_cannot_be_a_name_or_looks_like_another_one_is_refused(
    pushtui_here: PushtuiHere, tmp_path: Path
) -> None:
    make(tmp_path, "ana")
    for name, code, words in (
        ("Ana", 5, "Ana looks like ana, who has a token already"),
        ("a na", 2, "nick"),
        ("", 2, "a nick cannot be empty"),
    ):
        ended, printed, said = pushtui_here("token", "create", name, "--data", str(tmp_path))
        assert (ended, printed) == (code, "")
        assert words in said
    code, printed, _ = pushtui_here("token", "create", "ana", "--data", str(tmp_path))
    assert code == 0
    assert SHAPE.fullmatch(printed)  # one can take the place of the other without a pause


def test_options_that_cannot_be(pushtui_here: PushtuiHere, tmp_path: Path) -> None:
    for arguments, words in (
        (("--expires", "soon"), "soon is no length of time"),
        (("--expires", "0d"), "0d is no length of time"),
        (("--role", "root"), "--role"),
    ):
        code, printed, said = pushtui_here("token", "create", "ana", *arguments, "--data", str(tmp_path / "data"))
        assert (code, printed) == (2, "")
        assert words in said
    assert not (tmp_path / "data").exists()


def test_tokens_are_taken_back_by_name_by_id_and_by_themselves(pushtui_here: PushtuiHere, tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    first, second, third = (make(tmp_path, name) for name in ("ana", "ana", "ben"))
    code, printed, _ = pushtui_here("token", "revoke", first.split("_")[1], *data)
    assert (code, printed) == (0, f"revoked {first.split('_')[1]} of ana, member\n")
    code, printed, _ = pushtui_here("token", "revoke", "ana", *data)
    assert (code, printed) == (0, f"revoked {second.split('_')[1]} of ana, member\n")
    for again in ("ana", second.split("_")[1]):
        code, printed, said = pushtui_here("token", "revoke", again, *data)
        assert (code, printed) == (5, "")
        assert f"{again} was revoked already" in said
    code, _, said = pushtui_here("token", "revoke", "bne", *data)
    assert (code, said) == (5, "pushtui: there is no token bne; did you mean ben?\n")
    code, printed, said = pushtui_here("token", "revoke", third, *data)
    assert (code, printed) == (0, f"revoked {third.split('_')[1]} of ben, member\n")
    assert len(pushtui_here("token", "list", *data)[1].splitlines()) == 4  # so that the server stays closed


def test_a_file_that_is_something_else(pushtui_here: PushtuiHere, tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("x" * 5000)
    for words in (("create", "ana"), ("list",), ("revoke", "ana")):
        code, printed, said = pushtui_here("token", *words, "--data", str(tmp_path))
        assert (code, printed) == (3, "")
        assert said.count("\n") == 1
        assert str(tmp_path / NAME) in said


@pytest.mark.parametrize(("mode", "warned"), [(0o644, True), (0o640, True), (0o600, False)])
def test_a_file_that_others_may_read_is_told(
    environment: dict[str, str], tmp_path: Path, mode: int, warned: bool
) -> None:
    path = kept(tmp_path / "token", "", mode)
    with path.open("w") as file:
        ended = subprocess.run(
            command("token", "create", "ana", "--data", str(tmp_path / "data")),
            stdout=file,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=environment,
            timeout=SECONDS,
            check=True,
        )
    assert SHAPE.fullmatch(path.read_text())
    assert ("Others can read the file" in ended.stderr) is warned


# Given


def test_the_file_with_the_token(tmp_path: Path) -> None:
    for text in (IN_CLEAR, f"{IN_CLEAR}\n", f"{IN_CLEAR}\r\n"):
        assert credential.of_file(kept(tmp_path / "token", text)) == TOKEN


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        (IN_CLEAR, 0o640, "is open to others (-rw-r-----); do: chmod 600 "),
        (IN_CLEAR, 0o604, "is open to others (-rw----r--); do: chmod 600 "),
        (IN_CLEAR, 0o620, "is open to others (-rw--w----); do: chmod 600 "),
        ("hunter2", 0o600, "this is no token"),
        (f"{IN_CLEAR}\n{IN_CLEAR}", 0o600, "this is no token"),
        ("", 0o600, "this is no token"),
    ],
)
def test_a_file_that_is_not_good_enough(tmp_path: Path, text: str, mode: int, words: str) -> None:
    path = kept(tmp_path / "token", text, mode)
    with pytest.raises(CommandError) as refused:
        credential.of_file(path)
    assert refused.value.code is Exit.WRONG_OPTIONS
    assert words in str(refused.value)
    assert str(path) in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_no_file_and_somebody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        credential.of_file(tmp_path / "none")
    with pytest.raises(CommandError, match="cannot be read: Is a directory"):
        credential.of_file(tmp_path)
    path = kept(tmp_path / "token", IN_CLEAR)
    uid = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
    with pytest.raises(CommandError, match="belongs to somebody else"):
        credential.of_file(path)


@pytest.mark.parametrize("text", ["", "hunter2", "ptk_"])
@pytest.mark.parametrize("words", [("send", "hi"), ("tail",)])
def test_a_variable_that_holds_no_token_stops_everything(
    pushtui_here: PushtuiHere, silent_port: int, text: str, words: tuple[str, ...]
) -> None:
    code, printed, said = pushtui_here(*words, "--url", f"127.0.0.1:{silent_port}", PUSHTUI_TOKEN=text)
    assert (code, printed) == (2, "")
    assert "PUSHTUI_TOKEN: this is no token" in said
    assert "hunter2" not in said


def test_a_token_is_no_flag_and_no_part_of_an_address(pushtui_here: PushtuiHere) -> None:
    for arguments in (
        ("send", "hi", "--token", IN_CLEAR),
        ("tail", "--url", f"http://127.0.0.1/?token={IN_CLEAR}"),
    ):
        code, printed, said = pushtui_here(*arguments)
        assert (code, printed) == (2, "")
        assert IN_CLEAR not in said


# At a server
