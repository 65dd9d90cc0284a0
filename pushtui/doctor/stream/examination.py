"""All checks of an event stream, in their order."""

from collections.abc import AsyncGenerator

from pushtui.doctor.check import Check, run
from pushtui.doctor.encryption import encryption
from pushtui.doctor.finding import Finding
from pushtui.doctor.stream import answer, course, posting, resumption
from pushtui.doctor.stream.compression import compression
from pushtui.doctor.stream.course import of_watched
from pushtui.doctor.stream.patient import Patient

#: Those that look at the long reading come last: the others are asked while it goes on.
CHECKS: tuple[Check[Patient], ...] = (
    Check("encryption", "RFC 8446", encryption),
    Check("status", "WHATWG HTML 9.2.3", answer.status),
    Check("content-type", "WHATWG HTML 9.2.3", answer.content_type),
    Check("caching", "RFC 9111 5.2.2.5", answer.caching),
    Check("first-byte", "WHATWG HTML 9.2.3", answer.first_byte),
    Check("compression", "RFC 9110 8.4", compression),
    Check("cors", "Fetch 3.2", answer.cors),
    Check("head", "RFC 9110 9.3.2", answer.head_method),
    Check("delay", "WHATWG HTML 9.2.7", posting.delay),
    Check("injection", "WHATWG HTML 9.2.5", posting.injection),
    Check("connection", "RFC 9112 6", of_watched(course.connection)),
    Check("format", "WHATWG HTML 9.2.6", of_watched(course.format_)),
    Check("buffering", "WHATWG HTML 9.2.7", of_watched(course.buffering)),
    Check("heartbeat", "WHATWG HTML 9.2.7", of_watched(course.heartbeats)),
    Check("ids", "WHATWG HTML 9.2.4", of_watched(course.ids)),
    Check("retry", "WHATWG HTML 9.2.6", of_watched(course.retry)),
    Check("resume", "WHATWG HTML 9.2.4", resumption.resume),
    Check("unknown-id", "WHATWG HTML 9.2.4", resumption.unknown),
)


async def examine(patient: Patient) -> AsyncGenerator[Finding, None]:
    """Tell what is found, check by check.

    Raises:
        UnreachableError: nobody is there.
    """
    try:
        async for finding in run(CHECKS, patient):
            yield finding
    finally:
        await patient.leave()
