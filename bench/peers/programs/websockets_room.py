"""Rooms with ``websockets.broadcast()``: ``python websockets_room.py PORT``."""

import asyncio
import sys
from collections import defaultdict

from websockets.asyncio.server import ServerConnection, broadcast, serve

ROOMS: dict[str, set[ServerConnection]] = defaultdict(set)


async def room(connection: ServerConnection) -> None:
    """Everything that one says goes to everyone."""
    assert connection.request is not None
    people = ROOMS[connection.request.path]
    people.add(connection)
    try:
        async for message in connection:
            broadcast(people, message)
    finally:
        people.discard(connection)


async def main() -> None:
    """Until it is ended."""
    port = int(sys.argv[1])
    async with serve(room, "127.0.0.1", port, compression=None, ping_interval=None, backlog=1024) as server:
        await server.serve_forever()


asyncio.run(main())
