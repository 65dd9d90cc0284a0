import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

import pytest

from tests.cli.conftest import SECONDS, command


def read_until(terminal: int, text: str) -> None:
    """Take what a screen paints until the text was in it."""
    painted = b""
    deadline = time.monotonic() + SECONDS
    while text.encode() not in painted:
        ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        assert ready, painted
        painted += os.read(terminal, 65536)


@pytest.mark.parametrize("controlling", [True, False], ids=["controlling", "another"])
def test_a_screen_ends_with_its_terminal(
    environment: dict[str, str], server_url: str, room: str, controlling: bool
) -> None:
    """Only a controlling terminal makes the system send SIGHUP."""
    near, far = pty.openpty()
    fcntl.ioctl(near, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
    process = subprocess.Popen(
        command("connect", server_url, "--nick", "ana", "--room", room),
        stdin=far,
        stdout=far,
        stderr=far,
        env=environment | {"TERM": "xterm-256color"},
        start_new_session=True,
        preexec_fn=(lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) if controlling else None,
    )
    os.close(far)
    try:
        read_until(near, "websocket")
        os.close(near)
        assert process.wait(SECONDS) == 130
    finally:
        process.kill()
        process.wait()
