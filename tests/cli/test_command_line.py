import re
import subprocess
import sys
from pathlib import Path

import pytest

from pushtui import __version__
from pushtui.exits import MEANINGS
from tests.cli.conftest import SECONDS, Pushtui, PushtuiHere

HEAVY = ("textual", "aiohttp", "httpx", "websockets", "psutil", "prometheus_client")
COMMANDS = ("serve", "connect", "send", "tail", "inspect", "doctor", "demo", "duel")


def modules_after(*arguments: str) -> set[str]:
    code = "\n".join(
        (
            "import sys",
            "from pushtui.cli import main",
            f"code = main({list(arguments)!r})",
            "print('modules', *sys.modules)",
            "sys.exit(code)",
        )
    )
    ended = subprocess.run(
        (sys.executable, "-c", code), capture_output=True, encoding="utf-8", timeout=SECONDS, check=True
    )
    return set(ended.stdout.rpartition("modules ")[2].split())


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), *((name, "--help") for name in COMMANDS)])
def test_version_and_help_load_neither_screen_nor_network(arguments: tuple[str, ...]) -> None:
    assert not modules_after(*arguments).intersection(HEAVY)


def test_version_does_not_even_load_the_command_line() -> None:
    assert "cyclopts" not in modules_after("--version")


def test_version(pushtui: Pushtui) -> None:
    ended = pushtui("--version")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{__version__}\n", "")


def test_help_names_every_command_and_every_exit_code(pushtui: Pushtui) -> None:
    ended = pushtui("--help")
    assert ended.returncode == 0
    for name in COMMANDS:
        assert re.search(rf"^ +{name}: ", ended.stdout, re.MULTILINE)
    for code, meaning in MEANINGS.items():
        assert re.search(rf"^ +{code.value} +{re.escape(meaning)}$", ended.stdout, re.MULTILINE)


def test_no_command_shows_the_help(pushtui: Pushtui) -> None:
    ended = pushtui()
    assert ended.returncode == 0
    assert ended.stdout.startswith("Usage: pushtui COMMAND")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("srve",), 'unknown command "srve". Did you mean "serve"?'),
        (("serve", "--prot", "1"), "unknown option: --prot. Did you mean --port?"),
        (("serve", "--port", "99999"), '"99999" for --port. Must be <= 65535.'),
        (("serve", "--port", "-1"), '"-1" for --port. Must be >= 0.'),
        (("serve", "--port", "http"), '--port: unable to convert "http" into int.'),
        (("serve", "--interval", "0"), '"0.0" for --interval. Must be >= 0.1.'),
        (("serve", "--interval", "nan"), '"nan" for --interval.'),
        (("serve", "--log-level", "loud"), '"loud" for --log-level. Choose from: "debug", "info",'),
        (("tail", "rooms"), '"rooms" for FLOW. Choose from: "chat", "status".'),
        (("tail", "--replay", "1001"), '"1001" for --replay. Must be <= 1000.'),
        (("tail", "--room", "a/b"), "a room name has letters, digits"),
        (("tail", "--nick", ""), "a nick cannot be empty"),
        (("tail", "--nick", "n" * 500), "a nick has at most 32 characters, this one has 500"),
        (("tail", "--url", "ftp://x"), "'ftp://x' is not an address: it begins with http"),
        (("connect", "http://"), "is not an address: it names no host"),
        (("connect", "--room", ""), "a room name cannot be empty"),
        (("connect", "--nick", "two words"), "a nick has no spaces"),
        (("send", "--room", "a b", "hello"), "a room name has letters, digits"),
        (("send", "--nick", "\x1b[31m", "hello"), "no invisible or control characters"),
        (("send", "--url", "http://a:b@c", "hello"), "no name or password"),
        (("send", "  "), "there is nothing to send"),
        (("demo", "--seconds", "0"), '"0.0" for --seconds. Must be > 0.'),
        (("demo",), "the demo needs a terminal; without one, --seconds 20 prints it"),
        (("connect",), "connect needs a terminal; pushtui tail prints what it shows"),
    ],
)
def test_a_wrong_option_gets_one_sentence_and_exit_code_2(
    pushtui_here: PushtuiHere, arguments: tuple[str, ...], words: str
) -> None:
    code, printed, said = pushtui_here(*arguments)
    assert (code, printed) == (2, "")
    assert words in said
    assert said.startswith("pushtui: ")
    assert said.count("\n") == 1


def test_control_characters_of_an_option_do_not_reach_the_terminal(pushtui: Pushtui) -> None:
    ended = pushtui("serve", "--port", "\x1b[2J\x9b1m")
    assert ended.returncode == 2
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", ended.stderr)


@pytest.fixture
def broken_sending(tmp_path: Path) -> str:
    """A folder in which the HTTP library is broken."""
    (tmp_path / "httpx.py").write_text("raise RuntimeError('out of\\norder')")
    return str(tmp_path)


def test_the_unexpected_is_one_line(pushtui: Pushtui, broken_sending: str) -> None:
    ended = pushtui("send", "hello", PYTHONPATH=broken_sending)
    assert ended.returncode == 1
    assert ended.stderr == (
        "pushtui: unexpected RuntimeError: out of order (--log-level debug shows the traceback)\n"
    )


def test_the_unexpected_with_its_traceback(pushtui: Pushtui, broken_sending: str) -> None:
    ended = pushtui("send", "hello", "--log-level", "debug", PYTHONPATH=broken_sending)
    assert ended.returncode == 1
    assert "Traceback (most recent call last)" in ended.stderr
