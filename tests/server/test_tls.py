"""TLS: the certificate, and that all which is written to the transport directly works through it."""

import asyncio
import contextlib
import json
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pushtui.client.address import Address
from pushtui.client.chat import ChatClient
from pushtui.client.happenings import Delivery, RoomEvent, StatusEvent
from pushtui.client.posting import Poster
from pushtui.client.status import StatusClient
from pushtui.exits import CommandError, Exit
from pushtui.protocol.positions import Position
from server.connections import Connection
from server.log.streams import room_stream
from server.tls import Certificate, certificate
from tests.server.certificates import Files, issued
from tests.server.conftest import NO_FLOODS, Build, House, author, timing, until
from tests.server.wire_client import WireClient


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return issued(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return issued(tmp_path_factory.mktemp("others"))


@pytest.fixture
async def house(build: Build, files: Files) -> House:
    return await build(tls=Certificate(files.chain, files.key).context)


@pytest.fixture
def address(house: House, files: Files, monkeypatch: pytest.MonkeyPatch) -> Address:
    """The server's, with its authority trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(files.authority))
    return Address.parse(house.url)


def sentence(chain: Path | None, key: Path | None, code: Exit) -> str:
    with pytest.raises(CommandError) as refused:
        certificate(chain, key)
    assert refused.value.code is code
    assert "\n" not in str(refused.value)
    return str(refused.value)


class TestFiles:
    def test_none_is_none(self) -> None:
        assert certificate(None, None) is None

    def test_one_without_the_other(self, files: Files) -> None:
        assert "--tls-key is missing" in sentence(files.chain, None, Exit.WRONG_OPTIONS)
        assert "--tls-cert is missing" in sentence(None, files.key, Exit.WRONG_OPTIONS)

    def test_files_that_cannot_be_read(self, files: Files, tmp_path: Path) -> None:
        none = tmp_path / "none"
        said = sentence(none, files.key, Exit.CANNOT_START)
        assert said == f"the certificate {none} cannot be read: No such file or directory"
        said = sentence(files.chain, tmp_path, Exit.CANNOT_START)
        assert said == f"the key {tmp_path} cannot be read: Is a directory"

    def test_files_that_do_not_fit(self, files: Files, others: Files, tmp_path: Path) -> None:
        assert "does not belong to the certificate" in sentence(files.chain, others.key, Exit.CANNOT_START)
        for chain, key in ((files.key, files.chain), (files.chain, files.chain), (Path(__file__), files.key)):
            assert "no certificate and key in PEM form" in sentence(chain, key, Exit.CANNOT_START)

    def test_a_key_with_a_password(self, files: Files, tmp_path: Path) -> None:
        locked = tmp_path / "locked.key"
        command = ("openssl", "pkey", "-in", files.key, "-aes256", "-passout", "pass:x", "-out", locked)
        subprocess.run(command, check=True, capture_output=True)
        assert "has a password" in sentence(files.chain, locked, Exit.CANNOT_START)

    def test_a_key_that_everyone_can_read(
        self, files: Files, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        key = tmp_path / "key"
        key.write_bytes(files.key.read_bytes())
        key.chmod(0o600)
        certificate(files.chain, key)
        assert not caplog.records
        key.chmod(0o644)
        certificate(files.chain, key)
        assert "everyone on this machine can read the private key" in caplog.text

    def test_old_versions_are_refused(self, files: Files) -> None:
        made = certificate(files.chain, files.key)
        assert made is not None
        assert made.context.minimum_version is ssl.TLSVersion.TLSv1_2


async def test_both_flows_and_posting_by_pushtuis_own_clients(house: House, address: Address) -> None:
    assert address.http.startswith("https://")
    async with asyncio.timeout(20), ChatClient(address, nick="ana") as chat, StatusClient(address) as status:
        chat.say("main", "encrypted")
        stored = {"chat": False, "delivered": False}
        async for happening in chat:
            match happening:
                case RoomEvent(kind="message"):
                    stored["chat"] = True
                case Delivery(state="stored"):
                    stored["delivered"] = True
            if all(stored.values()):
                break
        await house.service.writing.notice(author("cron"), "done", level="info", title=None, key=None)
        async for seen in status:
            if isinstance(seen, StatusEvent):
                break
        async with Poster(address, "main", nick="ben") as poster:
            assert not (await poster.post("by POST", key="k")).duplicate
    assert house.head() == 2


async def test_an_authority_that_nobody_vouches_for(
    house: House, others: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(others.authority))
    reasons = []
    address = Address.parse(house.url)
    async with asyncio.timeout(20), ChatClient(address, nick="ana") as chat, StatusClient(address) as status:
        for client in (chat, status):
            async for happening in client:
                if reason := getattr(happening, "reason", None):
                    reasons.append(reason)
                    break
    assert len(reasons) == 2
    assert all("certificate" in reason for reason in reasons), reasons


async def encrypted(house: House, files: Files, receive_buffer: int | None = None) -> WireClient:
    client = await WireClient.connect(house.port, receive_buffer=receive_buffer, tls=files.trusting())
    return await house.visitors.enter_async_context(client)


async def reading(house: House, files: Files, path: str) -> WireClient:
    """An event stream that has begun, over a narrow line."""
    client = await encrypted(house, files, 4096)
    assert (await client.request(path)).startswith("HTTP/1.1 200 ")
    await until(lambda: house.service.connections.count()["sse"] > 0)
    return client


async def say(house: House) -> None:
    await house.service.writing.message(author("ana"), "main", "x" * 16_000, None)
    await asyncio.sleep(0)  # the turn in which it is written


async def fill(house: House, connection: Connection) -> None:
    async with asyncio.timeout(20):
        while connection.sink.has_room():
            await say(house)


async def test_a_reader_that_stops_and_goes_on_gets_everything(build: Build, files: Files) -> None:
    house = await build(tls=Certificate(files.chain, files.key).context)
    client = await reading(house, files, "/rooms/main?replay=0")
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    (connection,) = house.service.connections._all
    await fill(house, connection)
    most = 0
    for _ in range(50):
        await say(house)
        most = max(most, connection.sink._transport.get_write_buffer_size())
    # What is on its way is bounded, however much there is to come.
    assert most < 512 * 1024
    client.writer.transport.resume_reading()  # type: ignore[attr-defined]
    state = house.store.state(room_stream("main"))
    assert state is not None
    last = f"id: {Position(state.epoch, state.head)}\n".encode()
    data = b""
    async with asyncio.timeout(20):
        while last not in data:
            data += await client.reader.read(1 << 16)
    ids = [line.decode().removeprefix("id: ") for line in data.split(b"\n") if line.startswith(b"id: ")]
    assert [Position.parse(text).seq for text in ids] == list(range(state.head + 1))


@pytest.mark.parametrize("path", ["/rooms/main?replay=0", "/chat"])
async def test_a_reader_that_is_stuck_is_cut_off_and_others_go_on(build: Build, files: Files, path: str) -> None:
    house = await build(
        tls=Certificate(files.chain, files.key).context,
        timing=timing(tick=0.01),
        protection=replace(NO_FLOODS, stuck_seconds=0.3),
    )
    if path == "/chat":
        stuck = await encrypted(house, files, 4096)
        assert (await stuck.upgrade()).startswith("HTTP/1.1 101 ")
        stuck.say(json.dumps({"type": "hello", "nick": "eve", "session": "s", "rooms": {"main": None}}))
        await until(lambda: bool(house.service.people))
    else:
        stuck = await reading(house, files, path)
    stuck.writer.transport.pause_reading()  # type: ignore[attr-defined]
    (connection,) = house.service.connections._all
    for _ in range(100):  # more than both ends have buffers for
        await say(house)
    other = await house.read_along("/rooms/main?replay=0")
    await other.opening()
    await until(lambda: connection not in house.service.connections._all)
    await until(lambda: house.server._seats.taken <= 1)
    await say(house)
    await other.events(1)


class TestHandshake:
    @pytest.mark.parametrize("said", [b"", b"\x16\x03\x01", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"])
    async def test_half_of_it_has_a_deadline(self, build: Build, files: Files, said: bytes) -> None:
        house = await build(
            tls=Certificate(files.chain, files.key).context,
            protection=replace(NO_FLOODS, request_seconds=0.05),
        )
        client = await house.wire()
        client.send(said)
        await until(lambda: house.server._seats.taken == 1)
        await client.ended()
        await until(lambda: house.server._seats.taken == 0)

    async def test_plain_http_is_no_tls(self, house: House) -> None:
        client = await house.wire()
        client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert not (await client.ended()).startswith(b"HTTP")
        await until(lambda: house.server._seats.taken == 0)

    async def test_it_counts_before(self, build: Build, files: Files) -> None:
        house = await build(
            tls=Certificate(files.chain, files.key).context, protection=replace(NO_FLOODS, connections=1)
        )
        silent = await house.wire()
        await until(lambda: house.server._seats.taken == 1)
        with pytest.raises(OSError):  # noqa: PT011 (reset or ended, as it comes)
            await encrypted(house, files)
        silent.drop()
        await until(lambda: house.server._seats.taken == 0)
        await encrypted(house, files)

    async def test_the_server_ends_while_somebody_shakes_hands(self, house: House) -> None:
        await house.wire()
        await until(lambda: house.server._seats.taken == 1)
        await house.server.stop()
        await until(lambda: house.server._seats.taken == 0)


@contextlib.asynccontextmanager
async def serving(files: Files, data: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pushtui", "serve", "--port", "0", "--data", str(data), "--interval", "3600"),
        *("--tls-cert", str(files.chain), "--tls-key", str(files.key), "--log-level", "warning"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            line = (await process.stdout.readline()).decode()
        assert line.startswith("pushtui listens on https://127.0.0.1:")
        yield process, int(line.rsplit(":", 1)[1])
    finally:
        process.terminate()
        async with asyncio.timeout(10):
            await process.communicate()
        process._transport.close()  # type: ignore[attr-defined]


async def test_a_renewed_certificate_is_taken_up_on_sighup(tmp_path: Path) -> None:
    files = issued(tmp_path)
    before = files.trusting()
    async with serving(files, tmp_path / "data") as (process, port):
        client = await WireClient.connect(port, tls=before)
        issued(tmp_path)
        after = files.trusting()
        process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(10):
            while True:
                try:
                    (await WireClient.connect(port, tls=after)).drop()
                    break
                except ssl.SSLCertVerificationError:
                    continue
        # Who is in stays in.
        assert (await client.request("/healthz")).startswith("HTTP/1.1 200 ")
        client.drop()
        with pytest.raises(ssl.SSLCertVerificationError):
            await WireClient.connect(port, tls=before)
        files.key.write_text("no key")
        process.send_signal(signal.SIGHUP)
        assert process.stderr is not None
        async with asyncio.timeout(10):
            assert b"the certificate in use stays" in await process.stderr.readline()
        (await WireClient.connect(port, tls=after)).drop()
