"""Makes text from elsewhere safe to store and to show, and leaves every living language as it is.

What is done to a character depends on what it could do:

- U+FFFD stands, so that one sees that something was there, for what drives a terminal (C0 but newline and tab,
  DEL, C1), what cannot be encoded (surrogates), what is no character at all, what lets a line pass for another
  (bidirectional embeddings, overrides and isolates) and what hides words (tag characters, one for a run of them).
- What cannot be seen is left out: Unicode's default ignorable code points, such as zero width spaces, soft
  hyphens, directional marks, fillers, invisible operators and variation selectors, and annotations. It stays only
  where it shapes what is seen: joiners behind letters of scripts that join and between emoji, variation selectors
  behind what has variants, and in the flags of England, Scotland and Wales.
- Of marks piled on one character as many stay as languages use.

Private use and code points that Unicode has not assigned yet stay: new emoji come every year. Text never gets more
characters, but it may get more bytes: whoever bounds it does so afterwards. What is safe already stays as it is.
Sources: DerivedCoreProperties (Default_Ignorable_Code_Point), UTS #51 (emoji), UTR #36 (security).
"""

import re
import unicodedata
from functools import cache

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_line_ends = re.compile("\r\n|[\r\u2028\u2029]").sub
_has_other_line_ends = re.compile("[\r\u2028\u2029]").search

#: Wherever something harmful, invisible or piled up may be, and what stands beside it. All else is most of what is
#: ever said, and costs one look for each character: a class with few ranges beyond the first plane is fast.
_UNUSUAL = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u0300-\u036f\u0483-\u0489\u0590-\u05bd\u05bf\u05c1-\u05cf\u05f5-\u061f"
    "\u064b-\u065f\u0670\u06d6-\u0e00\u0e31-\u0e3e\u0e47-\u1dff\u2000-\u200f\u2028-\u202f\u205f-\u206f"
    "\u20d0-\u20ff\u2cef-\u2e7f\u302a-\u302f\u3099-\u309a\u3164\ua4d0-\uabff\ud7a4-\udfff\ufb00-\uff00"
    "\uffa0-\uffdf\uffe7-\ufffc\ufffe-\U0001efff\U0001fb00-\U0001ffff\U0002fffe-\U0010ffff"
)
_is_ordinary = re.compile(f"[^{_UNUSUAL}]*").fullmatch
_is_ordinary_ascii = re.compile("[\t\n\x20-\x7e]*").fullmatch

_HARMFUL = "\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff"
_harmful_in_text = re.compile(f"[{_HARMFUL}]").sub
_harmful_in_line = re.compile(f"[\t\n\u2028\u2029{_HARMFUL}]").sub

_TAGS = "\U000e0000-\U000e007f"
_NO_CHARACTERS = "".join(
    f"{chr(plane | 0xFFFE)}{chr(plane | 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000)
)
_INVISIBLE_IN_FIRST_PLANE = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2065\u206a-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb"
)
_INVISIBLE = f"{_INVISIBLE_IN_FIRST_PLANE}\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0080-\U000e0fff"
_invisible = re.compile(f"[{_TAGS}{_INVISIBLE}]").search
_EMOJI = (
    "\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2934\u2935\u2b00-\u2bff\u3030\u303d"
    "\u3297\u3299\U0001f000-\U0001f3fa\U0001f400-\U0001faff"
)
#: One emoji as UTS #51 writes it, with its look and its tone of skin.
_ONE_EMOJI = f"[{_EMOJI}](?:[\ufe0e\ufe0f]|[\U0001f3fb-\U0001f3ff])?"
#: Four are what the largest family and the kiss of two people need. Where a terminal does not join them, a longer
#: chain would be much wider than it was counted.
_EMOJI_SEQUENCE = f"{_ONE_EMOJI}(?:\u200d{_ONE_EMOJI}){{0,3}}"
_KEYCAP = "[0-9#*]\ufe0f\u20e3"
_FLAG = (
    "\U0001f3f4\U000e0067\U000e0062"
    "(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)\U000e007f"
)
#: Scripts whose letters join: Arabic and its kin, Mongolian, those of India, Sri Lanka and South East Asia.
_JOINING = (
    "\u0620-\u065f\u066e-\u08ff\u0900-\u0dff\u0f40-\u109f\u1780-\u17b3\u17b6-\u17d3\u1807\u1820-\u18aa\u1a20-\u1aad"
    "\u1b00-\u1bff\ua840-\ua8ff\U00011000-\U00011fff"
)
_MONGOLIAN = "\u1820-\u18aa"
_HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
#: Beyond the first plane each range costs time, so these are few and too wide.
_may_have_invisible = re.compile(
    f"[{_INVISIBLE_IN_FIRST_PLANE}\U00010000-\U0001efff\U0001fffe\U0001ffff\U0002fffe-\U0010ffff]"
).search

#: Marks that go with letters of any script: accents, signs of phonetics, circles around.
_ACCENTS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
#: Polytonic Greek and phonetics put up to four accents on a letter, Vietnamese two.
MOST_ACCENTS = 4
#: Hebrew with points and cantillation has up to six marks on a letter, Tibetan stacks have up to eight, Thai two.
MOST_MARKS = 8
#: Vowels and finals of Korean syllables that are not composed; they take no room of their own.
_JAMO = "\u1160-\u11ff\ud7b0-\ud7fb"
_RARE_MARKS = "\U000e0100-\U000e01ef"
_has_rare_script = re.compile(f"[\U00010000-\U0001efff{_RARE_MARKS}]").search
_accents_piled = re.compile(f"([{_ACCENTS}][{_ACCENTS}]{{{MOST_ACCENTS - 1}}})[{_ACCENTS}]+")


def safe_text(text: str) -> str:
    """Text of several lines: newline and tab stay, and line ends of every kind become newlines."""
    if (_is_ordinary_ascii if text.isascii() else _is_ordinary)(text):
        return text
    if _has_other_line_ends(text):
        text = _line_ends("\n", text)
    return _visible(_harmful_in_text(_REPLACEMENT, text))


def safe_line(text: str) -> str:
    """Text of one line (names, topics, reasons): as `safe_text`, but newline and tab are harmful too."""
    if (_is_ordinary_ascii if text.isascii() else _is_ordinary)(text) and "\n" not in text and "\t" not in text:
        return text
    return _visible(_harmful_in_line(_REPLACEMENT, text))


def has_invisible(text: str) -> bool:
    """Whether there is anything in it that cannot be seen, even where it would have its use."""
    return not text.isascii() and _invisible(text) is not None


def _visible(text: str) -> str:
    if text.isascii():
        return text
    if _may_have_invisible(text):
        text = _seen_or_not().sub(lambda found: found[1] or (_REPLACEMENT if found[2] else ""), text)
    for pile in (_accents_piled, _marks_piled(rare=_has_rare_script(text) is not None)):
        if pile.search(text):
            text = pile.sub(r"\1", text)
    return text


@cache
def _seen_or_not() -> re.Pattern[str]:
    """What is to be seen with the invisible characters it needs, hidden words, and other invisible characters."""
    kept = (
        _FLAG,
        _EMOJI_SEQUENCE,
        _KEYCAP,
        f"(?<=[{_JOINING}])[\u200c\u200d]",
        f"(?<=[{_MONGOLIAN}])[\u180b-\u180f]",
        f"(?<=[{_HAN}])[\ufe00-\ufe02\U000e0100-\U000e01ef]",
    )
    return re.compile(f"({'|'.join(kept)})|([{_TAGS}]+|[{_NO_CHARACTERS}])|[{_INVISIBLE}]")


@cache
def _marks_piled(*, rare: bool) -> re.Pattern[str]:
    """More than `MOST_MARKS` marks in a row, of whatever kind; made at the first text that may have some.

    Args:
        rare: with the marks of scripts beyond the first plane, which make it ten times as slow.
    """
    points = map(chr, range(0x300, 0x1F000 if rare else 0x10000))
    marks = "".join(point for point in points if unicodedata.category(point) in ("Mn", "Me", "Mc"))
    mark = f"[\u200c\u200d{_JAMO}{marks}{_RARE_MARKS if rare else ''}]"
    # The first one apart: what begins with a class is looked for faster than what begins with a repetition.
    return re.compile(f"({mark}{mark}{{{MOST_MARKS - 1}}}){mark}+")
