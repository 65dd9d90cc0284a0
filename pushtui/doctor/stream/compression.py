"""Compression: fine, if it lets each event go at once (RFC 9110, section 8.4)."""

from pushtui.doctor.finding import Verdict, fault, ok, skipped, warn
from pushtui.doctor.stream.patient import Patient


async def compression(patient: Patient) -> Verdict:
    """A stream is compressed for those only who ask for it, and flushed after each event."""
    plain = await patient.answered()
    unasked = plain.head.get("content-encoding")
    if unasked and unasked != "identity":
        return fault(f"{unasked}, though it was not asked for", "compress only what Accept-Encoding asks for")
    async with patient.ask({"Accept-Encoding": "gzip, deflate"}) as watch:
        used = watch.head.get("content-encoding")
        if not used or used == "identity":
            return ok("not compressed")
        if used not in ("gzip", "deflate"):
            return fault(f"{used}, which was not asked for", "compress only as Accept-Encoding asks for")
        if not plain.pieces:
            return skipped(f"{used}; not told whether it is flushed: uncompressed nothing came either")
        seconds = max(patient.bounds.answer, 3 * (plain.pieces[0].at - plain.asked))
        if await watch.until(lambda: bool(watch.pieces), seconds):
            return ok(f"{used}, flushed: {watch.pieces[0].size} bytes could be read at once")
    return warn(f"{used}, and nothing can be read of it yet", "flush the compressor after each event")
