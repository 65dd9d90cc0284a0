"""A certificate authority of one's own, for servers on this machine."""

import ssl
from pathlib import Path
from typing import NamedTuple

import trustme


class Files(NamedTuple):
    """A server's certificate, its key, and the authority to trust; PEM files."""

    chain: Path
    key: Path
    authority: Path

    def trusting(self) -> ssl.SSLContext:
        """What a client uses that trusts this authority and no other."""
        return ssl.create_default_context(cafile=str(self.authority))


def issued(folder: Path, name: str = "server") -> Files:
    """Make an authority, and a certificate for ``127.0.0.1`` and ``localhost``."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    files = Files(*(folder / f"{name}.{part}" for part in ("pem", "key", "ca.pem")))
    files.chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    files.key.touch(mode=0o600)
    files.key.write_bytes(certificate.private_key_pem.bytes())
    files.authority.write_bytes(authority.cert_pem.bytes())
    return files
