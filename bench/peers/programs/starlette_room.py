"""Rooms with Starlette, a queue for each client: ``uvicorn starlette_room:app``."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

ROOMS: dict[str, set[asyncio.Queue[str]]] = defaultdict(set)


def say(room: str, text: str) -> None:
    """One message to everyone."""
    for queue in ROOMS[room]:
        queue.put_nowait(text)


async def talk(socket: WebSocket) -> None:
    """A WebSocket: what comes in goes to all queues, what is in the own queue goes out."""
    room = socket.path_params["room"]
    queue: asyncio.Queue[str] = asyncio.Queue()
    await socket.accept()
    ROOMS[room].add(queue)
    sending = asyncio.create_task(_send(socket, queue))
    try:
        while True:
            say(room, await socket.receive_text())
    except WebSocketDisconnect:
        pass
    finally:
        sending.cancel()
        ROOMS[room].discard(queue)


async def _send(socket: WebSocket, queue: asyncio.Queue[str]) -> None:
    while True:
        await socket.send_text(await queue.get())


async def listen(request: Request) -> Response:
    """An event stream."""
    return StreamingResponse(_events(request.path_params["room"]), media_type="text/event-stream")


async def _events(room: str) -> AsyncIterator[str]:
    queue: asyncio.Queue[str] = asyncio.Queue()
    ROOMS[room].add(queue)
    try:
        while True:
            yield f"data: {await queue.get()}\n\n"
    finally:
        ROOMS[room].discard(queue)


async def post(request: Request) -> Response:
    """One message."""
    say(request.path_params["room"], (await request.body()).decode())
    return Response(status_code=201)


app = Starlette(
    routes=[
        WebSocketRoute("/rooms/{room}", talk),
        Route("/rooms/{room}", listen, methods=["GET"]),
        Route("/rooms/{room}", post, methods=["POST"]),
    ]
)
