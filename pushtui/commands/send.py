"""``pushtui send``: a message from a shell, a script or a pipe."""

import asyncio
import itertools
import logging
import secrets
import sys
from collections.abc import Iterator
from typing import BinaryIO

from pushtui.client.posting import (
    BrokenConnectionError,
    Posted,
    Poster,
    PostRefusedError,
    UnreachableError,
)
from pushtui.commands import target
from pushtui.exits import CommandError, Exit
from pushtui.protocol.limits import LIMITS

logger = logging.getLogger(__name__)


def run(text: str | None, *, url: str, room: str, nick: str | None, lines: bool) -> int:
    """Post ``text``, or what comes on standard input.

    Args:
        text: the message; None reads standard input.
        url: the server.
        room: where to.
        nick: from whom, by default the login name.
        lines: post each line of standard input by itself, as it comes; blank ones are left out.

    Raises:
        CommandError: there is nothing to send, too much for one message, no server, or it refused.
    """
    address = target.address_of(url)
    room = target.room(room)
    name = target.nick(nick) if nick is not None else target.login()
    if text is None and sys.stdin.isatty():
        print("pushtui: write the message, then Ctrl-D on a line of its own", file=sys.stderr)  # noqa: T201
    poster = Poster(address, room, nick=name)
    with asyncio.Runner() as runner:
        try:
            if text is None and lines:
                for number, line in _lines(sys.stdin.buffer):
                    try:
                        runner.run(_send(poster, line))
                    except CommandError as error:
                        raise CommandError(error.code, f"line {number}: {error}") from error
            else:
                runner.run(_send(poster, _whole(sys.stdin.buffer) if text is None else text))
        finally:
            runner.run(poster.aclose())
    return Exit.FINE


def _whole(source: BinaryIO) -> str:
    data = source.read(LIMITS.text_bytes + 1)
    if len(data.rstrip()) > LIMITS.text_bytes:
        raise CommandError(
            Exit.REFUSED,
            f"nothing was sent: a message has at most {LIMITS.text_bytes} bytes, and standard input has more"
            " (--lines sends each line by itself)",
        )
    return data.decode(errors="replace").rstrip()


def _lines(source: BinaryIO) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, numbered, as they come."""
    for number in itertools.count(1):
        data = source.readline(LIMITS.text_bytes + len("\r\n"))
        if not data:
            return
        if len(data.rstrip(b"\r\n")) > LIMITS.text_bytes:
            raise CommandError(
                Exit.REFUSED,
                f"line {number}: a message has at most {LIMITS.text_bytes} bytes, and this line has more;"
                " it was not sent",
            )
        if text := data.decode(errors="replace").rstrip():
            yield number, text


async def _send(poster: Poster, text: str) -> None:
    if not text.strip():
        raise CommandError(Exit.WRONG_OPTIONS, "there is nothing to send")
    key = secrets.token_hex(8)
    try:
        posted = await _post(poster, text, key)
    except UnreachableError as error:
        raise CommandError(Exit.NO_SERVER, f"{error}; it was not sent") from error
    except BrokenConnectionError as error:
        raise CommandError(Exit.NO_SERVER, f"{error}; it may or may not have been stored") from error
    except PostRefusedError as error:
        raise CommandError(Exit.REFUSED, f"{error}; it was not sent") from error
    logger.info("stored at %s, %d listening", posted.position, posted.listeners)


async def _post(poster: Poster, text: str, key: str) -> Posted:
    try:
        return await poster.post(text, key=key)
    except BrokenConnectionError as error:
        # the key makes a second try safe: what is known to the server already is not stored again
        logger.info("%s; trying once more", error)
        return await poster.post(text, key=key)
