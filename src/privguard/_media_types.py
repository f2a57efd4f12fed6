"""Content-Type as browsers read it (MIME Sniffing §4.4, Fetch §2.2.2 "extract a MIME type").

Of several values the last counts that is one. What stands in quotes is no comma, no semicolon and no parameter.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

_BLANK = "\t\n\r "
_VALUE = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*"?)+')
_ESSENCE = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)[\t\n\r ]*(?:;|\Z)")
_PARAMETER = re.compile(r';[\t\n\r ]*([^;=]*)(?:=(?:"((?:[^"\\]|\\.)*)"?[^;]*|([^;]*)))?')
_ESCAPED = re.compile(r"\\(.)")


class MediaType(NamedTuple):
    """A type without its parameters, and the one parameter that browsers heed; both in lower case."""

    essence: str
    charset: str
    """Empty where there is none."""


def media_type(values: Sequence[str]) -> MediaType | None:
    """Return the type that Content-Type *values* say, or None when they say none.

    >>> media_type(['text/html; charset="utf-8", text/html'])
    MediaType(essence='text/html', charset='utf-8')
    >>> media_type(['text/html; a=", text/plain"'])
    MediaType(essence='text/html', charset='')
    """
    return _media_type(tuple(values))


@functools.lru_cache(maxsize=256)  # a site has some dozens, and each response is asked for its own more than once
def _media_type(values: tuple[str, ...]) -> MediaType | None:
    found: MediaType | None = None
    for value in values:
        for one in _VALUE.findall(value):
            read = _read(one.strip(_BLANK))
            if read is not None and found is not None and read.essence == found.essence and not read.charset:
                read = found
            found = read or found
    return found


def _read(value: str) -> MediaType | None:
    essence = _ESSENCE.match(value)
    if essence is None or essence[1] == "*/*":
        return None
    return MediaType(essence[1].lower(), _charset(value))


def _charset(value: str) -> str:
    for name, quoted, plain in _PARAMETER.findall(value):
        charset = _ESCAPED.sub(r"\1", quoted) or plain.rstrip(_BLANK)
        if name.lower() == "charset" and charset:
            return charset.strip(f"{_BLANK}\f").lower()  # as labels are looked up (Encoding §4.2)
    return ""
