"""What close codes mean: RFC 6455, section 7.4, and IANA's WebSocket Close Code Number Registry."""

_MEANINGS = {
    1000: "normal",
    1001: "going away",
    1002: "protocol error",
    1003: "a kind of data that is not accepted",
    1005: "no code was given",
    1006: "no close frame came",
    1007: "data that does not fit its type",
    1008: "against a rule",
    1009: "message too big",
    1010: "an extension is missing",
    1011: "internal error",
    1012: "service restart",
    1013: "try again later",
    1014: "bad gateway",
    1015: "TLS failed",
}
_PUSHTUI = {
    4000: "no hello in time",
    4001: "too slow",
    4002: "no pong",
    4500: "bad or missing token",
    4501: "protocol error of the chat",
    4502: "nick taken",
    4503: "removed by a moderator",
    4504: "replaced by a newer connection",
}


def meaning(code: int, subprotocol: str | None = None) -> str:
    """What a code says; those from 4000 on mean what the application likes, so the subprotocol counts."""
    if code in _MEANINGS:
        return _MEANINGS[code]
    if code in _PUSHTUI and (subprotocol or "").startswith("pushtui."):
        return _PUSHTUI[code]
    if 3000 <= code <= 3999:
        return "registered by a library or framework"
    if 4000 <= code <= 4999:
        return "the application's own"
    return "not a valid code"
