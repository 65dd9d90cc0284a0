"""Frames that may not be: RFC 6455 section 5. All are pings and unfinished messages, so no program sees them."""

from collections.abc import Awaitable, Callable

from pushtui.doctor.finding import Verdict, fault, ok, skipped, together, warn
from pushtui.doctor.probe import CONTINUATION, Answer, Probe, Reaction, frame
from pushtui.doctor.websocket.patient import Patient
from pushtui.protocol.frames import Opcode

_VIOLATION = 1002
_NOT_UTF8 = 1007
_REFUSALS = (1003, 1008)
_OF_APPLICATIONS = 3000
#: Of a letter, and what programs put in the place of one.
_HALVES = (b"\xce", b"\xff", "\ufffd".encode())
_RSV1 = 0b100


def judged(what: str, answer: Answer, code: int = _VIOLATION, *, text: bool = False) -> Verdict:
    """A verdict about something after which a connection has to fail: section 7.1.7.

    Args:
        what: it was.
        answer: how it was taken.
        code: that the connection has to be closed with.
        text: it looked like a message; a program may not want any.
    """
    if answer.reaction is Reaction.CLOSED and answer.code == code:
        return ok(f"{what}: closed with {code}")
    seen = f"{what}: {answer.in_words}"
    if text and unwanted(answer):
        return skipped(f"not told: {seen}, which is about something else")
    if answer.reaction in (Reaction.CLOSED, Reaction.DROPPED):
        return warn(seen, f"close with {code}, so that clients know why")
    return fault(seen, f"end the connection with close code {code}")


def unwanted(answer: Answer) -> bool:
    """Whether it was refused for what it says and not for how it is written: section 7.4."""
    return answer.code is not None and (answer.code in _REFUSALS or answer.code >= _OF_APPLICATIONS)


def _refusing(*cases: tuple[str, bytes]) -> Callable[[Patient], Awaitable[Verdict]]:
    async def look(patient: Patient) -> Verdict:
        verdicts = []
        for what, data in cases:
            async with patient.open() as probe:
                verdicts.append(judged(what, await probe.outrage(data)))
        return together(verdicts)

    return look


masking = _refusing(("a ping without a mask", frame(Opcode.PING, b"unmasked", masked=False)))

reserved_bits = _refusing(("a reserved bit", frame(Opcode.PING, b"rsv1", reserved=_RSV1)))

opcodes = _refusing(
    ("opcode 0xb", frame(0xB, b"reserved")),
    ("opcode 0x3", frame(0x3, b"reserved")),
)

control_frames = _refusing(
    ("a ping of 126 bytes", frame(Opcode.PING, bytes(126))),
    ("a ping in fragments", frame(Opcode.PING, b"half", fin=False)),
)


async def pings(patient: Patient) -> Verdict:
    """A ping is answered with its payload: sections 5.5.2 and 5.5.3."""
    async with patient.open() as probe:
        for payload in (b"", b"doctor", bytes(range(125))):
            probe.send(frame(Opcode.PONG, b"unasked"), frame(Opcode.PING, payload))
            answer = await probe.answer(payload)
            if answer.reaction is Reaction.GOES_ON:
                continue
            pongs = [one for one in answer.said if one.opcode == Opcode.PONG]
            seen = f"a ping of {len(payload)} bytes: " + (
                f"a pong of {pongs[0].size} other bytes"
                if pongs
                else answer.in_words.replace("neither", "no pong, neither")
            )
            return fault(seen, "answer each ping with a pong that carries the same bytes")
    return ok("pings of 0, 6 and 125 bytes came back; an unasked pong is passed over")


async def fragments(patient: Patient) -> Verdict:
    """Messages are put together, with control frames in between: section 5.4."""
    verdicts = await _order(patient)
    async with patient.open() as probe:
        verdicts += await _halves(probe)
    text = patient.message()
    if text is not None:
        verdicts.append(await _compared(patient, text))
    return together(verdicts)


async def _order(patient: Patient) -> list[Verdict]:
    verdicts = []
    for what, data in (
        ("a rest without a beginning", frame(CONTINUATION, fin=False)),
        ("a message within a message", 2 * frame(Opcode.TEXT, fin=False)),
    ):
        async with patient.open() as probe:
            verdicts.append(judged(what, await probe.outrage(data), text=True))
    return verdicts


async def _halves(probe: Probe) -> list[Verdict]:
    """A letter of two bytes in two fragments, whose second half is wrong: so it is no message at the end."""
    first = await probe.provoke(frame(Opcode.TEXT, b"\xce", fin=False))
    # Some have something to say by themselves.
    if any(one.opcode < Opcode.CLOSE and one.payload in _HALVES for one in first.said):
        return [fault("a first fragment was answered before the rest came", "wait for the last fragment")]
    if unwanted(first):
        return [skipped(f"not told: a first fragment: {first.in_words}, which is about something else")]
    if first.reaction is not Reaction.GOES_ON:
        return [
            fault(
                f"half a letter in a first fragment, then a ping: {first.in_words}",
                "look at the text when all of it is there, and answer pings in between",
            )
        ]
    then = await probe.provoke(frame(CONTINUATION, b"\xff"))
    if any(one.opcode < Opcode.CLOSE and one.payload in _HALVES for one in then.said):
        return [fault("of a message in two fragments one came back", "put fragments together")]
    return [ok("a ping between two fragments is answered, half a letter waits for its other half")]


async def _compared(patient: Patient, text: str) -> Verdict:
    data = text.encode()
    half = len(data) // 2
    async with patient.open(patient.message_offer()) as probe:
        await probe.provoke()
        probe.send(frame(Opcode.TEXT, data))
        whole = await probe.answer(data=1)
    async with patient.open(patient.message_offer()) as probe:
        await probe.provoke()
        probe.send(
            frame(Opcode.TEXT, data[:half], fin=False),
            frame(Opcode.PING, b"between"),
            frame(CONTINUATION, fin=False),
            frame(CONTINUATION, data[half:]),
        )
        parts = await probe.answer(data=1)
    if whole.reaction is Reaction.SILENT:
        return skipped("the message that was to be sent is not answered")
    if _kind(whole, data) == _kind(parts, data):
        return ok("a message in three fragments is answered as in one")
    return fault(
        f"a message is answered ({_told(whole)}), in three fragments it is not answered so ({_told(parts)})",
        "put fragments together, whatever control frames come in between",
    )


def _kind(answer: Answer, data: bytes) -> tuple[Reaction, int | None, int | None, bool]:
    said = [one for one in answer.said if one.opcode < Opcode.CLOSE]
    first = said[0] if said else None
    return answer.reaction, answer.code, first and first.opcode, first is not None and first.payload == data


def _told(answer: Answer) -> str:
    said = [one for one in answer.said if one.opcode < Opcode.CLOSE]
    return f"{said[0].size} bytes" if said else answer.in_words


async def texts(patient: Patient) -> Verdict:
    """Text is UTF-8: section 8.1."""
    verdicts = []
    for what, data in (("ff", b"\xff"), ("a surrogate", b"\xed\xa0\x80"), ("an overlong slash", b"\xc0\xaf")):
        async with patient.open() as probe:
            verdicts.append(
                judged(f"{what} as text", await probe.outrage(frame(Opcode.TEXT, data)), _NOT_UTF8, text=True)
            )
    return together(verdicts)
