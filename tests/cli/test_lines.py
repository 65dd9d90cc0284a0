import time
from collections.abc import Iterator

import pytest

from pushtui.client.happenings import (
    CaughtUp,
    ChatHappening,
    Link,
    LinkState,
    RoomEvent,
    StatusEvent,
    StatusHappening,
)
from pushtui.commands.lines import ChatLines, StatusLines
from pushtui.protocol import bodies, messages
from pushtui.protocol.limits import Limits
from pushtui.protocol.positions import Lost, Outcome, Position
from pushtui.protocol.samples import Cpu, Disk, DiskIo, Memory, Network, Sample

AT = 1_795_356_151_000  # 2026-11-22 14:02:31 UTC


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def chat(*happenings: ChatHappening) -> list[str]:
    lines = ChatLines(lambda: AT)
    return [line for happening in happenings for line in lines.of(happening)]


def status(*happenings: StatusHappening) -> list[str]:
    lines = StatusLines(lambda: AT)
    return [line for happening in happenings for line in lines.of(happening)]


def event(body: bodies.RoomBody | None, *, seq: int = 1, by: str = "ana", kind: str = "message") -> RoomEvent:
    return RoomEvent("main", seq, AT, kind, by, body)


def durable(body: bodies.Notice | bodies.Mark | bodies.Alert | None, *, replayed: bool = False) -> StatusEvent:
    return StatusEvent(Position("aaaaaaaa", 1), "kind", body, replayed)


def test_a_message_has_its_time_and_author() -> None:
    assert chat(event(bodies.Message("deploy v1.4 is out"))) == ["14:02 ana: deploy v1.4 is out"]


def test_further_lines_cannot_pass_for_somebody_elses() -> None:
    lines = chat(event(bodies.Message("look\n14:02 ben: I did it\n\nend")))
    assert lines == ["14:02 ana: look", "      14:02 ben: I did it", "      ", "      end"]


def test_a_reply_says_to_whom_if_that_is_known() -> None:
    said = event(bodies.Message("up since then"), seq=7, by="ben")
    assert chat(said, event(bodies.Message("same here", reply_to=7), seq=8))[1] == "14:02 ana to ben: same here"
    assert chat(event(bodies.Message("same here", reply_to=7), seq=8)) == ["14:02 ana: same here"]


def test_numbers_of_a_log_that_was_reset_mean_nothing_any_more() -> None:
    said = event(bodies.Message("up since then"), seq=7, by="ben")
    reset = messages.Resume("main", Outcome.RESET, "bbbbbbbb", 0, 0)
    assert chat(said, reset, event(bodies.Message("what?", reply_to=7), seq=8))[-1] == "14:02 ana: what?"


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (bodies.Message("/me waves"), "14:02 * ana waves"),
        (bodies.Edit(3, "better"), "14:02 ○ ana says it in other words: better"),
        (bodies.Redact(3), "14:02 ○ ana took a message back"),
        (bodies.React(3, "👍", on=True), "14:02 ○ ana reacts with 👍"),
        (bodies.React(3, "👍", on=False), "14:02 ○ ana no longer reacts with 👍"),
        (bodies.Topic("incident"), "14:02 ○ topic: incident · ana"),
        (bodies.Mark("deploy v1.4"), "14:02 ⚑ deploy v1.4 · ana"),
        (None, "14:02 ○ ana: an event of the kind 'message', which this version does not know"),
    ],
)
def test_what_is_no_message_has_a_sign_where_the_nick_would_stand(body: bodies.RoomBody | None, line: str) -> None:
    assert chat(event(body)) == [line]


@pytest.mark.parametrize(
    ("caught_up", "line"),
    [
        (CaughtUp("main", Outcome.FRESH, 3), "14:02 ○ joined, 3 replayed"),
        (CaughtUp("main", Outcome.CAUGHT_UP, 7), "14:02 ○ caught up, 7 replayed"),
        (CaughtUp("main", Outcome.GAP, 5, Lost(10, 23)), "14:02 ○ gap: 12 lost, 5 replayed"),
        (CaughtUp("main", Outcome.RESET, 0), "14:02 ○ the log was reset, 0 replayed"),
    ],
)
def test_every_outcome_is_a_line(caught_up: CaughtUp, line: str) -> None:
    assert chat(caught_up) == [line]
    assert status(caught_up) == [line.replace("14:02", "14:02:31")]


def test_the_link_tells_when_it_is_lost_and_back_but_not_each_try() -> None:
    assert chat(
        Link(LinkState.CONNECTING),
        Link(LinkState.LIVE),
        Link(LinkState.LOST, "the server restarts", retry_in=3.2),
        Link(LinkState.CONNECTING, attempt=2),
        Link(LinkState.LIVE, down_for=4.4),
    ) == [
        "14:02 ○ live",
        "14:02 ○ link lost: the server restarts; retry in 4 s",
        "14:02 ○ live again after 4 s",
    ]


def test_who_is_there_comes_and_goes() -> None:
    members = [
        messages.Member("ana", "here"),
        messages.Member("ben", "away", "lunch"),
        messages.Member("cyd", "gone"),
    ]
    room = messages.RoomState("main", "aaaaaaaa", 3, 1, "incident", members)
    welcome = messages.Welcome("s", "1", messages.You("ana", "member"), Limits(), [room])
    assert chat(
        welcome,
        messages.Presence("main", "ben", "away", "lunch"),
        messages.Presence("main", "ben", "here"),
        messages.Presence("main", "ben", "gone"),
        messages.Error("busy", "the log is full"),
    ) == [
        "14:02 ○ main · incident · here: ana, ben",
        "14:02 ○ ben is away: lunch",
        "14:02 ○ ben is here",
        "14:02 ○ ben has gone",
        "14:02 ! the log is full",
    ]


def test_a_sample_is_one_line() -> None:
    sample = Sample(
        "ops-1",
        AT,
        1.0,
        cpu=Cpu(37.4, [37.4], 1, (0.42, 0.38, 0.3)),
        memory=Memory(100, 61, 61.0, 0.0),
        disks=[Disk("/", 100, 72, 72.0)],
        disk_io=DiskIo(1_200_000, 300_000),
        network=Network(1_200_000, 340_000),
        skipped=2,
    )
    assert status(StatusEvent(None, "sample", sample)) == [
        "14:02:31 ops-1  cpu 37 %  mem 61 %  swap 0 %  load 0.42 0.38 0.30  disk / 72 %  "
        "read 1.2 MB/s write 0.3 MB/s  net ↓ 1.2 MB/s ↑ 0.3 MB/s  (2 skipped)"
    ]


def test_what_a_host_cannot_measure_is_left_out() -> None:
    assert status(StatusEvent(None, "sample", Sample("bare", AT, 1.0))) == ["14:02:31 bare"]


@pytest.mark.parametrize(("level", "sign"), [("info", "○"), ("success", "✓"), ("warning", "●"), ("critical", "▲")])
def test_a_notice_has_its_level_as_word_and_sign(level: bodies.Level, sign: str) -> None:
    notice = bodies.Notice("two\nlines", level, "cron", "backup")
    assert status(durable(notice)) == [f"14:02:31 {sign} {level}: backup: two", "      lines · cron"]


def test_the_status_flow_has_marks_alerts_and_unknown_kinds() -> None:
    alert = bodies.Alert("1", "ops-1", "cpu", "firing", 97.5, 90, AT)
    assert status(durable(bodies.Mark("v1.4", "main", "ana")), durable(alert), durable(None)) == [
        "14:02:31 ⚑ v1.4 · ana in main",
        "14:02:31 ▲ ops-1 cpu firing: 97.5, threshold 90",
        "14:02:31 ○ an event of the kind 'kind', which this version does not know",
    ]


def test_a_replayed_notice_does_not_claim_to_be_of_now() -> None:
    stored = bodies.Mark("v1.4", at=AT - 60_000)
    assert status(durable(stored, replayed=True)) == ["14:01:31 ⚑ v1.4"]


def test_a_long_life_forgets_the_oldest_authors() -> None:
    lines = ChatLines(lambda: AT)
    for seq in range(1, 3000):
        list(lines.of(event(bodies.Message("x"), seq=seq)))
    assert list(lines.of(event(bodies.Message("y", reply_to=1), seq=3000))) == ["14:02 ana: y"]
    assert list(lines.of(event(bodies.Message("y", reply_to=2999), seq=3001))) == ["14:02 ana to ana: y"]


def test_a_crowd_is_named_in_part() -> None:
    room = messages.RoomState("main", "aaaaaaaa", 3, 1, "", [messages.Member("ana", "here")], count=5001)
    welcome = messages.Welcome("s", "1", messages.You("ana", "member"), Limits(), [room])
    assert chat(welcome, messages.Crowd("main", 5002)) == ["14:02 ○ main · here: ana and 5000 more"]
