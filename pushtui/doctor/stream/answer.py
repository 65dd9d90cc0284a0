"""The head of the answer: status, content type, caching, and who may read it."""

import asyncio
import contextlib
import re

from pushtui.doctor.finding import Verdict, fault, ok, warn
from pushtui.doctor.stream.patient import Patient
from pushtui.doctor.stream.watch import media_type
from pushtui.doctor.websocket.handshake import FOREIGN_ORIGIN

_MAX_AGE = re.compile(r"(?:s-maxage|max-age)=\"?([0-9]+)")


async def status(patient: Patient) -> Verdict:
    """200; a client gives up for good at everything else: WHATWG HTML, section 9.2.3."""
    try:
        head = (await patient.answered()).head
    except BaseException:
        patient.hopeless = "there is no stream"
        raise
    if head.status == 200:
        return ok("200")
    patient.hopeless = f"there is no stream, but a {head.status}"
    seen = f"{head.status}: clients give up for good"
    match head.status:
        case 204:
            return fault("204: clients are told not to come back", "answer 200 as long as there is more to read")
        case 401 | 403:
            return fault(seen, "bring what it lets in: a token (--token-file), a header (-H) or an --origin")
        case code if 300 <= code < 400 and head.get("location"):
            return fault(f"{code}, it leads to {head.get('location')}", "give the URL that it leads to")
        case _:
            return fault(seen, "see whether there is a stream at this path")


async def content_type(patient: Patient) -> Verdict:
    """``text/event-stream``; a client gives up for good at everything else: sections 9.2.3 and 9.2.5."""
    head = (await patient.answered()).head
    given = head.get("content-type")
    if media_type(head) != "text/event-stream":
        patient.hopeless = "what is read is no event stream"
        return fault(f"{given or 'none'}: clients give up for good", "answer with Content-Type: text/event-stream")
    found = re.search(r';\s*charset="?([^";\s]+)', given or "", re.IGNORECASE)
    if found and found[1].lower() != "utf-8":
        return warn(f"{given}: clients read UTF-8 whatever it says", "encode in UTF-8 and say so, or say nothing")
    return ok(str(given))


async def caching(patient: Patient) -> Verdict:
    """Nobody on the way keeps the stream: RFC 9111, section 5.2.2."""
    head = (await patient.answered()).head
    given = head.get("cache-control")
    words = head.words("cache-control")
    if "no-store" in words:
        return ok(str(given))
    ages = [int(age) for age in _MAX_AGE.findall((given or "").lower())]
    if "no-cache" in words or (ages and not any(ages)):
        return ok(f"{given}: a cache may keep it, but has to ask before it gives it to others")
    return warn(
        f"Cache-Control is {given or 'missing'}: a cache may keep the stream and give it to others",
        "answer with Cache-Control: no-store",
    )


async def first_byte(patient: Patient) -> Verdict:
    """The head of the answer comes at once, so that a client knows that it is connected: section 9.2.3."""
    watch = await patient.answered()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patient.bounds.answer):
            await watch.began.wait()
    head = watch.answered - watch.asked
    began = f"first content after {_ms(watch.pieces[0].at - watch.asked)}" if watch.pieces else "no content yet"
    seen = f"head after {_ms(head)}, {began}"
    if head > patient.bounds.late:
        return warn(seen, "send the head before there is something to say, and flush it")
    return ok(seen)


def _ms(seconds: float) -> str:
    return f"{round(seconds * 1000)} ms"


async def cors(patient: Patient) -> Verdict:
    """What a page of another site gets: Fetch, section 3.2."""
    async with patient.ask({"Origin": FOREIGN_ORIGIN}) as watch:
        head = watch.head
    allowed = head.get("access-control-allow-origin")
    credentials = head.get("access-control-allow-credentials") == "true"
    if allowed is None or head.status >= 400:
        return ok(f"a page of {FOREIGN_ORIGIN}: {head.status}, it may not read")
    if allowed == "*":
        if credentials:
            return warn("* with credentials, which browsers refuse", "name the origin, or allow no credentials")
        return warn("every page may read it (*), without credentials", "name the pages, unless all are meant")
    if allowed != FOREIGN_ORIGIN:
        return ok(f"only pages of {allowed} may read it")
    if credentials:
        return fault(
            "every page may read it, with the credentials of whoever looks at that page",
            "allow only origins that are known",
        )
    seen = "every page may read it: its origin is said back"
    if not {"origin", "*"} & set(head.words("vary")):
        return warn(f"{seen}, without Vary: Origin", "allow only origins that are known, and add Vary: Origin")
    return warn(seen, "allow only origins that are known")


async def head_method(patient: Patient) -> Verdict:
    """HEAD gets the head alone, and an end: RFC 9110, section 9.3.2."""
    async with patient.ask({"Connection": "close"}, method="HEAD") as watch:
        head = watch.head
        if head.status in (405, 501):
            return ok(f"{head.status}: not possible here")
        more = await watch.rest(patient.bounds.answer)
    if more is None:
        return fault(f"{head.status}, and the answer does not end", "end the answer to HEAD after its head")
    if more:
        return fault(f"{head.status}, and content after the head", "send no content in answer to HEAD")
    return ok(f"{head.status}, and the end")
