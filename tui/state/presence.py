"""Who came and went, in one line as long as nothing else happens. Pure."""

from typing import NamedTuple

from pushtui.protocol.messages import PresenceState

#: After so many people a new line begins.
MOST_PEOPLE = 12
_LONGEST_REASON = 60


class _Path(NamedTuple):
    """Where somebody was before the line began, whether they were gone meanwhile, and where they are now."""

    before: PresenceState
    gone: bool
    now: PresenceState
    text: str


class Comings:
    """What one line says about who came, went and is away."""

    def __init__(self) -> None:
        self._paths: dict[str, _Path] = {}

    @property
    def full(self) -> bool:
        """Whether the next one wants a line of its own."""
        return len(self._paths) >= MOST_PEOPLE

    def add(self, nick: str, before: PresenceState, now: PresenceState, text: str | None) -> None:
        """Somebody's state changed."""
        path = self._paths.get(nick)
        first = path.before if path else before
        gone = now == "gone" or (path.gone if path else False)
        self._paths[nick] = _Path(first, gone, now, text or "")

    def line(self) -> tuple[str, str]:
        """Return the sign and the words, such as ``+`` and ``cyd, dan joined · eva is away: lunch``."""
        groups: dict[str, list[str]] = {}
        for nick, path in self._paths.items():
            groups.setdefault(_phrase(path), []).append(nick)
        text = " · ".join(f"{', '.join(nicks)} {phrase}" for phrase, nicks in groups.items())
        signs = {"joined": "+", "left": "-"}
        return (signs.get(next(iter(groups)), "~") if len(groups) == 1 else "~"), text


def _phrase(path: _Path) -> str:
    if path.now == "gone":
        return "came and went" if path.before == "gone" else "left"
    if path.now == "away":
        reason = path.text if len(path.text) <= _LONGEST_REASON else path.text[:_LONGEST_REASON] + "…"
        return f"is away: {reason}" if reason else "is away"
    if path.before == "gone":
        return "joined"
    return "left and came back" if path.gone else "is back"
