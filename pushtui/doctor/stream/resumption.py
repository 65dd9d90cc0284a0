"""Coming back: ``Last-Event-ID``, right and wrong (WHATWG HTML, section 9.2.4)."""

import secrets
import string

from pushtui.doctor.finding import Verdict, fault, ok, skipped
from pushtui.doctor.stream.parsing import Event
from pushtui.doctor.stream.patient import Patient
from pushtui.doctor.stream.watch import Watch

_SETTLED = 0.5


async def resume(patient: Patient) -> Verdict:
    """Who comes back gets what follows, and nothing twice."""
    watch = await patient.watched()
    held = _first_with_id(watch)
    if held is None:
        return skipped("no event with an id came")
    at = watch.events.index(held)
    before = {event.same for event in watch.events[: at + 1]}
    after = {event.same for event in watch.events[at + 1 :]}
    async with patient.ask({"Last-Event-ID": held.last_id}) as again:
        if not again.is_stream:
            return fault(f"{again.head.status} for the id {held.last_id!r} that it gave", "go on after the id")

        def told() -> bool:
            return any(event.same in before or event.same in after for event in again.events)

        seconds = patient.bounds.answer if after else min(_SETTLED, patient.bounds.answer)
        await again.until(told, seconds)
        got = again.events
    return _judged(held, got, before, watch.events[at + 1 :])


def _judged(held: Event, got: list[Event], before: set[tuple[str, str, str]], missed: list[Event]) -> Verdict:
    after = f"after the id {held.last_id!r}"
    if any(event.same in before for event in got):
        return fault(f"{after} came what had come before it", "begin with the event that follows the id")
    if not missed:
        return ok(f"{after} nothing came twice; nothing had followed it")
    if not got:
        return fault(f"{after} came nothing, though events had followed it", "send again what followed the id")
    followed = [event.same for event in missed]
    first = next((event.same for event in got if event.same in followed), None)
    if first is None:
        return fault(f"{after} came other events than before", "send again what followed the id")
    lost = followed.index(first)
    if lost:
        return fault(f"{after} came a later event: {lost} are lost", "begin with the event that follows the id")
    return ok(f"{after} came the event that had followed it")


def _first_with_id(watch: Watch) -> Event | None:
    return next((event for event in watch.events if event.last_id), None)


async def unknown(patient: Patient) -> Verdict:
    """Who comes with an id that is not known any more is answered, and not left waiting."""
    watch = await patient.watched()
    if not watch.pieces:
        return skipped("not told: without an id nothing came either")
    held = _first_with_id(watch)
    text = other_id(held.last_id if held else "")
    needed = watch.pieces[0].at - watch.answered
    async with patient.ask({"Last-Event-ID": text}) as again:
        if not again.is_stream:
            return fault(
                f"{again.head.status} for the id {text!r}: clients give up for good",
                "begin anew, and say that something may be missing",
            )
        seconds = max(patient.bounds.answer, 3 * needed)
        if await again.until(lambda: bool(again.pieces), seconds):
            return ok(f"the id {text!r} is answered")
    return fault(
        f"after the id {text!r} came nothing for {seconds:.1f} s; without one, something after {needed:.1f} s",
        "begin anew when an id is not known",
    )


def other_id(text: str) -> str:
    """An id of the same make that was never given out."""
    if not text:
        return f"doctor-{secrets.token_hex(4)}"
    if text.isdigit():
        return f"99999{text}"[:18]
    return "".join(_other(character) for character in text)


def _other(character: str) -> str:
    for letters in (string.digits, "abcdef", string.ascii_lowercase, string.ascii_uppercase):
        if character in letters:
            return secrets.choice([letter for letter in letters if letter != character])
    return character
