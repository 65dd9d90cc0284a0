"""Every limit, in one place: those that both sides know, and those by which a server protects itself.

A server tells its `Limits` in ``welcome`` and at ``GET /``; docs/operations.md lists all of them.
"""

from msgspec import Struct


class Limits(Struct, frozen=True):
    """What one connection may ask for. Sizes are UTF-8 bytes where the name says bytes, else code points.

    Attributes:
        members: of one room that are told of by name; with more it is a crowd.
    """

    frame_bytes: int = 64 * 1024
    text_bytes: int = 16 * 1024
    topic_characters: int = 250
    nick_characters: int = 32
    room_characters: int = 64
    key_characters: int = 128
    rooms_per_connection: int = 64
    replay: int = 1000
    history: int = 200
    hello_seconds: float = 10
    members: int = 200


class Rate(Struct, frozen=True):
    """A token bucket: so many at once, and so many more each second. A rate of 0 means no limit."""

    per_second: float
    burst: int


class Protection(Struct, frozen=True):
    """How much of a server one client, one address or everyone together may take.

    Attributes:
        connections: open at the same time, counted before any handshake.
        connections_per_address: of one IPv4 address or IPv6 network of 64 bits.
        request_seconds: for a TLS handshake, for the first request's line and headers, and for those of each
            further request on the same connection, from its first byte.
        idle_seconds: on a connection that has had its answer, before the next request begins; longer than
            proxies keep theirs, so that it is not this end that closes one which they are about to use.
        body_seconds: for a request's body.
        header_bytes: of one header line, and of the request line.
        headers: header lines of one request.
        headers_bytes: of the line and headers of a request while they are not complete.
        least_bytes_per_second: what a reader for whom data waits has to take, on average over `stuck_seconds`.
        stuck_seconds: how long a reader may take less.
        sends: messages and notices of one person, by whichever way they come.
        sends_per_address: of everyone without a token at one address.
        frames: of one WebSocket connection, whatever they are; more wait in its transport.
        new_rooms: made by one person.
        tails_bytes: of the newest events of all rooms together that are held for those who listen; encoded, they
            may take several times as much. What is older is read from the disk.
        rooms: there are at most, with those that nobody has ever written to.
        failed_logins: with a wrong token, from one address.
        sessions_per_person: connections to the chat with the same token.
    """

    connections: int = 10_000
    connections_per_address: int = 2_000
    request_seconds: float = 10
    idle_seconds: float = 75
    body_seconds: float = 20
    header_bytes: int = 8 * 1024
    headers: int = 100
    headers_bytes: int = 32 * 1024
    least_bytes_per_second: int = 256
    stuck_seconds: float = 20
    sends: Rate = Rate(20, 100)
    sends_per_address: Rate = Rate(200, 1000)
    frames: Rate = Rate(200, 1000)
    new_rooms: Rate = Rate(0.1, 20)
    tails_bytes: int = 128 << 20
    rooms: int = 10_000
    failed_logins: Rate = Rate(0.1, 20)
    sessions_per_person: int = 32


DEFAULT_REPLAY = 50
LIMITS = Limits()
PROTECTION = Protection()
