"""A room as the reducer of the chat makes it, and what is asked of it in tests."""

from pushtui.client.happenings import (
    CaughtUp,
    Link,
    LinkState,
    RoomEvent,
)
from pushtui.protocol import bodies
from pushtui.protocol.limits import LIMITS
from pushtui.protocol.messages import (
    Member,
    Resume,
    RoomState,
    Welcome,
    You,
)
from pushtui.protocol.positions import Outcome
from tui.state.chat import ChatState
from tui.state.room import RoomView

T = 1_795_356_000_000
EPOCH = "abcdefgh"


def said(seq: int, text: str = "hello", by: str = "ana", **more: object) -> RoomEvent:
    return RoomEvent("main", seq, T + seq, "message", by, bodies.Message(text), **more)  # type: ignore[arg-type]


def entered(me: str = "me", *, after: int = 0, floor: int = 1, members: list[Member] | None = None) -> ChatState:
    state = ChatState(me)
    state.apply(Link(LinkState.LIVE), T)
    room = RoomState("main", EPOCH, after, floor, "a topic", members or [])
    state.apply(Welcome("pushtui", "1", You(me, "member"), LIMITS, [room]), T)
    state.apply(Resume("main", Outcome.FRESH, EPOCH, after, after), T)
    state.apply(CaughtUp("main", Outcome.FRESH, 0), T)
    return state


def main(state: ChatState) -> RoomView:
    return state.rooms["main"]


def texts(state: ChatState) -> list[str]:
    return [item.text for item in main(state).items]
