"""How long the server waits for what. Tests shorten it; operators have no need to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """All in seconds.

    Attributes:
        ping: between two pings of a chat.
        pong: for the answer to one.
        heartbeat: of silence on an event stream before a comment is sent.
        unacknowledged: for the other end's system to acknowledge what was sent, before a connection is dead. Only
            this finds out that the reader of an event stream is gone without a word: it never answers anything.
        farewell: for clients to go after they were told that the server stops.
        retry: what an event stream tells as its reconnection time.
        grace: for who was lost without a word to come back before the others hear that they are gone.
        lull: between two tellings of who comes, goes, types or is away in one room; what happens meanwhile is told
            together.
        recount: the same in a crowd, which is told how many they are.
        tick: between two looks at all connections.
    """

    ping: float = 20
    pong: float = 20
    heartbeat: float = 15
    unacknowledged: float = 40
    farewell: float = 1.5
    retry: float = 2
    grace: float = 4
    lull: float = 0.05
    recount: float = 2
    tick: float = 1
