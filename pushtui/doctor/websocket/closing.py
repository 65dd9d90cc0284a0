"""How a WebSocket ends: RFC 6455 section 7, and section 10.4 for what is too big."""

import asyncio

from pushtui.doctor.finding import Verdict, fault, ok, skipped, together, warn
from pushtui.doctor.link import EndedError
from pushtui.doctor.probe import CONTINUATION, Answer, Probe, Reaction, close, frame
from pushtui.doctor.websocket.framing import judged, unwanted
from pushtui.doctor.websocket.patient import NotOpenError, Patient
from pushtui.protocol.frames import Opcode

_CODE = 4321
_TOO_BIG = 1009
_PIECE = 1 << 18
#: Seconds between two pieces. Who writes to a connection that was cut can no longer read what came before the cut.
_MOMENT = 0.005


async def echo(patient: Patient) -> Verdict:
    """A close frame is answered with one, and then the server ends the connection: section 5.5.1."""
    async with patient.open() as probe:
        probe.send(close(_CODE, "doctor"))
        answer = await probe.answer()
        if answer.reaction is not Reaction.CLOSED:
            return fault(f"a close frame: {answer.in_words}", "answer a close frame with a close frame")
        try:
            async with asyncio.timeout(patient.bounds.answer):
                await _end(probe)
        except TimeoutError:
            return fault(
                f"answered with {answer.code}, but after {patient.bounds.answer:g} s the connection still stands",
                "close the TCP connection once both close frames were sent",
            )
    if answer.code != _CODE:
        return warn(f"{_CODE} was answered with {answer.code or 'no code'}", "answer with the code that came")
    return ok(f"{_CODE} was answered with {_CODE}, and the connection ended")


async def _end(probe: Probe) -> None:
    try:
        while True:
            await probe.link.some()
    except EndedError:
        return


async def codes(patient: Patient) -> Verdict:
    """Codes that no close frame may carry: sections 5.5.1 and 7.4."""
    verdicts = []
    for what, data in (
        ("code 1005", close(1005)),
        ("code 999", close(999)),
        ("half a code", frame(Opcode.CLOSE, b"\x03")),
    ):
        async with patient.open() as probe:
            answer = await probe.outrage(data)
        verdict = judged(what, answer)
        if answer.code in (999, 1005):
            verdict = fault(f"{what}: {answer.in_words}", "close with 1002")
        verdicts.append(verdict)
    return together(verdicts)


async def oversize(patient: Patient) -> Verdict:
    """What is too big is refused before it fills the memory; its message never ends, so no program gets it."""
    most, fence = patient.bounds.oversize, b"oversize"
    piece = b" " * min(_PIECE, most)
    sent = 0
    async with patient.open() as probe:
        taking = asyncio.ensure_future(probe.answer(fence, seconds=patient.bounds.check))
        try:
            while sent < most and not taking.done():
                probe.send(frame(CONTINUATION if sent else Opcode.TEXT, piece, fin=False))
                sent += len(piece)
                async with asyncio.timeout(patient.bounds.answer):
                    await probe.link.sent()
                await asyncio.wait([taking], timeout=_MOMENT)
            probe.send(frame(Opcode.PING, fence))
            async with asyncio.timeout(patient.bounds.answer):
                answer = await taking
            if answer.reaction is Reaction.GOES_ON:
                answer = await probe.outrage()
        except TimeoutError:
            return skipped(
                f"not told: after {_mib(sent)} it neither read on nor ended for {patient.bounds.answer:g} s"
            )
        finally:
            taking.cancel()
    return _of_size(answer, _mib(sent))


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.3g} MiB"


def _of_size(answer: Answer, size: str) -> Verdict:
    match answer.reaction:
        case Reaction.CLOSED if answer.code == _TOO_BIG:
            return ok(f"closed with {_TOO_BIG} after {size} or less")
        case Reaction.CLOSED if unwanted(answer):
            return skipped(f"not told: after {size} or less {answer.in_words}, which is about something else")
        case Reaction.CLOSED:
            return warn(
                f"after {size} or less: {answer.in_words}", f"close with {_TOO_BIG}, so that clients know why"
            )
        case Reaction.DROPPED:
            return warn(
                f"after {size} or less it hung up, and no close frame was to be read",
                f"close with {_TOO_BIG}, and read on for a moment so that the client gets to know",
            )
        case _:
            return warn(f"{size} of a message that had no end were taken", "limit messages, frames together")


async def idle(patient: Patient) -> Verdict:
    """What becomes of a client that says nothing."""
    loop = asyncio.get_running_loop()
    try:
        async with patient.open() as probe:
            began = loop.time()
            try:
                async with asyncio.timeout(patient.bounds.patience):
                    came = await probe.frame()
                    while came.opcode not in (Opcode.PING, Opcode.CLOSE):
                        came = await probe.frame()
            except TimeoutError:
                return skipped(f"neither a ping nor the end within {patient.bounds.patience:g} s")
            except EndedError:
                return warn(
                    f"after {loop.time() - began:.1f} s it hung up without a close frame",
                    "say by a close frame why it ends",
                )
            after = f"after {loop.time() - began:.1f} s"
            return ok(
                f"a ping {after}" if came.opcode == Opcode.PING else f"closed with {came.close_code} {after}"
            )
    except NotOpenError as error:
        return fault(str(error), "let in several connections")


async def manners(patient: Patient) -> Verdict:
    """What the endpoint sent by itself, in all of these connections: sections 5.1, 5.2 and 5.5."""
    seen = patient.manners
    if not seen.frames:
        return skipped("no frame came")
    if seen.breaches:
        return fault("; ".join(seen.breaches), "frames of a server are unmasked, and keep to section 5.2")
    return ok(f"{seen.frames} frames, unmasked, with no bit or opcode that may not be")
