"""Errors over HTTP: always JSON, ``{"code", "message"}``, with the right status."""

import logging

from aiohttp import web
from aiohttp.typedefs import Handler

from server.refusal import Code, RefusedError

logger = logging.getLogger(__name__)

_STATUS: dict[Code, int] = {
    "malformed": 400,
    "unknown_type": 400,
    "unauthorized": 401,
    "not_allowed": 403,
    "no_such_room": 404,
    "no_such_target": 404,
    "too_long": 413,
    "rate_limited": 429,
    "busy": 503,
}
_CODES = {
    400: "malformed",
    401: "unauthorized",
    403: "not_allowed",
    408: "too_slow",
    413: "too_large",
    415: "wrong_content_type",
    429: "rate_limited",
}
#: Of an error that a handler raised: what a client has to know besides the sentence.
_PASSED_ON = ("Upgrade", "Sec-WebSocket-Version", "WWW-Authenticate", "Retry-After")


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever went wrong into its answer."""
    try:
        return await handler(request)
    except RefusedError as refusal:
        headers = {}
        if refusal.retry_after_ms is not None:
            headers["Retry-After"] = str(max(1, round(refusal.retry_after_ms / 1000)))
        if refusal.code == "unauthorized":
            headers["WWW-Authenticate"] = "Bearer"
        return _answer(_STATUS[refusal.code], refusal.code, refusal.message, headers)
    except web.HTTPNotFound:
        return _answer(404, "not_found", f"nothing is at {request.path[:100]}; GET / lists what there is", {})
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        message = f"{error.method} is not possible here; {allowed} is"
        return _answer(405, "method_not_allowed", message, {"Allow": allowed})
    except web.HTTPException as error:
        if error.status < 400:
            raise
        headers = {name: error.headers[name] for name in _PASSED_ON if name in error.headers}
        return _answer(error.status, _CODES.get(error.status, "refused"), error.text or error.reason, headers)
    except web.RequestPayloadError:
        return _answer(400, "malformed", "the body is not encoded as its headers say", {})
    except ConnectionError:
        raise  # the client is gone: there is nobody to answer
    except Exception:
        logger.exception("%s %s failed", request.method, request.path)
        return _answer(500, "internal", "the server made a mistake; its log says more", {})


def _answer(status: int, code: str, message: str, headers: dict[str, str]) -> web.Response:
    return web.json_response({"code": code, "message": message}, status=status, headers=headers)
