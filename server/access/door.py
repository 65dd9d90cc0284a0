"""Stands before every request: who comes, and do they come in."""

import contextlib
import math

from aiohttp import web
from aiohttp.typedefs import Handler

from server.access.access import NotAdmittedError, bearer
from server.access.file import AccessFileError
from server.access.identity import Identity
from server.addresses import ADDRESS
from server.service import SERVICE, Service

#: Who asks. Not there before a chat's ``hello`` when the handshake brought no token.
IDENTITY = web.RequestKey("identity", Identity)

#: Tells who asks nothing that is anybody's: that there is a server, and whether it is well.
_PUBLIC = frozenset({"/", "/healthz"})
_CHAT = "/chat"


@web.middleware
async def door(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let in who has a token, and everyone where none is wanted, unless they are kept out; RFC 6750, section 3."""
    service = request.app[SERVICE]
    if request.path not in _PUBLIC:
        try:
            token = bearer(request.headers.get("Authorization"))
            # Browsers cannot set headers on a WebSocket: its token may come with the hello.
            if token is not None or request.path != _CHAT:
                request[IDENTITY] = await admitted(service, token, request[ADDRESS])
        except NotAdmittedError as error:
            raise web.HTTPUnauthorized(text=str(error), headers={"WWW-Authenticate": "Bearer"}) from error
        except TooManyLoginsError as error:
            headers = {"Retry-After": str(math.ceil(error.wait))}
            raise web.HTTPTooManyRequests(text=str(error), headers=headers) from error
    if IDENTITY in request:
        service.rules.check_in(request[IDENTITY])
    return await handler(request)


class TooManyLoginsError(Exception):
    """There were too many wrong tokens from one address.

    Attributes:
        wait: seconds until one more is looked at.
    """

    def __init__(self, wait: float) -> None:
        super().__init__("too many wrong tokens came from your address; wait")
        self.wait = wait


async def admitted(service: Service, token: str | None, address: str) -> Identity:
    """Tell who comes with this token, or without one.

    A right one is let in however many wrong ones came from its address: nobody locks out their neighbours. One
    that is not known may have been made a moment ago, so the file is looked at before it counts as wrong.

    Raises:
        NotAdmittedError: they do not come in.
        TooManyLoginsError: nor do they get an answer for a while.
    """
    access, allowances = service.access, service.allowances
    try:
        return access.identify(token, address)
    except NotAdmittedError:
        if token is None:
            raise
    if wait := allowances.wait_for_login(address):
        raise TooManyLoginsError(wait)
    with contextlib.suppress(AccessFileError):  # what cannot be read now is told by who looks regularly
        await access.look()
    try:
        return access.identify(token, address)
    except NotAdmittedError:
        allowances.failed_login(address)
        raise
