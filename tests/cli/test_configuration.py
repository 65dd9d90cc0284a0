import re
from pathlib import Path
from typing import Any

import pytest

from pushtui import configuration
from pushtui.commands.line import app
from pushtui.exits import CommandError, Exit
from tests.cli.conftest import PushtuiHere

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"


def given(*arguments: str) -> dict[str, Any]:
    """What a command's function would be called with."""
    _, bound, _ = app.parse_args(arguments, print_error=False, exit_on_error=False)
    bound.apply_defaults()
    return bound.arguments


def refusal(*arguments: str) -> str:
    with pytest.raises(CommandError) as refused:
        given(*arguments)
    assert refused.value.code is Exit.WRONG_OPTIONS
    return str(refused.value)


@pytest.fixture
def file(environment: dict[str, str]) -> Path:
    """The place of the user's own configuration file, with a folder around it."""
    path = configuration.default_path()
    assert path.is_relative_to(environment["HOME"])
    path.parent.mkdir(parents=True)
    return path


@pytest.mark.usefixtures("environment")
def test_defaults_without_anything() -> None:
    assert given("serve")["port"] == 8765
    assert given("tail")["room"] == "main"
    assert given("connect")["url"] is None


def test_flag_before_variable_before_file_before_default(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("[serve]\nport = 1")
    assert given("serve")["port"] == 1
    monkeypatch.setenv("PUSHTUI_SERVE_PORT", "2")
    assert given("serve")["port"] == 2
    assert given("serve", "--port", "3")["port"] == 3


def test_a_shared_option_holds_for_every_command_that_has_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('nick = "ana"\nlog-level = "error"')
    for command in ("connect", "send", "tail"):
        assert given(command)["nick"] == "ana"
        assert given(command)["common"].log_level == "error"
    assert given("serve")["common"].log_level == "error"
    monkeypatch.setenv("PUSHTUI_NICK", "ben")
    assert given("send")["nick"] == "ben"


@pytest.mark.usefixtures("environment")
def test_the_address_may_stand_without_its_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUSHTUI_URL", "http://a")
    assert given("connect")["url"] == "http://a"
    assert given("connect", "http://b")["url"] == "http://b"
    assert given("connect", "--url", "http://c")["url"] == "http://c"


def test_switches_can_be_set_in_the_file_and_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("[serve]\nmemory = true\n[tail]\njson = false\n")
    assert given("serve")["memory"] is True
    assert given("tail")["json"] is False
    monkeypatch.setenv("PUSHTUI_TAIL_JSON", "true")
    assert given("tail")["json"] is True


@pytest.mark.usefixtures("environment")
def test_another_file_by_flag_or_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = tmp_path / "one.toml", tmp_path / "other.toml"
    one.write_text("[serve]\nport = 1")
    other.write_text("[serve]\nport = 2")
    monkeypatch.setenv("PUSHTUI_CONFIG", str(one))
    assert given("serve")["port"] == 1
    assert given("serve", "--config", str(other))["port"] == 2


@pytest.mark.parametrize(
    ("text", "command", "words"),
    [
        ("[serve]\nport = 'x'", "serve", "value for [serve] port from {file}"),
        ("[serve]\nport = 70000", "serve", 'value "70000" for [serve] port provided by {file}'),
        ("[tail]\nreplay = -1", "tail", 'value "-1" for [tail] replay provided by {file}'),
        ("log-level = 'loud'", "tail", 'value "loud" for log-level from {file}'),
    ],
)
def test_a_value_that_cannot_be_is_named_by_its_place(
    file: Path, pushtui_here: PushtuiHere, text: str, command: str, words: str
) -> None:
    file.write_text(text)
    code, _, said = pushtui_here(command)
    assert code == 2
    assert words.format(file=file) in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[serve]\nprot = 1", "there is no key 'prot' in [serve]; did you mean port?"),
        ("[srve]\nport = 1", "there is no key 'srve'; did you mean serve?"),
        ("nik = 'ana'", "there is no key 'nik'; did you mean nick?"),
        ("log_level = 'info'", "there is no key 'log_level'; did you mean log-level?"),
        ("port = 1", "there is no key 'port'"),
        ("config = 'other.toml'", "there is no key 'config'"),
        ("serve = 1", "serve is a table, written [serve]"),
        ("nick = ['ana', 'ben']", "'nick' takes one value"),
        ("[serve.port]\nnumber = 1", "'port' in [serve] takes one value"),
        ("nick = ana", "is not TOML"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "tail"])
def test_a_mistake_in_the_file_is_refused_by_name_whatever_the_command(
    file: Path, text: str, words: str, command: str
) -> None:
    file.write_text(text)
    sentence = refusal(command)
    assert words in sentence
    assert str(file) in sentence


def test_files_that_cannot_be_read(file: Path, tmp_path: Path) -> None:
    assert "there is no configuration file" in refusal("serve", "--config", str(tmp_path / "none.toml"))
    assert "cannot be read: Is a directory" in refusal("serve", "--config", str(tmp_path))
    file.write_bytes(b"nick = '\xff'")
    assert "is not UTF-8" in refusal("serve")


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("PUSHTUI_NIK", "no option reads the variable PUSHTUI_NIK; did you mean PUSHTUI_NICK?"),
        ("PUSHTUI_SEND_PORT", "no option reads the variable PUSHTUI_SEND_PORT"),
        ("PUSHTUI_", "no option reads the variable PUSHTUI_"),
    ],
)
def test_an_unknown_variable_is_refused_by_name(
    variable: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "1")
    assert words in refusal("serve")


def place(setting: configuration.Setting) -> str:
    """Where a setting stands in the file."""
    if setting.variable == configuration.CONFIG_VARIABLE:
        return "–"
    return f"[{setting.table}] {setting.key}" if setting.table else setting.key


@pytest.mark.parametrize("command", ["serve", "token list", "token create x", "token revoke x"])
def test_the_data_folder_is_the_same_for_the_server_and_its_tokens(
    file: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    file.write_text("[serve]\ndata = '/of/the/file'")
    assert given(*command.split())["data"] == Path("/of/the/file")
    monkeypatch.setenv("PUSHTUI_SERVE_DATA", "/of/the/environment")
    assert given(*command.split())["data"] == Path("/of/the/environment")
    assert given(*command.split(), "--data", "/of/the/flag")["data"] == Path("/of/the/flag")


def test_of_token_and_token_file_the_more_explicit_one_counts(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("token-file = 'in-the-file'")
    assert given("send")["token_file"] == Path("in-the-file")
    monkeypatch.setenv("PUSHTUI_TOKEN_FILE", "in-a-variable")
    assert given("send")["token_file"] == Path("in-a-variable")
    monkeypatch.setenv("PUSHTUI_TOKEN", "the token itself")
    assert given("send")["token_file"] is None
    assert given("send", "--token-file", "by-a-flag")["token_file"] == Path("by-a-flag")


def test_inspect_takes_a_token_by_its_flag_only(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("token-file = 'in-the-file'")
    monkeypatch.setenv("PUSHTUI_TOKEN_FILE", "in-a-variable")
    assert given("inspect", "http://a")["token_file"] is None
    assert given("inspect", "http://a", "--token-file", "by-a-flag")["token_file"] == Path("by-a-flag")


@pytest.mark.parametrize("text", ["token = 'ptk_1_secret'", "[token]\nrole = 'admin'"])
def test_a_token_does_not_stand_in_the_file(file: Path, text: str) -> None:
    file.write_text(text)
    sentence = refusal("send")
    assert "there is no key 'token'; did you mean token-file?" in sentence
    assert "secret" not in sentence


def test_every_option_has_a_variable_after_its_name() -> None:
    tables = [command for command in configuration.commands(app) if " " not in command]
    for command, arguments in configuration.commands(app).items():
        for argument in arguments:
            if not argument.parse or argument.children or not argument.name.startswith("--"):
                continue
            word = argument.name.removeprefix("--").upper().replace("-", "_")
            # what one single call is to do stands in none
            allowed: set[tuple[str, ...]] = {(f"PUSHTUI_{word}",)}
            allowed |= {(f"PUSHTUI_{table.upper()}_{word}",) for table in [command, "serve"] if table in tables}
            asks = (
                "POST",
                "SEND",
                "TOKEN_FILE",
                "HEADER",
                "ORIGIN",
                "SUBPROTOCOL",
                "LAST_EVENT_ID",
                "INSECURE",
                "BINARY",
                "RECORD",
            )
            one_call = command.startswith("token ") or command == "replay"
            if one_call or (command in ("inspect", "doctor") and word in asks):
                allowed.add(())
            assert argument.parameter.env_var in allowed, f"{command} {argument.name}"


def test_the_document_has_every_option_and_no_other() -> None:
    rows = re.findall(r"^\| ([^|]+) \| `--([^`]+)` \| ([^|]+) \| ([^|]*) \|", DOCUMENT.read_text(), re.MULTILINE)
    everywhere = configuration.commands(app)
    documented = {
        (command, flag, variable.strip(" `"), where.strip(" `"))
        for commands, flag, variable, where in rows
        for command in (everywhere if commands == "all" else re.findall(r"`([\w ]+)`", commands))
    }
    places = {setting.variable: place(setting) for setting in configuration.settings(app)}
    real = {
        (
            command,
            argument.name.removeprefix("--"),
            variable,
            places.get(variable, "–"),
        )
        for command, arguments in everywhere.items()
        for argument in arguments
        if argument.parse and not argument.children and argument.name.startswith("--")
        for variable in (argument.parameter.env_var or ("–",))
    }
    assert documented == real
