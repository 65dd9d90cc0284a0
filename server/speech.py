"""What one person says on one connection, on its way into the log."""

import asyncio
import logging
from collections.abc import Callable

from pushtui.protocol import messages
from server.access.identity import Author
from server.refusal import RefusedError
from server.writing import Writing, Written

logger = logging.getLogger(__name__)

#: Appends of one client on their way to the disk; more wait in its transport.
_MOST_UNDER_WAY = 256


class Speech:
    """Stores what is said, in the order in which it is said.

    Args:
        writing: the way into the log.
        tell: answers the one who speaks.
        echo: lets them hear at once what is new in a room: who waits for that before going on shall not wait for
            everyone else.
    """

    def __init__(
        self, writing: Writing, tell: Callable[[messages.ServerMessage], None], echo: Callable[[str], None]
    ) -> None:
        self._writing = writing
        self._tell = tell
        self._echo = echo
        self._under_way: set[asyncio.Task[None]] = set()
        self._stopped: str | None = None

    def stop(self, reason: str) -> None:
        """Let nothing more through, not even what was heard already."""
        self._stopped = reason

    async def say_soon(self, author: Author, said: messages.Send) -> None:
        """Store without waiting, so that one client's messages share a disk write."""
        if len(self._under_way) >= _MOST_UNDER_WAY:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.get_running_loop().create_task(self._store_or_refuse(author, said))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def say(self, author: Author, said: Written) -> None:
        """Store when all is stored that was said before.

        Raises:
            RefusedError: it cannot be stored.
        """
        if self._under_way:
            await asyncio.wait(self._under_way)
        await self._store(author, said)

    async def _store_or_refuse(self, author: Author, said: Written) -> None:
        try:
            await self._store(author, said)
        except RefusedError as refusal:
            self._tell(refusal.error(said.key))
        except Exception:
            logger.exception("a message could not be stored")
            self._tell(RefusedError("busy", "the server could not store this").error(said.key))

    async def _store(self, author: Author, said: Written) -> None:
        if self._stopped is not None:
            raise RefusedError("not_allowed", self._stopped)
        stored = await self._writing.write(author, said)
        if stored.duplicate:
            self._tell(messages.Ack(said.key, said.room, stored.seq, duplicate=True))
        else:
            self._echo(said.room)
