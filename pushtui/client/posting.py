"""Messages into a room, without a conversation: for scripts."""

import ssl
from typing import Self

import httpx
import msgspec
from msgspec import Struct

from pushtui import __version__
from pushtui.client import decoding, endings
from pushtui.client.address import Address
from pushtui.protocol.text import safe_line
from pushtui.protocol.token import Token, masked

_TIMEOUT = 10.0


class UnreachableError(Exception):
    """There is no server; nothing was stored."""


class BrokenConnectionError(Exception):
    """No answer came: whether the message was stored is unknown. Another try with the same key is safe."""


class PostRefusedError(Exception):
    """The server did not take the message; the text is its sentence.

    Attributes:
        status: the HTTP status.
    """

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


class Posted(Struct, frozen=True):
    """Where a message was stored, and how many were listening.

    Attributes:
        position: ``<epoch>.<seq>``.
        duplicate: it had been stored before, under the same key.
        listeners: how many connections were in the room.
    """

    position: str
    duplicate: bool
    listeners: int


class _Message(Struct, omit_defaults=True, rename={"author": "from"}):
    text: str
    key: str
    author: str


class _Refusal(Struct):
    message: str


class Poster:
    """Posts messages into one room, over one connection that is kept between them.

    To be entered with ``async with``, or closed with `aclose`.

    Args:
        address: where the server is.
        room: the room's name.
        nick: who says it.
        token: what lets one in, if the server wants something.
    """

    def __init__(self, address: Address, room: str, *, nick: str, token: Token | None = None) -> None:
        self._address = address
        self._url = address.room(room)
        self._nick = nick
        self._headers = {"User-Agent": f"pushtui/{__version__}", "Content-Type": "application/json"}
        if token is not None:
            self._headers["Authorization"] = token.header
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            await self._client.aclose()

    async def post(self, text: str, *, key: str) -> Posted:
        """Post one message.

        Args:
            text: what to say.
            key: unique per author; posted again with it, the message is stored once.

        Raises:
            UnreachableError: there is no server.
            BrokenConnectionError: the server gave no answer.
            PostRefusedError: the server did not take it.
        """
        authority = self._address.authority
        content = msgspec.json.encode(_Message(text.encode(errors="replace").decode(), key, self._nick))
        try:
            if self._client is None:
                # here, because what is wrong with the environment's proxy is found by it
                self._client = httpx.AsyncClient(
                    timeout=_TIMEOUT,
                    # The system's authorities and SSL_CERT_FILE, as for WebSockets; httpx alone has its own.
                    verify=ssl.create_default_context(),
                    trust_env=not self._address.loopback,
                )
            response = await self._client.post(self._url, content=content, headers=self._headers)
        except (httpx.ConnectError, httpx.ProxyError) as error:
            raise UnreachableError(endings.unreachable(error, authority).reason) from error
        except httpx.ConnectTimeout as error:
            raise UnreachableError(f"no answer from {authority} for {_TIMEOUT:g} s") from error
        except (ImportError, httpx.InvalidURL) as error:
            raise UnreachableError(endings.no_proxy(error).reason) from error
        except httpx.TimeoutException as error:
            raise BrokenConnectionError(f"no answer from {authority} for {_TIMEOUT:g} s") from error
        except httpx.HTTPError as error:
            raise BrokenConnectionError(f"{authority} hung up") from error
        return _posted(response)


async def post_message(
    address: Address, room: str, text: str, *, nick: str, key: str, token: Token | None = None
) -> Posted:
    """Post one message, and let go of the connection: see `Poster`, whose errors it raises."""
    async with Poster(address, room, nick=nick, token=token) as poster:
        return await poster.post(text, key=key)


def _posted(response: httpx.Response) -> Posted:
    status = response.status_code
    try:
        if status in (200, 201):
            return decoding.json(response.text, Posted)
        reason = masked(decoding.json(response.text, _Refusal).message)
    except decoding.UnreadableError:
        reason = safe_line(f"there is no pushtui at {response.url.netloc.decode()} (HTTP {status})")
    raise PostRefusedError(reason, status)
