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
_FOREIGN = frozenset(
    b"svg g a defs symbol clippath mask pattern marker lineargradient radialgradient filter metadata desc title "
    b"foreignobject image feimage use path rect switch math mphantom annotation annotation-xml".split()
)
# Their content is a fallback, a stock of parts, or comes to sight when somebody asks for it.
_NEVER_SHOWN = frozenset(
    b"template datalist select canvas video audio meter progress defs symbol clippath mask pattern marker "
    b"lineargradient radialgradient filter metadata desc title mphantom annotation annotation-xml".split()
)
_SHOWN_WHEN_OPEN = frozenset((b"details", b"dialog"))
# Others grow with what is in them, and the parts of a table do so whatever their style says.
_SIZED_BY_ATTRIBUTES = frozenset(b"svg iframe object embed foreignobject img image input video".split())
_SIZED_AS_SVG = frozenset(b"svg foreignobject image feimage".split())
_SIZED_BY_CONTENT = frozenset(b"table caption colgroup col thead tbody tfoot tr td th".split())


class _LeftOpen(NamedTuple):
    """Where an element ends whose end tag may be left out (HTML standard §13.1.2.4)."""

    by_start: frozenset[bytes]
    """Elements before which it ends."""
    by_end: frozenset[bytes]
    """Elements with which it ends."""
    around: frozenset[bytes]
    """Those of them that may also stand in it, with a list or a table of their own."""


def _left_open(names: bytes, by_start: bytes, by_end: bytes, around: bytes) -> dict[bytes, _LeftOpen]:
    rule = _LeftOpen(*(frozenset(some.split()) for some in (by_start, by_end + b" " + around, around)))
    return dict.fromkeys(names.split(), rule)


_NEEDS_END = _LeftOpen(frozenset(), frozenset(), frozenset())
_END_MAY_BE_LEFT_OUT: Mapping[bytes, _LeftOpen] = {
    **_left_open(b"li", b"li", b"", b"ul ol menu"),
    **_left_open(b"dd dt", b"dd dt", b"", b"dl"),
    **_left_open(b"option", b"option optgroup", b"optgroup", b"select datalist"),
    **_left_open(b"p", b"p", b"", b""),
    **_left_open(b"td th", b"td th tr tbody tfoot", b"tr tbody thead tfoot", b"table"),
    **_left_open(b"tr", b"tr tbody tfoot", b"tbody thead tfoot", b"table"),
}

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
    if name in _SHOWN_WHEN_OPEN and b"open" not in attributes:
        return True
    if name in _SIZED_BY_ATTRIBUTES and has_tiny_side(tag):
        return True
    style = tag.value(b"style") or ""
    if style and hides_by_style(style, is_sized_by_content=name in _SIZED_BY_CONTENT):
        return True
    return any(HIDES[one](tag.value(one.encode()) or "") for one in _PRESENTATION if one.encode() in attributes)


class Hiding:
    """The element that hides what is in it, and how many of its name are open."""

    __slots__ = ("_around", "_count", "_is_xml", "_name")

    def __init__(self, *, is_open: bool = False, is_xml: bool = False) -> None:
        self._is_xml = is_xml
        self._name = b""
        """Empty for all of a document that stands in something hidden."""
        self._count = 1 if is_open else 0
        self._around = 0
        """How many lists or tables are open in it."""

    @property
    def is_open(self) -> bool:
        """Whether what comes next is hidden."""
        return self._count > 0

    def open(self, tag: Tag) -> None:
        """See a start tag."""
        if self._count and self._name:
            self._open_within(tag)
        if not self._count and self._holds(tag) and (tag.name.rpartition(b":")[2] in _NEVER_SHOWN or hides(tag)):
            self._name, self._count, self._around = tag.name, 1, 0

    def _open_within(self, tag: Tag) -> None:
        rule = self._rule
        if rule is _NEEDS_END:
            self._count += tag.name == self._name and self._holds(tag)
        elif tag.name in rule.around:
            self._around += 1
        elif tag.name in rule.by_start and not self._around:
            self._count = 0

    @property
    def _rule(self) -> _LeftOpen:
        return _NEEDS_END if self._is_xml else _END_MAY_BE_LEFT_OUT.get(self._name, _NEEDS_END)

    def _holds(self, tag: Tag) -> bool:
        """Whether anything can be in it. In HTML, the slash of <div/> means nothing."""
        if self._is_xml:
            return not tag.ends_itself()
        return tag.name not in _VOID and not (tag.name in _FOREIGN and tag.ends_itself())

    def close(self, name: bytes) -> None:
        """See an end tag."""
        if not self._count:
            return
        rule = self._rule
        if self._around:
            self._around -= name in rule.around
        elif name == self._name or name in rule.by_end:
            self._count -= 1
