"""Tags as browsers read them (HTML standard §13.2.5): their attributes, and the character references in those.

Everything is told in offsets into the bytes that were given, so that a tag can be changed in place.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from html import unescape
from html.entities import html5

_ATTRIBUTE = (
    rb"(?:=[^\t\n\f\r />=]*+|[^\t\n\f\r />=]++)"
    rb"(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:\"[^\"]*+\"|'[^']*+'|(?=>)|[^\t\n\f\r >\"'][^\t\n\f\r >]*+)"
    rb"|(?![\t\n\f\r ]*=))"
)
TAG = rb"[^\t\n\f\r />]*+(?:[\t\n\f\r /]++|" + _ATTRIBUTE + rb")*>"
"""The pattern of a tag from the second letter of its name on, to its very end."""

OPENS_TAG = re.compile(rb"</?[A-Za-z]")
# In XML, a name may begin with more than a letter of ASCII.
_TAG = re.compile(rb"</?[^\t\n\f\r />]" + TAG)
_NAME = re.compile(rb"</?([^\t\n\f\r />]++)")
_ATTRIBUTES = re.compile(
    rb"(=[^\t\n\f\r />=]*+|[^\t\n\f\r />=]++)"
    rb"(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:\"([^\"]*+)\"|'([^']*+)'|(?=>)|([^\t\n\f\r >\"'][^\t\n\f\r >]*+)))?"
)
_REFERENCE = re.compile(rb"&(?:#(?:[0-9]++|[xX][0-9a-fA-F]++);?|[A-Za-z][A-Za-z0-9]*+;?)(?P<next>(?==))?")
_LONGEST_MATCH = 1 << 16  # bytes: Python holds about a hundred for each piece of a match
_LONGEST_NUMBER = 7  # digits of the last character there is
_UNKNOWN_ENTITY = re.compile(rb"&(?!#|(?:amp|lt|gt|quot|apos);)[^\t\n\r &;]")


class Attribute:
    """One attribute of a tag: its name in lower case, and where name and value are."""

    __slots__ = ("at", "end", "name", "start")

    def __init__(self, name: bytes, at: int, start: int, end: int) -> None:
        self.name = name
        self.at = at
        self.start = start
        self.end = end
        """Equal to *start* where there is no value."""


class Tag:
    """A whole tag in *data*, its attributes by name: of two with one name, the first."""

    __slots__ = ("_data", "all", "at", "attributes", "end", "name", "name_at")

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data = data
        self.at = at
        self.end = end
        name = _NAME.match(data, at, end)
        self.name = name[1].lower() if name else b""
        self.name_at = name.start(1) if name else at
        self.all = list(_attributes(data, name.end() if name else at, end))
        self.attributes: dict[bytes, Attribute] = {}
        for one in self.all:
            self.attributes.setdefault(one.name, one)

    def raw(self, name: bytes) -> bytes | None:
        """Return the value of an attribute as it is written, or None."""
        one = self.attributes.get(name)
        return None if one is None else self._data[one.start : one.end]

    def value(self, name: bytes) -> str | None:
        """Return the value of an attribute with its character references read, or None."""
        raw = self.raw(name)
        return None if raw is None else decode(raw)

    def ends_itself(self) -> bool:
        """Whether the tag ends in a slash that is no part of a value."""
        if self._data[self.end - 2 : self.end - 1] != b"/":
            return False
        return not self.all or self.all[-1].end < self.end - 1 or self.all[-1].start == self.all[-1].end


def end_of_tag(data: bytes, at: int) -> int:
    """Return the offset behind the ``>`` of the tag that begins at *at*, or -1 when it is not near yet."""
    # Without this look, a long tag that has not ended would be read attribute by attribute.
    match = _TAG.match(data, at, at + _LONGEST_MATCH) if data.find(b">", at) >= 0 else None
    return match.end() if match else -1


def whole_tag(data: bytes, at: int, limit: int) -> Tag | None:
    """Return the tag that begins at *at* and ends before *limit*, and near, or None."""
    match = _TAG.match(data, at, min(limit, at + _LONGEST_MATCH))
    return None if match is None else Tag(data, at, match.end())


def name_of_tag(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the name of the tag that begins at *at*, as far as it has come, in lower case, and where it is."""
    match = _NAME.match(data, at)
    return (match[1].lower(), match.start(1)) if match else (b"", at)


def _attributes(data: bytes, at: int, end: int) -> Iterator[Attribute]:
    for match in _ATTRIBUTES.finditer(data, at, end):
        group = match.lastindex or 1
        start, stop = match.span(group) if group > 1 else (match.end(), match.end())
        yield Attribute(match[1].lower(), match.start(), start, stop)


def decode(raw: bytes) -> str:
    """Return an attribute's value as the page reads it (HTML standard §13.2.5.72 on: "as part of an attribute").

    >>> decode(b"https&colon;//a&#46;example/?x&copy=1")
    'https://a.example/?x&copy=1'
    """
    return decode_mapped(raw)[0].decode("utf-8", "replace") if b"&" in raw else raw.decode("utf-8", "replace")


def decode_mapped(raw: bytes) -> tuple[bytes, OffsetMap]:
    """Return the value as the page reads it, in UTF-8, and where each byte of it is written."""
    parts: list[bytes] = []
    offsets = OffsetMap()
    at = length = 0
    for match in _REFERENCE.finditer(raw):
        character = _character(match)
        if character is not None:
            offsets.add(length, at, match.start())
            parts += [raw[at : match.start()], character]
            length += match.start() - at + len(character)
            at = match.end()
    offsets.add(length, at, len(raw))
    return b"".join([*parts, raw[at:]]), offsets


def has_unknown_entity(raw: bytes) -> bool:
    """Whether a value in an XML document holds an entity that the document itself may have declared."""
    return _UNKNOWN_ENTITY.search(raw) is not None


def _character(match: re.Match[bytes]) -> bytes | None:
    text = match[0].decode("ascii")
    if text.startswith("&#"):
        return _numeric(text[2:].removesuffix(";").lower()).encode("utf-8", "replace")
    # Without its semicolon, a name before "=" or a letter is none: "?a=1&copy=2" is a query.
    if text[1:] not in html5 or (not text.endswith(";") and match["next"] is not None):
        return None
    return html5[text[1:]].encode()


def _numeric(number: str) -> str:
    """Return the character of this number (HTML standard §13.2.5.80): any number of zeros may come before it."""
    digits = number.lstrip("x0")
    if len(digits) > _LONGEST_NUMBER:
        return "\ufffd"
    code = int(digits or "0", 16 if number.startswith("x") else 10)
    # What Python knows to be no character is one for a browser all the same.
    return unescape(f"&#{code};") or chr(code)


class OffsetMap:
    """From an offset in a decoded value to the offset at which that very byte is written."""

    __slots__ = ("_ends", "_raw", "_starts")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._raw: list[int] = []

    def add(self, start: int, raw_start: int, raw_end: int) -> None:
        """Say that from *start* on the value is written as it is, as far as from *raw_start* to *raw_end*."""
        self._starts.append(start)
        self._ends.append(start + raw_end - raw_start)
        self._raw.append(raw_start)

    def find(self, offset: int) -> int | None:
        """Return where the byte is written, or None when a character reference stands for it."""
        segment = bisect_right(self._starts, offset) - 1
        # Of two segments that begin at one offset the earlier is empty.
        if segment < 0 or offset >= self._ends[segment]:
            return None
        return self._raw[segment] + offset - self._starts[segment]


class TagEnd:
    """Looks for the end of a tag that is still coming in, each byte once.

    The steps are the tokenizer's states: the tag's name, an attribute's, before and behind both, the values.
    """

    __slots__ = ("_state",)

    def __init__(self) -> None:
        self._state = "tag name"

    def find(self, data: bytes, at: int) -> int:
        """Return the offset behind the tag's ``>``, or ``~`` of where the next call is to go on when there is none yet.

        That is where *data* ends, or where an attribute's name begins that may be longer.
        """
        state = self._state
        length = len(data)
        equals = -1
        while at < length:
            if state in _AMONG_NAMES:
                equals = data.find(b"=", at) if equals < at else equals
                if equals < 0:
                    return self._end_without_values(data, at, state)
            if state == "before name":
                run = _WHOLE_ATTRIBUTES.match(data, at, at + _LONGEST_MATCH)
                at = run.end() if run else at
            match = _STATES[state].match(data, at)
            end = match.end() if match else at
            if end == length:
                self._state = state
                return ~at if state == "name" and end - at < _LONGEST_NAME else ~end
            if data[end : end + 1] == b">" and state not in ('"', "'"):
                return end + 1
            state, at = _next_state(state, data, end)
        self._state = state
        return ~at

    def _end_without_values(self, data: bytes, at: int, state: str) -> int:
        """Return what find() does where no value begins in the rest: whatever stands there, the next ``>`` is it."""
        end = data.find(b">", at)
        if end >= 0:
            return end + 1
        name = _LAST_NAME.search(data, max(at, len(data) - _LONGEST_NAME))
        if name:
            self._state = "name"
            return ~name.start() if len(name[0]) < _LONGEST_NAME else ~len(data)
        names = data[at:].rstrip(_BLANK)
        if names:
            state = "before name" if names.endswith(b"/") else "after name"
        self._state = "after name" if state == "name" else state
        return ~len(data)


_BLANK = b"\t\n\f\r "
_LONGEST_NAME = 64  # bytes: no attribute that means anything has a longer one
_LAST_NAME = re.compile(rb"[^\t\n\f\r /]+\Z")
# As far as the data goes on behind them: a name or a value at its end may be longer, and a name may have a value yet.
_WHOLE_ATTRIBUTES = re.compile(rb"(?:[\t\n\f\r /]++|%s(?![\t\n\f\r ]*\Z))*" % _ATTRIBUTE)
_AMONG_NAMES = frozenset(("before name", "name", "after name"))
_STATES = {
    "tag name": re.compile(rb"[^\t\n\f\r />]*+"),
    "before name": re.compile(rb"[\t\n\f\r /]*+"),
    "name": re.compile(rb"=?+[^\t\n\f\r />=]*+"),
    "after name": re.compile(rb"[\t\n\f\r ]*+"),
    "before value": re.compile(rb"[\t\n\f\r ]*+"),
    "value": re.compile(rb"[^\t\n\f\r >]*+"),
    '"': re.compile(rb'[^"]*+'),
    "'": re.compile(rb"[^']*+"),
}


def _next_state(state: str, data: bytes, at: int) -> tuple[str, int]:
    """Return the state behind the byte at *at*, which ended *state*, and where to go on."""
    byte = data[at : at + 1]
    if state in ('"', "'"):
        return "before name", at + 1
    if state == "before value":
        return (byte.decode(), at + 1) if byte in (b'"', b"'") else ("value", at)
    if state == "before name":
        return "name", at
    if state in ("name", "after name") and byte == b"=":
        return "before value", at + 1
    return ("after name" if state == "name" and byte != b"/" else "before name"), at
