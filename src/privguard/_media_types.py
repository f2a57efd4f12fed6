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
_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_ESSENCE = re.compile(rf"({_WORD}/{_WORD})(?=[\t\n\r ;(]|\Z)")
# What every browser reads in the same way.
_PLAIN = re.compile(rf'{_WORD}/{_WORD}(?:[\t ]*;[\t ]*{_WORD}=(?:{_WORD}|"[^"\\\x00-\x1f\x7f-\xff]*"))*[\t ]*;?[\t ]*')
_CHARSETS = re.compile(r"(?i);[\t ]*charset=(?P<quote>\"?)(?P<label>[^;\"]*)")
_LABEL = re.compile(r"[a-z0-9._:-]+")
# Chromium goes on to a page that such a file names, when it cannot verify it, as it never can without a certificate.
_LEADING_ON = frozenset({"application/signed-exchange"})
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


def sent_type(values: Sequence[str]) -> MediaType | None:
    """Return what media_type() does, of a request: nothing of it is remembered."""
    return _media_type.__wrapped__(tuple(values))


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


def plain_type(values: Sequence[str]) -> str | None:
    """Return the one Content-Type that leaves instead of *values*: theirs, or what media_type() reads in them.

    Browsers differ in what they make of lists, of words behind a type and of quotes that hold nothing. None for what is
    no type: then each looks at how the body begins.

    >>> plain_type(['text/html; charset="utf-8"']), plain_type(["text/plain, text/html x"]), plain_type(["x"])
    ('text/html; charset="utf-8"', 'text/html', None)
    """
    return _plain_type(tuple(values))


@functools.lru_cache(maxsize=256)
def _plain_type(values: tuple[str, ...]) -> str | None:
    found = media_type(values)
    if found is None:
        return None
    if found.essence in _LEADING_ON:
        return "application/octet-stream"
    if len(values) == 1 and _PLAIN.fullmatch(values[0]):
        charsets = [match["label"].strip("\t ") for match in _CHARSETS.finditer(values[0])]
        if not charsets or (len(charsets) == 1 and _LABEL.fullmatch(charsets[0].lower())):
            return values[0]
    return f"{found.essence}; charset={found.charset}" if _LABEL.fullmatch(found.charset) else found.essence


def _charset(value: str) -> str:
    for name, quoted, plain in _PARAMETER.findall(value):
        charset = _ESCAPED.sub(r"\1", quoted) or plain.rstrip(_BLANK)
        if name.lower() == "charset" and charset:
            return charset.strip(f"{_BLANK}\f").lower()  # as labels are looked up (Encoding §4.2)
    return ""
