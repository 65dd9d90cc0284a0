"""What the screen remembers between runs: no more than one would miss."""

import contextlib
import os
import tempfile
from pathlib import Path

import msgspec

_FILE = "screen.json"


class Preferences(msgspec.Struct, omit_defaults=True):
    """Kept as JSON. ``chat_share`` is the chat's share of the width, 0 to 1."""

    address: str = ""
    nick: str = ""
    room: str = ""
    theme: str = ""
    chat_share: float = 0.6


def default_path() -> Path:
    """Return where this platform keeps the state of programs (``~/.local/state/pushtui/screen.json``)."""
    import platformdirs

    return Path(platformdirs.user_state_dir("pushtui", appauthor=False)) / _FILE


def load(path: Path) -> Preferences:
    """Return what was kept; defaults for a file that is missing, unreadable or not ours."""
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=Preferences)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return Preferences()
    kept.chat_share = min(0.8, max(0.2, kept.chat_share))
    return kept


def save(path: Path, preferences: Preferences) -> None:
    """Keep them, whole or not at all. A folder that cannot be written is no reason to bother anyone."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=_FILE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(preferences))
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
