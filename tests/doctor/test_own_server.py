"""pushtui's own server has nothing to hear from the doctor: both flows, with and without tokens and TLS."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pushtui.doctor.endpoint import Bounds, Endpoint
from pushtui.doctor.finding import Finding, Level
from pushtui.doctor.stream import examination as stream
from pushtui.doctor.stream.patient import Patient as StreamPatient
from pushtui.doctor.websocket import examination as websocket
from pushtui.doctor.websocket.patient import Patient as WebSocketPatient
from pushtui.protocol.limits import LIMITS
from pushtui.protocol.messages import JSON
from pushtui.protocol.roles import Role
from pushtui.protocol.token import Token
from server.tls import Certificate
from tests.server.certificates import Files, issued
from tests.server.conftest import NO_FLOODS, Build, House
from tests.server.conftest import build as build
from tests.server.conftest import house as house
from tests.server.test_tokens import Gated, gated_by

BOUNDS = Bounds(patience=0.1, answer=5)


def to(house: House, path: str, token: Token | None = None) -> Endpoint:
    base = house.url.replace("http", "ws") if path == "/chat" else house.url
    return Endpoint.parse(base + path, token=token)


async def examined(
    endpoint: Endpoint, post: Endpoint | None = None, bounds: Bounds = BOUNDS
) -> dict[str, Finding]:
    if endpoint.websocket:
        findings = websocket.examine(WebSocketPatient(endpoint, bounds))
    else:
        findings = stream.examine(StreamPatient(endpoint, bounds, post=post))
    return {finding.check: finding async for finding in findings}


def skipped(found: dict[str, Finding]) -> set[str]:
    return {name for name, one in found.items() if one.level is Level.SKIPPED}


def complaints(found: dict[str, Finding]) -> list[Finding]:
    return [one for one in found.values() if one.level in (Level.WARN, Level.FAULT)]


async def test_the_chat(house: House) -> None:
    found = await examined(to(house, "/chat"))
    assert not complaints(found)
    assert skipped(found) == {"encryption", "idle"}
    assert found["fragments"].seen.endswith("a message in three fragments is answered as in one")
    assert found["subprotocol"].seen.endswith(JSON)
    assert house.heads() == {"status": 0, "room:main": 0}


async def test_a_chat_that_waits_for_a_hello(build: Build) -> None:
    house = await build(limits=replace(LIMITS, hello_seconds=0.2))
    found = await examined(to(house, "/chat"), bounds=Bounds(patience=5, answer=5))
    assert not complaints(found)
    assert found["idle"].seen.startswith("closed with 4000 after ")


async def test_a_room(house: House) -> None:
    room = to(house, "/rooms/main")
    found = await examined(room, post=room)
    assert not complaints(found)
    assert skipped(found) <= {"encryption", "buffering", "heartbeat"}
    assert found["unknown-id"].level is Level.OK
    assert found["injection"].level is Level.OK


async def test_the_status_stream(house: House) -> None:
    found = await examined(to(house, "/status"))
    assert not complaints(found)
    assert found["retry"].level is Level.OK


async def test_what_is_no_stream(house: House) -> None:
    found = await examined(to(house, "/healthz"))
    assert [(one.check, one.level) for one in complaints(found)] == [("content-type", Level.FAULT)]


class TestTokens:
    @pytest.fixture
    async def gated(self, build: Build, tmp_path: Path) -> AsyncIterator[Gated]:
        gated = await gated_by(build, tmp_path, NO_FLOODS)
        yield gated
        gated.commands.close()

    @pytest.mark.parametrize("path", ["/chat", "/rooms/main", "/status"])
    async def test_with_one(self, gated: Gated, path: str) -> None:
        token = Token(await gated.token("ana", Role.READER))
        found = await examined(to(gated.house, path, token))
        assert not complaints(found)

    async def test_the_chat_without_one(self, gated: Gated) -> None:
        await gated.token()
        found = await examined(to(gated.house, "/chat"))
        assert not complaints(found)

    async def test_a_stream_without_one(self, gated: Gated) -> None:
        await gated.token()
        found = await examined(to(gated.house, "/status"))
        assert [(one.check, one.level) for one in complaints(found)] == [("status", Level.FAULT)]
        assert found["status"].seen == "401: clients give up for good"
        assert "--token-file" in found["status"].advice


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return issued(tmp_path_factory.mktemp("certificates"))


class TestEncryption:
    @pytest.fixture
    async def house(self, build: Build, files: Files) -> House:
        return await build(tls=Certificate(files.chain, files.key).context)

    @pytest.mark.parametrize("path", ["/chat", "/rooms/main"])
    async def test_trusted(self, house: House, files: Files, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(files.authority))
        found = await examined(to(house, path))
        assert not complaints(found)
        assert found["encryption"].seen == "TLSv1.3, and the certificate is right"

    async def test_not_trusted(self, house: House) -> None:
        found = await examined(to(house, "/chat"))
        assert [(one.check, one.level) for one in complaints(found)] == [("encryption", Level.FAULT)]
        assert found["handshake"].seen == "there is no encrypted connection"

    async def test_not_looked_at(self, house: House) -> None:
        found = await examined(Endpoint.parse(f"{house.url}/status", insecure=True))
        assert not complaints(found)
        assert "--insecure" in found["encryption"].seen

    async def test_an_encrypted_address_of_a_plain_server(self, build: Build) -> None:
        plain = await build()
        found = await examined(Endpoint.parse(f"https://127.0.0.1:{plain.port}/status"))
        assert [(one.check, one.level) for one in complaints(found)] == [("encryption", Level.FAULT)]
        assert found["encryption"].seen.startswith("no TLS is spoken here")
