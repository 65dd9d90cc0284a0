"""Who comes into which room, and who writes there."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pushtui.protocol.close import CloseCode
from pushtui.protocol.roles import Role
from server.access.access import Access
from server.access.direct import direct_room, is_direct
from server.access.file import AccessFile
from server.access.identity import Author, Identity
from server.access.records import Holdings, Rule
from server.access.rules import Ending, News, Rules
from server.refusal import RefusedError
from tests.server.access.test_file import record
from tests.server.access.test_sanctions import sanction, somebody, stranger

DIRECT = direct_room("ana", "bob")
ROOMS = {
    "crew": Rule(private=True, members=frozenset({"ana", "bob"})),
    "news": Rule(read_only=True),
    DIRECT: Rule(private=True, direct=True, members=frozenset({"ana", "bob"})),
}


class Place:
    """Rules over holdings that the test sets."""

    def __init__(self) -> None:
        self.now = 1000
        self.access = Access(None, clock_ms=lambda: self.now)
        self.rules = Rules(self.access)
        self.hold(Holdings(rules=ROOMS))

    def hold(self, holdings: Holdings) -> None:
        self.access.holdings = holdings

    def writes(self, identity: Identity, room: str | None) -> bool:
        return self.rules.may_write(Author(identity.name or "somebody", identity), room)


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.mark.parametrize("room", ["crew", DIRECT])
@pytest.mark.parametrize(
    ("identity", "enters"),
    [
        (somebody("ana"), True),
        (somebody("Ana"), False),
        (somebody("eve"), False),
        (somebody("mo", Role.MODERATOR), False),
        (somebody("root", Role.ADMIN), False),
        (stranger(), False),
    ],
)
def test_members_alone_enter_and_write(place: Place, room: str, identity: Identity, enters: bool) -> None:
    assert (place.rules.shut(identity, room) is None) is enters
    assert place.writes(identity, room) is enters


def test_every_other_room_is_open(place: Place) -> None:
    for identity in (stranger(), somebody(), somebody("rea", Role.READER)):
        assert place.rules.shut(identity, "main") is None


def test_a_name_for_two_is_shut_in_the_same_words_whether_it_is_one(place: Place) -> None:
    there, nowhere = (place.rules.shut(somebody("eve"), room) for room in (DIRECT, "dm-0"))
    assert there is not None
    assert nowhere is not None
    assert there.replace(DIRECT, "") == nowhere.replace("dm-0", "")


def test_moderators_write_where_others_read(place: Place) -> None:
    assert not place.writes(somebody(), "news")
    assert not place.writes(stranger(), "news")
    assert place.writes(somebody("mo", Role.MODERATOR), "news")
    assert place.writes(somebody("root", Role.ADMIN), "news")


def test_who_is_kept_out_or_muted_does_not_write(place: Place) -> None:
    for kind in ("remove", "ban", "mute"):
        place.hold(Holdings(sanctions=(sanction(kind, name="bob", until=2000),)))
        place.now = 1999
        assert not place.writes(somebody(), "main")
        assert not place.writes(somebody(), None)
        assert place.writes(somebody("ana"), "main")
        place.now = 2000
        assert place.writes(somebody(), "main")


def test_an_ending_says_when_to_come_back(place: Place) -> None:
    assert place.rules.ending(somebody()) == Ending(CloseCode.BAD_TOKEN, "this token is gone")
    place.hold(Holdings(sanctions=(sanction("remove", name="bob", until=3000, by="mo"),)))
    assert place.rules.ending(stranger(), "ana") is None
    assert place.rules.ending(stranger(), "bob") == Ending(
        CloseCode.REMOVED, "mo removed you until 1970-01-01 00:00 UTC", 2000
    )
    place.hold(Holdings(sanctions=(sanction("ban", name="bob"),)))
    assert place.rules.ending(stranger(), "bob") == Ending(CloseCode.REMOVED, "you are banned")


def test_the_rooms_of_somebody(place: Place) -> None:
    assert place.rules.rooms_of(somebody("ana")) == ["crew", DIRECT]
    assert place.rules.rooms_of(somebody("eve")) == []
    assert place.rules.rooms_of(stranger()) == []
    place.hold(Holdings())
    assert place.rules.rooms_of(somebody("ana")) == []


def test_the_news_since_it_was_asked_last(place: Place) -> None:
    place.rules.news()
    assert place.rules.news() == News(True, frozenset()), "something ended by itself"
    changed = {**ROOMS, "crew": Rule(), "more": Rule(read_only=True)}
    place.hold(Holdings(rules=changed))
    assert place.rules.news() == News(False, frozenset({"crew", "more"}))
    place.hold(Holdings(rules={}, sanctions=(sanction(),)))
    assert place.rules.news() == News(True, frozenset(changed))
    token = record()
    place.hold(Holdings(tokens={token.id: token}, sanctions=(sanction(),)))
    assert place.rules.news() == News(True, frozenset())


def test_the_name_of_a_room_of_two() -> None:
    assert direct_room("ana", "bob") == direct_room("bob", "ana")
    assert direct_room("ana", "bob") != direct_room("ana", "eve")
    assert direct_room("a", "bc") != direct_room("ab", "c")
    assert is_direct(direct_room("ana", "bob"))
    assert is_direct("DM-x")
    assert not is_direct("dmx")


class TestChanging:
    @pytest.fixture
    async def access(self, tmp_path: Path) -> AsyncIterator[Access]:
        access = Access(AccessFile.open(tmp_path), clock_ms=lambda: 1)
        await access.open()
        yield access
        await access.close()

    async def test_from_what_holds_at_that_moment(self, access: Access) -> None:
        rules = Rules(access)
        await rules.change_rule("crew", lambda rule: Rule(private=True, members=rule.members | {"ana"}))
        await rules.change_rule("crew", lambda rule: Rule(private=True, members=rule.members | {"bob"}))
        assert rules.of("crew").members == {"ana", "bob"}
        await rules.change(lambda file: file.add_token(record("ana")))
        assert [token.name for token in access.holdings.tokens.values()] == ["ana"]

    async def test_what_is_refused_changes_nothing(self, access: Access) -> None:
        def refuse(rule: Rule) -> Rule:
            raise RefusedError("not_allowed", "no")

        rules = Rules(access)
        with pytest.raises(RefusedError, match="no"):
            await rules.change_rule("crew", refuse)
        assert rules.of("crew") == Rule()

    async def test_without_a_file_nothing_can_be_written_down(self, place: Place) -> None:
        with pytest.raises(RefusedError) as refused:
            await place.rules.change_rule("crew", lambda rule: rule)
        assert refused.value.code == "busy"
