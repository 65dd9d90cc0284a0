import errno
import socket
import ssl

import pytest

from pushtui.client.endings import Ending, answered, closed, unreachable
from pushtui.client.happenings import LinkState


def behind(cause: BaseException) -> Exception:
    error = RuntimeError("outer")
    error.__cause__ = (
        ExceptionGroup("attempts", [ValueError("inner"), cause]) if isinstance(cause, Exception) else cause
    )
    return error


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "no server at h:1"),
        (OSError("Multiple exceptions: [Errno 111] …"), "no server at h:1"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "no way to h:1: Network is unreachable"),
        (socket.gaierror(-2, "Name or service not known"), "no host of this name: h:1"),
        (ssl.SSLError(1, "wrong version number"), "no TLS at h:1"),
    ],
)
def test_why_there_is_no_connection(cause: OSError, reason: str) -> None:
    for error in (cause, behind(cause)):
        assert unreachable(error, "h:1") == Ending(LinkState.LOST, reason, answered=False)


def test_a_certificate_that_is_not_trusted() -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed\x1b"
    assert unreachable(error, "h:1").reason == "the certificate of h:1 is not trusted: self-signed�"


def test_a_server_that_resets_was_there() -> None:
    assert unreachable(ConnectionResetError(errno.ECONNRESET, "x"), "h:1") == Ending(
        LinkState.LOST, "the server hung up"
    )


@pytest.mark.parametrize(
    ("header", "told"), [("30", 30), (None, 0), ("", 0), ("-1", 0), ("Fri, 31 Dec 1999 23:59:59 GMT", 0), ("٣", 0)]
)
def test_when_to_come_back_after_a_status(header: str | None, told: float) -> None:
    assert answered(503, header).told == told


@pytest.mark.parametrize(("retry_ms", "told"), [(1500, 1.5), (None, 0), (-5, 0)])
def test_when_to_come_back_after_a_goodbye(retry_ms: int | None, told: float) -> None:
    assert closed(1012, "", retry_ms).told == told


def test_words_that_are_blank_are_none() -> None:
    assert closed(1012, " ").reason == "the server restarts"
