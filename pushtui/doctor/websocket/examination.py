"""All checks of a WebSocket, in their order."""

import asyncio
from collections.abc import AsyncGenerator

from pushtui.doctor.check import Check, run
from pushtui.doctor.encryption import encryption
from pushtui.doctor.finding import Finding, Verdict
from pushtui.doctor.websocket import closing, framing, handshake
from pushtui.doctor.websocket.patient import Patient

CHECKS: tuple[Check[Patient], ...] = (
    Check("encryption", "RFC 6455 10.6", encryption),
    Check("handshake", "RFC 6455 4.2.2", handshake.opening),
    Check("extensions", "RFC 6455 9.1", handshake.extensions),
    Check("subprotocol", "RFC 6455 4.2.2", handshake.subprotocols),
    Check("version", "RFC 6455 4.4", handshake.versions),
    Check("key", "RFC 6455 4.2.1", handshake.keys),
    Check("origin", "RFC 6455 10.2", handshake.origins),
    Check("ping", "RFC 6455 5.5.3", framing.pings),
    Check("masking", "RFC 6455 5.1", framing.masking),
    Check("reserved-bits", "RFC 6455 5.2", framing.reserved_bits),
    Check("opcodes", "RFC 6455 5.2", framing.opcodes),
    Check("control-frames", "RFC 6455 5.5", framing.control_frames),
    Check("fragments", "RFC 6455 5.4", framing.fragments),
    Check("utf-8", "RFC 6455 8.1", framing.texts),
    Check("close", "RFC 6455 5.5.1", closing.echo),
    Check("close-code", "RFC 6455 7.4", closing.codes),
    Check("oversize", "RFC 6455 10.4", closing.oversize),
)
_LAST: tuple[Check[Patient], ...] = (Check("server-frames", "RFC 6455 5.2", closing.manners),)


async def examine(patient: Patient) -> AsyncGenerator[Finding, None]:
    """Tell what is found, check by check.

    Raises:
        UnreachableError: nobody is there.
    """
    waiting: list[asyncio.Task[Verdict]] = []

    async def idle(patient: Patient) -> Verdict:
        return await waiting[0]

    checks = (*CHECKS, Check("idle", "RFC 6455 5.5.2", idle), *_LAST)
    try:
        async for finding in run(checks, patient):
            yield finding
            # Somebody who says nothing takes the longest, so that goes on beside all others.
            if patient.opened is not None and not waiting:
                waiting.append(asyncio.ensure_future(closing.idle(patient)))
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
