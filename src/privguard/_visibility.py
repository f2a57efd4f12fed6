"""Which images nobody sees: what hides an element, and which element hides what is in it.

Told by the tag alone: what a style sheet hides by its class, nobody knows here. Where a style cannot be computed, an
image counts as hidden. (HTML standard §15.3; SVG 2 §5; MathML Core.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ._markup import Tag
from ._styles import HIDES, PIXELS, RELATIVE, TINY, hides_by_style

_VOID = frozenset(b"area base br col embed hr img input link meta param source track wbr".split())
# Their content is a fallback, a stock of parts, or comes to sight when somebody asks for it.
_NEVER_SHOWN = frozenset(
    b"template datalist select canvas video audio meter progress defs symbol clippath mask pattern marker "
    b"lineargradient radialgradient filter metadata desc title mphantom annotation annotation-xml semantics maction "
    b"mspace rp foreignobject".split()
)
_NEVER_SHOWN_IN_XML = frozenset(
    b"area base frame head iframe link meta noembed noframes option param script source style textarea track".split()
)
_SHOWN_WHEN_OPEN = frozenset((b"details", b"dialog"))
# Others grow with what is in them, and the parts of a table do so whatever their style says.
_SIZED_BY_ATTRIBUTES = frozenset(b"svg iframe object embed foreignobject img image input marquee video".split())
_SIZED_AS_SVG = frozenset(b"svg foreignobject image feimage".split())
_SIZED_BY_CONTENT = frozenset(b"table caption colgroup col thead tbody tfoot tr td th".split())


class _LeftOpen(NamedTuple):
    """Where an element ends whose end tag may be left out (HTML standard §13.1.2.4)."""

    by_start: frozenset[bytes]
    """Elements before which it ends."""
    by_end: frozenset[bytes]
    """Elements with which it ends."""


def _left_open(names: bytes, by_start: bytes, by_end: bytes) -> dict[bytes, _LeftOpen]:
    return dict.fromkeys(names.split(), _LeftOpen(frozenset(by_start.split()), frozenset(by_end.split())))


_NEEDS_END = _LeftOpen(frozenset(), frozenset())
_END_MAY_BE_LEFT_OUT: Mapping[bytes, _LeftOpen] = {
    **_left_open(b"li", b"li", b"ul ol menu"),
    **_left_open(b"dd dt", b"dd dt", b"dl"),
    **_left_open(b"option", b"option optgroup", b"optgroup select datalist"),
    **_left_open(b"optgroup", b"optgroup", b"select datalist"),
    **_left_open(b"rp rt", b"rp rt", b"ruby"),
    **_left_open(b"p", b"p", b""),
    **_left_open(b"td th", b"td th tr tbody tfoot", b"tr tbody thead tfoot table"),
    **_left_open(b"tr", b"tr tbody tfoot", b"tbody thead tfoot table"),
    **_left_open(b"tbody thead tfoot", b"tbody tfoot", b"table"),
}
# What comes behind their end tags is in them all the same.
_NEVER_END = frozenset((b"body", b"html"))
# The end tags of others are passed over while a paragraph or a list item is open (HTML standard §13.2.6.4.7).
_ENDS_ALL_IN_IT = frozenset(
    b"address article aside blockquote button center details dialog dir div dl fieldset figcaption figure footer form "
    b"header hgroup li listing main menu nav object ol pre search section summary ul marquee template p dd dt td th tr "
    b"tbody thead tfoot table caption select".split()
)
_DEEPEST = 512  # elements in one another: browsers put what is deeper elsewhere

# ── what a tag hides ─────────────────────────────────────────────────────────────────────────────────────────────────

_LENGTH = re.compile(r"[\t\n\f\r ]*\+?([0-9]*\.?[0-9]*)(.*)", re.DOTALL)
_PRESENTATION = ("display", "visibility", "opacity", "transform", "clip-path", "filter")  # SVG 2 §6.6


def is_tiny(length: str | None, *, has_unit: bool = False) -> bool:
    """Whether a dimension is 1 pixel at most.

    HTML reads no unit but percent (HTML standard §2.3.4.4); SVG has those of CSS: *has_unit*.
    """
    match = _LENGTH.match(length or "")
    if match is None or not any(map(str.isdigit, match[1])):  # no number: the image has its own size
        return False
    unit = match[2].strip().lower()
    scale = PIXELS.get(unit, RELATIVE) if has_unit else PIXELS["%" if unit.startswith("%") else ""]
    return float(match[1]) * scale <= TINY


def has_tiny_side(tag: Tag, sides: Iterable[bytes] = (b"width", b"height")) -> bool:
    """Whether an attribute of *tag* makes it a pixel wide or high."""
    has_unit = tag.name.rpartition(b":")[2] in _SIZED_AS_SVG
    return any(is_tiny(tag.value(side), has_unit=has_unit) for side in sides if side in tag.attributes)


def hides(tag: Tag) -> bool:
    """Whether *tag* hides itself and what stands in it."""
    attributes = tag.attributes
    name = tag.name.rpartition(b":")[2]
    if b"hidden" in attributes or b"popover" in attributes:
        return True
    if name in _SHOWN_WHEN_OPEN and (b"open" not in attributes or b"name" in attributes):  # of a name, one is open
        return True
    if name in _SIZED_BY_ATTRIBUTES and has_tiny_side(tag):
        return True
    style = tag.value(b"style") or ""
    if style and hides_by_style(style, is_sized_by_content=name in _SIZED_BY_CONTENT):
        return True
    return any(HIDES[one](tag.value(one.encode()) or "") for one in _PRESENTATION if one.encode() in attributes)


class Hiding:
    """The element that hides what is in it, and what is open in that.

    It ends with its own end tag. Where tags are not nested as they should be, browsers go on in one element or another
    by rules of their own: then all the rest counts as hidden.
    """

    __slots__ = ("_is_for_good", "_is_xml", "_name", "_within")

    def __init__(self, *, is_open: bool = False, is_xml: bool = False) -> None:
        self._is_xml = is_xml
        self._name = b""
        self._is_for_good = is_open
        self._within: list[bytes] = []
        """The elements that are open in it."""

    def copy(self) -> Hiding:
        """Return the same, of which what comes changes nothing here."""
        other = Hiding(is_open=self._is_for_good, is_xml=self._is_xml)
        other._name, other._within = self._name, [*self._within]
        return other

    @property
    def is_open(self) -> bool:
        """Whether what comes next is hidden."""
        return self._is_for_good or bool(self._name)

    def open(self, tag: Tag, *, is_foreign: bool = False) -> None:
        """See a start tag. *is_foreign*: in SVG or MathML, in which a slash at the end of a tag ends its element."""
        if self._is_for_good or not self._holds(tag, is_foreign=is_foreign):
            return
        if b"shadowrootmode" in tag.attributes:  # where the rest of its parent is to be seen, if at all, its slots say
            self._is_for_good = True
        if self._name and tag.name in self._left_open(self._name).by_start and not self._is_firm():
            self._name = b""
        if self._name:
            self._within.append(tag.name)
            self._is_for_good |= len(self._within) > _DEEPEST
        elif self._hides(tag):
            self._name = tag.name
            self._within.clear()
            self._is_for_good |= tag.name in _NEVER_END

    def _hides(self, tag: Tag) -> bool:
        name = tag.name.rpartition(b":")[2]
        return name in _NEVER_SHOWN or (self._is_xml and name in _NEVER_SHOWN_IN_XML) or hides(tag)

    def _left_open(self, name: bytes) -> _LeftOpen:
        return _NEEDS_END if self._is_xml else _END_MAY_BE_LEFT_OUT.get(name, _NEEDS_END)

    def _is_firm(self) -> bool:
        """Whether something is open in it that does not end by itself."""
        return any(self._left_open(name) is _NEEDS_END for name in self._within)

    def _holds(self, tag: Tag, *, is_foreign: bool) -> bool:
        """Whether anything can be in it. In HTML, the slash of <div/> means nothing."""
        if self._is_xml:
            return not tag.ends_itself()
        return tag.name not in _VOID and not (is_foreign and tag.ends_itself())

    def close(self, name: bytes) -> None:
        """See an end tag."""
        if not self._name:
            return
        at = len(self._within)
        while at and self._within[at - 1] != name and self._left_open(self._within[at - 1]) is not _NEEDS_END:
            at -= 1
        if at and self._within[at - 1] == name:
            del self._within[at - 1 :]
        elif at:
            self._is_for_good |= name == self._name or name in self._within
        elif name == self._name or name in self._left_open(self._name).by_end:
            if self._within and name not in _ENDS_ALL_IN_IT:  # a browser passes over an end tag behind a paragraph
                self._is_for_good = True
            self._name = b""
