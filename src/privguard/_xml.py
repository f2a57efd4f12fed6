"""XML as it streams through, for what browsers show of it: XHTML, SVG, and XHTML inside any other vocabulary.

(XML 1.0, fifth edition.) A document that is not well-formed ends for a browser where it stops being so; what looks like
a tag behind that point is judged all the same.
"""

from __future__ import annotations

import dataclasses
import re

from ._doctype import Doctype, entity_value, is_attribute_list
from ._elements import View
from ._html import HtmlScrubber
from ._landmarks import IMAGES, JUDGED, JUDGED_BY_ATTRIBUTE, any_case
from ._markup import Tag, name_of_tag, whole_tag
from ._scrubber import LONGEST_TAG, Scrubber
from ._visibility import Hiding

_STOP = re.compile(
    rb"<(?:!--|!\[CDATA\[|!DOCTYPE(?=[\t\n\r ])|\?|(?:[^\t\n\r />:!?<]++:)?(?:%s)(?=[\t\n\r />]))"
    % any_case(JUDGED | JUDGED_BY_ATTRIBUTE | IMAGES)
)
_STOP_AT_EVERY_TAG = re.compile(rb"<(?:!--|!\[CDATA\[|!DOCTYPE(?=[\t\n\r ])|\?|(?=/?[^\t\n\r />!?<]))")
_PARTIAL_STOP = re.compile(rb"</?[^\t\n\r />]*+\Z")
_LONGEST_NAME = 1 << 12  # bytes, with its prefix
_ENDS = {b"<!--": rb"-->", b"<![CDATA[": rb"\]\]>", b"<?": rb"\?>"}
_SECTION_END = {begin: re.compile(end) for begin, end in _ENDS.items()}
_PARTIAL_SECTION_END = re.compile(rb"--?\Z|\]\]?\Z|\?\Z")
_LONGEST_DECLARATION = 1 << 10  # bytes, as Firefox looks for it
_ENCODING = re.compile(rb"<\?xml[\t\n\r ][^>]*?encoding[\t\n\r ]*=[\t\n\r ]*[\"']([^\"'>]*)")
_NO_HALVES = frozenset((b"utf-8", b"utf8", b"us-ascii", b"iso-8859-1", b"windows-1252"))
_MOST_DECLARATIONS = 8  # a document has one; in what is none, each may be read to the end


class XmlScrubber(Scrubber):
    """Scrubs one XML document."""

    def __init__(self, view: View, depth: int = 0) -> None:
        super().__init__(dataclasses.replace(view, is_xml=True), depth)
        self._section = b""
        """What began the comment, CDATA section or processing instruction that is passed."""
        self._declaration = Doctype()
        self._declarations_left = _MOST_DECLARATIONS
        self._is_doubtful = False
        self._knows_encoding = False
        self._hiding = Hiding(is_xml=True)
        self._stop = _STOP_AT_EVERY_TAG if view.watches_images else _STOP

    def doubt_everything(self) -> None:
        """Say that from here on nobody knows what is a tag and what is text."""
        self._is_doubtful = True
        self._state = XmlScrubber._markup

    def _document_in_attribute(self, *, is_hidden: bool) -> Scrubber:
        view = dataclasses.replace(self._view, is_xml=False, is_in_attribute=True)
        return HtmlScrubber(view, self._depth + 1, is_hidden=is_hidden)

    def _markup(self, data: bytes, at: int) -> int:
        match = self._stop.search(data, at)
        if match is None:
            return self._behind_all_stops(data, at)
        begin = match[0]
        if begin == b"<!DOCTYPE":
            self._declarations_left -= 1
            if self._declarations_left < 0:
                return match.end()
            self._state = XmlScrubber._doctype
            self._declaration = Doctype()
            self._seen = len(begin)
            return match.start()
        if begin == b"<?" and not self._knows_encoding:
            return self._at_declaration(data, match.start())
        if begin in _SECTION_END:
            self._section = begin
            self._state = XmlScrubber._markup if self._is_doubtful else XmlScrubber._in_section
            return match.end()
        tag = whole_tag(data, match.start(), len(data))
        return self._hold(data, match.start()) if tag is None else self._at_tag(data, tag)

    def _at_declaration(self, data: bytes, at: int) -> int:
        """The declaration of XML tells the encoding, where no header field does (XML 1.0 §4.3.3)."""
        if data.find(b"?>", at) < 0 and len(data) - at < _LONGEST_DECLARATION and not self._is_last:
            return ~at
        declared = _ENCODING.match(data, at)
        self._knows_encoding = True
        self.may_be_halves |= declared is not None and declared[1].lower() not in _NO_HALVES
        return at

    def _held_tag(self, data: bytes, at: int) -> int:
        end = super()._held_tag(data, at)
        return self._broken_tag(data, at) if end == ~at and data.find(b"<", at + 1) >= 0 else end

    def _overlong_tag(self, data: bytes, at: int) -> int:
        end = super()._overlong_tag(data, at)
        bracket = data.find(b"<", at, end if end >= 0 else len(data))
        if bracket >= 0:
            self.doubt_everything()
        return bracket if bracket >= 0 else end

    def _broken_tag(self, data: bytes, at: int) -> int:
        """There is a bracket in the tag. Not so for the standard, but Chromium reads on behind comments in values."""
        self.doubt_everything()
        self._tell("tag in a tag", "", data, at)
        name, name_at = name_of_tag(data, at)
        self._edits.append((name_at + name.rfind(b":") + 1, b"x"))
        return at + 1

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
        if data.find(b"<", tag.at + 1, tag.end) >= 0:
            return self._broken_tag(data, tag.at)
        if data[tag.at + 1 : tag.at + 2] == b"/":
            self._hiding.close(tag.name)
            return tag.end
        self._judge(data, tag, is_hidden=self._hiding.is_open)
        if self._view.watches_images:
            self._hiding.open(tag)
        return tag.end

    def _in_section(self, data: bytes, at: int) -> int:
        match = _SECTION_END[self._section].search(data, at)
        if match is None:
            return self._all_but(data, at, _PARTIAL_SECTION_END)
        self._state = XmlScrubber._markup
        if self._section == b"<![CDATA[" and self._is_half(data, match.start()):
            self.doubt_everything()
        return match.end()

    def _doctype(self, data: bytes, at: int) -> int:
        length = self._declaration.find(data, at, self._seen)
        self._seen = length if length >= 0 else ~length
        if length < 0 and not self._is_last and len(data) - at < LONGEST_TAG:
            return ~at
        self._state = XmlScrubber._markup
        if length < 0:  # no declaration at all: for a browser, the document ends here
            self._edits.append((at + 2, b"x"))
            return at + 3
        for begin, end in self._declaration.declarations:
            self._judge_declaration(data, at + begin, at + end)
        return at + 2 if self._is_doubtful else at + length

    def _judge_declaration(self, data: bytes, at: int, end: int) -> None:
        """Empty an entity that stands for markup, and take out attributes that a document gives its elements unseen."""
        value = entity_value(data[at:end])
        if value is not None:
            start, stop = value
            self._edits.append((at + start, b" " * (stop - start)))
            self._tell("entity with markup", "", data, at)
        elif is_attribute_list(data[at:end]):
            self._edits.append((at, b" " * (end - at)))
            self._tell("default attributes", "", data, at)
