"""A document as it streams through: the bytes that are settled leave, the tag at hand waits, and none changes place.

What HTML and XML have in common; each of them knows for itself what in its bytes is a tag.
"""

from __future__ import annotations

import abc
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from ._elements import CONTACTING, Verdict, View, judge
from ._landmarks import JUDGED, LONGEST_END, any_case, letters
from ._markup import Tag, TagEnd, decode_mapped, name_of_tag
from ._visibility import hides

LONGEST_TAG = 1 << 18  # bytes: a tag that is judged is held until its end, and none is held longer than this
_DEEPEST = 4  # documents in attributes of documents
_CONTACTING = re.compile(
    rb"(?=[%s][%s])(?<![^\t\n\f\r /\"'])(?:%s)(?=[\t\n\f\r /=>])"
    % (letters(name[:1] for name in CONTACTING), letters(name[1:2] for name in CONTACTING), any_case(CONTACTING))
)


State = Callable[[Any, bytes, int], int]


class Removal(NamedTuple):
    """Something that was taken out of a page."""

    what: str
    host: str
    """Where it would have led; empty where that cannot be said."""
    line: int


class Scrubber(abc.ABC):
    """Scrubs one document: what it is fed comes out at the same length, at the latest from finish()."""

    def __init__(self, view: View, depth: int = 0) -> None:
        self.removed: list[Removal] = []
        self._told: set[str] = set()
        self._view = view
        self._depth = depth
        self.may_be_halves = False
        """Whether bytes of ASCII may be the second half of a letter, as in Shift_JIS, GBK and Big5."""
        self._held = b""
        self._before = b""
        """The last byte that has left."""
        self._is_last = False
        self._lines = 1
        self._counted = (0, 1)
        """As far as lines have been counted in the bytes at hand, and the number of that one."""
        self._edits: list[tuple[int, bytes]] = []
        # Functions of the class: a bound one would hold the scrubber, which holds it.
        self._state: State = type(self)._markup
        """Takes the bytes and where to go on; returns where to go on next, or ``~`` of it to wait for more bytes."""
        self._end = TagEnd()
        self._seen = 0
        """How many bytes of what is held have been looked at."""

    def feed(self, chunk: bytes) -> bytes:
        """Return what is settled by now."""
        data = self._held + chunk if self._held else chunk
        end = self._run(data)
        self._held = data[end:] if end < len(data) else b""
        self._before = data[end - 1 : end] or self._before
        return self._leave(data, end)

    def finish(self) -> bytes:
        """Return what is left; a tag that has not ended is none."""
        self._is_last = True
        data, self._held = self._held, b""
        self._run(data)
        return self._leave(data, len(data))

    def scan(self, data: bytes, *, is_last: bool) -> list[tuple[int, bytes]]:
        """Return the changes that a whole document, or the begin of one, needs: what to write, and where."""
        self._is_last = is_last
        self._held = data[self._run(data) :]
        return self._edits

    def _run(self, data: bytes) -> int:
        """Return as far as *data* is settled."""
        self._counted = (0, self._lines)
        at = 0
        while at < len(data):
            at = self._state(self, data, at)
            if at < 0:
                return ~at
        return at

    def _leave(self, data: bytes, end: int) -> bytes:
        if self._edits:
            changed = bytearray(data)
            for at, new in self._edits:
                changed[at : at + len(new)] = new
            self._edits.clear()
            data = bytes(changed)
        if not self._is_last:
            self._lines = self._line_at(data, end)
        return data if end == len(data) else data[:end]

    def _is_half(self, data: bytes, at: int) -> bool:
        """Whether the byte at *at*, which looks like ASCII, may be the second half of a letter."""
        before = data[at - 1 : at] if at else self._before
        return self.may_be_halves and before >= b"\x80"

    def _all_but(self, data: bytes, at: int, partial: re.Pattern[bytes]) -> int:
        """Settle everything but an end of *data* that could be the begin of what is looked for."""
        match = None if self._is_last else partial.search(data, max(at, len(data) - LONGEST_END))
        return ~match.start() if match else len(data)

    @abc.abstractmethod
    def doubt_everything(self) -> None:
        """Say that from here on nobody knows what is a tag and what is text."""

    @abc.abstractmethod
    def _markup(self, data: bytes, at: int) -> int:
        """Go on, as a state does, where the next tag may begin."""

    @abc.abstractmethod
    def _at_tag(self, data: bytes, tag: Tag) -> int:
        """Judge a tag, and return where to go on."""

    @abc.abstractmethod
    def _document_in_attribute(self, *, is_hidden: bool) -> Scrubber:
        """Return what scrubs a srcdoc, which is HTML always. *is_hidden*: nobody sees the frame that it is shown in."""

    # ── tags ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _hold(self, data: bytes, at: int) -> int:
        """The end of the tag at *at* is not near, and it cannot be judged before."""
        self._end = TagEnd()
        self._state = type(self)._held_tag
        self._seen = 1 + (data[at + 1 : at + 2] == b"/")
        return at

    def _held_tag(self, data: bytes, at: int) -> int:
        end = self._end.find(data, at + self._seen)
        if 0 <= end <= at + LONGEST_TAG:
            self._state = type(self)._markup
            return self._at_tag(data, Tag(data, at, end))
        self._seen = (end if end >= 0 else ~end) - at
        if end < 0 and self._is_last:
            return len(data)
        return ~at if len(data) - at < LONGEST_TAG else self._give_up(data, at, has_ended=end >= 0)

    def _give_up(self, data: bytes, at: int, *, has_ended: bool) -> int:
        """A tag is too long to be judged: it passes, and means nothing that would make contact."""
        self._state = type(self)._overlong_tag
        self._defuse(data, at, at + self._seen)
        if has_ended:
            self._go_behind_overlong_tag()
        return at + self._seen

    def _overlong_tag(self, data: bytes, at: int) -> int:
        end = self._end.find(data, at)
        self._drop_attributes(data, at, end if end >= 0 else ~end)
        if end >= 0:
            self._go_behind_overlong_tag()
        return end

    def _go_behind_overlong_tag(self) -> None:
        self._state = type(self)._markup

    def _defuse(self, data: bytes, at: int, limit: int) -> bytes:
        """Take every meaning out of a tag of which only the begin is known; return its name if it keeps it."""
        name, name_at = name_of_tag(data, at)
        _, _, local = name.rpartition(b":")
        self._tell("overlong tag", "", data, at)
        if local in JUDGED and data[at + 1 : at + 2] != b"/":
            self._edits.append((name_at + len(name) - len(local), b"x"))
            return b""
        self._drop_attributes(data, name_at + len(name), limit)
        return name

    def _drop_attributes(self, data: bytes, at: int, end: int) -> None:
        """Make every attribute by which a tag may make contact mean nothing."""
        self._edits += [(match.start(), b"x") for match in _CONTACTING.finditer(data, at, end)]

    def _judge(self, data: bytes, tag: Tag, *, is_hidden: bool = False) -> Verdict:
        verdict = judge(tag, self._view, is_hidden=is_hidden)
        if b"srcdoc" in tag.attributes:
            self._scrub_srcdoc(tag, verdict, is_hidden=self._view.watches_images and (is_hidden or hides(tag)))
        self._take_out(data, tag.at, verdict)
        return verdict

    def _take_out(self, data: bytes, at: int, verdict: Verdict, start: int = 0) -> None:
        """Take out what a *verdict* on the tag at *at* says, whose offsets are told from *start*."""
        self._edits += [(start + offset, new) for offset, new in verdict.edits]
        for what, host in verdict.removed:
            self._tell(what, host, data, at)

    def _tell(self, what: str, host: str, data: bytes, at: int) -> None:
        if what not in self._told:
            self._told.add(what)
            self.removed.append(Removal(what, host, self._line_at(data, at)))

    def _line_at(self, data: bytes, at: int) -> int:
        counted, line = self._counted
        if at > counted:
            self._counted = (at, line + data.count(b"\n", counted, at))
        return self._counted[1]

    def _scrub_srcdoc(self, tag: Tag, verdict: Verdict, *, is_hidden: bool) -> None:
        """A document in an attribute: changed where it is written as it is read, else dropped whole."""
        document, written = decode_mapped(tag.raw(b"srcdoc") or b"")
        inner = self._document_in_attribute(is_hidden=is_hidden)
        start = tag.attributes[b"srcdoc"].start
        for at, new in inner.scan(document, is_last=True):
            offsets = [written.find(at + number) for number in range(len(new))]
            if self._depth == _DEEPEST or None in offsets:
                verdict.rename(tag, b"srcdoc")
                break
            verdict.edits += [(start + one, new[n : n + 1]) for n, one in enumerate(offsets) if one is not None]
        verdict.removed += [(f"{what} in srcdoc", host) for what, host, _ in inner.removed]
