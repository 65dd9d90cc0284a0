"""One check, and how all of them are run: in order, each within its time, and all within theirs."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pushtui.doctor.endpoint import Bounds
from pushtui.doctor.finding import Finding, Verdict, fault, skipped
from pushtui.doctor.head import NotHttpError
from pushtui.doctor.link import EndedError


class Subject(Protocol):
    """What is examined.

    Attributes:
        bounds: how long to wait for it.
        hopeless: why nothing more can be told, once that is so.
    """

    bounds: Bounds
    hopeless: str | None


Examined = TypeVar("Examined", bound=Subject)


@dataclass(frozen=True)
class Check(Generic[Examined]):
    """One question to an endpoint.

    Attributes:
        name: what it is called in the report.
        source: the paragraph of the standard that it is about.
        look: asks it.
    """

    name: str
    source: str
    look: Callable[[Examined], Awaitable[Verdict]]


async def run(checks: Sequence[Check[Examined]], subject: Examined) -> AsyncGenerator[Finding, None]:
    """Ask one after the other, and tell each answer at once.

    Whatever the endpoint does, this ends: a check has `Bounds.check` seconds, all of them have `Bounds.whole`.
    """
    loop = asyncio.get_running_loop()
    bounds = subject.bounds
    deadline = loop.time() + bounds.whole
    for check in checks:
        left = deadline - loop.time()
        if subject.hopeless is not None:
            verdict = skipped(subject.hopeless)
        elif left <= 0:
            verdict = skipped(f"the {bounds.whole:g} s for all checks are over")
        else:
            verdict = await _asked(check, subject, min(left, bounds.check))
        yield Finding(check.name, verdict.level, verdict.seen, check.source, verdict.advice)


async def _asked(check: Check[Examined], subject: Examined, seconds: float) -> Verdict:
    try:
        async with asyncio.timeout(seconds):
            return await check.look(subject)
    except TimeoutError:
        return fault("no answer in time", "see why it does not answer, or give it more --patience")
    except EndedError as ended:
        return fault(f"the connection ended without an answer: {ended}", "see in its log why it hung up")
    except NotHttpError as error:
        return fault(str(error), "answer in HTTP/1.1")
    except OSError as error:
        return fault(f"no connection: {error.strerror or error}", "see whether it takes several connections")
