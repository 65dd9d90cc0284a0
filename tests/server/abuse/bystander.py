"""Somebody who chats while others attack the server: whatever happens to those, it goes on."""

import itertools

from tests.server.peer import Peer


class Bystander:
    """One in the room, who says something and hears it."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._numbers = itertools.count()

    async def goes_on(self, times: int = 1) -> None:
        """Say something and hear it, so many times."""
        for _ in range(times):
            key = f"bystander {next(self._numbers)}"
            await self._peer.say("send", key=key, room="main", text="still here")
            await self._peer.hear_of("event", key=key)
