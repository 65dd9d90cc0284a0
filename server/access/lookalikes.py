"""Names that look alike: UTS #39, section 4 (confusable detection)."""

import unicodedata
from functools import cache, lru_cache
from importlib import resources


@lru_cache(maxsize=16_384)
def skeleton(name: str) -> str:
    """What a name is compared by: two names that can be taken for each other have the same skeleton.

    Case and variants of form (full width, mathematical, ligatures) make no difference, nor do letters of other
    scripts that look the same: ``ана`` in Cyrillic is ``ana``. A skeleton is for comparing only, never to be shown
    or stored: with newer Unicode data it may be another one.

    A capital I is told from an l, since the fonts of terminals do; ``1``, ``l`` and ``|`` are the same, and so are
    ``0`` and ``o``, ``m`` and ``rn``.
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    return unicodedata.normalize("NFKD", plain.translate(_looks()))


@cache
def _looks() -> dict[int, str]:
    """The table that ``scripts/confusables.py`` makes."""
    text = resources.files(__package__).joinpath("confusables.txt").read_text(encoding="utf-8")
    pairs = (line.split("\t") for line in text.splitlines() if not line.startswith("# "))
    return {ord(character): like for like, alike in pairs for character in alike}
