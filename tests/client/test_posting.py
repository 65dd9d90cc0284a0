import asyncio
import json

import pytest

from pushtui.client.address import Address
from pushtui.client.posting import (
    BrokenConnectionError,
    Posted,
    Poster,
    PostRefusedError,
    UnreachableError,
    post_message,
)
from tests.client.peers import PATIENCE, TOKEN, Request, forever, http_peer

POSTED = b'{"position": "abcdefgh.7", "duplicate": false, "listeners": 3}'


async def test_a_message_is_posted() -> None:
    requests: list[Request] = []

    async def peer(request: Request) -> None:
        requests.append(request)
        await request.answer("201 Created", "Content-Type: application/json", body=POSTED)

    async with http_peer(peer) as address:
        below = Address.parse(f"{address}/team")
        posted = await post_message(below, "main", "hé\n\ud800", nick="ana", key="k", token=TOKEN)
    assert posted == Posted("abcdefgh.7", False, 3)
    (request,) = requests
    assert (request.method, request.target) == ("POST", "/team/rooms/main")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == TOKEN.header
    assert json.loads(request.body) == {"text": "hé\n?", "key": "k", "from": "ana"}


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        ("413 Content Too Large", b'{"code": "too_long", "message": "too\\u001b long"}', "too� long"),
        ("404 Not Found", b"<html>", "there is no pushtui at {authority} (HTTP 404)"),
        ("302 Found", b"", "there is no pushtui at {authority} (HTTP 302)"),
        ("200 OK", b"<html>", "there is no pushtui at {authority} (HTTP 200)"),
        ("201 Created", b"[" * 100_000, "there is no pushtui at {authority} (HTTP 201)"),
        ("500 Internal Server Error", b'{"message": 1}', "there is no pushtui at {authority} (HTTP 500)"),
    ],
)
async def test_a_refusal_is_a_sentence(status: str, body: bytes, sentence: str) -> None:
    async def peer(request: Request) -> None:
        await request.answer(status, body=body)

    async with http_peer(peer) as address:
        with pytest.raises(PostRefusedError) as refusal:
            await post_message(address, "main", "x", nick="ana", key="k")
    assert str(refusal.value) == sentence.format(authority=address.authority)
    assert refusal.value.status == int(status[:3])


async def test_no_server() -> None:
    async with http_peer(lambda request: forever()) as address:
        pass
    with pytest.raises(UnreachableError, match=f"^no server at {address.authority}$"):
        await post_message(address, "main", "x", nick="ana", key="k")


async def test_no_answer() -> None:
    async def peer(request: Request) -> None:
        request.cut()

    async with http_peer(peer) as address:
        with pytest.raises(BrokenConnectionError, match=f"^{address.authority} hung up$"):
            await post_message(address, "main", "x", nick="ana", key="k")


async def test_messages_share_a_connection_and_a_lost_one_is_opened_again() -> None:
    bodies: list[bytes] = []
    ended: list[asyncio.Task[None]] = []

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.append(asyncio.current_task())  # type: ignore[arg-type]
        for _ in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            bodies.append(await reader.readexactly(int(length.partition(b":")[2])))
            writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%b" % (len(POSTED), POSTED))
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(peer, "127.0.0.1", 0) as server:
        address = Address.parse(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        async with Poster(address, "main", nick="ana") as poster:
            for number in range(4):
                assert (await poster.post(f"{number}", key=f"{number}")).listeners == 3
                if number == 1:
                    async with asyncio.timeout(PATIENCE):
                        await asyncio.wait(ended)
        await asyncio.gather(*ended)
    assert [json.loads(body)["text"] for body in bodies] == ["0", "1", "2", "3"]
    assert len(ended) == 2
