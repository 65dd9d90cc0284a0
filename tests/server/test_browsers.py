"""Under which names the server answers, and for whose pages."""

from collections.abc import Awaitable, Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus

from server.browsers import Authority, Browsers, Origin, own_names, parse_hosts, parse_origins
from tests.server.conftest import Build, House

HOSTS = parse_hosts("chat.example, xn--bcher-kva.example")
ORIGINS = parse_origins("https://wiki.example, http://localhost:3000,https://[2001:db8::7]:8443")

Ask = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
async def guarded(build: Build) -> House:
    return await build(browsers=Browsers(hosts=HOSTS, origins=ORIGINS))


@pytest.fixture
def ask(guarded: House) -> Ask:
    """Send a request with exactly these header lines; returns the status and the whole answer."""

    async def send(*headers: str, target: str = "GET /healthz HTTP/1.1") -> tuple[int, str]:
        async with await guarded.wire() as client:
            client.send("\r\n".join([target, *headers, "Connection: close", "", ""]).encode("latin-1"))
            answer = (await client.ended()).decode()
        return int(answer.split()[1]), answer

    return send


class TestHost:
    @pytest.mark.parametrize(
        "host",
        [
            "localhost",
            "LOCALHOST:8765",
            "localhost.",
            "localhost.:80",
            "localhost:",
            "room.localhost",
            "127.0.0.1",
            "127.0.0.1:1",
            "192.0.2.7:8765",
            "[::1]",
            "[::1]:8765",
            "[2001:DB8::7]",
            "[::ffff:127.0.0.1]:9",
            "chat.example",
            "Chat.Example.:443",
            "xn--bcher-kva.example",
            "XN--BCHER-KVA.example",
        ],
    )
    async def test_own(self, ask: Ask, host: str) -> None:
        assert (await ask(f"Host: {host}"))[0] == 200

    @pytest.mark.parametrize(
        "host",
        [
            "evil.example",
            "evil.example:8765",
            "127.0.0.1.evil.example",
            "127.0.0.1.nip.io",
            "localhost.evil.example",
            "evil-localhost",
            "xlocalhost",
            "chat.example.evil.example",
            "evilchat.example",
            "sub.chat.example",
            "chat-example",
            "2130706433",
            "0x7f000001",
            "127.1",
            "017700000001",
            "xn--localhost.example",
        ],
    )
    async def test_of_others(self, ask: Ask, host: str) -> None:
        status, answer = await ask(f"Host: {host}")
        name = host.partition(":")[0]
        assert status == 403
        assert '"code": "not_allowed"' in answer
        assert f"--allow-host {name}" in answer

    @pytest.mark.parametrize(
        "host",
        [
            "",
            " ",
            ".",
            "localhost..",
            ".localhost",
            "localhost@evil.example",
            "evil.example@localhost",
            "user:pw@127.0.0.1",
            "localhost:80:80",
            "localhost:99999",
            "localhost:0",
            "localhost:8x",
            "localhost/",
            "localhost#",
            "localhost?x",
            "localhost\\",
            "localhost%00",
            "local host",
            "localhost,evil.example",
            "::1",
            "[::1",
            "::1]",
            "[127.0.0.1]",
            "[localhost]",
            "[::1]evil.example",
            "[::1].evil.example:80",
            "b\u00fccher.example",
            "localh\u00f6st",
        ],
    )
    async def test_no_host_at_all(self, ask: Ask, host: str) -> None:
        status, answer = await ask(f"Host: {host}")
        assert status == 400
        assert '"code": "malformed"' in answer

    async def test_none_and_two(self, ask: Ask) -> None:
        assert (await ask())[0] == 400
        assert (await ask("Host: localhost", "Host: localhost"))[0] == 400
        assert (await ask("Host: localhost", "Host: evil.example"))[0] == 400
        assert (await ask(target="GET /healthz HTTP/1.0"))[0] == 200
        assert (await ask("Host: evil.example", target="GET /healthz HTTP/1.0"))[0] == 403

    @pytest.mark.parametrize(
        "target", ["GET / HTTP/1.1", "GET /none HTTP/1.1", "GET /status HTTP/1.1", "POST /notices HTTP/1.1"]
    )
    async def test_every_path(self, ask: Ask, target: str) -> None:
        assert (await ask("Host: evil.example", target=target))[0] == 403

    async def test_a_websocket(self, guarded: House) -> None:
        async with await guarded.wire() as client:
            client.send(
                b"GET /chat HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            assert (await client.head()).startswith("HTTP/1.1 403 ")

    async def test_the_name_of_this_machine(self, build: Build) -> None:
        house = await build(browsers=Browsers(hosts=own_names()))
        client = await house.http()
        for name in own_names():
            assert (await client.get("/", headers={"Host": f"{name}:{house.port}"})).status_code == 200


class TestOrigin:
    @pytest.mark.parametrize(
        ("host", "origin"),
        [
            ("localhost:8765", "http://localhost:8765"),
            ("127.0.0.1:8765", "http://127.0.0.1:8765"),
            ("[::1]:8765", "http://[::1]:8765"),
            ("localhost", "http://localhost"),
            ("localhost:80", "http://localhost"),
            ("chat.example", "https://chat.example"),
            ("chat.example:443", "https://chat.example"),
            ("Chat.Example", "HTTPS://chat.example"),
        ],
    )
    async def test_own(self, ask: Ask, host: str, origin: str) -> None:
        status, answer = await ask(f"Host: {host}", f"Origin: {origin}")
        assert status == 200
        assert "Access-Control-Allow-Origin" not in answer

    @pytest.mark.parametrize(
        "origin", ["https://wiki.example", "http://localhost:3000", "https://[2001:db8::7]:8443"]
    )
    async def test_allowed(self, ask: Ask, origin: str) -> None:
        status, answer = await ask("Host: localhost:8765", f"Origin: {origin}")
        assert status == 200
        assert f"\r\nAccess-Control-Allow-Origin: {origin}\r\n" in answer
        assert "\r\nVary: Origin\r\n" in answer

    @pytest.mark.parametrize(
        "origin",
        [
            "null",
            "",
            "*",
            "evil.example",
            "https://evil.example",
            "http://wiki.example",
            "https://wiki.example:444",
            "https://wiki.example.evil.example",
            "https://evil.example/https://wiki.example",
            "https://wiki.example@evil.example",
            "https://wiki.example/",
            "https://wiki.example https://evil.example",
            "https://wiki.example,https://evil.example",
            "http://localhost",
            "http://localhost:8766",
            "https://localhost:8765/",
            "http://127.0.0.1:8765",
            "http://127.0.0.1.evil.example:8765",
            "file://",
            "chrome-extension://abcdef",
            "ws://localhost:8765",
        ],
    )
    async def test_of_others(self, ask: Ask, origin: str) -> None:
        status, answer = await ask("Host: localhost:8765", f"Origin: {origin}")
        assert status == 403
        assert '"code": "not_allowed"' in answer
        assert "Access-Control-Allow-Origin" not in answer

    async def test_two(self, ask: Ask) -> None:
        own = "Origin: http://localhost"
        assert (await ask("Host: localhost", own))[0] == 200
        assert (await ask("Host: localhost", own, own))[0] == 403

    async def test_pages_of_a_server_that_speaks_tls_come_by_https(self, build: Build) -> None:
        house = await build(browsers=Browsers(encrypted=True))
        client = await house.http()
        for scheme, status in (("https", 200), ("http", 403)):
            headers = {"Origin": f"{scheme}://127.0.0.1:{house.port}"}
            assert (await client.get("/", headers=headers)).status_code == status

    async def test_a_websocket(self, guarded: House) -> None:
        await guarded.knock(origin="https://wiki.example")
        await guarded.knock(origin=guarded.url)
        with pytest.raises(InvalidStatus) as refused:
            await guarded.knock(origin="https://evil.example")
        assert refused.value.response.status_code == 403

    async def test_an_event_stream_and_an_error_of_an_allowed_page(self, guarded: House) -> None:
        headers = {"Origin": "https://wiki.example"}
        stream = await guarded.read_along(headers=headers)
        assert stream.response.headers["Access-Control-Allow-Origin"] == "https://wiki.example"
        missing = await (await guarded.http()).get("/none", headers=headers)
        assert missing.status_code == 404
        assert missing.headers["Access-Control-Allow-Origin"] == "https://wiki.example"

    async def test_a_post_of_another_page_stores_nothing(self, guarded: House) -> None:
        heads = guarded.heads()
        client = await guarded.http()
        refused = await client.post("/rooms/main", content="x", headers={"Origin": "https://evil.example"})
        assert refused.status_code == 403
        assert "--allow-origin https://evil.example" in refused.json()["message"]
        assert guarded.heads() == heads


class TestPreflight:
    async def test_allowed(self, guarded: House) -> None:
        answer = await (await guarded.http()).options(
            "/rooms/main",
            headers={
                "Origin": "https://wiki.example",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization,content-type",
            },
        )
        assert answer.status_code == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "https://wiki.example"
        assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type, Last-Event-ID"
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert "Origin" in answer.headers["Vary"]

    async def test_of_others(self, guarded: House) -> None:
        headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        answer = await (await guarded.http()).options("/rooms/main", headers=headers)
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("text", ["a b", "chat.example:80", "https://chat.example", "b\u00fccher.example", "*"])
def test_no_host_name(text: str) -> None:
    with pytest.raises(ValueError, match="is no host name; write"):
        parse_hosts(text)


@pytest.mark.parametrize("text", ["chat.example", "https://chat.example/", "*", "null", "ftp://chat.example"])
def test_no_origin(text: str) -> None:
    with pytest.raises(ValueError, match="is no origin; write"):
        parse_origins(text)


@given(st.text() | st.from_regex(r"[\[\]:.0-9a-fx@-]{0,40}"))
@example("[" * 1000)
@example("a" + ".a" * 1000)
@example("a-" * 10_000)
def test_whatever_is_parsed_is_plain(text: str) -> None:
    try:
        host, port = Authority.parse(text)
    except ValueError:
        return
    assert host.isascii()
    assert host == host.lower()
    assert not set(host) & set("@/\\?#[] \t\r\n")
    assert port is None or 0 < port < 65536


def test_an_origin_has_a_port() -> None:
    assert Origin.parse("http://a") == Origin.parse("HTTP://A:80")
    assert Origin.parse("https://a") == ("https", ("a", 443))
