"""Documents that replace one another in one response (multipart/x-mixed-replace), which Firefox shows.

Their markup is scrubbed wherever it may be some. What makes a part anything but HTML in letters of one byte goes:
pictures, which is what cameras send, are all that comes through as it is.
"""

from __future__ import annotations

import re

from ._scrubber import Removal, Scrubber

_LONGEST_LINE = 1 << 10  # bytes of a part's header field that are held
# A part's type, unless it is a picture; the mark of UTF-16 at its begin; and the declaration of XML.
_ODD = re.compile(
    rb"(?i:content-type[\t ]*+:[\t ]*+)(?!(?i:image/(?:jpeg|png|gif|webp)[\t ]*[\r\n;]|text/html[\t ]*[\r\n]))[^\r\n]"
    rb"|\n\r?\n(?:\xff\xfe|\xfe\xff)|<\?xml"
)
_PARTIAL = re.compile(
    rb"(?i:c(?:o(?:n(?:t(?:e(?:n(?:t(?:-(?:t(?:y(?:p)?)?)?)?)?)?)?)?)?)?)\Z|(?i:content-type)[^\r\n]*+[\r\n]{0,4}[\xfe\xff]?\Z"
    rb"|[\r\n]+[\xfe\xff]?\Z|<\??x?m?\Z"
)


class Parts:
    """Scrubs the parts of such a response with *inner*, which judges whatever looks like a tag."""

    def __init__(self, inner: Scrubber) -> None:
        self._inner = inner
        self._held = b""

    @property
    def removed(self) -> list[Removal]:
        """What was taken out so far."""
        return self._inner.removed

    def feed(self, chunk: bytes) -> bytes:
        """Return what is settled by now."""
        data = self._held + chunk
        partial = _PARTIAL.search(data, max(0, len(data) - _LONGEST_LINE))
        end = partial.start() if partial else len(data)
        # What begins before the end may reach behind it.
        self._held = data[end:]
        return self._inner.feed(_ODD.sub(_made_plain, data[:end]))

    def finish(self) -> bytes:
        """Return what is left."""
        left, self._held = self._held, b""
        return self._inner.feed(_ODD.sub(_made_plain, left)) + self._inner.finish()


def _made_plain(match: re.Match[bytes]) -> bytes:
    found = match[0]
    if found == b"<?xml":
        return b"<?xxx"
    if found[-2:] in (b"\xff\xfe", b"\xfe\xff"):
        return found[:-2] + b"  "
    return found[:-1] + b"-"
