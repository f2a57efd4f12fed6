"""Which images nobody sees: what hides an element, and which element hides what is in it.

Told by the tag alone: what a style sheet hides by its class, nobody knows here. Where a style cannot be computed, an
image counts as hidden. (HTML standard §15.3; CSS Display 3; SVG 2 §5; MathML Core.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ._markup import Tag

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

# ── what a style hides ───────────────────────────────────────────────────────────────────────────────────────────────

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})[ \t\n\f\r]?|(.))", re.DOTALL)
_BLANK = re.compile(r"[ \t\n\f\r]+")
_DECLARATION_END = re.compile(r"[;{}]")
_VENDOR = re.compile(r"-(?:webkit|moz|ms|o)-")
_NUMBER = re.compile(r"(?<![a-z#0-9.])([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?)(%|[a-z]*)")
_SUBTRACTS = re.compile(r"(?:calc|round|mod|rem|sin|cos|hypot|exp|log|abs|sign|pow|sqrt)\(.*[-*/(]")
_ROTATED_AWAY = re.compile(r"(?:rotate[xy]|skew[xy]?)\([+-]?(?:90deg|0*\.25turn|100grad|1\.57)")
_FUNCTION = re.compile(r"(?<![a-z0-9-])([a-z0-9-]+)\(([^()]*)\)")
# CSS pixels, where they are known; relative ones as they are on most pages (CSS Values 4 §6).
_PIXELS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 37.8, "mm": 3.78, "q": 0.945, "%": 10.0}
_RELATIVE = 8.0
_FLUID = re.compile(r"%|(?<=[0-9.])[sld]?v[a-z]|(?<=[0-9.])cq|var\(|auto|content")
_TINY = 1.0  # CSS pixels: nobody sees such a picture
_FAR_BACK, _FAR_ON = -100.0, 2000.0  # of any unit, and CSS pixels: outside of the screen
_SHADE = 0.05  # of full opacity or size


def _numbers(value: str) -> list[tuple[float, str]]:
    return [(float(number), unit) for number, unit in _NUMBER.findall(value)]


def _is_tiny(value: str) -> bool:
    lengths = [number * _PIXELS.get(unit, _RELATIVE) for number, unit in _numbers(value)]
    if not lengths:
        return False
    if "(" not in value:
        return min(lengths) <= _TINY
    if "min(" in value:
        return min(lengths) <= _TINY
    return max(lengths) <= _TINY or (_FLUID.search(value) is None and _SUBTRACTS.search(value) is not None)


def _is_far_away(value: str) -> bool:
    numbers = _numbers(value)
    is_subtracted = "calc(" in value and "-" in value and _FLUID.search(value) is None
    return any(
        number <= _FAR_BACK
        or (number >= -_FAR_BACK and is_subtracted)
        or (unit != "%" and number * _PIXELS.get(unit, _RELATIVE) >= _FAR_ON)
        for number, unit in numbers
    )


def _is_faint(value: str) -> bool:
    numbers = _numbers(value)
    if "(" in value and ("var(" in value or _SUBTRACTS.search(value)):
        return True
    return bool(numbers) and min(number / (100 if unit == "%" else 1) for number, unit in numbers) <= _SHADE


def _is_transformed_away(value: str) -> bool:
    if _ROTATED_AWAY.search(value):
        return True
    for name, arguments in _FUNCTION.findall(value):
        if name.startswith("scale") and _is_faint(arguments):
            return True
        if name.startswith("translate") and _is_far_away(arguments):
            return True
        if name.startswith("matrix") and _is_flat([number for number, _ in _numbers(arguments)]):
            return True
    return False


def _is_flat(matrix: list[float]) -> bool:
    """Whether a matrix leaves no area of what it is applied to."""
    if len(matrix) == 16:
        a, b, c, d = matrix[0], matrix[1], matrix[4], matrix[5]
    elif len(matrix) == 6:
        a, b, c, d = matrix[:4]
    else:
        return False
    return abs(a * d - b * c) <= _SHADE**2


def _is_clipped(value: str) -> bool:
    numbers = _numbers(value)
    if "inset(" in value:
        return any(number >= (50 if unit == "%" else _FAR_ON) for number, unit in numbers)
    return "(" in value and "url(" not in value and bool(numbers) and max(number for number, _ in numbers) <= _TINY


def _is_filtered_away(value: str) -> bool:
    return any(name == "opacity" and _is_faint(inner) for name, inner in _FUNCTION.findall(value))


_SIZES = frozenset(
    f"{most}{side}" for most in ("", "max-") for side in ("width", "height", "inline-size", "block-size")
)
_HIDES: Mapping[str, Callable[[str], bool]] = {
    "display": lambda value: "none" in value,
    "visibility": lambda value: "hidden" in value or "collapse" in value,
    "content-visibility": lambda value: "hidden" in value,
    "opacity": _is_faint,
    "scale": _is_faint,
    "zoom": _is_faint,
    "transform": _is_transformed_away,
    "filter": _is_filtered_away,
    "clip": lambda value: "rect(" in value,
    "clip-path": _is_clipped,
    "mask-size": _is_tiny,
    **dict.fromkeys(
        "left top right bottom inset margin text-indent translate object-position background-position".split(),
        _is_far_away,
    ),
    **dict.fromkeys(_SIZES, _is_tiny),
}


def _unescape(match: re.Match[str]) -> str:
    if not match[1]:
        return match[2]
    code = int(match[1], 16)
    return chr(code) if 0 < code <= 0x10FFFF else "\ufffd"


_STYLE_URL = re.compile(r"""(?i:url|src|image-set|image)\([ \t\n\f\r]*["']?([^"')]*)""")


def _plain_style(style: str) -> str:
    return _ESCAPE.sub(_unescape, _COMMENT.sub("", style))


def style_urls(style: str) -> list[str]:
    """Return what may be the URLs of images in a *style*.

    >>> style_urls("background: url( 'https://third.example/x.png' )")
    ['https://third.example/x.png']
    """
    return [match[1] for match in _STYLE_URL.finditer(_plain_style(style))] if "(" in style or "\\" in style else []


def hides_by_style(style: str, *, is_sized_by_content: bool = False) -> bool:
    """Whether the *style* of an element makes it something that nobody sees.

    >>> hides_by_style("color: red; d\\\\69splay: none"), hides_by_style("max-width: calc(100% - 2px)")
    (True, False)
    """
    plain = _plain_style(style).lower()
    for declaration in _DECLARATION_END.split(_BLANK.sub(" ", plain)):
        name, colon, value = declaration.partition(":")
        name = _VENDOR.sub("", name.strip())
        if is_sized_by_content and name in _SIZES:
            continue
        is_hiding = _HIDES.get(name) or _HIDES.get(name.split("-")[0] if name.startswith(("inset", "margin")) else "")
        if colon and is_hiding is not None and is_hiding(value):
            return True
    return False


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
    scale = _PIXELS.get(unit, _RELATIVE) if has_unit else _PIXELS["%" if unit.startswith("%") else ""]
    return float(match[1]) * scale <= _TINY


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
    return any(_HIDES[one](tag.value(one.encode()) or "") for one in _PRESENTATION if one.encode() in attributes)


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
