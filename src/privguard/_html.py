"""HTML as it streams through: what would contact another server is made inert, and every byte keeps its place.

Follows the tokenizer of the HTML standard (§13.2.5) as far as it decides what is a tag and what is text. Where browsers
may differ on that, or a page is made to make them differ, everything that looks like a tag is judged as one.
"""

from __future__ import annotations

import dataclasses

from . import _landmarks as marks
from ._elements import Verdict, View
from ._known_tags import known_tags, remember
from ._markup import OPENS_TAG, Tag, TagEnd, end_of_tag, whole_tag
from ._scrubber import LONGEST_TAG, Scrubber, State
from ._surroundings import Surroundings
from ._visibility import Hiding

_LONGEST_DOUBTFUL_TAG = 1 << 12  # bytes, where any text may be a tag


class HtmlScrubber(Scrubber):
    """Scrubs one HTML document.

    *begins_anywhere*: what comes is a part of one, and nobody knows which. *is_hidden*: nobody sees it.
    """

    def __init__(self, view: View, depth: int = 0, *, begins_anywhere: bool = False, is_hidden: bool = False) -> None:
        super().__init__(view, depth)
        if begins_anywhere:
            self.doubt_everything()
        self._name = b""
        """Of the element whose text is passed."""
        self._escapes = 0
        """In a script: 1 behind ``<!--``, 2 behind the ``<script`` after it."""
        self._around = Surroundings()
        self._hiding = Hiding(is_open=is_hidden)
        self._search = marks.Search()
        self._has_focus = False  # whether some element in the bytes at hand may want it
        self._known = known_tags(view)

    def _run(self, data: bytes) -> int:
        self._search.begin()
        self._has_focus = any(word in data for word in marks.FOCUS)
        return super()._run(data)

    def doubt_everything(self) -> None:
        """Say that from here on nobody knows what is a tag and what is text."""
        self._state = HtmlScrubber._anywhere

    def _document_in_attribute(self, *, is_hidden: bool) -> Scrubber:
        view = dataclasses.replace(self._view, is_in_attribute=True)
        return HtmlScrubber(view, self._depth + 1, is_hidden=is_hidden)

    # ── markup ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _landmarks(self) -> marks.Landmarks:
        if self._has_focus:
            return marks.EVERY_TAG
        is_doubtful = self._around.are_doubtful or self._view.is_in_attribute
        if not self._view.watches_images:
            return marks.WATCHFUL if is_doubtful else marks.ORDINARY
        return marks.EVERY_TAG if is_doubtful or self._hiding.is_open else marks.PICTURES

    def _markup(self, data: bytes, at: int) -> int:
        at = self._search.next(data, at, self._landmarks)
        return at if at == len(data) else self._at_bracket(data, at)

    def _at_bracket(self, data: bytes, at: int) -> int:
        if marks.OPENS_DECLARATION.match(data, at):
            return self._at_declaration(data, at)
        if OPENS_TAG.match(data, at):
            return self._whole_tag(data, at)
        if len(data) - at < 3 and not self._is_last:
            return ~at
        return at + 1

    def _at_declaration(self, data: bytes, at: int) -> int:
        """A comment, a CDATA section, or what ends at the next ``>`` whatever it is."""
        begin = data[at : at + 9]
        if len(begin) < 9 and b">" not in begin and not self._is_last:
            return ~at
        if begin.startswith(b"<!--"):
            for empty in (b"<!-->", b"<!--->"):
                if begin.startswith(empty):
                    return at + len(empty)
            self._state = HtmlScrubber._comment
            return at + 4
        if begin == b"<![CDATA[" and self._around.are_doubtful:
            self._state = HtmlScrubber._doubtful_cdata
            return at + 9
        self._state = HtmlScrubber._declaration
        return at + 2

    def _declaration(self, data: bytes, at: int) -> int:
        end = data.find(b">", at)
        if end < 0:
            return len(data)
        self._state = HtmlScrubber._markup
        return end + 1

    def _comment(self, data: bytes, at: int) -> int:
        match = marks.COMMENT_END.search(data, at)
        if match is None:
            return self._all_but(data, at, marks.PARTIAL_COMMENT_END)
        self._state = HtmlScrubber._markup
        return match.end()

    def _doubtful_cdata(self, data: bytes, at: int) -> int:
        match = marks.DOUBTFUL_CDATA_END.search(data, at)
        if match is None:
            return self._all_but(data, at, marks.PARTIAL_CDATA_END)
        if match[0] == b"<" or self._is_half(data, match.start()):
            self._state = HtmlScrubber._anywhere
            return match.start()
        self._state = HtmlScrubber._markup
        return match.end()

    # ── tags ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin_tag(self, data: bytes, at: int) -> int:
        """The end of the tag at *at* is not near."""
        name = marks.TAG_NAME.match(data, at)
        if name is None or (name.end() < len(data) and not self._is_judged(name[1].lower())):
            self._end = TagEnd()
            self._name = b""
            self._state = HtmlScrubber._passing_tag
            return at + 1 + (data[at + 1 : at + 2] == b"/")
        return self._hold(data, at)

    def _is_judged(self, name: bytes) -> bool:
        return name in marks.HELD or self._view.watches_images or self._has_focus

    def _passing_tag(self, data: bytes, at: int) -> int:
        end = self._end.find(data, at)
        if end >= 0:
            self._state = HtmlScrubber._markup
        return end

    def _defuse(self, data: bytes, at: int, limit: int) -> bytes:
        name = super()._defuse(data, at, limit)
        self._around.are_unsure |= name in marks.WATCHED
        self._name = name if data[at + 1 : at + 2] != b"/" else b""
        return name

    def _go_behind_overlong_tag(self) -> None:
        super()._go_behind_overlong_tag()
        self._enter(self._name)

    def _whole_tag(self, data: bytes, at: int) -> int:
        end = end_of_tag(data, at)
        if end < 0:
            return self._begin_tag(data, at)
        known = None if self._hiding.is_open else self._known.get(data[at:end])
        if known is None:
            return self._at_tag(data, Tag(data, at, end))
        if known.verdict.edits:
            self._take_out(data, at, known.verdict, at)
        self._open(known.name, known.ends_itself)
        return end

    def _at_tag(self, data: bytes, tag: Tag) -> int:
        if data[tag.at + 1 : tag.at + 2] == b"/":
            self._close(tag.name)
            return tag.end
        is_judged = self._is_judged(tag.name)
        verdict = self._judge(data, tag, is_hidden=self._hiding.is_open) if is_judged else Verdict()
        if self._view.watches_images:
            self._hiding.open(tag, is_foreign=self._around.are_foreign)
        if not self._hiding.is_open:
            remember(self._known, data[tag.at : tag.end], tag, verdict)
        self._open(tag.name, tag.ends_itself())
        return tag.end

    # ── what an element makes of the text in it ──────────────────────────────────────────────────────────────────────

    def _open(self, name: bytes, ends_itself: bool) -> None:
        if name in marks.RAW_TEXT:
            self._enter(name)
        elif self._around.open(name, ends_itself):
            self._name = name
            self._state = HtmlScrubber._plain_text

    def _close(self, name: bytes) -> None:
        self._around.close(name)
        self._hiding.close(name)

    def _enter(self, name: bytes) -> None:
        """Go on in the text of the element *name*, if it is one whose tags are text."""
        if name not in marks.RAW_TEXT:
            return
        self._name = name
        self._escapes = 0
        self._seen = 0
        if self._around.are_doubtful:
            self._state = HtmlScrubber._doubtful_text
        elif name == b"script":
            self._state = HtmlScrubber._script
        else:
            self._state = HtmlScrubber._noscript if name == b"noscript" else HtmlScrubber._raw_text

    def _raw_text(self, data: bytes, at: int) -> int:
        match = None if self._name == b"plaintext" else marks.RAW_TEXT_END[self._name].search(data, at)
        if match is None:
            return self._all_but(data, at, marks.PARTIAL_TAG)
        self._state = HtmlScrubber._markup
        return match.start()

    def _script(self, data: bytes, at: int) -> int:
        match = marks.SCRIPT_TURNS[self._escapes].search(data, at)
        if match is None:
            return self._all_but(data, at, marks.PARTIAL_SCRIPT_TURN)
        if match[0] == b"<!--":
            self._escapes = 1
            return match.start() + 2  # its dashes may also end it: <!-->
        if match[0] == b"-->":
            self._escapes = 0
        elif not match[1]:
            self._escapes = 2
        elif self._escapes == 2:
            self._escapes = 1
        else:
            self._state = HtmlScrubber._markup
            return match.start()
        return match.end()

    def _noscript(self, data: bytes, at: int) -> int:
        """Text where scripts run, and markup where they do not: both are looked at."""
        match = marks.RAW_TEXT_END[b"noscript"].search(data, at + self._seen)
        if match is None:
            if self._is_last or len(data) - at > LONGEST_TAG:
                self._state = HtmlScrubber._anywhere
                return at
            self._seen = max(0, len(data) - at - marks.LONGEST_END)
            return ~at
        inner = HtmlScrubber(self._view, self._depth)
        inner.may_be_halves = self.may_be_halves
        inner._hiding = self._hiding.copy()
        edits = inner.scan(data[at : match.start()], is_last=False)
        if not inner.is_plain:
            self._state = HtmlScrubber._anywhere  # for one reader, the element ends somewhere else
            return at
        self._take_out(data, at, Verdict([(what, host) for what, host, _ in inner.removed], edits), at)
        self._state = HtmlScrubber._markup
        return match.start()

    @property
    def is_plain(self) -> bool:
        """Whether what comes next is markup, for every reader."""
        return self._state == HtmlScrubber._markup and not self._held and not self._around.are_doubtful

    def _doubtful_text(self, data: bytes, at: int) -> int:
        """Text for one reader, and markup for the other: as long as it holds no tag, they agree."""
        return self._text_only(data, at, HtmlScrubber._anywhere)

    def _plain_text(self, data: bytes, at: int) -> int:
        """In foreign content, HTML may go on here. Where it is more than text, nobody can tell by tags what is what."""
        return self._text_only(data, at, HtmlScrubber._markup)

    def _text_only(self, data: bytes, at: int, otherwise: State) -> int:
        match = marks.OPENS_MARKUP.search(data, at)
        if match is None:
            return self._all_but(data, at, marks.PARTIAL_TAG)
        end = data[match.start() : match.start() + len(self._name) + 3].lower()
        if len(end) < len(self._name) + 3 and b">" not in end and not self._is_last:
            return ~match.start()
        self._state = HtmlScrubber._markup
        if not marks.is_end_tag(end, self._name):
            self._around.are_unsure = True
            self._state = otherwise
        return match.start()

    def _anywhere(self, data: bytes, at: int) -> int:
        """Judge whatever looks like a tag, whether it stands in a comment, in a script or in another tag."""
        marks_of = marks.ANY_TAG if self._view.watches_images else marks.MAKES_CONTACT
        match = marks_of.search(data, at)
        if match is None:
            return self._all_but(data, at, marks.PARTIAL_TAG)
        start = match.start()
        following = marks_of.search(data, start + 1)
        limit = following.start() if following else len(data)
        tag = whole_tag(data, start, limit)
        if tag is not None:
            return self._at_doubtful_tag(data, tag)
        if following is None and not self._is_last and limit - start < _LONGEST_DOUBTFUL_TAG:
            return ~start
        # Another tag may begin in it, or it may go on behind that: neither is known, and neither is left.
        self._tell("tag in a tag", "", data, start)
        self._edits.append((start + 1, b"x"))
        return limit

    def _at_doubtful_tag(self, data: bytes, tag: Tag) -> int:
        if data[tag.at + 1 : tag.at + 2] == b"/":
            self._hiding.close(tag.name)
            return tag.end
        self._judge(data, tag, is_hidden=self._hiding.is_open)
        if self._view.watches_images:
            self._hiding.open(tag, is_foreign=self._around.are_foreign)
        return tag.end
