"""The end: within three seconds, with every client told, whatever the clients do."""

import asyncio
import itertools
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pushtui.exits import CommandError, Exit
from pushtui.settings import ServeSettings
from server.log.sqlite import SqliteStore
from server.log.streams import room_stream
from server.main import LOG_FILE, bind, run
from tests.server.conftest import House, ticking_clock
from tests.server.serving import Serving, serve


@pytest.fixture
async def serving(tmp_path: Path) -> AsyncIterator[Serving]:
    server = await Serving.start(tmp_path / "data")
    yield server
    await server.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_everyone_is_told(serving: Serving, number: int) -> None:
    peers = [await serving.chat(nick) for nick in ("ana", "bo")]
    streams = [await serving.read_along(path) for path in ("/status", "/rooms/main")]
    ending = asyncio.create_task(serving.ends_after(number))
    for peer in peers:
        frames, code, reason = await peer.until_closed()
        bye = frames[-1]
        assert (bye["type"], bye["code"], code) == ("bye", 1012, 1012)
        assert bye["reason"] == reason == "the server stops"
        assert bye["retry_ms"] >= 500
    for stream in streams:
        bye_block = (await stream.remaining())[-1]
        assert (bye_block.event, bye_block.id) == ("bye", None)
        assert bye_block.data == {"code": 1012, "reason": "the server stops"}
        assert int(bye_block.first("retry") or 0) >= 500
    await ending


async def test_nobody_is_there(serving: Serving) -> None:
    await serving.ends_after(signal.SIGTERM)


async def test_an_endless_reader_is_there(serving: Serving) -> None:
    """It reads what comes and never closes by itself."""
    wire = await serving.wire()
    await wire.request("/status")
    ending = asyncio.create_task(serving.ends_after(signal.SIGTERM))
    data = await wire.ended()
    assert b"event: bye\n" in data
    assert data.endswith(b"0\r\n\r\n")
    await ending


@pytest.mark.parametrize("path", ["/chat", "/rooms/main"])
async def test_a_client_that_stopped_reading_is_there(serving: Serving, path: str) -> None:
    stuck = await serving.wire(receive_buffer=4096)
    if path == "/chat":
        await stuck.upgrade()
        stuck.say('{"type":"hello","nick":"stuck","session":"s","rooms":{"main":null}}')
        await stuck.frame()
    else:
        await stuck.request(path)
    stuck.writer.transport.pause_reading()  # type: ignore[attr-defined]
    client = await serving.http()
    for _ in range(200):  # 3 MB: more than the transport, the kernel and the client's buffer hold
        assert (await client.post("/rooms/main", content=b"x" * 16_000)).status_code == 201
    peer = await serving.chat("ana")
    ending = asyncio.create_task(serving.ends_after(signal.SIGTERM))
    frames, code, _ = await peer.until_closed()
    assert (frames[-1]["type"], code) == ("bye", 1012)
    await ending


@pytest.mark.parametrize(
    "half",
    [
        b"",
        b"GET /sta",
        b"POST /rooms/main HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf",
        b"POST /rooms/main HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha",
    ],
    ids=["nothing", "request line", "body", "chunk"],
)
async def test_half_a_request_is_there(serving: Serving, half: bytes) -> None:
    wire = await serving.wire()
    wire.send(half)
    await wire.writer.drain()
    client = await serving.http()
    assert (await client.get("/healthz")).status_code == 200  # by now the other one was accepted
    await serving.ends_after(signal.SIGTERM)


async def test_a_chat_without_a_hello_and_half_a_frame_are_there(serving: Serving) -> None:
    for data in (b"", b"\x81\xfe\x10"):
        wire = await serving.wire()
        await wire.upgrade()
        wire.send(data)
    await serving.ends_after(signal.SIGTERM)


async def test_two_signals_are_as_good_as_one(serving: Serving) -> None:
    serving.process.send_signal(signal.SIGINT)
    await serving.ends_after(signal.SIGTERM)


async def test_what_was_acked_is_there_after_kill_9(tmp_path: Path) -> None:
    first = await Serving.start(tmp_path)
    peer = await first.chat("ana")
    for number in range(50):
        await peer.say("send", key=str(number), room="main", text=str(number))
    acked = [(await peer.hear_of("event"))["seq"] for _ in range(20)]
    epoch = peer.heard[1]["epoch"]
    os.kill(first.process.pid, signal.SIGKILL)
    await first.process.wait()
    peer.ws.transport.abort()
    await first.close()
    second = await Serving.start(tmp_path)
    again = await second.chat("ana")
    assert again.heard[1]["epoch"] == epoch
    assert again.heard[1]["head"] >= acked[-1]
    texts = await again.texts(again.heard[1]["head"])
    assert texts == [str(number) for number in range(len(texts))]
    # What was not acked is sent again; nothing is there twice.
    for number in range(50):
        await again.say("send", key=str(number), room="main", text=str(number))
    answers = [await again.hear() for _ in range(50)]
    assert {answer["seq"] for answer in answers} == set(range(1, 51))
    await second.ends_after(signal.SIGTERM)
    await second.close()


async def test_the_byes_arrive_although_the_client_is_talking(house: House) -> None:
    """A connection that is dropped with something unread in it takes with it what was on its way out."""
    peer = await house.visit()

    async def talk() -> None:
        for number in itertools.count():
            await peer.say("send", key=str(number), room="main", text="x" * 1000)

    talking = asyncio.create_task(talk())
    await peer.texts(20)
    stopping = asyncio.create_task(house.server.stop())
    frames, code, _ = await peer.until_closed()
    assert ([frame["type"] for frame in frames].count("bye"), frames[-1]["type"], code) == (1, "bye", 1012)
    await stopping
    with pytest.raises(Exception, match="1012"):
        await talking


async def test_clients_can_be_told_one_after_the_other(house: House) -> None:
    """So that a server that is replaced is not met by everyone at once; whoever is in a hurry says so."""
    peers = [await house.visit(f"n{number}") for number in range(5)]
    endings = [asyncio.create_task(peer.until_closed()) for peer in peers]
    stopping = asyncio.create_task(house.server.stop(drain=1000))
    await asyncio.wait(endings, return_when=asyncio.FIRST_COMPLETED)
    assert sum(ending.done() for ending in endings) == 1
    house.server.hurry()
    for ending in endings:
        frames, code, _ = await ending
        assert (frames[-1]["type"], code) == ("bye", 1012)
    await stopping


async def test_stopping_twice_is_as_good_as_once(house: House) -> None:
    await house.visit()
    await house.server.stop()
    await house.server.stop()
    assert house.store.trouble() == "the log is not open"


class TestStarting:
    """What keeps a server from starting is one sentence and exit code 3."""

    def refused(self, settings: ServeSettings) -> str:
        with pytest.raises(CommandError) as refusal:
            run(settings)
        assert refusal.value.code is Exit.CANNOT_START
        sentence = str(refusal.value)
        assert "\n" not in sentence
        return sentence

    def test_the_port_is_in_use(self, tmp_path: Path) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            sentence = self.refused(ServeSettings(port=port, data=tmp_path / "data"))
        assert sentence == f"port {port} on 127.0.0.1 is in use; stop who uses it, or choose another with --port"
        assert not (tmp_path / "data").exists()

    def test_no_such_address(self, tmp_path: Path) -> None:
        sentence = self.refused(ServeSettings(host="192.0.2.1", port=0, data=tmp_path, open=True))
        assert sentence.startswith("cannot listen on 192.0.2.1 port 0: ")

    def test_the_data_folder_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "data").write_text("a file where the folder should be")
        sentence = self.refused(ServeSettings(port=0, data=tmp_path / "data"))
        assert str(tmp_path / "data") in sentence

    @pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="root may write anywhere")
    def test_the_data_folder_is_read_only(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o500)
        try:
            assert str(tmp_path) in self.refused(ServeSettings(port=0, data=tmp_path))
        finally:
            tmp_path.chmod(0o700)

    def test_the_log_is_something_else(self, tmp_path: Path) -> None:
        (tmp_path / LOG_FILE).write_bytes(b"this is no database at all, but long enough to look at" * 100)
        assert LOG_FILE in self.refused(ServeSettings(port=0, data=tmp_path))
        assert (tmp_path / LOG_FILE).read_bytes().startswith(b"this is no database")

    async def test_a_second_server_on_the_same_data(self, tmp_path: Path) -> None:
        store = SqliteStore(tmp_path / LOG_FILE, clock_ms=ticking_clock())
        await store.open()
        await store.create(room_stream("main"))
        process = await asyncio.create_subprocess_exec(*serve(tmp_path), stderr=asyncio.subprocess.PIPE)
        async with asyncio.timeout(20):
            _, sentence = await process.communicate()
        assert process.returncode == Exit.CANNOT_START
        assert sentence.count(b"\n") == 1
        assert str(tmp_path) in sentence.decode()
        assert store.trouble() is None
        await store.close()

    def test_an_ipv6_address(self) -> None:
        if not socket.has_ipv6:
            pytest.skip("no IPv6 here")
        with bind(ServeSettings(host="::1", port=0), encrypted=False) as listener:
            assert listener.family == socket.AF_INET6
