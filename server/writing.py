"""Whatever is written into the log passes here: checked, made safe, turned into drafts, and stored."""

import asyncio
from typing import Any
from weakref import WeakValueDictionary

import msgspec

from pushtui.protocol import bodies, messages, names
from pushtui.protocol.limits import Limits, Protection
from pushtui.protocol.roles import Right
from pushtui.protocol.samples import Sample
from pushtui.protocol.text import safe_line, safe_text
from server.access.allowances import Allowances
from server.access.identity import Author, Identity
from server.access.rules import Rules
from server.log.store import Draft, Entry, Store, StoreBusyError, Stored
from server.log.streams import STATUS, room_stream
from server.refusal import RefusedError

_encode = msgspec.json.Encoder().encode
#: What is left of a message that was taken back. Nobody can say this: a message has a text.
_REDACTED = _encode(bodies.Message(""))
_PAGE = 500
_BUSY_RETRY_MS = 1000
#: So many times as long as it may be, a line is not worth making safe.
_MOST_LEFT_OUT = 8

Written = messages.Send | messages.Edit | messages.Redact | messages.React | messages.SetTopic | messages.SetMark


class Writing:
    """The one way into the log.

    Every method raises `RefusedError` when what it was given cannot be stored; then nothing is.
    """

    def __init__(
        self, store: Store, limits: Limits, protection: Protection, rules: Rules, allowances: Allowances
    ) -> None:
        self._store = store
        self._limits = limits
        self._protection = protection
        self._rules = rules
        self._allowances = allowances
        self._changed: WeakValueDictionary[tuple[str, int], asyncio.Lock] = WeakValueDictionary()
        self._under_way = _Batch()
        self._leaving: set[_Batch] = set()

    def check_room(self, identity: Identity, room: str) -> None:
        """Raise unless there is the room, or somebody may make it now."""
        if self._store.state(room_stream(room)) is not None:
            return
        if not identity.role.may(Right.SPEAK):
            raise RefusedError("no_such_room", f"there is no room {room}")
        if len(self._store.streams()) > self._protection.rooms:
            raise RefusedError("not_allowed", f"there are {self._protection.rooms} rooms, and no more can be made")
        self._allowances.new_room(identity)

    async def settled(self) -> None:
        """Return when all is stored or refused that was let through before."""
        # Who was told to go in this turn of the loop goes in the next one.
        await asyncio.sleep(0)
        self._leaving.add(self._under_way)
        self._under_way = _Batch()
        for batch in list(self._leaving):
            await batch.empty()
            self._leaving.discard(batch)

    async def write(self, author: Author, said: Written) -> Stored:
        """Store what somebody says, or does to what was said, in a room."""
        self.check_key(said.key)
        self._check(author, said.room)
        with self._under_way:
            try:
                return await self._write(author, said)
            except RefusedError as refusal:
                if refusal.code != "no_such_target":
                    raise
                # It may have been stored before, and what it is about be gone since.
                stored = await self._stored_before(author.nick, said)
                if stored is None:
                    raise
                return stored

    async def _write(self, author: Author, said: Written) -> Stored:
        by = author.nick
        match said:
            case messages.Send():
                if said.reply_to is not None:
                    await self._target(said.room, said.reply_to)
                return await self._message(by, said.room, said.text, said.key, said.reply_to)
            case messages.Edit():
                async with self._alone(said):
                    await self._own(by, said.room, said.target)
                    edit = bodies.Edit(said.target, self._text(said.text))
                    return await self._store_in_room(by, said, "edit", edit)
            case messages.Redact():
                async with self._alone(said):
                    entry = await self._redactable(author, said.room, said.target)
                    # Sent again it has nothing left to erase, and is not worth a walk through the room.
                    erase = () if entry.body == _REDACTED else await self._traces(said.room, said.target)
                    return await self._store_in_room(by, said, "redact", bodies.Redact(said.target), erase)
            case messages.React():
                await self._target(said.room, said.target)
                react = bodies.React(said.target, self._line(said.emoji, 32, "a reaction"), said.on)
                return await self._store_in_room(by, said, "react", react)
            case messages.SetTopic():
                topic = bodies.Topic(self._line(said.text, self._limits.topic_characters, "a topic", empty=True))
                return await self._store_in_room(by, said, "topic", topic)
            case messages.SetMark():
                text = self._line(said.text, self._limits.topic_characters, "a mark")
                in_room = Draft(room_stream(said.room), "mark", by, _encode(bodies.Mark(text)), said.key)
                if self._rules.of(said.room).private:
                    return await self._append(in_room)
                in_status = Draft(STATUS, "mark", by, _encode(bodies.Mark(text, said.room, by)))
                return await self._append(in_room, in_status)

    async def message(self, author: Author, room: str, text: str, key: str | None = None) -> Stored:
        """Store a message that came without a conversation; the room is made if there is none."""
        if key is not None:
            self.check_key(key)
        self._check(author, room)
        self.check_room(author.identity, room)
        with self._under_way:
            return await self._message(author.nick, room, text, key)

    async def _message(
        self, by: str, room: str, text: str, key: str | None = None, reply_to: int | None = None
    ) -> Stored:
        body = _encode(bodies.Message(self._text(text), reply_to))
        return await self._append(Draft(room_stream(room), "message", by, body, key))

    async def notice(
        self, author: Author, text: str, level: bodies.Level, title: str | None, key: str | None
    ) -> Stored:
        """Store a push notification."""
        author.identity.require(Right.NOTIFY)
        self._check_author(author, None)
        self._allowances.send(author.identity, author.nick)
        by = author.nick
        if key is not None:
            self.check_key(key)
        if title is not None:
            title = self._line(title, self._limits.topic_characters, "a title")
        body = bodies.Notice(self._text(text), level, by, title)
        with self._under_way:
            return await self._append(Draft(STATUS, "notice", by, _encode(body), key))

    async def sample(self, sample: Sample, identity: Identity | None = None) -> Stored:
        """Store a look at a host; the server itself looks at its own without an ``identity``."""
        if identity is not None:
            identity.require(Right.REPORT)
            # A member's sample has names in it that everyone reads.
            self._check_author(Author(identity.name or "", identity), None)
            self._allowances.send(identity, sample.host)
        body = _encode(_scrubbed(msgspec.to_builtins(sample)))
        return await self._append(Draft(STATUS, "sample", sample.host, body))

    def check_key(self, key: str) -> None:
        """A key is opaque, but it travels to others."""
        if not key or len(key) > self._limits.key_characters or safe_line(key) != key:
            raise RefusedError(
                "malformed",
                f"a key has 1 to {self._limits.key_characters} characters, none of them a control character",
            )

    def _check(self, author: Author, room: str) -> None:
        """What holds for every way of writing into a room."""
        author.identity.require(Right.SPEAK)
        self._check_author(author, room)
        self._allowances.send(author.identity, author.nick)

    def _check_author(self, author: Author, room: str | None) -> None:
        # It held when they began, but the body of a request can take its time.
        self._rules.check_token(author.identity)
        self._rules.check_write(author, room)

    async def _store_in_room(
        self,
        by: str,
        said: Written,
        kind: str,
        body: bodies.RoomBody,
        erase: tuple[tuple[int, bytes], ...] = (),
    ) -> Stored:
        return await self._append(Draft(room_stream(said.room), kind, by, _encode(body), said.key, erase))

    async def _append(self, *drafts: Draft) -> Stored:
        try:
            return await self._store.append(*drafts)
        except StoreBusyError as error:
            raise _busy(error) from error

    async def _stored_before(self, by: str, said: Written) -> Stored | None:
        stream = room_stream(said.room)
        state = self._store.state(stream)
        try:
            entry = await self._store.find(stream, by, said.key)
        except StoreBusyError as error:
            raise _busy(error) from error
        return None if state is None or entry is None else Stored(state.epoch, entry.seq, duplicate=True)

    def _text(self, text: str) -> str:
        # To make a frame full of what is harmful safe takes a tenth of a second, in which nobody else is served.
        if len(text) <= self._limits.text_bytes:
            text = safe_text(text)
        if not text.strip():
            raise RefusedError("malformed", "a message cannot be empty")
        size = len(text.encode())
        if size > self._limits.text_bytes:
            raise RefusedError(
                "too_long", f"a message has at most {self._limits.text_bytes} bytes, this one has {size}"
            )
        return text

    def _line(self, text: str, most: int, what: str, *, empty: bool = False) -> str:
        # See `_text`; what is left out of a line is never most of it.
        if len(text) <= _MOST_LEFT_OUT * most:
            text = safe_line(text).strip()
        if not text and not empty:
            raise RefusedError("malformed", f"{what} cannot be empty")
        if len(text) > most:
            raise RefusedError("too_long", f"{what} has at most {most} characters, this one has {len(text)}")
        return text

    async def _target(self, room: str, seq: int, *, redacted: bool = False) -> Entry:
        try:
            entry = await self._store.get(room_stream(room), seq) if 0 < seq < 1 << 63 else None
        except StoreBusyError as error:
            raise _busy(error) from error
        if entry is None or entry.kind != "message" or (entry.body == _REDACTED and not redacted):
            raise RefusedError("no_such_target", f"there is no message {seq} in {room}")
        return entry

    async def _own(self, by: str, room: str, seq: int) -> Entry:
        entry = await self._target(room, seq)
        if entry.by != by:
            raise RefusedError("not_allowed", "only who wrote a message can change it")
        return entry

    async def _redactable(self, author: Author, room: str, seq: int) -> Entry:
        entry = await self._target(room, seq, redacted=True)
        if entry.by != author.nick and not author.identity.role.may(Right.MODERATE):
            raise RefusedError("not_allowed", "only who wrote a message, or a moderator, can take it back")
        return entry

    def _alone(self, said: messages.Edit | messages.Redact) -> asyncio.Lock:
        """One change of a message at a time: an edit beside its redaction would leave a text behind."""
        return self._changed.setdefault((said.room, said.target), asyncio.Lock())

    async def _traces(self, room: str, target: int) -> tuple[tuple[int, bytes], ...]:
        """Every place where a message's text stands: its own, and that of each edit."""
        stream = room_stream(room)
        traces = [(target, _REDACTED)]
        after = target
        try:
            while entries := await self._store.read(stream, after, _PAGE):
                traces += [
                    (entry.seq, _encode(bodies.Edit(target, "")))
                    for entry in entries
                    if entry.kind == "edit" and msgspec.json.decode(entry.body, type=bodies.Edit).target == target
                ]
                after = entries[-1].seq
        except StoreBusyError as error:
            raise _busy(error) from error
        return tuple(traces)


class _Batch:
    """What was let through and is not stored or refused yet. One number: every message passes here."""

    __slots__ = ("_count", "_waiting")

    def __init__(self) -> None:
        self._count = 0
        self._waiting: list[asyncio.Future[None]] = []

    def __enter__(self) -> None:
        self._count += 1

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._count -= 1
        if not self._count:
            for waiting in self._waiting:
                if not waiting.done():
                    waiting.set_result(None)

    async def empty(self) -> None:
        """Return when there is nothing more."""
        if self._count:
            self._waiting.append(asyncio.get_running_loop().create_future())
            await self._waiting[-1]


def checked_room(text: str) -> str:
    """The name of a room, or `RefusedError`."""
    try:
        return names.room(text)
    except names.NameRefusedError as error:
        raise RefusedError("malformed", str(error)) from error


def checked_nick(text: str) -> str:
    """A nick in NFC, or `RefusedError`."""
    try:
        return names.nick(text)
    except names.NameRefusedError as error:
        raise RefusedError("malformed", str(error)) from error


def _busy(error: StoreBusyError) -> RefusedError:
    return RefusedError("busy", str(error), _BUSY_RETRY_MS)


def _scrubbed(value: Any) -> Any:
    match value:
        case str():
            return safe_line(value)
        case dict():
            return {key: _scrubbed(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_scrubbed(inner) for inner in value]
        case int() if not -(1 << 63) <= value < 1 << 63:
            raise RefusedError("malformed", "a number has more than 64 bits")
        case _:
            return value
