"""Names that look like each other."""

import unicodedata


def skeleton(name: str) -> str:
    """What a name looks like: two names with the same skeleton cannot both be in use."""
    return unicodedata.normalize("NFKC", name).casefold()
