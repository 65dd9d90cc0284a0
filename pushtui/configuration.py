"""The configuration file and the environment: what they may say, and a sentence for what they may not."""

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs
from cyclopts import App
from cyclopts.argument import Argument, ArgumentCollection
from cyclopts.config import Dict

from pushtui.exits import CommandError, Exit

PREFIX = "PUSHTUI_"
CONFIG_VARIABLE = "PUSHTUI_CONFIG"
#: A token itself. It is no option: everyone can read a command line, and configuration files are shown around.
TOKEN_VARIABLE = "PUSHTUI_TOKEN"  # noqa: S105


class Setting(NamedTuple):
    """One option as the file and the environment know it.

    Attributes:
        table: the command whose table it stands in, None for the top of the file. Another command may have the
            option too: ``pushtui token`` works in the data folder of ``serve``.
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
    """The options of each command; a command's own commands are called as they are typed: ``token list``."""
    found = {}
    for name in app:
        if name.startswith("-"):
            continue
        command = app[name]
        if inner := commands(command):
            found.update({f"{name} {word}": arguments for word, arguments in inner.items()})
        else:
            found[name] = command.assemble_argument_collection()
    return found


def settings(app: App) -> set[Setting]:
    """Every option that may stand in the environment, and all but ``--config`` in the file."""
    found = commands(app)
    tables = {name for name in found if " " not in name}
    return {
        setting
        for arguments in found.values()
        for argument in arguments
        if (setting := _setting(argument, tables)) is not None
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
    tables = {setting.table for setting in known if setting.table}
    for argument in arguments:
        setting = _setting(argument, tables)
        values = file if setting is None or setting.table is None else file.get(setting.table, {})
        if setting is None or setting.key not in values:
            continue
        # The library leaves out keys that are called like a command, as tail's replay is; of a command that has no
        # commands of its own that is none.
        Dict({setting.key: values[setting.key]}, source=str(path))(
            app,
            (),
            ArgumentCollection([argument]),  # type: ignore[no-untyped-call]
        )
        # in the words of the documentation; cyclopts writes [key]
        place = setting.key if setting.table is None else f"[{setting.table}] {setting.key}"
        argument.tokens[:] = [
            token.evolve(keyword=place) if token.keyword == f"[{setting.key}]" else token
            for token in argument.tokens
        ]
    if TOKEN_VARIABLE in os.environ:
        for argument in arguments:
            if argument.name == "--token-file":  # a flag counts before a variable, and that before a file
                argument.tokens[:] = [token for token in argument.tokens if token.source == "cli"]


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
    variables = {setting.variable for setting in known} | {TOKEN_VARIABLE}
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


def _setting(argument: Argument, tables: Iterable[str]) -> Setting | None:
    """What the environment and the file call it; its variable says whose it is: ``PUSHTUI_SERVE_DATA``."""
    key = argument.name.lstrip("-")
    for variable in argument.parameter.env_var or ():
        word = _variable(key)
        owner = next((table for table in tables if variable == _variable(f"{table}-{key}")), None)
        return Setting(None if variable == word else owner, key, variable)
    return None


def _variable(words: str) -> str:
    return PREFIX + words.upper().replace("-", "_")


def _suggestion(word: str, words: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, sorted(words), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
