"""The configuration file and the environment: what they may say, and a sentence for what they may not."""

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs
from cyclopts import App
from cyclopts.argument import ArgumentCollection
from cyclopts.config import Dict

from pushtui.exits import CommandError, Exit

PREFIX = "PUSHTUI_"
CONFIG_VARIABLE = "PUSHTUI_CONFIG"


class Setting(NamedTuple):
    """One option as the file and the environment know it.

    Attributes:
        table: the command whose table it stands in, None for the top of the file.
        key: its name in the file; the flag without its dashes.
        variable: its environment variable.
    """

    table: str | None
    key: str
    variable: str


def default_path() -> Path:
    """Where the configuration file is when nobody says otherwise; it need not exist."""
    return platformdirs.user_config_path("pushtui", appauthor=False) / "config.toml"


def commands(app: App) -> dict[str, ArgumentCollection]:
    """The options of each command."""
    return {name: app[name].assemble_argument_collection() for name in app if not name.startswith("-")}


def settings(app: App) -> set[Setting]:
    """Every option that may stand in the environment, and all but ``--config`` in the file."""
    return {
        Setting(None if variable == _variable(None, key) else command, key, variable)
        for command, arguments in commands(app).items()
        for argument in arguments
        for variable in argument.parameter.env_var or ()
        for key in (argument.name.lstrip("-"),)
    }


def apply(app: App, chain: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Fill in what the command line and the environment left open. A source of settings, as cyclopts wants it.

    Raises:
        CommandError: a variable or a key that nobody knows, or a file that cannot be read.
    """
    root = app.app_stack.current_frame[0]
    known = settings(root)
    refuse_unknown_variables(os.environ, known)
    given = arguments["--config"].tokens
    path = Path(given[-1].value).expanduser() if given else default_path()
    file = load(path, must_exist=bool(given))
    refuse_unknown_keys(file, known, path)
    names = {argument.name.lstrip("-") for argument in arguments}
    tables = {setting.table for setting in known}
    shared = {key: value for key, value in file.items() if key not in tables and key in names}
    own = file.get(chain[0], {}) if chain else {}
    for values, table in ((shared, ""), (own, f"[{chain[0]}] " if chain else "")):
        Dict(values, source=str(path), use_commands_as_keys=False)(app, chain, arguments)
        for argument in arguments:
            key = argument.name.lstrip("-")
            if key in values:  # in the words of the documentation; cyclopts writes [key]
                argument.tokens[:] = [
                    token.evolve(keyword=table + key) if token.keyword == f"[{key}]" else token
                    for token in argument.tokens
                ]


def load(path: Path, *, must_exist: bool) -> dict[str, Any]:
    """Read the file; an empty configuration if there is none and none was asked for.

    Raises:
        CommandError: it cannot be read, or is not TOML.
    """
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        if not must_exist:
            return {}
        raise CommandError(Exit.WRONG_OPTIONS, f"there is no configuration file {path}") from None
    except OSError as error:
        raise CommandError(
            Exit.WRONG_OPTIONS, f"the configuration file {path} cannot be read: {error.strerror}"
        ) from error
    except UnicodeDecodeError as error:
        raise CommandError(Exit.WRONG_OPTIONS, f"the configuration file {path} is not UTF-8") from error
    import tomllib  # most people have no file, and need not wait for it

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CommandError(Exit.WRONG_OPTIONS, f"the configuration file {path} is not TOML: {error}") from error


def refuse_unknown_variables(environment: Iterable[str], known: set[Setting]) -> None:
    """Raise a `CommandError` for a ``PUSHTUI_`` variable that is no option's."""
    variables = {setting.variable for setting in known}
    for variable in sorted(environment):
        if variable.startswith(PREFIX) and variable not in variables:
            raise CommandError(
                Exit.WRONG_OPTIONS, f"no option reads the variable {variable}{_suggestion(variable, variables)}"
            )


def refuse_unknown_keys(file: Mapping[str, Any], known: set[Setting], path: Path) -> None:
    """Raise a `CommandError` for a key that is no option's, or a table that is no command's."""
    in_file = {setting for setting in known if setting.variable != CONFIG_VARIABLE}
    tables = {setting.table for setting in in_file if setting.table}
    for key, value in file.items():
        if key in tables:
            if not isinstance(value, dict):
                raise CommandError(Exit.WRONG_OPTIONS, f"{path}: {key} is a table, written [{key}]")
            _refuse_keys(value, {setting.key for setting in in_file if setting.table == key}, f" in [{key}]", path)
        else:
            top = {setting.key for setting in in_file if setting.table is None}
            _refuse_keys({key: value}, top, "", path, also=tables)


def _refuse_keys(
    values: Mapping[str, Any], keys: set[str], where: str, path: Path, also: Iterable[str] = ()
) -> None:
    for key, value in values.items():
        if key not in keys:
            raise CommandError(
                Exit.WRONG_OPTIONS, f"{path}: there is no key {key!r}{where}{_suggestion(key, {*keys, *also})}"
            )
        if isinstance(value, dict | list):
            raise CommandError(Exit.WRONG_OPTIONS, f"{path}: {key!r}{where} takes one value")


def _variable(command: str | None, key: str) -> str:
    words = key if command is None else f"{command}-{key}"
    return PREFIX + words.upper().replace("-", "_")


def _suggestion(word: str, words: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, sorted(words), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
