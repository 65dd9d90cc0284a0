"""Each fault is found by its check, and no other check complains."""

import pytest

from pushtui.doctor.endpoint import Bounds, Endpoint
from pushtui.doctor.finding import Finding, Level
from pushtui.doctor.websocket.examination import CHECKS, examine
from pushtui.doctor.websocket.patient import Patient
from tests.doctor import right_websocket as right
from tests.doctor import wrong_websocket as wrong
from tests.doctor.right_websocket import SUBPROTOCOL, RightServer, serving

BOUNDS = Bounds(patience=0.05, answer=3, pause=0.2, oversize=1 << 20)
#: For servers whose fault is that nothing comes, and for one that ends by itself.
SHORT = Bounds(patience=0.05, answer=0.5, pause=0.2, oversize=1 << 20)
PATIENT = Bounds(patience=3, answer=3, pause=0.2, oversize=1 << 20)
WAITED_FOR = {
    wrong.NoPong: SHORT,
    wrong.OtherPong: SHORT,
    wrong.NoCloseFrame: SHORT,
    wrong.StaysOpen: SHORT,
    wrong.HangsUpAtOnce: PATIENT,
    wrong.ClosesWith1005: PATIENT,
}


async def examined(url: str, bounds: Bounds = BOUNDS, **options: object) -> dict[str, Finding]:
    patient = Patient(Endpoint.parse(url), bounds, **options)  # type: ignore[arg-type]
    return {finding.check: finding async for finding in examine(patient)}


def complaints(found: dict[str, Finding]) -> dict[str, Level]:
    return {name: one.level for name, one in found.items() if one.level in (Level.WARN, Level.FAULT)}


@pytest.mark.parametrize("kind", [RightServer, right.Talkative])
async def test_a_right_server_has_nothing_to_hear(kind: type[RightServer]) -> None:
    async with serving(kind) as url:
        found = await examined(url, subprotocols=(SUBPROTOCOL,), text="héllo")
    assert not complaints(found)
    assert [name for name, one in found.items() if one.level is Level.SKIPPED] == ["encryption", "idle"]
    assert list(found) == [*(check.name for check in CHECKS), "idle", "server-frames"]
    assert all(one.source for one in found.values())
    assert found["fragments"].seen.endswith("a message in three fragments is answered as in one")
    assert found["subprotocol"].seen.endswith(f"of some that are known: {SUBPROTOCOL}")


@pytest.mark.parametrize(
    ("kind", "check", "level", "seen"),
    [
        (wrong.AnyVersion, "version", Level.FAULT, "version 99 was let in; no version at all was let in"),
        (wrong.WordlessAboutVersions, "version", Level.WARN, "version 99: 400 without Sec-WebSocket-Version"),
        (wrong.NoVersionIsFine, "version", Level.FAULT, "no version at all was let in"),
        (wrong.AnyKey, "key", Level.FAULT, "no key was let in"),
        (wrong.ShortKey, "key", Level.WARN, "a key of 6 bytes was let in"),
        (wrong.AnyOrigin, "origin", Level.WARN, "a page of https://doctor.invalid is let in"),
        (wrong.SubprotocolUnasked, "subprotocol", Level.FAULT, f"none was offered, {SUBPROTOCOL} was chosen"),
        (wrong.FirstSubprotocol, "subprotocol", Level.WARN, "one that nobody speaks was offered, it was chosen"),
        (wrong.ExtensionUnasked, "extensions", Level.FAULT, "none was offered, permessage-deflate was chosen"),
        (wrong.AnyExtension, "extensions", Level.FAULT, "one that nobody knows was offered, x-doctor-"),
        (wrong.NoPong, "ping", Level.FAULT, "a ping of 0 bytes: no pong"),
        (wrong.OtherPong, "ping", Level.FAULT, "a ping of 125 bytes: a pong of 100 other bytes"),
        (wrong.NoMaskNeeded, "masking", Level.FAULT, "a ping without a mask: went on as if nothing was wrong"),
        (wrong.NoMaskOtherCode, "masking", Level.WARN, "a ping without a mask: closed with 1008"),
        (wrong.ReservedBits, "reserved-bits", Level.FAULT, "a reserved bit: went on as if nothing was wrong"),
        (wrong.AnyOpcode, "opcodes", Level.FAULT, "opcode 0xb: went on as if nothing was wrong"),
        (wrong.LongPings, "control-frames", Level.FAULT, "a ping of 126 bytes: went on as if nothing was wrong"),
        (wrong.PingsInFragments, "control-frames", Level.FAULT, "a ping in fragments: went on"),
        (wrong.NoOrder, "fragments", Level.FAULT, "a rest without a beginning: went on as if nothing was wrong"),
        (
            wrong.EachFragmentByItself,
            "fragments",
            Level.FAULT,
            "a first fragment was answered before the rest came",
        ),
        (wrong.LastFragmentOnly, "fragments", Level.FAULT, "in three fragments it is not answered so"),
        (wrong.TextByFragment, "fragments", Level.FAULT, "half a letter in a first fragment"),
        (wrong.AnyText, "utf-8", Level.FAULT, "ff as text: went on as if nothing was wrong"),
        (wrong.SilentAboutTexts, "utf-8", Level.WARN, "ff as text: hung up without a close frame"),
        (wrong.NoCloseFrame, "close", Level.FAULT, "a close frame: neither closed nor went on"),
        (wrong.OtherCloseCode, "close", Level.WARN, "4321 was answered with 1000"),
        (wrong.StaysOpen, "close", Level.FAULT, "the connection still stands"),
        (wrong.AnyCloseCode, "close-code", Level.WARN, "code 1005: closed with 1000; code 999: closed with 1000"),
        (
            wrong.EchoesCode1005,
            "close-code",
            Level.FAULT,
            "code 1005: closed with 1005; code 999: closed with 999",
        ),
        (wrong.ClosesWith1005, "server-frames", Level.FAULT, "a close frame had the code 1005"),
        (wrong.NoLimit, "oversize", Level.WARN, "1 MiB of a message that had no end were taken"),
        (wrong.OtherCodeForSize, "oversize", Level.WARN, "closed with 1002"),
        (wrong.MasksItsFrames, "server-frames", Level.FAULT, "a frame was masked"),
        (wrong.SetsReservedBits, "server-frames", Level.FAULT, "a reserved bit was set"),
        (wrong.HangsUpAtOnce, "idle", Level.WARN, "it hung up without a close frame"),
    ],
)
async def test_one_fault_is_found_and_no_other(
    kind: type[RightServer], check: str, level: Level, seen: str
) -> None:
    async with serving(kind) as url:
        found = await examined(url, WAITED_FOR.get(kind, BOUNDS), text="héllo")
    assert complaints(found) == {check: level}
    assert seen in found[check].seen
    assert found[check].advice


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        (wrong.ConstantAccept, "is right"),
        (wrong.NoUpgradeField, "Upgrade is missing"),
        (wrong.Status200, "200 instead of 101"),
    ],
)
async def test_without_a_handshake_nothing_else_is_tried(kind: type[RightServer], seen: str) -> None:
    async with serving(kind) as url:
        found = await examined(url)
    assert complaints(found) == {"handshake": Level.FAULT}
    assert seen in found["handshake"].seen
    rest = [one for name, one in found.items() if name not in ("encryption", "handshake")]
    assert {(one.level, one.seen) for one in rest} == {(Level.SKIPPED, "there is no WebSocket")}


async def test_who_wants_no_texts_is_not_told_how_to_read_them() -> None:
    async with serving(right.WantsNoTexts) as url:
        found = await examined(url)
    assert not complaints(found)
    for check in ("fragments", "utf-8", "oversize"):
        assert found[check].level is Level.SKIPPED
        assert "closed with 1008, which is about something else" in found[check].seen


async def test_who_reads_no_more_does_not_keep_the_doctor() -> None:
    async with serving(right.ReadsNoMore) as url:
        found = await examined(url, Bounds(patience=0.05, answer=0.5, pause=0.2, oversize=64 << 20))
    assert not complaints(found)
    assert found["oversize"].level is Level.SKIPPED
    assert "it neither read on nor ended for 0.5 s" in found["oversize"].seen


async def test_a_subprotocol_that_was_asked_for_and_not_chosen() -> None:
    async with serving(RightServer) as url:
        found = await examined(url, subprotocols=("other.v1",))
    assert complaints(found) == {"subprotocol": Level.WARN}
