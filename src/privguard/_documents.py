"""Which responses a browser reads as documents, in which language and encoding: by type, and by how they begin.

(MIME Sniffing §7, HTML standard §13.2.3, Encoding standard §6.) What follows is scrubbed as what it is.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

from ._elements import View
from ._encodings import ESCAPE, ISO_2022_JP, UTF_16, Escaped, Wide, narrow
from ._html import HtmlScrubber
from ._media_types import media_type
from ._parts import Parts
from ._scrubber import Removal, Scrubber
from ._xml import XmlScrubber

_Reading = Scrubber | Wide | Escaped | Parts


class Kind(enum.Enum):
    """What a response's type says that it is."""

    HTML = "HTML"
    XML = "XML"
    UNKNOWN = "no type that a browser knows: how it begins tells"
    PARTS = "several documents, one replacing the other"


_XML_TYPES = frozenset({"text/xml", "application/xml", "text/xsl"})
# MIME Sniffing §7.1, and what Firefox says for it.
_NO_TYPES = frozenset({"unknown/unknown", "application/unknown", "application/x-unknown-content-type"})
_UTF_8 = frozenset({"utf-8", "utf8", "unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "x-unicode20utf8"})
# Encodings in which a bracket may be half a letter (Encoding standard §4.2, labels).
_HALVED = frozenset(
    "big5 big5-hkscs cn-big5 csbig5 x-x-big5 chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 "
    "x-gbk gb18030 csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis".split()
)
_MARKS = ((b"\xfe\xff", "big"), (b"\xff\xfe", "little"), (b"\xef\xbb\xbf", ""))
# Where nothing else tells, the declaration of XML does, in HTML too (HTML standard §13.2.3.2).
_DECLARATIONS = ((b"\0<\0?\0x", "big"), (b"<\0?\0x\0", "little"))
_ENOUGH = 6  # bytes that tell the encoding
_ENOUGH_TO_SNIFF = 1445  # bytes: the resource header of MIME Sniffing §5.2
_BLANK = b"\t\n\f\r "


def kind_of(content_types: Sequence[str]) -> Kind | None:
    """Return the kind of document that a response with these Content-Type values is, or None when it is none.

    >>> kind_of(["text/html; charset=utf-8"]), kind_of(["image/svg+xml"]), kind_of(["text/plain"])
    (<Kind.HTML: 'HTML'>, <Kind.XML: 'XML'>, None)
    """
    found = media_type(content_types)
    if found is None or found.essence in _NO_TYPES:
        return Kind.UNKNOWN
    if found.essence == "text/html":
        return Kind.HTML
    if found.essence in _XML_TYPES or found.essence.endswith("+xml"):
        return Kind.XML
    return Kind.PARTS if found.essence == "multipart/x-mixed-replace" else None


class DocumentScrubber:
    """Scrubs one document of *kind*, whose encoding its first bytes tell and the Content-Type values.

    *is_part*: what comes is a part of the document that does not begin where the document does.
    """

    def __init__(self, kind: Kind, content_types: Sequence[str], view: View, *, is_part: bool = False) -> None:
        found = media_type(content_types)
        self._charset = found.charset if found else ""
        self._kind = kind
        self._view = view
        self._is_part = is_part
        self._begin = b""
        self._readings: list[_Reading] = []
        """What browsers may take the document for, each scrubbed in turn; none, once that is settled, when for none."""
        self._is_settled = False
        self._ascii: Scrubber | None = None
        """The reading in which letters are bytes, as long as the page may say that it is in ISO-2022-JP."""

    @property
    def removed(self) -> list[Removal]:
        """What was taken out, and not taken yet."""
        return [one for reading in self._readings for one in reading.removed]

    def take_removed(self) -> list[Removal]:
        """Return what was taken out since the last call."""
        taken = self.removed
        for reading in self._readings:
            reading.removed.clear()
        return taken

    def feed(self, chunk: bytes) -> bytes:
        """Return what is settled by now; altogether as many bytes as were given."""
        if not self._is_settled:
            self._begin += chunk
            if not self._settle(is_all=False):
                return b""
            chunk, self._begin = self._begin, b""
        self._look_for_escapes(chunk)
        for reading in self._readings:
            chunk = reading.feed(chunk)
        return chunk

    def finish(self) -> bytes:
        """Return what is left."""
        left = b""
        if not self._is_settled:
            self._settle(is_all=True)
            left, self._begin = self._begin, b""
            self._look_for_escapes(left)
        for reading in self._readings:
            left = reading.feed(left) + reading.finish()
        return left

    def _settle(self, *, is_all: bool) -> bool:
        """Decide by the first bytes what comes; return whether they were enough."""
        begin = self._begin
        is_enough = is_all or len(begin) >= (_ENOUGH_TO_SNIFF if self._kind is Kind.UNKNOWN else _ENOUGH)
        if not is_enough and (self._kind is not Kind.UNKNOWN or len(begin.strip(_BLANK)) < _ENOUGH):
            return False
        self._is_settled = True
        for order in self._orders(begin):
            plain = narrow(begin[: len(begin) // 2 * 2], order) if order else begin
            scrubber = self._scrubber(plain.removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff"))
            if scrubber is not None:
                self._readings.append(self._reading(scrubber, order))
        return True

    def _orders(self, begin: bytes) -> list[str]:
        """Return the orders of UTF-16 in which browsers may read the document; empty ones where it is in none."""
        if begin.startswith(b"\xef\xbb\xbf"):
            self._charset = "utf-8"
        marked = [order for mark, order in _MARKS if begin.startswith(mark)]
        if marked:
            return marked
        if self._is_part and (not self._charset or self._charset in UTF_16):  # it may begin in the middle of a letter
            return ["", "little", "big"]
        if self._charset in UTF_16:
            return [UTF_16[self._charset]]
        return ["", *[order for declaration, order in _DECLARATIONS if begin.startswith(declaration)]]

    def _reading(self, scrubber: Scrubber, order: str) -> _Reading:
        if self._kind is Kind.PARTS:
            return Parts(scrubber)
        if order:
            return Wide(scrubber, order)
        if self._charset in ISO_2022_JP:
            return Escaped(scrubber)
        self._ascii = None if self._charset in _UTF_8 else scrubber
        return scrubber

    def _look_for_escapes(self, chunk: bytes) -> None:
        """Behind the first, bytes that look like text may be other letters, and the other way round."""
        if self._ascii is not None and ESCAPE in chunk:
            other = XmlScrubber(self._view) if isinstance(self._ascii, XmlScrubber) else HtmlScrubber(self._view)
            for scrubber in (self._ascii, other):
                scrubber.doubt_everything()
            self._readings.append(Escaped(other))
            self._ascii = None

    def _scrubber(self, begin: bytes) -> Scrubber | None:
        kind = self._kind
        if kind is Kind.UNKNOWN:
            begin = begin.lstrip(_BLANK)
            kind = Kind.XML if begin.startswith(b"<?xml") else Kind.HTML
            if not begin.startswith(b"<"):
                return None
        scrubber = XmlScrubber(self._view) if kind is Kind.XML else HtmlScrubber(self._view)
        scrubber.may_be_halves = self._charset not in _UTF_8 if kind is Kind.HTML else self._charset in _HALVED
        if self._is_part or kind is Kind.PARTS:
            scrubber.doubt_everything()
        return scrubber
