"""Tokens over real sockets: who comes in, as whom, what they may, and how it ends."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from pushtui.protocol.limits import Protection, Rate
from pushtui.protocol.messages import JSON, MSGPACK
from pushtui.protocol.roles import Role
from server.access.access import Access
from server.access.file import AccessFile
from server.access.secret import Secret
from tests.server.access.test_file import record
from tests.server.conftest import NO_RATE, Build, House, until
from tests.server.peer import Peer, Rooms

SAMPLE: dict[str, Any] = {"host": "web-1", "at": 1, "interval": 1.0}


class Gated:
    """A server that wants tokens, and the commands beside it."""

    def __init__(self, house: House, commands: AccessFile) -> None:
        self.house = house
        self.commands = commands
        self.now = 1_000

    async def token(self, name: str = "ana", role: Role = Role.MEMBER, **rest: int) -> str:
        secret = Secret.draw()
        self.commands.add_token(record(name, role, secret, **rest))
        await until(lambda: secret.id in self.house.service.access.holdings.tokens)
        return str(secret)

    async def knock(self, token: str, subprotocol: str = JSON) -> Peer:
        return await self.house.knock((subprotocol,), additional_headers=bearing(token))

    async def visit(self, token: str, session: str = "s", rooms: Rooms = ("main",)) -> Peer:
        peer = await self.knock(token)
        await peer.hello("x", rooms, session=session)
        await peer.resumes()
        return peer


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def gated_by(
    build: Build, folder: Path, protection: Protection, *, open_to_all: bool = False, look: float = 0.01
) -> Gated:
    commands = AccessFile.open(folder)
    times: list[Gated] = []
    access = Access(
        AccessFile.open(folder),
        clock_ms=lambda: times[0].now if times else 0,
        open_to_all=open_to_all,
        look=look,
    )
    gated = Gated(await build(protection=protection, access=access), commands)
    times.append(gated)
    return gated


NO_FLOODS = Protection(sends=NO_RATE, sends_per_address=NO_RATE, frames=NO_RATE, new_rooms=NO_RATE)


@pytest.fixture
async def gated(build: Build, tmp_path: Path) -> AsyncIterator[Gated]:
    gated = await gated_by(build, tmp_path, NO_FLOODS)
    await gated.token("root", Role.ADMIN)
    yield gated
    gated.commands.close()


class TestComingIn:
    @pytest.mark.parametrize("subprotocol", [JSON, MSGPACK])
    async def test_by_the_handshake(self, gated: Gated, subprotocol: str) -> None:
        peer = await gated.knock(await gated.token("ana"), subprotocol)
        welcome = await peer.hello("somebody")
        assert welcome["you"] == {"nick": "ana", "role": "member"}

    @pytest.mark.parametrize("subprotocol", [JSON, MSGPACK])
    async def test_by_the_hello(self, gated: Gated, subprotocol: str) -> None:
        peer = await gated.house.knock((subprotocol,))
        welcome = await peer.hello("somebody", token=await gated.token("ana", Role.MODERATOR))
        assert welcome["you"] == {"nick": "ana", "role": "moderator"}

    async def test_the_same_token_both_ways(self, gated: Gated) -> None:
        token = await gated.token("ana")
        assert (await (await gated.knock(token)).hello(token=token))["you"]["nick"] == "ana"

    async def test_two_tokens_are_one_too_many(self, gated: Gated) -> None:
        peer = await gated.knock(await gated.token("ana"))
        await peer.say("hello", nick="x", session="s", rooms={}, token=await gated.token("bob"))
        _, code, reason = await peer.until_closed()
        assert (code, reason) == (4500, "the token of the handshake and that of the hello differ")

    @pytest.mark.parametrize("token", [None, "", "ptk_no", f"ptk_0123456789ab_{'0' * 64}"])
    async def test_a_hello_without_a_right_one(self, gated: Gated, token: str | None) -> None:
        peer = await gated.house.knock()
        await peer.say("hello", nick="ana", session="s", rooms={"main": None}, token=token)
        frames, code, reason = await peer.until_closed()
        expected = "this server wants a token" if token is None else "the server does not know this token"
        assert (code, reason) == (4500, expected)
        assert frames == [{"type": "bye", "code": 4500, "reason": expected}]

    async def test_a_handshake_with_a_wrong_one(self, gated: Gated) -> None:
        with pytest.raises(InvalidStatus) as refused:
            await gated.knock("ptk_no")
        assert refused.value.response.status_code == 401
        assert refused.value.response.headers["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/status"),
            ("GET", "/rooms/main"),
            ("POST", "/rooms/main"),
            ("POST", "/notices"),
            ("POST", "/hosts/web-1/samples"),
            ("GET", "/metrics"),
            ("GET", "/no/such/path"),
            ("DELETE", "/status"),
        ],
    )
    @pytest.mark.parametrize("headers", [{}, bearing("ptk_no"), {"Authorization": "Basic cm9vdDpyb290"}])
    async def test_http_without_a_right_one(
        self, gated: Gated, method: str, path: str, headers: dict[str, str]
    ) -> None:
        heads = gated.house.heads()
        answer = await (await gated.house.http()).request(method, path, headers=headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert answer.json()["code"] == "unauthorized"
        assert gated.house.heads() == heads

    async def test_a_token_in_the_url_is_none(self, gated: Gated) -> None:
        token = await gated.token("ana")
        http = await gated.house.http()
        for name in ("token", "access_token", "authorization"):
            assert (await http.get("/metrics", params={name: token})).status_code == 401

    @pytest.mark.parametrize("path", ["/", "/healthz"])
    async def test_what_tells_nothing_is_open(self, gated: Gated, path: str) -> None:
        assert (await (await gated.house.http()).get(path)).status_code == 200

    async def test_a_token_holds_at_once(self, build: Build, tmp_path: Path) -> None:
        """Before the server has looked at the file by itself, and without counting as a wrong one."""
        gated = await gated_by(build, tmp_path, Protection(failed_logins=Rate(0.001, 1)), look=3600)
        http = await gated.house.http()
        for name in ("ana", "bob"):
            secret = Secret.draw()
            gated.commands.add_token(record(name, Role.MEMBER, secret))
            assert (await http.get("/metrics", headers=bearing(str(secret)))).status_code == 200
        gated.commands.close()


class TestWhoOneIs:
    async def test_what_is_posted_is_signed_by_the_token(self, gated: Gated) -> None:
        token = await gated.token("ana")
        reader = await gated.visit(await gated.token("bob"))
        http = await gated.house.http()
        body = {"text": "hello", "from": "root"}
        assert (await http.post("/rooms/main", json=body, headers=bearing(token))).status_code == 201
        assert (await reader.hear_of("event"))["by"] == "ana"

    async def test_somebody_may_be_here_several_times(self, gated: Gated) -> None:
        token = await gated.token("ana")
        first = await gated.visit(token, session="laptop")
        second = await gated.visit(token, session="phone")
        await second.say("send", key="k", room="main", text="from the phone")
        assert (await first.hear_of("event"))["by"] == "ana"

    async def test_two_tokens_of_one_name_are_one_person(self, gated: Gated) -> None:
        await gated.visit(await gated.token("ana"), session="old")
        await gated.visit(await gated.token("ana"), session="new")

    async def test_but_not_without_end(self, gated: Gated) -> None:
        token = await gated.token("ana")
        most = NO_FLOODS.sessions_per_person
        for number in range(most):
            await gated.visit(token, session=str(number), rooms=())
        late = await gated.knock(token)
        await late.say("hello", nick="x", session="late", rooms={})
        _, code, reason = await late.until_closed()
        assert (code, reason) == (4001, f"ana is connected {most} times already")

    async def test_a_session_belongs_to_its_person(self, gated: Gated) -> None:
        ana = await gated.visit(await gated.token("ana"), session="shared")
        thief = await gated.knock(await gated.token("bob"))
        await thief.say("hello", nick="x", session="shared", rooms={})
        _, code, reason = await thief.until_closed()
        assert (code, reason) == (4502, "the session is somebody else's")
        await ana.barrier()

    async def test_what_was_said_before_can_only_be_changed_by_its_author(self, gated: Gated) -> None:
        ana, bob = (
            await gated.visit(await gated.token("ana")),
            await gated.visit(await gated.token("bob"), session="b"),
        )
        await ana.say("send", key="k", room="main", text="mine")
        seq = (await bob.hear_of("event"))["seq"]
        for kind in ("edit", "redact"):
            await bob.say(kind, key=kind, room="main", target=seq, text="not yours")
            assert (await bob.hear_of("error"))["code"] == "not_allowed"

    async def test_a_moderator_takes_back_what_others_said(self, gated: Gated) -> None:
        ana = await gated.visit(await gated.token("ana"))
        mod = await gated.visit(await gated.token("mod", Role.MODERATOR), session="m")
        await ana.say("send", key="k", room="main", text="insult")
        seq = (await mod.hear_of("event"))["seq"]
        await mod.say("edit", key="1", room="main", target=seq, text="kind words")
        assert (await mod.hear_of("error"))["code"] == "not_allowed"
        await mod.say("redact", key="2", room="main", target=seq)
        event = await ana.hear_of("event", kind="redact")
        assert (event["by"], event["body"]) == ("mod", {"target": seq})
        await ana.say("history", id="h", room="main", before=99, limit=10)
        assert "insult" not in str((await ana.hear_of("history"))["events"])


class TestRoles:
    @pytest.mark.parametrize(
        ("role", "allowed"),
        [
            (Role.READER, {"status", "room", "metrics"}),
            (Role.AGENT, {"notice", "sample"}),
            (Role.MEMBER, {"status", "room", "metrics", "message", "notice", "sample"}),
            (Role.MODERATOR, {"status", "room", "metrics", "message", "notice", "sample"}),
            (Role.ADMIN, {"status", "room", "metrics", "message", "notice", "sample"}),
        ],
    )
    async def test_over_http(self, gated: Gated, role: Role, allowed: set[str]) -> None:
        token = await gated.token("somebody", role)
        http = await gated.house.http()
        answers = {}
        for what, method, path, body in (
            ("status", "GET", "/status", None),
            ("room", "GET", "/rooms/main", None),
            ("metrics", "GET", "/metrics", None),
            ("message", "POST", "/rooms/main", {"text": "x"}),
            ("notice", "POST", "/notices", {"text": "x"}),
            ("sample", "POST", "/hosts/web-1/samples", SAMPLE),
        ):
            before = gated.house.heads()
            async with http.stream(method, path, json=body, headers=bearing(token)) as answer:
                answers[what] = answer.status_code
            stored = gated.house.heads() != before
            assert stored == (method == "POST" and what in allowed)
        assert {what for what, status in answers.items() if status < 300} == allowed
        assert {answers[what] for what in answers.keys() - allowed} <= {403}

    async def test_a_reader_listens_only(self, gated: Gated) -> None:
        reader = await gated.visit(await gated.token("eye", Role.READER))
        writer = await gated.visit(await gated.token("ana"), session="a")
        await writer.say("send", key="k", room="main", text="hello")
        seq = (await reader.hear_of("event"))["seq"]
        heads = gated.house.heads()
        for kind, fields in {
            "send": {"text": "x"},
            "edit": {"target": seq, "text": "x"},
            "redact": {"target": seq},
            "react": {"target": seq, "emoji": "+", "on": True},
            "topic": {"text": "x"},
            "mark": {"text": "x"},
        }.items():
            await reader.say(kind, key=kind, room="main", **fields)
            error = await reader.hear_of("error", key=kind)
            assert (error["code"], error["message"]) == ("not_allowed", "the role reader may not say anything")
        await reader.say("typing", room="main", on=True)
        assert (await reader.hear_of("error"))["code"] == "not_allowed"
        await writer.barrier()
        await reader.say("away", on=True, text="read this")
        assert (await reader.hear_of("error"))["code"] == "not_allowed"
        assert await writer.barrier() == []
        await reader.say("away", on=True)
        assert "text" not in await writer.hear_of("presence", nick="eye", state="away")
        await reader.say("join", room="new-room")
        assert (await reader.hear_of("error"))["code"] == "no_such_room"
        assert gated.house.heads() == heads
        await reader.say("history", id="h", room="main", before=99, limit=10)
        assert len((await reader.hear_of("history"))["events"]) == 1

    async def test_an_agent_does_not_listen(self, gated: Gated) -> None:
        agent = await gated.knock(await gated.token("probe", Role.AGENT))
        await agent.say("hello", nick="x", session="s", rooms={"main": None})
        frames, code, reason = await agent.until_closed()
        assert (code, reason) == (4500, "the role agent may not listen")
        assert [frame["type"] for frame in frames] == ["bye"]


class TestTheEnd:
    async def test_a_revoked_token_ends_what_is_open(self, gated: Gated) -> None:
        token = await gated.token("ana")
        chat = await gated.visit(token)
        bystander = await gated.visit(await gated.token("bob"), session="b")
        stream = await gated.house.read_along("/status", headers=bearing(token))
        room = await gated.house.read_along("/rooms/main", headers=bearing(token))
        gated.commands.revoke([token.split("_")[1]], 5)
        frames, code, reason = await chat.until_closed()
        assert (code, reason) == (4500, "this token was revoked")
        assert frames[-1] == {"type": "bye", "code": 4500, "reason": "this token was revoked"}
        for listening in (stream, room):
            while (block := await listening.block()).event != "bye":
                pass
            assert block.data == {"code": 4500, "reason": "this token was revoked"}
            with pytest.raises(EOFError):
                await listening.block()
        gone = await bystander.hear_of("presence", nick="ana")
        assert gone["state"] == "gone"
        answer = await (await gated.house.http()).get("/status", headers=bearing(token))
        assert (answer.status_code, answer.json()["message"]) == (401, "this token was revoked")

    async def test_a_body_that_comes_after_the_end_is_not_stored(self, gated: Gated) -> None:
        token = await gated.token("ana")
        reading, writing = await asyncio.open_connection(gated.house.host, gated.house.port)
        head = "POST /rooms/main HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
        writing.write(f"{head}Authorization: Bearer {token}\r\n\r\n".encode())
        async with asyncio.timeout(10):
            assert b" 100 " in await reading.readuntil(b"\r\n\r\n")
            gated.commands.revoke([token.split("_")[1]], 5)
            await until(
                lambda: gated.house.service.access.holdings.tokens[token.split("_")[1]].revoked is not None
            )
            heads = gated.house.heads()
            writing.write(b"hi")
            head = (await reading.readuntil(b"\r\n\r\n")).decode()
        writing.close()
        assert head.startswith("HTTP/1.1 401 ")
        assert "WWW-Authenticate: Bearer" in head
        assert gated.house.heads() == heads

    async def test_so_does_one_that_expires(self, gated: Gated) -> None:
        chat = await gated.visit(await gated.token("ana", expires=2_000))
        await chat.barrier()
        gated.now = 2_000
        _, code, reason = await chat.until_closed()
        assert (code, reason) == (4500, "this token has expired")

    async def test_the_first_token_ends_what_came_without(self, build: Build, tmp_path: Path) -> None:
        gated = await gated_by(build, tmp_path, NO_FLOODS)
        chat = await gated.house.visit("ana")
        stream = await gated.house.read_along()
        await gated.token("root", Role.ADMIN)
        _, code, reason = await chat.until_closed()
        assert (code, reason) == (4500, "this server wants a token now")
        while (await stream.block()).event != "bye":
            pass
        gated.commands.close()

    async def test_revoked_between_handshake_and_hello(self, gated: Gated) -> None:
        token = await gated.token("ana")
        peer = await gated.knock(token)
        gated.commands.revoke([token.split("_")[1]], 5)
        await until(lambda: gated.house.service.access.holdings.tokens[token.split("_")[1]].revoked is not None)
        await peer.say("hello", nick="x", session="s", rooms={})
        _, code, reason = await peer.until_closed()
        assert (code, reason) == (4500, "this token was revoked")


class TestOpenServer:
    async def test_who_has_no_token_is_a_member_under_a_free_nick(self, build: Build, tmp_path: Path) -> None:
        gated = await gated_by(build, tmp_path, NO_FLOODS, open_to_all=True)
        ana = await gated.visit(await gated.token("ana"))
        bob = await gated.house.visit("bob")
        for nick in ("ana", "ANA", "аna"):  # the last one begins with a Cyrillic letter
            thief = await gated.house.knock()
            await thief.say("hello", nick=nick, session="t", rooms={"main": None})
            _, code, _ = await thief.until_closed()
            assert code in (4501, 4502)
            assert (await gated.house.post("x", **{"from": nick})).status_code in (400, 403)
        await bob.say("send", key="k", room="main", text="hello")
        assert (await ana.hear_of("event"))["by"] == "bob"
        gated.commands.close()


class TestFailedLogins:
    async def test_they_are_counted_and_lock_out_nobody_else(self, build: Build, tmp_path: Path) -> None:
        gated = await gated_by(build, tmp_path, Protection(failed_logins=Rate(0.001, 3)))
        token = await gated.token("ana")
        http = await gated.house.http()
        statuses = [(await http.get("/metrics", headers=bearing("ptk_no"))).status_code for _ in range(5)]
        assert statuses == [401, 401, 401, 429, 429]
        late = await http.get("/metrics", headers=bearing("ptk_no"))
        assert (late.json()["code"], int(late.headers["Retry-After"]) > 900) == ("rate_limited", True)
        peer = await gated.house.knock()
        await peer.say("hello", nick="x", session="s", rooms={}, token="ptk_no")
        _, code, reason = await peer.until_closed()
        assert (code, reason) == (4500, "too many wrong tokens came from your address; wait")
        assert (await http.get("/metrics", headers=bearing(token))).status_code == 200
        assert (await http.get("/metrics")).status_code == 401  # no token at all is no try
        gated.commands.close()
