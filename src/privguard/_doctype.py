"""The document type declaration of XML as it comes in (XML 1.0 §2.8): where it ends, and what is declared in it.

A declaration that is not well-formed ends its document for a browser; here, it ends somewhere.
"""

from __future__ import annotations

import re
from html import unescape

_QUOTES = (b'"', b"'")
_STEPS = {
    "outside": re.compile(rb"[\[>\"']"),
    "inside": re.compile(rb"\]|<!--|<!(?!-?\Z)|<\?"),
    "declaration": re.compile(rb"[>\"']"),
    "comment": re.compile(rb"-->"),
    "instruction": re.compile(rb"\?>"),
    '"': re.compile(rb'"'),
    "'": re.compile(rb"'"),
}
_NEXT = {b"[": "inside", b"]": "outside", b"<!--": "comment", b"<!": "declaration", b"<?": "instruction"}
_PARTIAL_STEP = re.compile(rb"<!?-?\Z|--?\Z|\?\Z")
_ENTITY = re.compile(rb"<!ENTITY[\t\n\r ]++(?:%[\t\n\r ]++)?[^\t\n\r ]++[\t\n\r ]++(\"[^\"]*+\"|'[^']*+')")
_ATTRIBUTE_LIST = b"<!ATTLIST"


class Doctype:
    """Looks for the end of a declaration, each byte once. All offsets are told from its begin."""

    __slots__ = ("_begin", "_state", "_state_around", "declarations")

    def __init__(self) -> None:
        self._state = "outside"
        self._state_around = ""
        """That goes on behind a quoted value."""
        self._begin = 0
        self.declarations: list[tuple[int, int]] = []
        """From where to where each of the markup declarations in it goes that were met."""

    def find(self, data: bytes, begin: int, seen: int) -> int:
        """Return how long the declaration at *begin* is, or ``~`` of how much of it need not be looked at again."""
        at = begin + seen
        while match := _STEPS[self._state].search(data, at):
            at = match.end()
            if self._state == "outside" and match[0] == b">":
                return at - begin
            self._step(match[0], match.start() - begin, at - begin)
        partial = _PARTIAL_STEP.search(data, max(at, len(data) - 3))
        return ~((partial.start() if partial else len(data)) - begin)

    def _step(self, found: bytes, start: int, end: int) -> None:
        if self._state in ('"', "'"):
            self._state = self._state_around
        elif found in _QUOTES:
            self._state_around, self._state = self._state, found.decode()
        elif self._state == "declaration":
            self.declarations.append((self._begin, end))
            self._state = "inside"
        elif found in _NEXT:
            self._state, self._begin = _NEXT[found], start
        else:
            self._state = "inside"  # behind a comment or an instruction


def entity_value(declaration: bytes) -> tuple[int, int] | None:
    """Return from where to where the value of an entity goes that may stand for markup, or None."""
    match = _ENTITY.match(declaration)
    if match is None:
        return None
    value = match[1][1:-1]
    return (match.start(1) + 1, match.end(1) - 1) if "<" in unescape(value.decode("latin-1")) or b"%" in value else None


def is_attribute_list(declaration: bytes) -> bool:
    """Whether it may give elements attributes unseen."""
    return declaration.startswith(_ATTRIBUTE_LIST)
