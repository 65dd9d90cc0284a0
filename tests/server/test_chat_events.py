"""What is said: send, edit, redact, react, topic, mark; acks; history."""

import json
from pathlib import Path
from typing import Any

import pytest

from pushtui.protocol.limits import LIMITS
from server.log.sqlite import SqliteStore
from server.log.streams import room_stream
from tests.server.conftest import Build, House, author, ticking_clock
from tests.server.peer import Frame, Peer


async def said(peer: Peer, text: str, key: str = "") -> int:
    """Say something; returns its seq."""
    await peer.say("send", key=key or text, room="main", text=text)
    while (event := await peer.hear_of("event", kind="message"))["body"]["text"] != text:
        pass
    seq: int = event["seq"]
    return seq


class TestSend:
    async def test_the_own_event_is_the_ack(self, any_house: House, subprotocol: str) -> None:
        ana = await any_house.visit("ana", subprotocol=subprotocol)
        bo = await any_house.visit("bo")
        await ana.say("send", key="k1", room="main", text="hi")
        event = await ana.hear_of("event")
        assert event == {
            "type": "event",
            "room": "main",
            "seq": 1,
            "at": 1_700_000_000_000,
            "kind": "message",
            "by": "ana",
            "key": "k1",
            "body": {"text": "hi"},
        }
        assert await bo.hear_of("event") == event

    async def test_a_known_key_is_acked_and_not_stored_again(self, any_house: House, subprotocol: str) -> None:
        ana = await any_house.visit("ana", subprotocol=subprotocol)
        seq = await said(ana, "hi", "k1")
        await ana.say("send", key="k1", room="main", text="something else")
        assert await ana.hear() == {"type": "ack", "key": "k1", "room": "main", "seq": seq, "duplicate": True}
        assert any_house.head() == seq

    async def test_a_known_key_is_acked_after_a_reconnect(self, any_house: House) -> None:
        ana = await any_house.visit("ana")
        seq = await said(ana, "hi", "k1")
        await ana.ws.close()
        ana = await any_house.visit("ana", replay=0)
        await ana.say("send", key="k1", room="main", text="hi")
        assert await ana.hear() == {"type": "ack", "key": "k1", "room": "main", "seq": seq, "duplicate": True}
        assert any_house.head() == seq

    async def test_a_key_is_the_authors_own(self, any_house: House) -> None:
        ana, bo = await any_house.visit("ana"), await any_house.visit("bo")
        assert await said(ana, "from ana", "k1") == 1
        assert await said(bo, "from bo", "k1") == 2

    async def test_the_same_key_twice_at_once_is_stored_once(self, any_house: House) -> None:
        ana = await any_house.visit("ana")
        for _ in range(2):
            await ana.say("send", key="k1", room="main", text="hi")
        heard = [await ana.hear(), await ana.hear()]
        assert {frame["type"] for frame in heard} == {"event", "ack"}
        assert {frame["seq"] for frame in heard} == {1}

    async def test_what_is_said_in_a_row_stays_in_order(self, any_house: House, subprotocol: str) -> None:
        ana = await any_house.visit("ana", subprotocol=subprotocol)
        for number in range(500):
            await ana.say("send", key=str(number), room="main", text=str(number))
        assert await ana.texts(500) == [str(number) for number in range(500)]

    async def test_what_looks_at_the_log_waits_for_what_was_said_before(self, any_house: House) -> None:
        ana = await any_house.visit("ana")
        for number in range(1, 100):
            await ana.say("send", key=f"s{number}", room="main", text=str(number))
        await ana.say("edit", key="e", room="main", target=99, text="the last one")
        await ana.say("send", key="r", room="main", text="reply", reply_to=99)
        events = await ana.events(101)
        assert [event["seq"] for event in events] == list(range(1, 102))
        assert [event["kind"] for event in events[-2:]] == ["edit", "message"]
        assert events[-1]["body"] == {"text": "reply", "reply_to": 99}

    @pytest.mark.parametrize("target", [0, -1, 2, 10**6, 2**63 - 1, 2**63, 2**64 - 1])
    async def test_a_reply_to_what_is_not_there(self, any_house: House, subprotocol: str, target: int) -> None:
        ana = await any_house.visit("ana", subprotocol=subprotocol)
        await said(ana, "one")
        await ana.say("send", key="k", room="main", text="x", reply_to=target)
        error = await ana.hear()
        assert (error["type"], error["code"], error["key"]) == ("error", "no_such_target", "k")
        assert any_house.head() == 1

    async def test_what_could_harm_a_terminal_is_replaced(self, house: House) -> None:
        ana = await house.visit("ana")
        await ana.say("send", key="k", room="main", text="\x1b[31mred\x00\r\nnext\u202e")
        assert (await ana.hear_of("event"))["body"]["text"] == "\ufffd[31mred\ufffd\nnext\ufffd"


class TestEdit:
    async def test_the_event(self, any_house: House, subprotocol: str) -> None:
        ana = await any_house.visit("ana", subprotocol=subprotocol)
        seq = await said(ana, "helo")
        await ana.say("edit", key="e", room="main", target=seq, text="hello")
        event = await ana.hear_of("event")
        assert (event["kind"], event["key"], event["body"]) == ("edit", "e", {"target": seq, "text": "hello"})

    async def test_only_who_wrote_it(self, any_house: House) -> None:
        ana, bo = await any_house.visit("ana"), await any_house.visit("bo")
        seq = await said(ana, "mine")
        for type_, fields in (("edit", {"text": "x"}), ("redact", {})):
            await bo.say(type_, key="k", room="main", target=seq, **fields)
            error = await bo.hear_of("error")
            assert (error["code"], error["key"]) == ("not_allowed", "k")
        assert any_house.head() == seq

    @pytest.mark.parametrize("type_", ["edit", "redact", "react"])
    @pytest.mark.parametrize("target", [0, -5, 3, 2**62, 2**63, 2**64 - 1])
    async def test_no_such_target(self, house: House, type_: str, target: int) -> None:
        ana = await house.visit("ana")
        await said(ana, "one")
        await ana.say("mark", key="m", room="main", text="not a message")
        await ana.hear_of("event", kind="mark")
        fields: dict[str, dict[str, Any]] = {
            "edit": {"text": "x"},
            "redact": {},
            "react": {"emoji": "x", "on": True},
        }
        for seq in (target, 2):
            await ana.say(type_, key="k", room="main", target=seq, **fields[type_])
            error = await ana.hear()
            assert (error["type"], error["code"], error["key"]) == ("error", "no_such_target", "k")
        assert house.head() == 2

    async def test_a_number_beyond_every_integer(self, house: House) -> None:
        ana = await house.visit("ana")
        for number in ("1" + "0" * 30, "-" + "9" * 30, "1" + "0" * 5000, "1e400", "1.5"):
            await ana.ws.send(f'{{"type":"redact","key":"k","room":"main","target":{number}}}')
            error = await ana.hear()
            assert error["type"] == "error"
            assert error["code"] in {"no_such_target", "malformed"}


class TestRedact:
    async def test_the_text_is_gone_from_everywhere(self, any_house: House) -> None:
        ana = await any_house.visit("ana")
        seq = await said(ana, "the secret")
        await ana.say("edit", key="e", room="main", target=seq, text="the secret, edited")
        await ana.hear_of("event", kind="edit")
        await ana.say("redact", key="r", room="main", target=seq)
        event = await ana.hear_of("event", kind="redact")
        assert (event["key"], event["body"]) == ("r", {"target": seq})
        bo = await any_house.visit("bo")
        replayed = await bo.events(3)
        await bo.say("history", id="h", room="main", before=99, limit=50)
        page = await bo.hear_of("history")
        assert page["events"] == replayed
        assert [event["body"] for event in replayed] == [
            {"text": ""},
            {"target": seq, "text": ""},
            {"target": seq},
        ]
        stored = await any_house.store.read(room_stream("main"), 0, 50)
        assert b"secret" not in b"".join(entry.body for entry in stored)
        tail = any_house.service.fanout._tails[room_stream("main")]
        assert b"secret" not in b"".join(entry.body for entry in tail._entries)

    async def test_the_text_is_gone_from_the_file(self, build: Build, tmp_path: Path) -> None:
        house = await build(SqliteStore(tmp_path / "log.sqlite3", clock_ms=ticking_clock()))
        ana = await house.visit("ana")
        seq = await said(ana, "a very particular secret", key="k1")
        await ana.say("redact", key="r", room="main", target=seq)
        await ana.hear_of("event", kind="redact")
        await house.close()
        file = b"".join(path.read_bytes() for path in sorted(tmp_path.iterdir()))  # noqa: ASYNC240
        assert b"redact" in file
        assert b"very particular secret" not in file

    async def test_what_was_taken_back_is_no_target_any_more(self, any_house: House) -> None:
        ana = await any_house.visit("ana")
        seq = await said(ana, "x")
        await ana.say("redact", key="r", room="main", target=seq)
        await ana.hear_of("event", kind="redact")
        for type_, fields in (
            ("edit", {"target": seq, "text": "back again"}),
            ("react", {"target": seq, "emoji": "x", "on": True}),
            ("send", {"reply_to": seq, "text": "re"}),
        ):
            await ana.say(type_, key=type_, room="main", **fields)
            assert (await ana.hear())["code"] == "no_such_target"
        assert any_house.head() == 2

    async def test_what_was_stored_before_its_target_went_is_acked_when_sent_again(self, any_house: House) -> None:
        """A client that lost the link before it heard of its edit must not be told that the edit failed."""
        ana = await any_house.visit("ana")
        for type_, target, fields in (
            ("edit", "target", {"text": "y"}),
            ("react", "target", {"emoji": "x", "on": True}),
            ("send", "reply_to", {"text": "re"}),
        ):
            about = {target: await said(ana, f"for {type_}")}
            await ana.say(type_, key=type_, room="main", **about, **fields)
            first = await ana.hear_of("event")
            await ana.say("redact", key=f"r {type_}", room="main", target=about[target])
            await ana.hear_of("event", kind="redact")
            await ana.say(type_, key=type_, room="main", **about, **fields)
            ack = await ana.hear_of("ack")
            assert (ack["key"], ack["seq"], ack["duplicate"]) == (type_, first["seq"], True)

    async def test_sent_again_it_is_acked(self, any_house: House) -> None:
        """A client that lost the link before it heard of it sends it again: it did not fail."""
        ana = await any_house.visit("ana")
        seq = await said(ana, "x")
        for _ in range(2):
            await ana.say("redact", key="r", room="main", target=seq)
        # Which one comes first is open: an ack is about what is stored, not about what was heard.
        heard = {frame["type"]: frame for frame in (await ana.hear(), await ana.hear())}
        assert heard["event"]["kind"] == "redact"
        assert heard["ack"] == {"type": "ack", "key": "r", "room": "main", "seq": 2, "duplicate": True}


class TestOthers:
    async def test_react(self, any_house: House, subprotocol: str) -> None:
        ana, bo = await any_house.visit("ana"), await any_house.visit("bo", subprotocol=subprotocol)
        seq = await said(ana, "x")
        for on in (True, False):
            await bo.say("react", key=f"{on}", room="main", target=seq, emoji="🎉", on=on)
            event = await bo.hear_of("event", kind="react")
            assert (event["by"], event["body"]) == ("bo", {"target": seq, "emoji": "🎉", "on": on})

    @pytest.mark.parametrize(("emoji", "code"), [("", "malformed"), (" ", "malformed"), ("x" * 33, "too_long")])
    async def test_a_reaction_is_short(self, house: House, emoji: str, code: str) -> None:
        ana = await house.visit("ana")
        seq = await said(ana, "x")
        await ana.say("react", key="k", room="main", target=seq, emoji=emoji, on=True)
        assert (await ana.hear())["code"] == code
        assert house.head() == seq

    async def test_topic(self, any_house: House) -> None:
        ana = await any_house.visit("ana")
        await ana.say("topic", key="t", room="main", text=" lunch\nat one ")
        assert (await ana.hear_of("event", kind="topic"))["body"] == {"text": "lunch\ufffdat one"}
        bo = await any_house.knock()
        assert (await bo.hello("bo"))["rooms"][0]["topic"] == "lunch\ufffdat one"
        await ana.say("topic", key="t2", room="main", text="")
        assert (await ana.hear_of("event", kind="topic"))["body"] == {"text": ""}
        await ana.say("topic", key="t3", room="main", text="x" * (LIMITS.topic_characters + 1))
        assert (await ana.hear_of("error"))["code"] == "too_long"

    async def test_a_mark_is_on_the_status_stream_too(self, any_house: House) -> None:
        status = await any_house.read_along()
        await status.opening()
        ana = await any_house.visit("ana")
        for _ in range(2):
            await ana.say("mark", key="m", room="main", text="deploy v1.4")
        heard = {frame["type"]: frame for frame in (await ana.hear(), await ana.hear())}
        event = heard["event"]
        assert event["body"] == {"text": "deploy v1.4"}
        assert heard["ack"]["key"] == "m"
        block = await status.block()
        assert block.event == "mark"
        assert block.data == {"text": "deploy v1.4", "room": "main", "by": "ana", "at": event["at"]}
        assert any_house.head_of("status") == 1


class TestHistory:
    async def test_page_by_page_to_the_beginning(self, any_house: House, subprotocol: str) -> None:
        for number in range(1, 26):
            await any_house.post(str(number))
        ana = await any_house.visit("ana", subprotocol=subprotocol, replay=0)
        pages: list[list[str]] = []
        before, more = 26, True
        while more:
            await ana.say("history", id=f"h{before}", room="main", before=before, limit=10)
            page = await ana.hear()
            assert (page["type"], page["id"], page["room"]) == ("history", f"h{before}", "main")
            pages.append([event["body"]["text"] for event in page["events"]])
            before, more = page["events"][0]["seq"], page["more"]
        expected = [range(16, 26), range(6, 16), range(1, 6)]
        assert pages == [[str(number) for number in numbers] for numbers in expected]

    async def test_a_page_that_ends_at_the_beginning_has_no_more(self, any_house: House) -> None:
        for number in range(10):
            await any_house.post(str(number))
        ana = await any_house.visit("ana", replay=0)
        await ana.say("history", id="h", room="main", before=11, limit=10)
        page = await ana.hear()
        assert (len(page["events"]), page["more"]) == (10, False)

    @pytest.mark.parametrize("before", [1, 0, -1, -(10**30), -(2**63)])
    async def test_before_the_beginning_is_nothing(self, any_house: House, before: int) -> None:
        await any_house.post("x")
        ana = await any_house.visit("ana", replay=0)
        await ana.ws.send(json.dumps({"type": "history", "id": "h", "room": "main", "before": before, "limit": 5}))
        assert await ana.hear() == {"type": "history", "id": "h", "room": "main", "events": [], "more": False}

    @pytest.mark.parametrize("before", [2, 3, 2**63 - 1, 2**63, 10**30])
    async def test_before_any_number_above_is_the_newest(self, any_house: House, before: int) -> None:
        await any_house.post("x")
        ana = await any_house.visit("ana", replay=0)
        await ana.ws.send(json.dumps({"type": "history", "id": "h", "room": "main", "before": before, "limit": 5}))
        assert [event["seq"] for event in (await ana.hear())["events"]] == [1]

    @pytest.mark.parametrize("limit", [0, -1, 201, 2**63, 10**30])
    async def test_a_limit_that_is_none(self, house: House, limit: int) -> None:
        ana = await house.visit("ana")
        await ana.ws.send(json.dumps({"type": "history", "id": "h", "room": "main", "before": 5, "limit": limit}))
        error = await ana.hear()
        assert (error["code"], error["message"]) == ("malformed", "limit is 1 to 200")

    async def test_what_was_trimmed_is_not_in_it(self, any_house: House) -> None:
        for number in range(1, 11):
            await any_house.post(str(number))
        await any_house.store.trim(room_stream("main"), 8)
        ana = await any_house.visit("ana", replay=0)
        await ana.say("history", id="h", room="main", before=10, limit=5)
        page = await ana.hear()
        assert ([event["seq"] for event in page["events"]], page["more"]) == ([8, 9], False)

    async def test_a_page_of_long_messages_is_shorter(self, any_house: House) -> None:
        """200 of the longest would be a frame of megabytes, which clients refuse."""
        for number in range(30):
            await any_house.service.writing.message(
                author("bo"), "main", f"{number} ".ljust(LIMITS.text_bytes, '"')
            )
        ana = await any_house.visit("ana", replay=0)
        seen: list[Frame] = []
        before, more = 31, True
        while more:
            await ana.say("history", id="h", room="main", before=before, limit=200)
            page = await ana.hear()
            assert len(json.dumps(page)) < 1 << 20
            assert page["events"]
            seen[:0] = page["events"]
            before, more = page["events"][0]["seq"], page["more"]
        assert [event["seq"] for event in seen] == list(range(1, 31))
