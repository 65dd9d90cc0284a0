"""``pushtui send``: a message from a shell, a script or a pipe."""

import asyncio
import itertools
import logging
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pushtui.client.address import Address
from pushtui.client.posting import (
    BrokenConnectionError,
    Posted,
    Poster,
    PostRefusedError,
    UnreachableError,
)
from pushtui.commands import credential, target
from pushtui.exits import CommandError, Exit
from pushtui.protocol.limits import LIMITS
from pushtui.protocol.token import Token

logger = logging.getLogger(__name__)


def run(
    text: str | None, *, url: str, room: str, nick: str | None, lines: bool, token_file: Path | None = None
) -> int:
    """Post ``text``, or what comes on standard input.

    Args:
        text: the message; None reads standard input.
        url: the server.
        room: where to.
        nick: from whom, by default the login name.
        lines: post each line of standard input by itself, as it comes; blank ones are left out.
        token_file: the file with the token, if not PUSHTUI_TOKEN has it.

    Raises:
        CommandError: there is nothing to send, too much for one message, no server, or it refused.
    """
    address = target.address_of(url)
    room = target.room(room)
    name = target.nick(nick) if nick is not None else target.login()
    token = credential.given(token_file)
    if token is not None and not address.private:
        credential.warn(address.authority)
    if text is None and sys.stdin.isatty():
        print("pushtui: write the message, then Ctrl-D on a line of its own", file=sys.stderr)  # noqa: T201
    posting = _Posting(address, room, name, token)
    with asyncio.Runner() as runner:
        try:
            if text is None and lines:
                for number, line in _lines(sys.stdin.buffer):
                    try:
                        posting.send(runner, line)
                    except CommandError as error:
                        raise CommandError(error.code, f"line {number}: {error}") from error
            else:
                posting.send(runner, _whole(sys.stdin.buffer) if text is None else text)
        finally:
            posting.close(runner)
    return Exit.FINE


class _Posting:
    """Posts, and asks once for a token if the server wants one and there was none."""

    def __init__(self, address: Address, room: str, nick: str, token: Token | None) -> None:
        self._address = address
        self._room = room
        self._nick = nick
        self._has_token = token is not None
        self._poster = Poster(address, room, nick=nick, token=token)

    def send(self, runner: asyncio.Runner, text: str) -> None:
        try:
            runner.run(_send(self._poster, text, had_token=self._has_token))
        except credential.TokenWantedError:
            token = None if self._has_token else credential.ask(self._address)
            if token is None:
                raise
            if not self._address.private:
                credential.warn(self._address.authority)
            self.close(runner)
            self._has_token = True
            self._poster = Poster(self._address, self._room, nick=self._nick, token=token)
            runner.run(_send(self._poster, text, had_token=True))

    def close(self, runner: asyncio.Runner) -> None:
        runner.run(self._poster.aclose())


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


async def _send(poster: Poster, text: str, *, had_token: bool) -> None:
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
        raise credential.refusal(f"{error}; it was not sent", error.status, had_token=had_token) from error
    logger.info("stored at %s, %d listening", posted.position, posted.listeners)


async def _post(poster: Poster, text: str, key: str) -> Posted:
    try:
        return await poster.post(text, key=key)
    except BrokenConnectionError as error:
        # the key makes a second try safe: what is known to the server already is not stored again
        logger.info("%s; trying once more", error)
        return await poster.post(text, key=key)
