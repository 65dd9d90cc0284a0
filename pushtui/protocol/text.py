"""Makes text from elsewhere safe to store and to show."""

import re

# C0 (but newline and tab), DEL and C1 drive a terminal; surrogates cannot be encoded; the bidirectional
# overrides and isolates let one line disguise itself as another.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_UNSAFE_IN_LINE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_LINE_END = re.compile("\r\n|\r|\u2028|\u2029")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def safe_text(text: str) -> str:
    """Text of several lines: newline and tab stay, line ends become newlines, what could harm U+FFFD."""
    return _UNSAFE.sub(_REPLACEMENT, _LINE_END.sub("\n", text))


def safe_line(text: str) -> str:
    """Text of one line (names, topics, reasons): as `safe_text`, and no newline or tab either."""
    return _UNSAFE_IN_LINE.sub(_REPLACEMENT, text)
