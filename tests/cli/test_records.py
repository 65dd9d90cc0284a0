import json

from pushtui.client.happenings import CaughtUp, Link, LinkState, RoomEvent, StatusEvent
from pushtui.commands.records import record
from pushtui.protocol import bodies, messages
from pushtui.protocol.positions import Lost, Outcome, Position


def test_an_event_of_a_room() -> None:
    text = record(RoomEvent("main", 7, 1000, "message", "ana", bodies.Message("two\nlines"), "key", replayed=True))
    assert "\n" not in text
    assert json.loads(text) == {
        "type": "event",
        "room": "main",
        "seq": 7,
        "at": 1000,
        "kind": "message",
        "by": "ana",
        "body": {"text": "two\nlines"},
        "key": "key",
        "replayed": True,
    }


def test_an_event_of_the_status_has_its_position_as_on_the_wire() -> None:
    event = StatusEvent(Position("f3k9q2ab", 1042), "mark", bodies.Mark("v1"))
    assert json.loads(record(event))["position"] == "f3k9q2ab.1042"
    assert json.loads(record(StatusEvent(None, "sample", None)))["position"] is None


def test_an_outcome_is_a_record_of_its_own() -> None:
    assert json.loads(record(CaughtUp("main", Outcome.GAP, 3, Lost(4, 9)))) == {
        "type": "caught_up",
        "room": "main",
        "outcome": "gap",
        "replayed": 3,
        "lost": {"after": 4, "before": 9},
    }


def test_the_rest_has_its_name_as_type() -> None:
    assert json.loads(record(Link(LinkState.LIVE)))["type"] == "link"
    assert json.loads(record(messages.Presence("main", "ana", "here")))["type"] == "presence"
