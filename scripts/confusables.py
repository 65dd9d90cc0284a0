"""Makes ``server/access/confusables.txt`` from the Unicode data on characters that look alike (UTS #39).

    python scripts/confusables.py TABLES

TABLES is ``src/tables.rs`` of the crate ``unicode-security``, whose releases follow Unicode and hold its
``confusables.txt``. Version 0.1.3 has the data of Unicode 18.0.0.

Nicks are compared without case, in NFKC, so that is what is kept: characters that are still there after both, and
what each of them is to be taken for, all the way. Three rules are ours. A letter that only as a capital looks like
a Latin one (Cyrillic В, Greek Η) is taken for that one in both cases. Cyrillic н is an n: it is as near to it as
to the h that its capital looks like, and it sounds so. And a capital I is an i, not an l: the fonts of terminals
tell them apart, and else ``ian`` and ``lan`` were the same name.
"""

import re
import sys
import unicodedata
from pathlib import Path

TARGET = Path(__file__).parent.parent / "server" / "access" / "confusables.txt"
_OURS = {"\N{CYRILLIC SMALL LETTER EN}": "n"}
_ENTRY = re.compile(r"\('\\u\{(\w+)\}',\s*&\[((?:\s*'\\u\{\w+\}',?)+)\]\)")
_CHARACTER = re.compile(r"\\u\{(\w+)\}")
_VERSION = re.compile(r"UNICODE_VERSION: \(u64, u64, u64\) = \((\d+), (\d+), (\d+)\)")


def folded(text: str) -> str:
    """Text as it is compared: without case and without variants of form, decomposed."""
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())


def table(source: str) -> dict[str, str]:
    """Read the crate's table into one of folded characters."""
    inner = source[source.index("mod confusable_detection") :]
    given = {
        chr(int(code, 16)): "".join(chr(int(one, 16)) for one in _CHARACTER.findall(looks))
        for code, looks in _ENTRY.findall(inner)
    }
    del given["I"]
    seen = {character: like for character, like in given.items() if character.isprintable() and like.strip()}
    looks = {character: folded(like) for character, like in seen.items() if folded(character) == character}
    for character, like in seen.items():
        small = folded(character)
        if like.isascii() and like.isalpha() and len(small) == 1 and not looks.get(small, small).isascii():
            looks[small] = folded(like)
    looks |= _OURS
    # The data may lead from one to another more than once after folding.
    while True:
        again = {
            character: folded("".join(looks.get(one, one) for one in like)) for character, like in looks.items()
        }
        if again == looks:
            return {character: like for character, like in looks.items() if like != character}
        looks = again


def main(path: str) -> None:
    """Write the table, one line for each appearance: it, then all that look like it."""
    source = Path(path).read_text()
    version = ".".join(_VERSION.findall(source)[0])
    alike: dict[str, list[str]] = {}
    for character, like in sorted(table(source).items()):
        alike.setdefault(like, []).append(character)
    lines = [f"{like}\t{''.join(characters)}\n" for like, characters in sorted(alike.items())]
    head = f"# What looks alike, by UTS #39 in Unicode {version}; made by scripts/confusables.py\n"
    TARGET.write_text(head + "".join(lines), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(sys.argv[1])
