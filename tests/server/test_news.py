"""How news are gathered, encoded and heard."""

import asyncio

import pytest

from pushtui.protocol.codec import CODECS
from pushtui.protocol.messages import JSON, MSGPACK, Crowd, Member, Presence, Typing
from server import rooms
from server.hearing import Hearing
from server.news import Digest, News
from server.rooms import Rooms
from server.timing import Timing
from tests.server.conftest import until
from tests.server.log.listeners import ListSink

HERE, TYPES = ("presence", "main", "ana"), ("typing", "main", "ana")


class Listener:
    def __init__(self, nick: str = "bo", subprotocol: str = JSON) -> None:
        self.nick = nick
        self.subprotocol = subprotocol
        self.heard: list[News] = []

    def member(self) -> Member:
        return Member(self.nick, "here")

    def hear(self, news: News) -> None:
        self.heard.append(news)


def frames(*kinds: str) -> News:
    by_subject = {(kind, "main", ""): f"{kind} ".encode() for kind in kinds}
    return News(by_subject, b"".join(by_subject.values()))


class TestDigest:
    def test_all_of_a_kind_hear_the_same_bytes(self) -> None:
        digest = Digest()
        digest.add(HERE, Presence("main", "ana", "here"))
        digest.add(TYPES, Typing("main", True, "ana"))
        edition = digest.edition()
        everyone = [Listener(subprotocol=name) for name in (JSON, MSGPACK) * 2]
        for listener in everyone:
            edition.tell(listener)
        first, packed, *others = [listener.heard[0].joined for listener in everyone]
        assert others[0] is first
        assert others[1] is packed
        assert [first.count(b'"type":"%b"' % kind) for kind in (b"presence", b"typing")] == [1, 1]
        assert not digest

    def test_the_last_change_has_the_last_place(self) -> None:
        digest, listener = Digest(), Listener()
        digest.add(HERE, Presence("main", "ana", "here"))
        digest.add(TYPES, Typing("main", True, "ana"))
        digest.add(HERE, Presence("main", "ana", "gone"))
        digest.edition().tell(listener)
        [news] = listener.heard
        assert list(news.frames) == [TYPES, HERE]
        assert b"gone" in news.frames[HERE]

    def test_nobody_is_told_of_their_own_doing(self) -> None:
        digest, listener = Digest(), Listener()
        digest.add(HERE, Presence("main", "ana", "away"), listener)
        digest.edition().tell(listener)
        assert not listener.heard
        digest.add(HERE, Presence("main", "ana", "away"), listener)
        digest.add(TYPES, Typing("main", True, "ana"))
        digest.edition().tell(listener)
        assert list(listener.heard[0].frames) == [TYPES]

    def test_who_is_new_is_told_of_what_comes_after(self) -> None:
        digest, before, new = Digest(), Listener(), Listener()
        digest.add(HERE, Presence("main", "ana", "here"))
        digest.greet(new)
        digest.add(TYPES, Typing("main", True, "ana"))
        edition = digest.edition()
        edition.tell(before)
        edition.tell(new)
        assert list(before.heard[0].frames) == [HERE, TYPES]
        assert list(new.heard[0].frames) == [TYPES]
        digest.add(HERE, Presence("main", "ana", "gone"))
        digest.edition().tell(new)
        assert list(new.heard[1].frames) == [HERE], "it is new no more"


class TestHearing:
    def test_the_newest_waits_behind_what_came_before_it(self) -> None:
        sink = ListSink(1)
        hearing = Hearing(sink)
        hearing.take(frames("first"))
        hearing.take(frames("a", "b"))
        hearing.take(frames("c", "a"))
        sink.give_room(1)
        assert sink.writes == [b"first ", b"b c a "]

    def test_what_no_longer_holds_is_never_heard(self) -> None:
        sink = ListSink(0)
        hearing = Hearing(sink)
        hearing.take(frames("a"))
        hearing.forget("ops")
        hearing.forget("main")
        hearing.take(frames("b"))
        sink.give_room(1)
        assert sink.writes == [b"b "]
        hearing.take(frames("c"))
        hearing.stop()
        sink.give_room(1)
        assert sink.writes == [b"b "]


async def test_who_joins_while_a_crowd_is_told_hears_nothing_older(monkeypatch: pytest.MonkeyPatch) -> None:
    """Telling thousands takes several turns; what is told in the last one is old by then."""
    monkeypatch.setattr(rooms, "_TOLD_AT_ONCE", 1)
    town = Rooms(Timing(lull=0, recount=0), most=1)
    people = [Listener(nick) for nick in ("ana", "bo", "carla", "dan", "eve")]
    for one in people:
        room = town.enter("main", one)
    while not any(one.heard for one in people):  # noqa: ASYNC110 (every turn counts)
        await asyncio.sleep(0)
    gone, again, anew, told, last = people
    assert told.heard
    for one in (gone, again):
        room.exit(one)
    for one in (again, anew):
        room.enter(one)
    room.exit(last)
    await until(lambda: all(one.heard for one in (again, anew)))
    for one in (again, anew):
        assert [CODECS[JSON].decode_server(news.joined[2:]) for news in one.heard] == [Crowd("main", 3)]
    assert not gone.heard
    for one in (again, anew, told):
        room.exit(one)
    assert not town
