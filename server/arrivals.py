"""What every request passes first: where it comes from is found out, and its body has to come in time."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from server.addresses import ADDRESS, Addresses
from server.seats import FullError, Seat, Seats

#: The seat of a proxy's client. Who takes it out of the request gives it back.
SEAT = web.RequestKey("seat", Seat)

_RETRY_AFTER = {"Retry-After": "10"}


def known_addresses(addresses: Addresses, seats: Seats) -> Middleware:
    """A middleware that puts down the `ADDRESS` of a request.

    The clients of a proxy share its connections, so each of their requests, for as long as it is answered, is
    counted as a connection of the client's is.
    """

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        address = request[ADDRESS] = addresses.of(request)
        if not addresses.is_proxy(request.remote or ""):
            return await handler(request)
        try:
            request[SEAT] = seats.share(address)
        except FullError as full:
            raise web.HTTPTooManyRequests(text=full.message, headers=_RETRY_AFTER) from None
        try:
            return await handler(request)
        finally:
            if (seat := request.pop(SEAT, None)) is not None:
                seat.leave()

    return count


def whole_bodies(seconds: float) -> Middleware:
    """A middleware that waits for the whole body, and not for ever, before anything is done with the request.

    A body is taken as it is: packed ones are refused (RFC 9110, section 15.5.16).
    """

    @web.middleware
    async def wait(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.can_read_body:
            if request.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise web.HTTPUnsupportedMediaType(text="send the body without a Content-Encoding")
            try:
                async with asyncio.timeout(seconds):
                    await request.read()
            except TimeoutError:
                raise web.HTTPRequestTimeout(text=f"the body did not come within {seconds:g} s") from None
        return await handler(request)

    return wait
