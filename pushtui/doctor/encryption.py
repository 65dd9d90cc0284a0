"""Whether anybody on the way can read along: RFC 8446, and RFC 6455 section 10.6."""

import ssl
from typing import Protocol

from pushtui.doctor.check import Subject
from pushtui.doctor.endpoint import Endpoint
from pushtui.doctor.finding import Verdict, fault, ok, skipped, warn
from pushtui.doctor.link import Link


class UnreachableError(Exception):
    """Nobody is at that address; the message says why, in one sentence."""


class Encrypted(Subject, Protocol):
    """What has an address.

    Attributes:
        endpoint: the address.
    """

    endpoint: Endpoint


async def encryption(subject: Encrypted) -> Verdict:
    """Connect for the first time.

    Raises:
        UnreachableError: there is no connection to be had.
    """
    endpoint = subject.endpoint
    try:
        async with await Link.open(endpoint, subject.bounds.answer) as link:
            version = link.info("ssl_object").version() if endpoint.tls else None
    except ssl.SSLCertVerificationError as error:
        subject.hopeless = "there is no encrypted connection"
        return fault(
            f"the certificate cannot be trusted: {error.verify_message}",
            "mend the certificate, or name a private authority by SSL_CERT_FILE; --insecure does not look at it",
        )
    except ssl.SSLError as error:
        subject.hopeless = "there is no encrypted connection"
        return fault(f"no TLS is spoken here: {error.reason or error}", "see whether it is encrypted at all")
    except TimeoutError:
        raise UnreachableError(f"no answer from {endpoint.authority}") from None
    except OSError as error:
        raise UnreachableError(f"no server at {endpoint.authority}") from error
    if version is None:
        if endpoint.loopback:
            return skipped("not encrypted; it does not leave this machine")
        return warn("not encrypted: everybody on the way can read along", "use TLS")
    if not endpoint.verified:
        return skipped(f"{version}; the certificate was not looked at (--insecure)")
    return ok(f"{version}, and the certificate is right")
