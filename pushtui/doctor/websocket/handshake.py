"""The opening handshake: RFC 6455 section 4."""

import asyncio
import secrets

from pushtui.doctor.finding import Verdict, fault, ok, skipped, together, warn
from pushtui.doctor.head import Head
from pushtui.doctor.link import Link
from pushtui.doctor.probe import VERSION, accept_of, new_key, shake
from pushtui.doctor.websocket.patient import Patient
from pushtui.protocol.messages import SUBPROTOCOLS

#: A page of nowhere: RFC 6761 section 6.4 keeps the name for that.
FOREIGN_ORIGIN = "https://doctor.invalid"
_SWITCHING = 101


async def opening(patient: Patient) -> Verdict:
    """A right handshake is answered rightly; without one nothing else can be told."""
    try:
        return await _opening(patient)
    finally:
        if patient.opened is None:
            patient.hopeless = "there is no WebSocket"


async def _opening(patient: Patient) -> Verdict:
    endpoint, bounds = patient.endpoint, patient.bounds
    key = new_key()
    loop = asyncio.get_running_loop()
    async with await Link.open(endpoint, bounds.answer) as link:
        began = loop.time()
        head = await shake(link, endpoint, bounds, patient.offer, key=key)
        took = round((loop.time() - began) * 1000)
    if head.status != _SWITCHING:
        return _refused(head)
    accept = head.get("sec-websocket-accept")
    if accept != accept_of(key):
        return fault(
            f"Sec-WebSocket-Accept is {accept or 'missing'}, {accept_of(key)} is right",
            "make it of the key as it came: base64(SHA-1(key + GUID))",
        )
    if "websocket" not in head.words("upgrade") or "upgrade" not in head.words("connection"):
        return fault(
            f"Upgrade is {head.get('upgrade') or 'missing'}, Connection is {head.get('connection') or 'missing'}",
            "answer with Upgrade: websocket and Connection: Upgrade",
        )
    patient.opened = head
    if head.version != "1.1":
        return warn(f"101 in HTTP/{head.version}", "answer in HTTP/1.1, clients refuse others")
    return ok(f"101 after {took} ms, Sec-WebSocket-Accept is right")


def _refused(head: Head) -> Verdict:
    seen = f"{head.status} instead of 101"
    match head.status:
        case 401 | 403:
            return fault(
                seen, "come with a token (--token-file), a header (-H) or a page's --origin that it lets in"
            )
        case status if 300 <= status < 400:
            return fault(f"{seen}, it leads to {head.get('location')}", "give the URL that it leads to")
        case 400:
            return fault(seen, "see whether it wants a --subprotocol")
        case _:
            return fault(seen, "see whether there is a WebSocket at this path")


async def extensions(patient: Patient) -> Verdict:
    """Extensions are used only when they were offered."""
    unasked = (await patient.ask({})).get("sec-websocket-extensions")
    if unasked:
        return fault(f"none was offered, {unasked} was chosen", "choose among the client's extensions, or none")
    head = await patient.ask({"Sec-WebSocket-Extensions": f"x-doctor-{secrets.token_hex(4)}"})
    if head.status != _SWITCHING:
        return fault(f"one that nobody knows was offered: {head.status}", "pass over what is not known")
    chosen = head.get("sec-websocket-extensions")
    if chosen:
        return fault(f"one that nobody knows was offered, {chosen} was chosen", "decline what is not known")
    head = await patient.ask({"Sec-WebSocket-Extensions": "permessage-deflate"})
    chosen = head.get("sec-websocket-extensions")
    if chosen and not chosen.startswith("permessage-deflate"):
        return fault(
            f"permessage-deflate was offered, {chosen} was chosen", "choose among the client's extensions"
        )
    return ok(f"none unasked; permessage-deflate {'is spoken' if chosen else 'is declined'}")


async def subprotocols(patient: Patient) -> Verdict:
    """A subprotocol is chosen only among those that were offered."""
    verdicts = []
    nothing = await patient.ask({"Sec-WebSocket-Protocol": None})
    if (chosen := nothing.get("sec-websocket-protocol")) is not None:
        verdicts.append(
            fault(f"none was offered, {_named(chosen)} was chosen", "choose none when none is offered")
        )
    unknown = f"x-doctor-{secrets.token_hex(4)}"
    alone = await patient.ask({"Sec-WebSocket-Protocol": unknown})
    chosen = alone.get("sec-websocket-protocol")
    advice = "choose one that is spoken, or none"
    if chosen == unknown:
        verdicts.append(warn("one that nobody speaks was offered, it was chosen", advice))
    elif chosen is not None:
        verdicts.append(fault(f"one that nobody speaks was offered, {_named(chosen)} was chosen", advice))
    among = await patient.ask({"Sec-WebSocket-Protocol": ", ".join((unknown, *patient.known))})
    chosen = among.get("sec-websocket-protocol")
    patient.speaks_pushtui = among.status == _SWITCHING and chosen in SUBPROTOCOLS
    if chosen is not None and chosen not in (unknown, *patient.known):
        verdicts.append(
            fault(f"{_named(chosen)} was chosen and not offered", "choose among those that are offered")
        )
    elif among.status == _SWITCHING and chosen is None and patient.subprotocols:
        offered = ", ".join(patient.subprotocols)
        verdicts.append(warn(f"{offered} was offered, none was chosen", "say which one is spoken"))
    taken = "let in without it" if alone.status == _SWITCHING else f"refused with {alone.status}"
    verdicts.append(ok(f"one that nobody speaks: {taken}; of some that are known: {chosen or 'none'}"))
    return together(verdicts)


def _named(subprotocol: str) -> str:
    return subprotocol or "an empty one"


async def versions(patient: Patient) -> Verdict:
    """Other versions are refused, with the word which one is spoken."""
    other = await patient.ask({"Sec-WebSocket-Version": "99"})
    none = await patient.ask({"Sec-WebSocket-Version": None})
    verdicts = []
    if other.status == _SWITCHING:
        verdicts.append(fault("version 99 was let in", f"refuse what is not version {VERSION}, with 426"))
    elif VERSION not in other.words("sec-websocket-version"):
        verdicts.append(
            warn(
                f"version 99: {other.status} without Sec-WebSocket-Version",
                f"add Sec-WebSocket-Version: {VERSION}",
            )
        )
    elif other.status < 400:
        verdicts.append(fault(f"version 99: {other.status}", "refuse it with 426"))
    if none.status == _SWITCHING:
        verdicts.append(
            fault("no version at all was let in", "refuse handshakes without a version with 400 or 426")
        )
    return together(
        verdicts or [ok(f"version 99: {other.status}, {VERSION} is spoken; no version: {none.status}")]
    )


async def keys(patient: Patient) -> Verdict:
    """A handshake without a key is none."""
    missing = await patient.ask({"Sec-WebSocket-Key": None})
    short = await patient.ask({}, key="ZG9jdG9y")
    if missing.status == _SWITCHING:
        return fault("no key was let in", "refuse a handshake without Sec-WebSocket-Key with 400")
    if short.status == _SWITCHING:
        return warn("a key of 6 bytes was let in", "refuse keys that are not 16 bytes with 400")
    if not 400 <= missing.status < 500:
        return warn(f"no key: {missing.status}", "answer 400")
    return ok(f"no key: {missing.status}; a key of 6 bytes: {short.status}")


async def origins(patient: Patient) -> Verdict:
    """Pages of other sites do not come in: what stands against cross-site WebSocket hijacking."""
    head = await patient.ask({"Origin": FOREIGN_ORIGIN})
    if head.status == _SWITCHING:
        return warn(
            f"a page of {FOREIGN_ORIGIN} is let in",
            "unless it is meant for every page, refuse each Origin that is not known with 403",
        )
    if head.status >= 500:
        return skipped(f"{head.status}: that may be about something else")
    return ok(f"a page of {FOREIGN_ORIGIN}: {head.status}")
