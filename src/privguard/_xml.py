"""XML as it streams through, for what browsers show of it: XHTML, SVG, and XHTML inside any other vocabulary.

(XML 1.0, fifth edition.) A document that is not well-formed ends for a browser where it stops being so; what looks like
a tag behind that point is judged all the same.
"""

from __future__ import annotations

import dataclasses
import re
from html import unescape

from ._elements import View
from ._html import HtmlScrubber
from ._landmarks import JUDGED, JUDGED_BY_ATTRIBUTE, LONGEST_END, any_case
from ._markup import Tag, whole_tag
from ._scrubber import LONGEST_TAG, Scrubber

_STOP = re.compile(
    rb"<(?:!--|!\[CDATA\[|!DOCTYPE(?=[\t\n\r ])|\?|(?:[^\t\n\r />:!?<]++:)?(?:%s)(?=[\t\n\r />]))"
    % any_case((*JUDGED, *JUDGED_BY_ATTRIBUTE, b"image", b"feimage", b"source", b"video"))
)
_PARTIAL_STOP = re.compile(rb"<[^\t\n\r />]*+\Z")
_LONGEST_NAME = 1 << 12  # bytes, with its prefix
_ENDS = {b"<!--": rb"-->", b"<![CDATA[": rb"\]\]>", b"<?": rb"\?>"}
_SECTION_END = {begin: re.compile(end) for begin, end in _ENDS.items()}
_PARTIAL_SECTION_END = re.compile(rb"--?\Z|\]\]?\Z|\?\Z")
_QUOTED = rb"\"[^\"]*+\"|'[^']*+'"
_DECLARATION = rb"<![A-Za-z](?:[^>\"']|%s)*>" % _QUOTED
_DOCTYPE = re.compile(
    rb"<!DOCTYPE(?:[^\[>\"']|%s)*"
    rb"(?:\[(?:[^\]<]++|<!--(?:(?!-->).)*-->|<\?(?:(?!\?>).)*\?>|%s)*\][\t\n\r ]*+)?>" % (_QUOTED, _DECLARATION),
    re.DOTALL,
)
_ENTITY = re.compile(rb"<!ENTITY[\t\n\r ]+(?:%%[\t\n\r ]+)?[^\t\n\r ]+[\t\n\r ]+(%s)" % _QUOTED)
_ATTRIBUTE_LIST = re.compile(rb"<!ATTLIST(?=[\t\n\r ])(?:[^>\"']|%s)*>" % _QUOTED)


class XmlScrubber(Scrubber):
    """Scrubs one XML document."""

    def __init__(self, view: View, depth: int = 0) -> None:
        super().__init__(dataclasses.replace(view, is_xml=True), depth)
        self._section = b""
        """What began the comment, CDATA section or processing instruction that is passed."""
        self._is_doubtful = False

    def doubt_everything(self) -> None:
        """Say that from here on nobody knows what is a tag and what is text."""
        self._is_doubtful = True
        self._state = XmlScrubber._markup
        self._seen = 0

    def _document_in_attribute(self) -> Scrubber:
        return HtmlScrubber(dataclasses.replace(self._view, is_xml=False), self._depth + 1)

    def _markup(self, data: bytes, at: int) -> int:
        match = _STOP.search(data, at)
        if match is None:
            return self._behind_all_stops(data, at)
        begin = match[0]
        if begin == b"<!DOCTYPE":
            self._state = XmlScrubber._doctype
            return match.start()
        if begin in _SECTION_END:
            self._section = begin
            self._state = XmlScrubber._markup if self._is_doubtful else XmlScrubber._in_section
            return match.end()
        tag = whole_tag(data, match.start(), len(data))
        return self._hold(data, match.start()) if tag is None else self._at_tag(data, tag)

    def _behind_all_stops(self, data: bytes, at: int) -> int:
        """Settle all but the begin of what may become one: a name may have a prefix of any letters."""
        opening = data.rfind(b"<", at)
        if opening < 0 or self._is_last or not _PARTIAL_STOP.match(data, opening):
            return len(data)
        if len(data) - opening < _LONGEST_NAME:
            return ~opening
        self._edits.append((opening + 1, b"-"))  # no name begins so: for a browser, the document ends here
        return len(data)

    def _at_tag(self, data: bytes, tag: Tag) -> int:
        self._judge(data, tag)
        return tag.end

    def _in_section(self, data: bytes, at: int) -> int:
        match = _SECTION_END[self._section].search(data, at)
        if match is None:
            return self._all_but(data, at, _PARTIAL_SECTION_END)
        self._state = XmlScrubber._markup
        return match.end()

    def _doctype(self, data: bytes, at: int) -> int:
        match = _DOCTYPE.match(data, at) if b">" in data[at + self._seen :] else None
        if match is None and not self._is_last and len(data) - at < LONGEST_TAG:
            self._seen = max(0, len(data) - at - LONGEST_END)
            return ~at
        self._state = XmlScrubber._markup
        self._seen = 0
        if match is None:  # no declaration at all: for a browser, the document ends here
            self._edits.append((at + 2, b"x"))
            return at + 3
        self._judge_declarations(data, match.start(), match.end())
        return at + 2 if self._is_doubtful else match.end()

    def _judge_declarations(self, data: bytes, at: int, end: int) -> None:
        """Empty entities that stand for markup, and take out attributes that a document gives its elements unseen."""
        for match in _ENTITY.finditer(data, at, end):
            value = match[1][1:-1]
            if "<" in unescape(value.decode("latin-1")) or b"%" in value:
                self._edits.append((match.start(1) + 1, b" " * len(value)))
                self._tell("entity with markup", "", data, match.start())
        for match in _ATTRIBUTE_LIST.finditer(data, at, end):
            self._edits.append((match.start(), b" " * len(match[0])))
            self._tell("default attributes", "", data, match.start())
