"""The server's certificate and its key."""

import logging
import ssl
import stat
from pathlib import Path

from pushtui.exits import CommandError, Exit

logger = logging.getLogger(__name__)


class Certificate:
    """A certificate chain and its private key, PEM files both, and the context that connections are made with.

    Args:
        chain: the server's certificate first, then those between it and the authority.
        key: the private key, without a password.

    Attributes:
        context: TLS 1.2 and later, HTTP/1.1.

    Raises:
        CommandError: the files cannot be used, in one sentence.
    """

    def __init__(self, chain: Path, key: Path) -> None:
        self._chain = chain
        self._key = key
        self.context = _load(chain, key)
        self._warn_about_readers()

    def reload(self) -> None:
        """Read the files anew, for connections that come from now on; keeps the old ones if that fails."""
        try:
            # Not into the context in use before it is known that both fit together.
            _load(self._chain, self._key)
            self.context.load_cert_chain(self._chain, self._key)
        except (CommandError, OSError) as error:
            logger.error("the certificate in use stays: %s", error)
        else:
            logger.info("the certificate was read anew from %s", self._chain)
            self._warn_about_readers()

    def _warn_about_readers(self) -> None:
        if stat.S_IMODE(self._key.stat().st_mode) & stat.S_IROTH:
            logger.warning("everyone on this machine can read the private key %s; chmod 600 it", self._key)


def certificate(chain: Path | None, key: Path | None) -> Certificate | None:
    """What the options name; None when they name nothing.

    Raises:
        CommandError: only one of the two is named, or they cannot be used, in one sentence.
    """
    if chain is None and key is None:
        return None
    if chain is None or key is None:
        missing = "--tls-cert" if chain is None else "--tls-key"
        raise CommandError(Exit.WRONG_OPTIONS, f"TLS takes a certificate and its key; {missing} is missing")
    return Certificate(chain, key)


def _load(chain: Path, key: Path) -> ssl.SSLContext:
    for what, path in (("certificate", chain), ("key", key)):
        try:
            path.open("rb").close()
        except OSError as error:
            raise CommandError(Exit.CANNOT_START, f"the {what} {path} cannot be read: {error.strerror}") from error

    def password() -> str:
        raise CommandError(Exit.CANNOT_START, f"the key {key} has a password; a server needs one without")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(chain, key, password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            sentence = f"the key {key} does not belong to the certificate {chain}"
        else:
            sentence = f"{chain} and {key} are no certificate and key in PEM form"
        raise CommandError(Exit.CANNOT_START, sentence) from error
    return context
