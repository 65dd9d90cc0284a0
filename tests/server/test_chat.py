"""The chat from the handshake to the replay: PROTOCOL's hello, welcome and resume."""

import json
from collections import Counter

import msgspec
import pytest
from websockets.exceptions import InvalidStatus

from pushtui import __version__
from pushtui.protocol.limits import LIMITS, Limits
from pushtui.protocol.messages import JSON, MSGPACK
from server.log.memory import MemoryStore
from server.log.sqlite import SqliteStore
from server.log.streams import room_stream
from tests.server.conftest import Build, House, author, ticking_clock
from tests.server.peer import Frame, Rooms
from tests.server.wire_client import masked


def texts(events: list[Frame]) -> list[str]:
    return [event["body"]["text"] for event in events]


class TestHandshake:
    @pytest.mark.parametrize(
        ("offered", "agreed"),
        [
            (None, None),
            ([JSON], JSON),
            ([MSGPACK], MSGPACK),
            ([JSON, MSGPACK], JSON),
            ([MSGPACK, JSON], MSGPACK),
            (["chat.v9", MSGPACK], MSGPACK),
        ],
    )
    async def test_the_clients_preference_counts(
        self, house: House, offered: list[str] | None, agreed: str | None
    ) -> None:
        peer = await house.knock(offered)
        assert peer.ws.subprotocol == agreed
        await peer.hello()

    async def test_only_unknown_subprotocols_are_refused(self, house: House) -> None:
        with pytest.raises(InvalidStatus) as refused:
            await house.knock(["chat.v9", "pushtui.v2.json"])
        assert refused.value.response.status_code == 400
        answer = json.loads(refused.value.response.body or b"")
        assert answer["code"] == "malformed"
        assert JSON in answer["message"]
        assert MSGPACK in answer["message"]

    async def test_compression_is_declined(self, house: House) -> None:
        wire = await house.wire()
        head = await wire.upgrade("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
        assert head.startswith("HTTP/1.1 101 ")
        assert "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=" in head.lower()
        assert "sec-websocket-extensions" not in head.lower()

    @pytest.mark.parametrize(
        "headers",
        [
            (),
            ("Upgrade: h2c",),
            ("Upgrade: websocket", "Sec-WebSocket-Version: 13"),
            ("Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: short"),
        ],
    )
    async def test_what_is_no_handshake_is_answered_with_400(self, house: House, headers: tuple[str, ...]) -> None:
        wire = await house.wire()
        assert (await wire.request("/chat", "Connection: Upgrade", *headers)).startswith("HTTP/1.1 400 ")


class TestHello:
    async def test_the_welcome(self, house: House, subprotocol: str) -> None:
        await house.post("first")
        peer = await house.knock((subprotocol,))
        welcome = await peer.hello("ana", ("main", "ops"))
        states = {name: house.store.state(room_stream(name)) for name in ("main", "ops")}
        assert welcome == {
            "type": "welcome",
            "server": "test",
            "version": __version__,
            "you": {"nick": "ana", "role": "member"},
            "limits": msgspec.to_builtins(LIMITS),
            "rooms": [
                {
                    "room": name,
                    "epoch": state.epoch if state else None,
                    "head": head,
                    "floor": 1,
                    "topic": "",
                    "members": [{"nick": "ana", "state": "here"}],
                }
                for (name, state), head in zip(states.items(), (1, 0), strict=True)
            ],
        }

    async def test_a_fresh_resume(self, house: House, subprotocol: str) -> None:
        await house.post("first")
        peer = await house.visit(subprotocol=subprotocol)
        state = house.store.state(room_stream("main"))
        assert state is not None
        assert peer.heard[1] == {
            "type": "resume",
            "room": "main",
            "outcome": "fresh",
            "epoch": state.epoch,
            "after": 0,
            "head": 1,
        }
        assert await peer.hear() == {
            "type": "event",
            "room": "main",
            "seq": 1,
            "at": 1_700_000_000_000,
            "kind": "message",
            "by": "anonymous",
            "body": {"text": "first"},
        }

    async def test_the_nick_is_composed(self, house: House) -> None:
        peer = await house.knock()
        assert (await peer.hello("Zoe\u0301"))["you"]["nick"] == "Zo\u00e9"

    async def test_without_a_room_one_is_welcome(self, house: House) -> None:
        peer = await house.knock()
        assert (await peer.hello(rooms=()))["rooms"] == []

    async def test_unknown_fields_are_ignored(self, house: House, subprotocol: str) -> None:
        await house.visit(subprotocol=subprotocol, colour="blue", nested={"a": [1, {"b": None}]})

    async def test_a_second_one_is_an_error(self, house: House) -> None:
        peer = await house.visit()
        await peer.say("hello", nick="bo", session="other", rooms={})
        error = await peer.hear_of("error")
        assert error["code"] == "malformed"
        assert house.service.people._by_nick.keys() == {"ana"}

    async def test_none_in_time_ends_in_4000(self, build: Build) -> None:
        house = await build(limits=Limits(hello_seconds=0.02))
        peer = await house.knock()
        frames, code, reason = await peer.until_closed()
        assert [frame["type"] for frame in frames] == ["bye"]
        assert code == frames[0]["code"] == 4000
        assert reason == frames[0]["reason"] == "no hello within 0.02 s"

    async def test_pings_are_no_hello(self, build: Build) -> None:
        house = await build(limits=Limits(hello_seconds=0.05))
        peer = await house.knock()
        await (await peer.ws.ping())
        assert (await peer.until_closed())[1] == 4000


class TestReplay:
    @pytest.mark.parametrize(("replay", "count"), [(0, 0), (5, 5), (None, 50), (60, 60), (1000, 60)])
    async def test_a_fresh_start_brings_the_newest(
        self, any_house: House, subprotocol: str, replay: int | None, count: int
    ) -> None:
        for number in range(60):
            await any_house.service.writing.message(author("bo"), "main", str(number))
        peer = await any_house.visit(subprotocol=subprotocol, replay=replay)
        assert (peer.heard[1]["outcome"], peer.heard[1]["after"]) == ("fresh", 60 - count)
        await any_house.post("live")
        assert await peer.texts(count + 1) == [*map(str, range(60 - count, 60)), "live"]

    async def test_the_replay_is_longer_than_what_fits_a_connection(self, any_house: House) -> None:
        for number in range(600):
            await any_house.service.writing.message(author("bo"), "main", f"{number} " + "x" * 2000)
        peer = await any_house.visit(replay=600)
        assert [text.split(" ")[0] for text in await peer.texts(600)] == [str(number) for number in range(600)]

    async def test_caught_up_brings_what_came_after(self, any_house: House, subprotocol: str) -> None:
        epoch = (await any_house.visit("bo")).heard[1]["epoch"]
        for number in range(10):
            await any_house.post(str(number))
        peer = await any_house.knock((subprotocol,))
        await peer.hello(rooms={"main": f"{epoch}.4"})
        resume = (await peer.resumes())["main"]
        assert resume == {
            "type": "resume",
            "room": "main",
            "outcome": "caught_up",
            "epoch": epoch,
            "after": 4,
            "head": 10,
        }
        assert await peer.texts(6) == [str(number) for number in range(4, 10)]

    async def test_caught_up_with_nothing_new(self, any_house: House) -> None:
        posted = (await any_house.post("x")).json()
        peer = await any_house.knock()
        await peer.hello(rooms={"main": posted["position"]})
        resume = (await peer.resumes())["main"]
        assert (resume["outcome"], resume["after"], resume["head"]) == ("caught_up", 1, 1)
        assert await peer.barrier() == []

    async def test_a_gap_is_told_with_its_ends(self, any_house: House, subprotocol: str) -> None:
        for number in range(10):
            posted = (await any_house.post(str(number))).json()
        epoch = posted["position"].split(".")[0]
        await any_house.store.trim(room_stream("main"), 8)
        peer = await any_house.knock((subprotocol,))
        welcome = await peer.hello(rooms={"main": f"{epoch}.2"})
        assert (welcome["rooms"][0]["floor"], welcome["rooms"][0]["head"]) == (8, 10)
        resume = (await peer.resumes())["main"]
        assert resume == {
            "type": "resume",
            "room": "main",
            "outcome": "gap",
            "epoch": epoch,
            "after": 7,
            "head": 10,
            "lost": {"after": 2, "before": 8},
        }
        assert await peer.texts(3) == ["7", "8", "9"]

    @pytest.mark.parametrize(
        "position",
        ["zzzzzzzz.3", "{epoch}.11", "{epoch}.999999999999999999", "nonsense", "{epoch}.-1", "é.1", "."],
    )
    async def test_a_reset_brings_the_newest(self, any_house: House, position: str) -> None:
        """Also a position above the head, and one that is none: mercure#704, a client must never be stuck."""
        for number in range(10):
            posted = (await any_house.post(str(number))).json()
        epoch = posted["position"].split(".")[0]
        peer = await any_house.knock()
        await peer.hello(replay=3, rooms={"main": position.format(epoch=epoch)})
        resume = (await peer.resumes())["main"]
        assert (resume["outcome"], resume["epoch"], resume["after"]) == ("reset", epoch, 7)
        assert "lost" not in resume
        assert await peer.texts(3) == ["7", "8", "9"]

    async def test_each_room_goes_on_from_its_own_position(self, any_house: House) -> None:
        for number in range(4):
            ops = (await any_house.post(f"ops {number}", "ops")).json()["position"]
            main = (await any_house.post(f"main {number}")).json()["position"]
        peer = await any_house.knock()
        positions: Rooms = {"ops": f"{ops[:8]}.2", "main": f"{main[:8]}.3", "new": None}
        await peer.hello(rooms=positions)
        heard = [await peer.hear() for _ in range(6)]
        assert [(frame["type"], frame["room"]) for frame in heard] == [
            ("resume", "ops"),
            ("event", "ops"),
            ("event", "ops"),
            ("resume", "main"),
            ("event", "main"),
            ("resume", "new"),
        ]
        assert texts([frame for frame in heard if frame["type"] == "event"]) == ["ops 2", "ops 3", "main 3"]

    async def test_who_never_saw_an_event_can_come_back(self, any_house: House) -> None:
        """socket.io#5538: without an event there was no position, and what came meanwhile was lost."""
        peer = await any_house.visit()
        resume = peer.heard[1]
        assert (resume["after"], resume["head"]) == (0, 0)
        await peer.ws.close()
        for number in range(3):
            await any_house.post(str(number))
        again = await any_house.knock()
        await again.hello(rooms={"main": f"{resume['epoch']}.{resume['after']}"})
        assert (await again.resumes())["main"]["outcome"] == "caught_up"
        assert await again.texts(3) == ["0", "1", "2"]

    async def test_a_log_that_survived_a_restart_is_gone_on_with(self, build: Build, any_store: object) -> None:
        assert isinstance(any_store, SqliteStore | MemoryStore)
        house = await build(any_store)
        peer = await house.visit()
        await peer.say("send", key="k", room="main", text="before")
        await peer.texts(1)
        epoch = peer.heard[1]["epoch"]
        await house.close()
        durable = isinstance(any_store, SqliteStore)
        store = (
            SqliteStore(any_store._path, clock_ms=ticking_clock())
            if isinstance(any_store, SqliteStore)
            else MemoryStore(clock_ms=ticking_clock())
        )
        house = await build(store)
        await house.post("after")
        again = await house.knock()
        await again.hello(rooms={"main": f"{epoch}.1"})
        resume = (await again.resumes())["main"]
        assert resume["outcome"] == ("caught_up" if durable else "reset")
        assert (resume["epoch"] == epoch) is durable
        assert await again.texts(1) == ["after"]


class TestEncodings:
    async def test_both_carry_the_same(self, any_house: House) -> None:
        """Everything that can be said, once; what is heard must not depend on the encoding."""
        speaker = await any_house.visit("speaker")
        readable = await any_house.visit("readable")
        packed = await any_house.visit("packed", subprotocol=MSGPACK)
        await readable.hear_of("presence", nick="packed")
        await speaker.say("send", key="1", room="main", text='quotes " \\ \n lines, ünï 🦊')
        await speaker.say("send", key="2", room="main", text="reply", reply_to=1)
        await speaker.say("edit", key="3", room="main", target=1, text="better")
        await speaker.say("react", key="4", room="main", target=1, emoji="👍", on=True)
        await speaker.say("topic", key="5", room="main", text="lunch")
        await speaker.say("mark", key="6", room="main", text="deploy")
        await speaker.say("redact", key="7", room="main", target=2)
        await speaker.say("typing", room="main", on=True)
        await speaker.say("away", on=True, text="tea")
        # Else the others are told only that it has gone.
        await speaker.barrier()
        await speaker.ws.close()
        # What is true now has no place in the order of what is stored.
        heard = [sorted([await peer.hear() for _ in range(10)], key=str) for peer in (readable, packed)]
        assert heard[0] == heard[1]
        kinds = Counter(frame["type"] for frame in heard[0])
        assert kinds == {"event": 7, "typing": 1, "presence": 2}

    async def test_msgpack_frames_are_binary_and_json_frames_are_text(self, house: House) -> None:
        opcodes = {}
        for name in (JSON, MSGPACK):
            wire = await house.wire()
            await wire.upgrade(f"Sec-WebSocket-Protocol: {name}")
            hello = {"type": "hello", "nick": name[-4:], "session": name, "rooms": {"main": None}}
            data = msgspec.msgpack.encode(hello) if name == MSGPACK else msgspec.json.encode(hello)
            wire.send(masked(2 if name == MSGPACK else 1, data))
            opcodes[name] = {(await wire.frame()).opcode for _ in range(2)}
        assert opcodes == {JSON: {1}, MSGPACK: {2}}
