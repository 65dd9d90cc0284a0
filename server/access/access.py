"""Decides who somebody is: from a token to an identity, and whether that still holds."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from pushtui.protocol.roles import Role
from server.access.file import NAME, AccessFile, AccessFileError
from server.access.identity import Identity
from server.access.lookalikes import skeleton
from server.access.records import Holdings, TokenRecord
from server.access.secret import Secret

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

#: Seconds between two writings of when tokens were used.
_USES_SECONDS = 30.0


class NotAdmittedError(Exception):
    """Somebody is not let in; the message is one sentence for them, and never tells the token."""


class Access:
    """Everything that is known of who may come in, always in memory; the file behind it is followed.

    Without a file everyone comes in as a member, and so it is while no token was ever made.

    Args:
        file: tokens, sanctions, rules; None for a server that keeps none.
        clock_ms: the time in ms since the epoch.
        open_to_all: who has no token comes in too, as a member, even if tokens were made.
        look: seconds between two looks at the file: what the commands change there holds at most so much later.

    Attributes:
        holdings: what the file said last.
    """

    def __init__(
        self,
        file: AccessFile | None,
        *,
        clock_ms: Callable[[], int],
        open_to_all: bool = False,
        look: float = 1.0,
    ) -> None:
        self.holdings = Holdings()
        self._file = file
        self._clock_ms = clock_ms
        self._open_to_all = open_to_all
        self._look_seconds = look
        self._followers: list[Callable[[], object]] = []
        self._using = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "access")
        self._seen_change: int | None = None
        self._next_lapse: int | None = None
        self._uses: dict[str, int] = {}
        self._names: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Read the file, and follow it from now on.

        Raises:
            AccessFileError: it cannot be read.
        """
        if self._file is not None:
            await self.look()
            self._task = asyncio.get_running_loop().create_task(self._keep_looking())

    async def close(self) -> None:
        """Keep what is not written yet, and let go. Idempotent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        if self._file is not None:
            with contextlib.suppress(AccessFileError):
                await self._write_uses()
            # In the thread as well: a look that was cancelled may still be going on there.
            await self._run(self._file.close)
            self._file = None
            self._thread.shutdown()

    def follow(self, follower: Callable[[], object]) -> None:
        """Call ``follower`` after every change of what holds, and when a token ends."""
        self._followers.append(follower)

    def now(self) -> int:
        """The time in ms since the epoch, by which everything here begins and ends."""
        return self._clock_ms()

    # Who somebody is

    @property
    def wants_tokens(self) -> bool:
        """Whether nobody comes in without a token. Revoking the last one does not open the door."""
        return bool(self.holdings.tokens) and not self._open_to_all

    def identify(self, token: str | None, address: str) -> Identity:
        """Tell who comes with this token, or without one.

        Args:
            token: what they showed, None for nothing.
            address: the address they count under.

        Raises:
            NotAdmittedError: they do not come in, with the reason.
        """
        if token is None:
            if self.wants_tokens:
                raise NotAdmittedError("this server wants a token")
            return Identity(address)
        secret = Secret.parse(token)
        record = None if secret is None else self.holdings.tokens.get(secret.id)
        # A token that nobody has takes as long as one that somebody has.
        known = (secret or _NOBODY).matches(_NOBODY_DIGEST if record is None else record.digest)
        if record is None or not known:
            raise NotAdmittedError("the server does not know this token")
        if (reason := self._lapsed(record)) is not None:
            raise NotAdmittedError(reason)
        self._uses[record.id] = self._clock_ms()
        return Identity(address, record.role, record.id, record.name)

    def lapsed(self, identity: Identity) -> str | None:
        """Why somebody who was let in has to go now, None as long as they may stay."""
        if identity.token is None:
            return "this server wants a token now" if self.wants_tokens else None
        record = self.holdings.tokens.get(identity.token)
        return "this token is gone" if record is None else self._lapsed(record)

    def reserved(self, nick: str) -> str | None:
        """The name of a token that a nick is, or looks like; None if it is free."""
        return self._names.get(skeleton(nick))

    def role(self, name: str) -> Role | None:
        """What somebody with a token of that name is; of several the most. None when none of them holds."""
        roles = [
            record.role
            for record in self.holdings.tokens.values()
            if record.name == name and self._lapsed(record) is None
        ]
        return max(roles, key=list(Role).index, default=None)

    def _lapsed(self, record: TokenRecord) -> str | None:
        if record.revoked is not None:
            return "this token was revoked"
        if record.expires is not None and record.expires <= self._clock_ms():
            return "this token has expired"
        return None

    # The file

    async def change(self, change: Callable[[AccessFile], T]) -> T:
        """Change something in the file; what it says holds when this returns, and followers know.

        Raises:
            AccessFileError: it cannot be changed now, or there is none.
        """
        async with self._using:
            if self._file is None:
                raise AccessFileError("this server keeps nothing: start it with a data folder")
            done = await self._run(change, self._file)
            self._take(await self._run(self._file.load))
        return done

    async def look(self) -> None:
        """See what others have changed in the file; it is looked at now and then anyway.

        Raises:
            AccessFileError: it cannot be read.
        """
        async with self._using:
            if self._file is None:
                return
            change = await self._run(self._file.change)
            if change != self._seen_change:
                self._seen_change = change
                self._take(await self._run(self._file.load))
        if self._next_lapse is not None and self._next_lapse <= self._clock_ms():
            self._take(self.holdings)

    def _take(self, holdings: Holdings) -> None:
        self.holdings = holdings
        now = self._clock_ms()
        ends = [record.expires for record in holdings.tokens.values() if record.revoked is None]
        ends += [sanction.until for sanction in holdings.sanctions]
        self._next_lapse = min((end for end in ends if end is not None and end > now), default=None)
        self._names = {skeleton(record.name): record.name for record in holdings.tokens.values()}
        for follower in self._followers:
            follower()

    async def _keep_looking(self) -> None:
        loop = asyncio.get_running_loop()
        written = loop.time()
        while True:
            await asyncio.sleep(self._look_seconds)
            try:
                await self.look()
                if self._uses and loop.time() - written >= _USES_SECONDS:
                    written = loop.time()
                    await self._write_uses()
            except AccessFileError as error:
                logger.warning("%s", error)

    async def _run(self, call: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(call, *arguments, **named))

    async def _write_uses(self) -> None:
        async with self._using:
            if self._file is not None and self._uses:
                uses, self._uses = self._uses, {}
                await self._run(self._file.used, uses)


_NOBODY = Secret.draw()
_NOBODY_DIGEST = Secret.draw().digest()


def tokens_exist(folder: Path) -> bool:
    """Whether a token was ever made for the server of a data folder.

    Raises:
        AccessFileError: there is an access file, but it cannot be read.
    """
    if not (folder / NAME).exists():
        return False
    with contextlib.closing(AccessFile.open(folder)) as file:
        return bool(file.load().tokens)


def bearer(header: str | None) -> str | None:
    """The token of an ``Authorization`` header; None when there is none. RFC 6750, section 2.1.

    Raises:
        NotAdmittedError: the header is of another scheme.
    """
    if header is None:
        return None
    scheme, _, token = header.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAdmittedError("the token is to be sent as Authorization: Bearer")
    return token.strip()
