"""One chat, from the client's ``hello`` on: what it says, what it hears, which rooms it is in."""

from collections.abc import Callable

from pushtui import __version__
from pushtui.protocol import messages
from pushtui.protocol.close import CloseCode, is_final
from pushtui.protocol.codec import Codec
from pushtui.protocol.limits import DEFAULT_REPLAY
from pushtui.protocol.positions import Position
from pushtui.protocol.roles import Right
from pushtui.protocol.text import safe_line
from server import history
from server.access.identity import Author, Identity
from server.farewell import FarewellError, busy, refused
from server.hearing import Hearing
from server.log.cursor import Cursor
from server.log.store import StoreBusyError
from server.log.streams import room_stream
from server.log.wire import WEBSOCKETS
from server.membership import Membership
from server.moderation import Moderation
from server.news import News
from server.people import NickTakenError, TooManySessionsError
from server.refusal import RefusedError
from server.rooms import Room
from server.service import Service, named_position
from server.sink import TransportSink
from server.speech import Speech
from server.writing import Written, checked_nick, checked_room

#: Private rooms that somebody is told of on coming in; there may be more.
_MOST_INVITATIONS = 64
#: Whose messages are not stored any more, once they are told to go.
_NOT_HEARD_OUT = frozenset({CloseCode.BAD_TOKEN, CloseCode.REMOVED})


class Conversation:
    """What one client and the room say to each other, whatever the transport.

    Attributes:
        nick: who it is; empty before ``hello``.
        session: the client's random id, the same across its reconnects.
        identity: what its token makes of it.
        subprotocol: the encoding of its frames.
        dismiss: ends the connection, from wherever that is decided.
    """

    def __init__(
        self, service: Service, codec: Codec, sink: TransportSink, dismiss: Callable[[CloseCode, str], None]
    ) -> None:
        self.nick = ""
        self.session = ""
        self.identity = Identity("")
        self.dismiss = dismiss
        self.subprotocol = codec.subprotocol
        self._service = service
        self._codec = codec
        self._speech = Speech(service.writing, self.tell, self._echo)
        self._wire = WEBSOCKETS[codec.subprotocol]
        self._sink = sink
        self._rooms: dict[str, Room] = {}
        self._cursors: dict[str, Cursor] = {}
        self._told: dict[str, tuple[bool, bool]] = {}
        self._away: messages.Away | None = None
        self._hearing = Hearing(sink)
        self._departed = False

    # What the room sees of it

    def member(self) -> messages.Member:
        """How this person is doing."""
        if self._away is None:
            return messages.Member(self.nick, "here")
        return messages.Member(self.nick, "away", self._away.text)

    def hear(self, news: News) -> None:
        """Take what is true now; while there is no room, only the newest about each subject is kept."""
        if not self._departed:
            self._hearing.take(news)

    def tell(self, message: messages.ServerMessage) -> None:
        """Send a frame to this client alone; nothing after its ``bye``."""
        if not self._departed:
            self._sink.write(self._wire.wrap(self._codec.encode(message)))

    def invite(self, room: str, by: str | None) -> None:
        """Tell that this person may come into a private room; nothing if they are in it."""
        if room not in self._rooms:
            rule = self._service.rules.of(room)
            self.tell(messages.Invited(room, by, rule.direct, rule.other(self.nick)))

    def review(self, rooms: frozenset[str]) -> None:
        """Leave those of these rooms that are shut to this person now, and tell what holds in the others."""
        for name in rooms & self._rooms.keys():
            if not self._shut_out(name):
                rule = self._service.rules.of(name)
                if rule.holds != self._told.get(name):
                    self._told[name] = rule.holds
                    self.tell(messages.Rules(name, rule.read_only, rule.private))

    def part(self, code: int, reason: str, retry_ms: int | None = None) -> None:
        """Say the last word to this client, then depart."""
        if code in _NOT_HEARD_OUT:
            self._speech.stop(reason)
        self._sink.write(self._wire.wrap(self._codec.encode(messages.Bye(code, reason, retry_ms))))
        self.depart(lost=not is_final(code))

    def refuse(self, refusal: RefusedError, key: str | None = None) -> None:
        """Say why something is not done; the connection stays up."""
        self.tell(refusal.error(key))

    def _echo(self, room: str) -> None:
        if (cursor := self._cursors.get(room)) is not None:
            cursor.advance()

    # Coming and going

    async def greet(self, hello: messages.Hello, identity: Identity) -> None:
        """Let somebody in; an older connection of the same session is dismissed.

        Args:
            hello: what they said.
            identity: who they are. A token decides the nick, whatever the hello said.

        Raises:
            FarewellError: they cannot come in like this.
        """
        rooms, replay = self._introduce(hello, identity)
        service = self._service
        shut: dict[str, str] = {}
        try:
            for room in rooms:
                if (reason := service.rules.shut(identity, room)) is not None:
                    shut[room] = reason
                    continue
                service.writing.check_room(identity, room)
                await service.fanout.open(room_stream(room))
            if self._departed:
                return
            replaced = service.people.enter(self)
        except NickTakenError as error:
            raise FarewellError(CloseCode.NICK_TAKEN, str(error)) from None
        except TooManySessionsError as error:
            raise FarewellError(CloseCode.LAGGING, str(error)) from None
        except RefusedError as refusal:
            raise refused(refusal) from refusal
        except StoreBusyError as error:
            raise busy(error) from error
        if replaced is not None and replaced.nick != self.nick:
            replaced.depart()
        # What was open may have been shut while others were opened.
        shut |= {room: reason for room in rooms if (reason := service.rules.shut(identity, room)) is not None}
        entered = {room: position for room, position in rooms.items() if room not in shut}
        self._rooms = {room: service.rooms.enter(room, self) for room in entered}
        if replaced is not None:
            # Under the same nick it goes only now, so that the others see nobody go and come.
            replaced.depart()
            replaced.dismiss(CloseCode.REPLACED, "this session came back on another connection")
        self.tell(
            messages.Welcome(
                service.name,
                __version__,
                messages.You(self.nick, identity.role),
                service.limits,
                [self._room_state(room) for room in self._rooms.values()],
            )
        )
        for room, reason in shut.items():
            self.tell(messages.Left(room, reason))
        for name in [room for room in service.rules.rooms_of(identity) if room not in rooms][:_MOST_INVITATIONS]:
            self.invite(name, None)
        for name, position in entered.items():
            try:
                start = await service.fanout.start(room_stream(name), position, replay)
            except StoreBusyError as error:
                raise busy(error) from error
            if self._departed:
                return
            # It may have been shut meanwhile.
            if name in self._rooms:
                self.tell(messages.Resume(name, start.outcome, start.epoch, start.after, start.head, start.lost))
                self._listen(self._rooms[name], start.after)

    def _introduce(self, hello: messages.Hello, identity: Identity) -> tuple[dict[str, Position | None], int]:
        """Take in who this is; returns the rooms they ask for, each with their position, and how much of each.

        Raises:
            FarewellError: that cannot be.
        """
        limits = self._service.limits
        try:
            self.nick = identity.name or checked_nick(hello.nick)
            rooms = {checked_room(room): named_position(after) for room, after in hello.rooms.items()}
        except RefusedError as refusal:
            raise FarewellError(CloseCode.PROTOCOL_ERROR, refusal.message) from refusal
        if len(rooms) > limits.rooms_per_connection:
            raise FarewellError(
                CloseCode.PROTOCOL_ERROR, f"a connection has at most {limits.rooms_per_connection} rooms"
            )
        if not 0 < len(hello.session) <= limits.key_characters:
            raise FarewellError(CloseCode.PROTOCOL_ERROR, f"a session has 1 to {limits.key_characters} characters")
        replay = DEFAULT_REPLAY if hello.replay is None else hello.replay
        if not 0 <= replay <= limits.replay:
            raise FarewellError(CloseCode.PROTOCOL_ERROR, f"replay is 0 to {limits.replay}")
        self.session, self.identity = hello.session, identity
        if (ending := self._service.rules.ending(identity, self.nick)) is not None:
            raise FarewellError(*ending)
        if identity.name is None and (name := self._service.access.reserved(self.nick)) is not None:
            raise FarewellError(CloseCode.NICK_TAKEN, f"{name} is somebody who has a token")
        try:
            identity.require(Right.LISTEN)
        except RefusedError as refusal:
            raise FarewellError(CloseCode.BAD_TOKEN, refusal.message) from refusal
        return rooms, replay

    def depart(self, *, lost: bool = False) -> None:
        """Leave every room and forget the nick; from here on nothing is said or heard. Idempotent.

        Args:
            lost: the client did not say that it goes, and may be back in a moment.
        """
        self._departed = True
        self._hearing.stop()
        for cursor in self._cursors.values():
            self._service.fanout.detach(cursor)
        for room in self._rooms.values():
            room.exit(self, lost=lost)
        self._cursors.clear()
        self._rooms.clear()
        self._service.people.exit(self)

    # What it says

    async def answer(self, said: messages.ClientMessage) -> None:
        """Do what one frame asks for.

        Raises:
            RefusedError: it cannot be done; the frame's key, if any, is the caller's to add.
        """
        if isinstance(said, Written | messages.Typing):
            self.identity.require(Right.SPEAK)
        match said:
            case messages.Send(reply_to=None):
                self._occupied(said.room)
                await self._speech.say_soon(self._author(), said)
            case (
                messages.Send()
                | messages.Edit()
                | messages.Redact()
                | messages.React()
                | messages.SetTopic()
                | messages.SetMark()
            ):
                self._occupied(said.room)
                # These look at what is stored, or take another way there: what was said before comes first.
                await self._speech.say(self._author(), said)
            case messages.Join():
                await self._join(checked_room(said.room), said.after)
            case messages.Leave():
                self._leave(said.room)
            case messages.Typing():
                room = self._occupied(said.room)
                if self._service.rules.may_write(self._author(), said.room):
                    room.tell_typing(self, said.on)
            case messages.Away():
                self._set_away(said)
            case messages.History():
                self._occupied(said.room)
                page = await history.page(self._service, said)
                # It may have been shut meanwhile.
                self._occupied(said.room)
                self.tell(page)
            case messages.Moderate():
                done = await Moderation(self._service, self._author()).act(said)
                self.tell(done)
            case messages.Direct():
                self.tell(await Membership(self._service, self._author()).direct(said))
            case messages.Hello():
                raise RefusedError("malformed", "hello is said once, as the first frame")

    def _author(self) -> Author:
        return Author(self.nick, self.identity)

    async def _join(self, name: str, after: str | None) -> None:
        limits = self._service.limits
        if name not in self._rooms and len(self._rooms) >= limits.rooms_per_connection:
            raise RefusedError("not_allowed", f"a connection has at most {limits.rooms_per_connection} rooms")
        if self._shut_out(name):
            return
        self._service.writing.check_room(self.identity, name)
        try:
            start = await self._service.fanout.start(room_stream(name), named_position(after), DEFAULT_REPLAY)
        except StoreBusyError as error:
            raise RefusedError("busy", str(error)) from error
        # It may have been shut while this looked where to start.
        if self._departed or self._shut_out(name):
            return
        if name in self._cursors:
            self._service.fanout.detach(self._cursors[name])
        self._hearing.forget(name)
        room = self._rooms[name] = self._service.rooms.enter(name, self)
        state = self._room_state(room)
        self.tell(
            messages.Resume(
                name, start.outcome, start.epoch, start.after, start.head, start.lost,
                state.topic, state.members, state.read_only, state.private, state.direct, state.count,
            )
        )  # fmt: skip
        self._listen(room, start.after)

    def _shut_out(self, name: str) -> bool:
        """Whether a room is shut to this person; then they are told, and are in it no longer."""
        reason = self._service.rules.shut(self.identity, name)
        if reason is None:
            return False
        if name in self._rooms:
            self._leave(name)
        self.tell(messages.Left(name, reason))
        return True

    def _leave(self, name: str) -> None:
        room = self._occupied(name)
        del self._rooms[name]
        del self._told[name]
        if name in self._cursors:
            self._service.fanout.detach(self._cursors.pop(name))
        room.exit(self)

    def _set_away(self, said: messages.Away) -> None:
        most = self._service.limits.topic_characters
        # What is far too long is not made safe first: that takes long.
        text = safe_line((said.text or "")[: 2 * most]).strip()
        if len(text) > most:
            raise RefusedError("too_long", f"a reason to be away has at most {most} characters")
        if said.on and text:
            # Everyone reads it, so it is something said.
            self.identity.require(Right.SPEAK)
            self._service.rules.check_write(self._author(), None)
        self._away = messages.Away(True, text or None) if said.on else None
        for room in self._rooms.values():
            room.tell_presence(self)

    def _listen(self, room: Room, after: int) -> None:
        cursor = self._service.fanout.attach(room_stream(room.name), self._wire, self._sink, after)
        self._cursors[room.name] = cursor
        for typing in room.typing(besides=self.nick):
            self.tell(typing)

    def _occupied(self, name: str) -> Room:
        if name not in self._rooms:
            raise RefusedError("not_allowed", f"you are not in the room {safe_line(name[:64])}; join it first")
        return self._rooms[name]

    def _room_state(self, room: Room) -> messages.RoomState:
        state = self._service.store.state(room_stream(room.name))
        if state is None:
            raise KeyError(room.name)
        rule = self._service.rules.of(room.name)
        self._told[room.name] = rule.holds
        members, count = room.snapshot(self)
        return messages.RoomState(
            room.name,
            state.epoch,
            state.head,
            state.floor,
            state.topic,
            members,
            rule.read_only,
            rule.private,
            rule.other(self.nick),
            count,
        )
