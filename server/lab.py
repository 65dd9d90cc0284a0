"""``GET /lab/echo``, only under ``serve --lab``: says back what it hears, for test suites of WebSocket itself."""

from aiohttp import WSMsgType, web

from pushtui.protocol.frames import Opcode, frame
from server.websocket import WebSocket, accept

#: The largest message of the Autobahn test suite.
MESSAGE_BYTES = 16 << 20


async def echo(request: web.Request) -> web.StreamResponse:
    """The same handshake, reader and closing as the chat has."""
    response, _ = await accept(request)
    ws = WebSocket(MESSAGE_BYTES)
    ws.take_over(request)
    ws.carry(_echo(ws))
    return response


async def _echo(ws: WebSocket) -> None:
    while (message := await ws.receive()) is not None:
        match message.type:
            case WSMsgType.TEXT:
                ws.transport.write(frame(Opcode.TEXT, message.data.encode()))
            case WSMsgType.BINARY:
                ws.transport.write(frame(Opcode.BINARY, message.data))
            case WSMsgType.PING:
                ws.transport.write(frame(Opcode.PONG, message.data))
        await ws.drain()
