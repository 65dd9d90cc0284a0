"""``GET /lab/echo``, only under ``serve --lab``: says back what it hears, for test suites of WebSocket itself."""

from aiohttp import WSMsgType, web

from server.websocket import upgrade

#: The largest message of the Autobahn test suite.
MESSAGE_BYTES = 16 << 20


async def echo(request: web.Request) -> web.StreamResponse:
    """The same upgrade, reader and closing as the chat has."""
    ws = await upgrade(request, message_bytes=MESSAGE_BYTES)
    while not ws.closed:
        message = await ws.receive()
        match message.type:
            case WSMsgType.TEXT:
                await ws.send_str(message.data)
            case WSMsgType.BINARY:
                await ws.send_bytes(message.data)
            case WSMsgType.PING:
                await ws.pong(message.data)
    return ws
