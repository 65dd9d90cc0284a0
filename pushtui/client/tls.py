"""How a client knows that a server is the one it says."""

import ssl


def context(*, insecure: bool = False) -> ssl.SSLContext:
    """By the system's authorities and SSL_CERT_FILE; or, if that is wished, by nothing at all."""
    made = ssl.create_default_context()
    if insecure:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made
