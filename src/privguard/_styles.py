"""What the style of an element does to it: does anybody see it, and which images would it load?

Told by the declarations alone; where a value cannot be computed, nobody sees it. (CSS Syntax 3; CSS Values 4; CSS
Display 3, Transforms 2, Masking 1.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

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
PIXELS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 37.8, "mm": 3.78, "q": 0.945, "%": 10.0}
RELATIVE = 8.0
_FLUID = re.compile(r"%|(?<=[0-9.])[sld]?v[a-z]|(?<=[0-9.])cq|var\(|auto|content")
TINY = 1.99  # CSS pixels: nobody sees such a picture
_FAR_BACK, _FAR_ON = -100.0, 2000.0  # of any unit, and CSS pixels: outside of the screen
_SHADE = 0.05  # of full opacity or size


def _numbers(value: str) -> list[tuple[float, str]]:
    return [(float(number), unit) for number, unit in _NUMBER.findall(value)]


def _is_tiny(value: str) -> bool:
    lengths = [number * PIXELS.get(unit, RELATIVE) for number, unit in _numbers(value)]
    if not lengths:
        return False
    if "(" not in value:
        return min(lengths) <= TINY
    if "min(" in value:
        return min(lengths) <= TINY
    return max(lengths) <= TINY or (_FLUID.search(value) is None and _SUBTRACTS.search(value) is not None)


def _is_far_away(value: str) -> bool:
    numbers = _numbers(value)
    is_subtracted = "calc(" in value and "-" in value and _FLUID.search(value) is None
    return any(
        number <= _FAR_BACK
        or (number >= -_FAR_BACK and is_subtracted)
        or (unit != "%" and number * PIXELS.get(unit, RELATIVE) >= _FAR_ON)
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
    return "(" in value and "url(" not in value and bool(numbers) and max(number for number, _ in numbers) <= TINY


def _is_filtered_away(value: str) -> bool:
    return any(name == "opacity" and _is_faint(inner) for name, inner in _FUNCTION.findall(value))


_SIZES = frozenset(
    f"{most}{side}" for most in ("", "max-") for side in ("width", "height", "inline-size", "block-size")
)
HIDES: Mapping[str, Callable[[str], bool]] = {
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
        is_hiding = HIDES.get(name) or HIDES.get(name.split("-")[0] if name.startswith(("inset", "margin")) else "")
        if colon and is_hiding is not None and is_hiding(value):
            return True
    return False
