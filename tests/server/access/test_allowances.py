"""Who is counted with whom."""

import pytest

from pushtui.protocol.limits import Protection, Rate
from server.access.allowances import Allowances
from server.access.identity import Identity
from server.refusal import RefusedError

SLOW = Protection(sends=Rate(1, 2), sends_per_address=Rate(1, 4), new_rooms=Rate(1, 1), failed_logins=Rate(0.5, 1))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def allowances(clock: Clock) -> Allowances:
    return Allowances(SLOW, clock)


def named(name: str, address: str = "192.0.2.1", token: str = "t") -> Identity:
    return Identity(address, token=token, name=name)


def sends(allowances: Allowances, identity: Identity, nick: str) -> int:
    """How many are let pass now."""
    for count in range(10):
        try:
            allowances.send(identity, nick)
        except RefusedError:
            return count
    raise AssertionError("nothing was refused")


def test_a_person_is_one_wherever_it_comes_from(allowances: Allowances) -> None:
    assert sends(allowances, named("ana"), "ana") == 2
    assert sends(allowances, named("ana", "192.0.2.9", "another"), "ana") == 0
    assert sends(allowances, named("bob"), "bob") == 2


def test_without_a_token_the_address_counts_too(allowances: Allowances) -> None:
    nobody = Identity("192.0.2.1")
    assert sends(allowances, nobody, "ana") == 2
    assert sends(allowances, nobody, "ANA") == 0  # looks the same
    assert sends(allowances, nobody, "bob") == 2
    assert sends(allowances, nobody, "eve") == 0  # the address has had its four
    assert sends(allowances, Identity("192.0.2.2"), "ana") == 2
    assert sends(allowances, named("cid"), "cid") == 2


def test_what_is_refused_costs_nothing(allowances: Allowances, clock: Clock) -> None:
    nobody = Identity("192.0.2.1")
    assert sends(allowances, nobody, "ana") == 2
    for _ in range(100):
        with pytest.raises(RefusedError):
            allowances.send(nobody, "ana")
    clock.now = 1.0
    assert sends(allowances, nobody, "ana") == 1


def test_who_waits_as_told_is_let_pass(allowances: Allowances, clock: Clock) -> None:
    ana = named("ana")
    sends(allowances, ana, "ana")
    for _ in range(20):
        with pytest.raises(RefusedError) as refused:
            allowances.send(ana, "ana")
        assert refused.value.code == "rate_limited"
        assert refused.value.retry_after_ms is not None
        clock.now += refused.value.retry_after_ms / 1000
        allowances.send(ana, "ana")


def test_rooms_are_counted_by_person_or_address(allowances: Allowances) -> None:
    allowances.new_room(named("ana"))
    with pytest.raises(RefusedError, match="making rooms too fast; wait 1 s"):
        allowances.new_room(named("ana"))
    allowances.new_room(named("bob"))
    allowances.new_room(Identity("192.0.2.1"))
    with pytest.raises(RefusedError):
        allowances.new_room(Identity("192.0.2.1"))


def test_failed_logins_are_counted_by_address(allowances: Allowances) -> None:
    assert allowances.wait_for_login("192.0.2.1") == 0
    allowances.failed_login("192.0.2.1")
    assert allowances.wait_for_login("192.0.2.1") == pytest.approx(2)
    assert allowances.wait_for_login("192.0.2.2") == 0
