"""The chat as the screen knows it: a reducer of what the client tells. Pure: the clock is given in."""

import msgspec

from pushtui.client.happenings import (
    CaughtUp,
    ChatHappening,
    Delivery,
    Link,
    LinkState,
    Page,
    Pending,
    RoomEvent,
    Undeliverable,
)
from pushtui.protocol import bodies
from pushtui.protocol.messages import (
    Ack,
    Crowd,
    Error,
    Left,
    Member,
    Members,
    Presence,
    Resume,
    RoomState,
    Rules,
    Typing,
    Welcome,
)
from pushtui.protocol.positions import Lost, Outcome
from pushtui.protocol.roles import Role
from pushtui.protocol.text import safe_line, safe_text
from tui.state.amendments import spoken
from tui.state.hold import passes
from tui.state.items import Item, Kind, Place, Reply, State
from tui.state.room import TYPING_MS, Older, RoomView
from tui.state.rules import RoomRules, role_of

_ANYWHERE = Place(0)
MARK = "⚑"
OUTCOME = "○"
TOPIC = "#"
LEVELS = {"info": "·", "success": "✓", "warning": "●", "critical": "▲"}


class ChatState:
    """All rooms of one connection.

    Attributes:
        me: the own nick.
        role: what the server takes us for.
        rooms: those that were entered, by name.
    """

    def __init__(self, me: str) -> None:
        self.me = me
        self.role = Role.MEMBER
        self.rooms: dict[str, RoomView] = {}
        self._live = False
        self._lost_at: dict[str, int] = {}
        self._floors: dict[str, int] = {}
        self._resumed: dict[str, tuple[Place | None, str]] = {}

    def room(self, name: str) -> RoomView:
        """Return the room, empty if it was not known."""
        view = self.rooms.get(name)
        if view is None:
            view = self.rooms[name] = RoomView(name)
            view.live = self._live
        return view

    def open_direct(self, name: str, other: str, *, beckons: bool) -> None:
        """There is a room of two with somebody; ``beckons`` when it was them who opened it, just now."""
        view = self.room(name)
        view.rules = RoomRules(private=True, direct=other)
        view.beckons = beckons

    @property
    def people(self) -> set[str]:
        """Everyone in sight, without us, and those with whom we share a room of two."""
        views = self.rooms.values()
        there = {nick for view in views for nick in view.members} | {view.rules.direct for view in views}
        return there - {self.me, ""}

    def left(self, name: str) -> None:
        """Forget a room that was left."""
        self.rooms.pop(name, None)

    def queued(self, key: str, room: str, text: str, now_ms: int) -> None:
        """Show at once what was just said; ``key`` is what the client returned for it."""
        kind, words = spoken(safe_text(text))
        self.room(room).queue(
            Item(_ANYWHERE, now_ms, kind, words, by=self.me, own=True, key=key, state=State.QUEUED)
        )

    def own(self, key: str) -> Item | None:
        """Return the own message with ``key``, in whichever room, while it waits or has failed."""
        return next((item for view in self.rooms.values() if (item := view.own(key))), None)

    def taken_back(self, key: str) -> None:
        """An own message was given up before anybody could read it."""
        for view in self.rooms.values():
            view.take_unsettled(key)

    def tick(self, now_ms: int) -> bool:
        """Let what ends by itself end; True when something changed."""
        return sum(view.expire(now_ms) for view in self.rooms.values()) > 0

    def apply(self, happening: ChatHappening, now_ms: int) -> None:
        """Take in what the client tells; what is about a room that was never entered is left out."""
        match happening:
            case Link():
                self._link(happening, now_ms)
            case Welcome():
                self.me, self.role = happening.you.nick, role_of(happening.you.role)
                for state in happening.rooms:
                    self._enter(state)
            case Resume():
                self._resume(happening, now_ms)
            case CaughtUp(room=str()):
                self._caught_up(happening)
            case Delivery():
                self._delivery(happening, now_ms)
            case Pending():
                self._pending(happening, now_ms)
            case Undeliverable():
                self._undeliverable(happening, now_ms)
            case Error():
                self._error(happening)
            case RoomEvent() | Ack() | Presence() | Crowd() | Members() | Typing() | Page() | Rules() | Left():
                view = self.rooms.get(happening.room)
                if view is not None:
                    self._in_room(view, happening, now_ms)

    def _in_room(
        self,
        view: RoomView,
        happening: RoomEvent | Ack | Presence | Crowd | Members | Typing | Page | Rules | Left,
        now_ms: int,
    ) -> None:
        match happening:
            case RoomEvent():
                self._event(view, happening)
            case Ack():
                waiting = view.take_unsettled(happening.key)
                if waiting is not None:
                    place = Place(happening.seq)
                    view.settle(msgspec.structs.replace(waiting, place=place, state=State.STORED, reason=""))
            case Presence():
                nick = happening.nick
                item = Item(_ANYWHERE, now_ms, Kind.PRESENCE, "", own=nick == self.me)
                view.come_and_go(item, Member(nick, happening.state, happening.text))
            case Crowd():
                view.crowd = happening.count
            case Members():
                view.gather(happening.members)
            case Typing():
                nick = happening.nick or ""
                if nick and nick != self.me:
                    view.types(nick, now_ms + TYPING_MS if happening.on else None)
            case Page():
                self._page(view, happening)
            case Rules():
                view.rules = view.rules._replace(read_only=happening.read_only, private=happening.private)
            case Left():
                view.shut(happening.reason)

    def _link(self, link: Link, now_ms: int) -> None:
        self._live = link.state is LinkState.LIVE
        for view in self.rooms.values():
            view.live = self._live and not view.rules.shut
            if not self._live:
                view.catching_up = False
                place, down = self._resumed.pop(view.name, (None, ""))
                if place is not None:
                    view.replace(place, text=f"{down or 'the log was reset'} · cut off while catching up")
                if view.older is Older.LOADING:
                    view.older = Older.MORE
                for nick in view.typing(now_ms):
                    view.types(nick, None)
            if link.state is LinkState.LOST:
                self._lost_at.setdefault(view.name, now_ms)

    def _enter(self, state: RoomState) -> None:
        view = self.room(state.room)
        self._floors[state.room] = state.floor
        view.topic = state.topic
        view.gather(state.members, state.count)
        view.rules = RoomRules(state.read_only, state.private, state.direct or view.rules.direct)

    def _resume(self, resume: Resume, now_ms: int) -> None:
        view = self.room(resume.room)
        if resume.topic is not None:
            view.topic = resume.topic
        if resume.members is not None:
            view.gather(resume.members, resume.count)
            view.rules = RoomRules(resume.read_only, resume.private, resume.direct or view.rules.direct)
            view.live = self._live
        if resume.outcome is Outcome.RESET:
            view.clear()
        if resume.outcome in (Outcome.FRESH, Outcome.RESET) and view.oldest is None:
            view.begin(resume.after, more=resume.after >= self._floors.get(resume.room, 1))
        view.saw(resume.after)
        view.catching_up = True
        lost_at = self._lost_at.pop(resume.room, None)
        down = "" if lost_at is None else f"link lost for {duration(now_ms - lost_at)}"
        place = None
        if down or resume.outcome in (Outcome.GAP, Outcome.RESET):
            text = _outcome(down, resume.outcome, None, resume.lost)
            place = view.line(Item(_ANYWHERE, now_ms, Kind.OUTCOME, text, sign=OUTCOME))
        self._resumed[resume.room] = place, down

    def _caught_up(self, caught_up: CaughtUp) -> None:
        view = self.rooms.get(caught_up.room or "")
        if view is None:
            return
        view.catching_up = view.beckons = False
        view.place_failed()
        place, down = self._resumed.pop(view.name, (None, ""))
        if place is not None:
            view.replace(place, text=_outcome(down, caught_up.outcome, caught_up.replayed, caught_up.lost))

    def _event(self, view: RoomView, event: RoomEvent) -> None:
        old_news = event.seq <= view.newest
        view.saw(event.seq)
        by = event.by
        if isinstance(event.body, bodies.Edit | bodies.Redact | bodies.React):
            view.amend(view.amendments.add(event.seq, by, event.body))
            return
        item = self._item(view, event)
        if item is None:
            return
        if item.own and item.key:
            view.take_unsettled(item.key)
        if not view.settle(item) or old_news:
            return
        if isinstance(event.body, bodies.Topic):
            view.topic = event.body.text
        if item.said:
            view.types(by, None)
            view.arrived += 1
            first_look = view.catching_up and event.replayed and self._resumed.get(view.name) == (None, "")
            if item.own and first_look:
                view.seen()
            elif not item.own and (view.beckons or not first_look):
                view.unread += 1

    def _item(self, view: RoomView, event: RoomEvent) -> Item | None:
        """Return what an event looks like; None when there is nothing to see."""
        place, by, own = Place(event.seq), event.by, event.by == self.me
        match event.body:
            case bodies.Message(text=text, reply_to=reply_to):
                kind, words = spoken(text)
                reply = None
                if reply_to is not None:
                    target = view.find(reply_to)
                    reply = Reply(target.by, target.at) if target else Reply("", 0)
                stored = State.STORED if own else None
                item = Item(
                    place, event.at, kind, words, by=by, own=own, key=event.key, state=stored, reply=reply,
                    removed=not text,
                )  # fmt: skip
                amendment = view.amendments.of(event.seq)
                return amendment.applied(item) if amendment else item
            case bodies.Mark(text=text):
                return Item(place, event.at, Kind.MARK, text, by=by, sign=MARK)
            case bodies.Topic(text=text):
                words = f"topic: {text}" if text else "no topic any more"
                return Item(place, event.at, Kind.TOPIC, words, by=by, sign=TOPIC)
            case bodies.Notice(text=text, title=title, level=level):
                words = f"{title}: {text}" if title else text
                return Item(place, event.at, Kind.NOTICE, words, by=by, level=level, sign=LEVELS[level])
            case bodies.Alert() as alert:
                level = "success" if alert.state == "resolved" else "warning"
                words = f"{alert.metric} of {alert.host} {alert.state}: {alert.value:g}, limit {alert.threshold:g}"
                return Item(place, event.at, Kind.NOTICE, words, level=level, sign=LEVELS[level])
        return None

    def _page(self, view: RoomView, page: Page) -> None:
        for event in page.events:
            view.saw(event.seq)
            if isinstance(event.body, bodies.Edit | bodies.Redact | bodies.React):
                target = view.amendments.add(event.seq, event.by, event.body)
                view.amend(target)
        items = [item for event in page.events if (item := self._item(view, event)) is not None]
        oldest = min((event.seq for event in page.events), default=None)
        view.prepend(items, oldest, more=page.more)

    def _delivery(self, delivery: Delivery, now_ms: int) -> None:
        state, key = State(delivery.state), delivery.key
        for view in self.rooms.values():
            known = view.own(key)
            if known is None:
                continue
            if state is State.FAILED:
                view.fail(key, "")
            elif known.state is State.FAILED and state is State.QUEUED:
                view.requeue(key, now_ms)
            else:
                view.change_unsettled(key, state)

    def _pending(self, pending: Pending, now_ms: int) -> None:
        """What an earlier run left: at the end until the room is there; then what failed keeps its place."""
        view = self.room(pending.room)
        text, reason = safe_text(pending.text), safe_line(pending.reason)
        if pending.kind == "message":
            kind, words = spoken(text)
            item = Item(_ANYWHERE, pending.at, kind, words, by=self.me, own=True, key=pending.key)
            view.queue(msgspec.structs.replace(item, state=State(pending.state), reason=reason))
            if view.oldest is not None and not view.catching_up:
                view.place_failed()
        elif pending.state == "failed":
            _not_done(view, text, reason, now_ms)

    def _undeliverable(self, happening: Undeliverable, now_ms: int) -> None:
        view = self.room(happening.room)
        if not view.fail(happening.key, happening.reason):
            _not_done(view, safe_text(happening.text), happening.reason, now_ms)

    def _error(self, error: Error) -> None:
        """What comes back later is the client's business; what does not shows its reason."""
        for view in self.rooms.values():
            if error.key is None and view.older is Older.LOADING:
                view.older = Older.FAILED
            elif error.key is not None and not passes(error):
                view.fail(error.key, error.message)


def _not_done(view: RoomView, text: str, reason: str, now_ms: int) -> None:
    words = f"not done: {reason} · {text}" if text else f"not done: {reason}"
    view.line(Item(_ANYWHERE, now_ms, Kind.NOTICE, words, level="warning", sign=LEVELS["warning"]))


def duration(ms: int) -> str:
    """Return ``3 s``, ``4 min`` or ``2 h 5 min``."""
    seconds = max(1, round(ms / 1000))
    if seconds < 120:
        return f"{seconds} s"
    minutes = seconds // 60
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _outcome(down: str, outcome: Outcome, replayed: int | None, lost: Lost | None) -> str:
    said = [down] if down else []
    if outcome is Outcome.RESET:
        said.append("the log was reset")
    elif outcome is Outcome.GAP:
        said.append(f"gap: {lost.count if lost else 'some'} lost")
    elif outcome is Outcome.CAUGHT_UP and replayed is not None:
        said.append(f"caught up, {replayed} replayed")
    if replayed is None:
        said.append("catching up …")
    return " · ".join(said)
