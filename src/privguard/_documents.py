"""Which responses a browser reads as documents, in which language and encoding: by type, and by how they begin.

(MIME Sniffing §7, HTML standard §13.2.3, Encoding standard §6.) What follows is scrubbed as what it is.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence

from ._elements import View
from ._headers import TOKEN
from ._html import HtmlScrubber
from ._scrubber import Removal, Scrubber
from ._xml import XmlScrubber


class Kind(enum.Enum):
    """What a response's type says that it is."""

    HTML = "HTML"
    XML = "XML"
    UNKNOWN = "no type that a browser knows: how it begins tells"
    PARTS = "several documents, one replacing the other"


_XML_TYPES = frozenset({"text/xml", "application/xml", "text/xsl"})
_NO_TYPES = frozenset({"*/*", "unknown/unknown", "application/unknown"})  # MIME Sniffing §7.1
_CHARSET = re.compile(r";[\t ]*charset=[\t ]*\"?([^\";\t ]*)", re.IGNORECASE)
_UTF_8 = frozenset({"utf-8", "utf8", "unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "x-unicode20utf8"})
_UTF_16 = {
    **dict.fromkeys(
        ("utf-16", "utf-16le", "unicode", "ucs-2", "iso-10646-ucs-2", "csunicode", "unicodefeff"), "little"
    ),
    **dict.fromkeys(("utf-16be", "unicodefffe"), "big"),
}
_UTF_16_BEGINS = (
    (b"\xfe\xff", "big"),
    (b"\xff\xfe", "little"),
    (b"\0<\0?\0x", "big"),
    (b"<\0?\0x\0", "little"),
)
_ENOUGH = 6  # bytes that tell the encoding
_ENOUGH_TO_SNIFF = 1445  # bytes: the resource header of MIME Sniffing §5.2
_BLANK = b"\t\n\f\r "
# ISO-2022-JP and its kin: behind these, bytes that look like text are others, and the other way round.
_ESCAPE = re.compile(rb"\x1b[$(]")


def kind_of(content_types: Sequence[str]) -> Kind | None:
    """Return the kind of document that a response with these Content-Type values is, or None when it is none.

    >>> kind_of(["text/html; charset=utf-8"]), kind_of(["image/svg+xml"]), kind_of(["text/plain"])
    (<Kind.HTML: 'HTML'>, <Kind.XML: 'XML'>, None)
    """
    kind: Kind | None = Kind.UNKNOWN
    for value in ",".join(content_types).split(","):
        essence = value.partition(";")[0].strip(" \t\r\n").lower()
        major, slash, minor = essence.partition("/")
        if slash and TOKEN.fullmatch(major) and TOKEN.fullmatch(minor) and essence not in _NO_TYPES:
            kind = _kind_of_essence(essence)  # of several types the last counts (Fetch §2.2.2)
    return kind


def _kind_of_essence(essence: str) -> Kind | None:
    if essence == "text/html":
        return Kind.HTML
    if essence in _XML_TYPES or essence.endswith("+xml"):
        return Kind.XML
    return Kind.PARTS if essence == "multipart/x-mixed-replace" else None


class DocumentScrubber:
    """Scrubs one document of *kind*, whose encoding its first bytes tell and the Content-Type values.

    *is_part*: what comes is a part of the document that does not begin where the document does.
    """

    def __init__(self, kind: Kind, content_types: Sequence[str], view: View, *, is_part: bool = False) -> None:
        charsets = [match.lower() for match in _CHARSET.findall(",".join(content_types))]
        self._charset = charsets[-1] if charsets else ""
        self._kind = kind
        self._view = view
        self._is_part = is_part
        self._begin = b""
        self._inner: Scrubber | _Wide | None = None
        """None, once that is settled, when it is no document."""
        self._is_settled = False

    @property
    def removed(self) -> list[Removal]:
        """What was taken out so far."""
        return self._inner.removed if self._inner else []

    def feed(self, chunk: bytes) -> bytes:
        """Return what is settled by now; altogether as many bytes as were given."""
        if not self._is_settled:
            self._begin += chunk
            if not self._settle(is_all=False):
                return b""
            chunk, self._begin = self._begin, b""
        return chunk if self._inner is None else self._pass(self._inner, chunk)

    def _pass(self, inner: Scrubber | _Wide, chunk: bytes) -> bytes:
        if self._charset not in _UTF_8 and isinstance(inner, HtmlScrubber) and _ESCAPE.search(chunk):
            inner.doubt_everything()
        return inner.feed(chunk)

    def finish(self) -> bytes:
        """Return what is left."""
        left = b""
        if not self._is_settled:
            self._settle(is_all=True)
            left, self._begin = self._begin, b""
        if self._inner is None:
            return left
        return self._pass(self._inner, left) + self._inner.finish()

    def _settle(self, *, is_all: bool) -> bool:
        """Decide by the first bytes what comes; return whether they were enough."""
        begin = self._begin
        is_enough = is_all or len(begin) >= (_ENOUGH_TO_SNIFF if self._kind is Kind.UNKNOWN else _ENOUGH)
        if not is_enough and (self._kind is not Kind.UNKNOWN or len(begin.strip(_BLANK)) < _ENOUGH):
            return False
        order = next((order for mark, order in _UTF_16_BEGINS if begin.startswith(mark)), None)
        if order is None and not begin.startswith(b"\xef\xbb\xbf"):
            order = _UTF_16.get(self._charset)
        plain = begin if order is None else _narrow(begin[: len(begin) // 2 * 2], order)
        self._is_settled = True
        scrubber = self._scrubber(plain.removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff"))
        if scrubber is not None:
            self._inner = scrubber if order is None else _Wide(scrubber, order)
        return True

    def _scrubber(self, begin: bytes) -> Scrubber | None:
        kind = self._kind
        if kind is Kind.UNKNOWN:
            begin = begin.lstrip(_BLANK)
            kind = Kind.XML if begin.startswith(b"<?xml") else Kind.HTML
            if not begin.startswith(b"<"):
                return None
        if kind is Kind.XML:
            return XmlScrubber(self._view)
        return HtmlScrubber(self._view, begins_anywhere=self._is_part or kind is Kind.PARTS)


class _Wide:
    """Scrubs a document in UTF-16: each unit is one byte for the scrubber within."""

    def __init__(self, inner: Scrubber, order: str) -> None:
        self._inner = inner
        self._order = order
        self._given = b""
        """What has not left yet."""
        self._fed = 0
        """How much of that the scrubber has been given."""
        self.removed = inner.removed

    def feed(self, chunk: bytes) -> bytes:
        self._given += chunk
        whole = len(self._given) // 2 * 2
        fed, self._fed = self._fed, whole
        return self._leave(self._inner.feed(_narrow(self._given[fed:whole], self._order)))

    def finish(self) -> bytes:
        return self._leave(self._inner.finish()) + self._given  # of which a byte may be left

    def _leave(self, scrubbed: bytes) -> bytes:
        size = 2 * len(scrubbed)
        leaving, self._given = self._given[:size], self._given[size:]
        self._fed -= size
        narrow = _narrow(leaving, self._order)
        if narrow == scrubbed:
            return leaving
        changed = bytearray(leaving)
        low = 0 if self._order == "little" else 1
        for at, (old, new) in enumerate(zip(narrow, scrubbed)):
            if old != new:
                changed[2 * at + low] = new
                changed[2 * at + 1 - low] = 0
        return bytes(changed)


def _narrow(wide: bytes, order: str) -> bytes:
    """Return one byte for each UTF-16 unit: its own where it is Latin-1, and 0xFF for all others."""
    low, high = (wide[0::2], wide[1::2]) if order == "little" else (wide[1::2], wide[0::2])
    return low if not any(high) else bytes(0xFF if above else byte for byte, above in zip(low, high))
