"""Web addresses in what people write: found, and made safe to hand to a terminal or a browser. Pure."""

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, urlsplit

# Characters of RFC 3986 and letters of any script; each is tried once, so long text costs no more than its length.
_LINK = re.compile(r"\bhttps?://[\w\-.~:/?#\[\]@!$&'()*+,;=%]{1,2000}", re.IGNORECASE)
_TRAILING = ".,;:!?'"
_PAIRS = {")": "(", "]": "["}
_SAFE_IN_URL = "-._~:/?#[]@!$&'()*+,;=%"


class Link(NamedTuple):
    """A link in a text: from ``start`` to before ``end``, leading to ``url``, which is plain ASCII."""

    start: int
    end: int
    url: str


@lru_cache(maxsize=256)  # a long message asks again for each of its rows
def find(text: str) -> tuple[Link, ...]:
    """Return the links of ``text`` in their order."""
    if "://" not in text:
        return ()
    links = []
    for match in _LINK.finditer(text):
        end = _end(text, match.start(), match.end())
        url = safe_url(text[match.start() : end])
        if url is not None:
            links.append(Link(match.start(), end, url))
    return tuple(links)


def safe_url(text: str) -> str | None:
    """Return ``text`` percent-encoded; None when it is no http(s) address of a host, or has a user name in it."""
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").encode("idna").decode()
        port = f":{parts.port}" if parts.port is not None else ""
        rest = quote(text[text.index("://") + 3 + len(parts.netloc) :], safe=_SAFE_IN_URL)
    except ValueError:  # UnicodeError too: a host that cannot be written, or a port that is none
        return None
    scheme = parts.scheme.lower()
    if scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return None
    if ":" in host:
        host = f"[{host}]"
    return f"{scheme}://{quote(host, safe='.-[]:')}{port}{rest}"


def _end(text: str, start: int, end: int) -> int:
    while end > start:
        last = text[end - 1]
        opening = _PAIRS.get(last)
        unpaired = opening is not None and text.count(last, start, end) > text.count(opening, start, end)
        if last not in _TRAILING and not unpaired:
            break
        end -= 1
    return end
