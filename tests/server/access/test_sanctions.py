"""Who a sanction is about, for how long, and what they are told."""

from typing import Any

import pytest

from pushtui.protocol.roles import Role
from server.access.identity import Identity
from server.access.records import Sanction
from server.access.sanctions import Sanctions, in_force, sentence

HERE, THERE = "192.0.2.1", "2001:db8::/64"
NOW = 1_800_000_000_000


def sanction(kind: Any = "ban", **fields: Any) -> Sanction:
    settings: dict[str, Any] = {
        "id": 1,
        "name": "",
        "address": "",
        "room": "",
        "until": None,
        "by": "mo",
        "reason": "",
        "at": 1,
    } | fields
    return Sanction(kind=kind, **settings)


def stranger(address: str = HERE) -> Identity:
    return Identity(address)


def somebody(name: str = "bob", role: Role = Role.MEMBER, address: str = HERE) -> Identity:
    return Identity(address, role, f"id of {name}", name)


class TestWhom:
    @pytest.mark.parametrize("identity", [somebody(), somebody(address=THERE)])
    def test_a_name_is_about_who_has_it_wherever_they_are(self, identity: Identity) -> None:
        held = sanction(name="bob")
        assert Sanctions([held]).keeping_out(identity, None, NOW) is held

    def test_and_about_nobody_else(self) -> None:
        held = Sanctions([sanction(name="bob")])
        assert held.keeping_out(somebody("ana"), None, NOW) is None
        assert held.keeping_out(stranger(), None, NOW) is None
        assert held.keeping_out(stranger(), "ana", NOW) is None

    @pytest.mark.parametrize("nick", ["bob", "Bob", "\uff42ob"])
    def test_without_a_token_what_looks_like_the_name_is_the_name(self, nick: str) -> None:
        assert Sanctions([sanction(name="bob")]).keeping_out(stranger(), nick, NOW) is not None

    def test_an_address_is_about_everyone_there_but_administrators(self) -> None:
        held = Sanctions([sanction(address=HERE)])
        assert held.keeping_out(stranger(), None, NOW) is not None
        assert held.keeping_out(somebody(), None, NOW) is not None
        assert held.keeping_out(somebody("mo", Role.MODERATOR), None, NOW) is not None
        assert held.keeping_out(somebody("root", Role.ADMIN), None, NOW) is None
        assert held.keeping_out(somebody(address=THERE), None, NOW) is None

    def test_both_are_about_who_has_no_token_and_either_of_them(self) -> None:
        held = Sanctions([sanction(name="bob", address=HERE)])
        assert held.keeping_out(stranger(THERE), "bob", NOW) is not None
        assert held.keeping_out(stranger(HERE), "ana", NOW) is not None
        assert held.keeping_out(stranger(HERE), None, NOW) is not None
        assert held.keeping_out(stranger(THERE), "ana", NOW) is None
        assert held.keeping_out(somebody("bob"), "bob", NOW) is None
        assert held.keeping_out(somebody("ana"), "ana", NOW) is None

    def test_a_removal_keeps_out_and_a_mute_does_not(self) -> None:
        assert Sanctions([sanction("remove", name="bob")]).keeping_out(somebody(), None, NOW) is not None
        assert Sanctions([sanction("mute", name="bob")]).keeping_out(somebody(), None, NOW) is None


class TestWhere:
    @pytest.mark.parametrize(
        ("where", "room", "muted"),
        [
            ("", "main", True),
            ("", None, True),
            ("main", "main", True),
            ("main", "ops", False),
            ("main", None, False),
        ],
    )
    def test_a_mute_holds_in_its_room_or_everywhere(self, where: str, room: str | None, muted: bool) -> None:
        held = Sanctions([sanction("mute", name="bob", room=where)])
        assert (held.muting(somebody(), "bob", room, NOW) is not None) is muted

    def test_a_ban_is_no_mute(self) -> None:
        assert Sanctions([sanction(name="bob")]).muting(somebody(), "bob", "main", NOW) is None


class TestHowLong:
    def test_it_ends_at_its_moment(self) -> None:
        held = sanction(name="bob", until=NOW)
        assert [in_force(held, now) for now in (NOW - 1, NOW, NOW + 1)] == [True, False, False]
        assert Sanctions([held]).keeping_out(somebody(), None, NOW - 1) is held
        assert Sanctions([held]).keeping_out(somebody(), None, NOW) is None

    def test_of_several_the_longest_is_told(self) -> None:
        short, long, ended = (sanction(id=n, name="bob", until=NOW + n) for n in (1, 2, 0))
        endless = sanction(address=HERE)
        assert Sanctions([short, long, ended]).keeping_out(somebody(), None, NOW) is long
        assert Sanctions([short, endless, long]).keeping_out(somebody(), None, NOW) is endless


@pytest.mark.parametrize(
    ("held", "told"),
    [
        (sanction("remove", until=NOW), "mo removed you until 2027-01-15 08:00 UTC"),
        (sanction("ban", reason="spam"), "you are banned: spam"),
        (
            sanction("mute", room="ops", until=NOW),
            "mo muted you in ops until 2027-01-15 08:00 UTC; you can read along",
        ),
        (sanction("mute", reason="spam"), "mo muted you; you can read along: spam"),
    ],
)
def test_what_they_are_told(held: Sanction, told: str) -> None:
    assert sentence(held) == told
