"""The content of an answer, out of what frames it: RFC 9112 section 6."""

import re

from pushtui.doctor.head import Head, NotHttpError

_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;.*)?")
_LONGEST_LINE = 4096


class Body:
    """Takes bytes as they came, gives back the content.

    Attributes:
        framing: ``chunked``, ``length`` or ``until the end``.
        complete: nothing more belongs to it.
    """

    def __init__(self, head: Head) -> None:
        self._waiting = b""
        self._left = 0
        self._trailer = False
        self.complete = False
        length = head.get("content-length")
        if "chunked" in head.words("transfer-encoding"):
            self.framing = "chunked"
        elif length is not None and length.isdigit():
            self.framing = "length"
            self._left = int(length)
            self.complete = not self._left
        else:
            self.framing = "until the end"

    def feed(self, data: bytes) -> bytes:
        """The content in these bytes.

        Raises:
            NotHttpError: they are no chunks.
        """
        if self.framing == "chunked":
            return self._chunks(data)
        if self.framing == "length":
            data = data[: self._left]
            self._left -= len(data)
            self.complete = not self._left
        return data

    def _chunks(self, data: bytes) -> bytes:
        content = []
        data = self._waiting + data
        while data and not self.complete:
            if self._left > 2:
                content.append(data[: self._left - 2])
                taken = len(content[-1])
                self._left -= taken
                data = data[taken:]
            elif self._left:  # the line end behind a chunk
                taken = min(self._left, len(data))
                self._left -= taken
                data = data[taken:]
            else:
                line, end, rest = data.partition(b"\r\n")
                if not end:
                    if len(data) > _LONGEST_LINE:
                        raise NotHttpError("the chunks of the stream cannot be read")
                    break
                data = rest
                self._line(line)
        self._waiting = data
        return b"".join(content)

    def _line(self, line: bytes) -> None:
        if self._trailer:
            self.complete = not line
            return
        found = _SIZE.fullmatch(line)
        if found is None:
            raise NotHttpError(f"the chunks of the stream cannot be read: {line[:20]!r}")
        size = int(found[1], 16)
        self._trailer = not size
        self._left = size + 2 if size else 0
