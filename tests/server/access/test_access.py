"""From a token to an identity, and whether it still holds."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pushtui.protocol.roles import Right, Role
from server.access.access import Access, NotAdmittedError, bearer, tokens_exist
from server.access.file import AccessFile, AccessFileError
from server.access.identity import Identity
from server.access.secret import Secret
from server.refusal import RefusedError
from tests.server.access.test_file import record
from tests.server.conftest import until

HERE = "192.0.2.1"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def commands(tmp_path: Path) -> AccessFile:
    """The file as the commands open it, beside the server."""
    return AccessFile.open(tmp_path)


@pytest.fixture
async def access(tmp_path: Path, clock: Clock, commands: AccessFile) -> AsyncIterator[Access]:
    access = Access(AccessFile.open(tmp_path), clock_ms=clock, look=0.01)
    await access.open()
    yield access
    await access.close()
    commands.close()


def test_without_a_file_everyone_is_a_member(clock: Clock) -> None:
    access = Access(None, clock_ms=clock)
    assert access.identify(None, HERE) == Identity(HERE, Role.MEMBER)
    assert not access.wants_tokens


async def test_a_token_says_who_comes(access: Access, commands: AccessFile) -> None:
    secret = Secret.draw()
    commands.add_token(record("ana", Role.MODERATOR, secret))
    await until(lambda: access.wants_tokens)
    assert access.identify(str(secret), HERE) == Identity(HERE, Role.MODERATOR, secret.id, "ana")


async def test_while_there_is_no_token_nobody_needs_one(access: Access) -> None:
    assert access.identify(None, HERE).role is Role.MEMBER


async def test_a_token_that_is_shown_has_to_be_right_even_where_none_is_wanted(access: Access) -> None:
    with pytest.raises(NotAdmittedError, match="does not know this token"):
        access.identify(str(Secret.draw()), HERE)


@pytest.mark.parametrize("token", ["", "x", "ptk_", f"ptk_0123456789ab_{'0' * 64}"])
async def test_what_is_wrong_is_refused_without_being_repeated(
    access: Access, commands: AccessFile, token: str
) -> None:
    commands.add_token(record())
    await until(lambda: access.wants_tokens)
    with pytest.raises(NotAdmittedError) as refused:
        access.identify(token, HERE)
    assert str(refused.value) == "the server does not know this token"


async def test_the_id_alone_is_nothing(access: Access, commands: AccessFile) -> None:
    secret = Secret.draw()
    commands.add_token(record(secret=secret))
    await until(lambda: access.wants_tokens)
    with pytest.raises(NotAdmittedError, match="does not know"):
        access.identify(str(Secret(secret.id, Secret.draw().secret)), HERE)


async def test_a_token_expires(access: Access, commands: AccessFile, clock: Clock) -> None:
    secret = Secret.draw()
    commands.add_token(record(secret=secret, expires=2_000))
    await until(lambda: access.wants_tokens)
    told = []
    access.follow(lambda: told.append(clock()))
    ana = access.identify(str(secret), HERE)
    clock.now = 1_999
    assert access.lapsed(ana) is None
    clock.now = 2_000
    assert access.lapsed(ana) == "this token has expired"
    with pytest.raises(NotAdmittedError, match="has expired"):
        access.identify(str(secret), HERE)
    await until(lambda: 2_000 in told)


async def test_revoking_the_last_token_does_not_open_the_door(access: Access, commands: AccessFile) -> None:
    secret = Secret.draw()
    commands.add_token(record(secret=secret))
    await until(lambda: access.wants_tokens)
    ana = access.identify(str(secret), HERE)
    commands.revoke([secret.id], 5)
    await until(lambda: access.lapsed(ana) == "this token was revoked")
    assert access.wants_tokens
    with pytest.raises(NotAdmittedError, match="wants a token"):
        access.identify(None, HERE)


async def test_who_came_before_the_first_token_has_to_go(access: Access, commands: AccessFile) -> None:
    nobody = access.identify(None, HERE)
    assert access.lapsed(nobody) is None
    commands.add_token(record())
    await until(lambda: access.lapsed(nobody) == "this server wants a token now")


async def test_an_open_server_lets_in_both(tmp_path: Path, clock: Clock, commands: AccessFile) -> None:
    secret = Secret.draw()
    commands.add_token(record("ana", Role.ADMIN, secret))
    access = Access(AccessFile.open(tmp_path), clock_ms=clock, open_to_all=True)
    await access.open()
    try:
        nobody = access.identify(None, HERE)
        assert (nobody.role, access.lapsed(nobody)) == (Role.MEMBER, None)
        assert access.identify(str(secret), HERE).role is Role.ADMIN
        assert access.reserved("ANA") == "ana"
        assert access.reserved("bob") is None
    finally:
        await access.close()
        commands.close()


async def test_the_last_use_is_written_in_the_end(tmp_path: Path, clock: Clock, commands: AccessFile) -> None:
    secret = Secret.draw()
    commands.add_token(record(secret=secret))
    access = Access(AccessFile.open(tmp_path), clock_ms=clock)
    await access.open()
    clock.now = 7_777
    access.identify(str(secret), HERE)
    await access.close()
    assert commands.load().tokens[secret.id].used == 7_777
    commands.close()


async def test_a_change_holds_when_it_returns(access: Access) -> None:
    told = []
    access.follow(lambda: told.append(len(access.holdings.tokens)))
    await access.change(lambda file: file.add_token(record()))
    assert told == [1]
    assert access.wants_tokens


async def test_what_cannot_be_kept_is_told(clock: Clock) -> None:
    with pytest.raises(AccessFileError, match="keeps nothing"):
        await Access(None, clock_ms=clock).change(lambda file: file.lift([]))


async def test_closing_waits_for_what_is_going_on_in_the_file(access: Access) -> None:
    """SQLite crashes when a connection is closed that another thread is using."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(file: AccessFile) -> None:
        begun.set()
        assert go_on.wait(10)
        file.load()

    change = asyncio.ensure_future(access.change(slow))
    await until(begun.is_set)
    change.cancel()
    closing = asyncio.ensure_future(access.close())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not closing.done()
    go_on.set()
    await closing


def test_tokens_exist_for_ever(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert not tokens_exist(folder)
    assert not folder.exists()
    file = AccessFile.open(folder)
    assert not tokens_exist(folder)
    token = record()
    file.add_token(token)
    file.revoke([token.id], 5)
    file.close()
    assert tokens_exist(folder)


@pytest.mark.parametrize(
    ("header", "token"),
    [(None, None), ("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("BEARER abc", "abc")],
)
def test_a_bearer_is_read(header: str | None, token: str | None) -> None:
    assert bearer(header) == token


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "abc"])
def test_another_scheme_is_refused(header: str) -> None:
    with pytest.raises(NotAdmittedError, match="Authorization: Bearer"):
        bearer(header)


def test_what_each_role_may() -> None:
    rights = {role: {right.name for right in Right if role.may(right)} for role in Role}
    member = {"LISTEN", "SPEAK", "NOTIFY", "REPORT"}
    assert rights == {
        Role.READER: {"LISTEN"},
        Role.AGENT: {"NOTIFY", "REPORT"},
        Role.MEMBER: member,
        Role.MODERATOR: member | {"MODERATE"},
        Role.ADMIN: member | {"MODERATE", "ADMINISTER"},
    }


def test_a_missing_right_is_told() -> None:
    with pytest.raises(RefusedError, match="the role reader may not say anything"):
        Identity(HERE, Role.READER).require(Right.SPEAK)
