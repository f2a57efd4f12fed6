"""Finds marks in bytes, whatever spelling they have there, also where those are compressed. Pure."""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ._marks import Mark, spellings
from ._unpacking import unpacked

_DEPTH = 3  # what is compressed may hold what is compressed
_WORD = 4  # bytes; an unsigned int of C's, wherever Python runs
_BLOCK = 4096  # words
_AROUND = 60  # bytes of a line that are shown before and behind a mark
_MARGIN = 512  # bytes: a mark may stick out of what is shown
_FOLDS = re.compile(rb"=?\r?\n")  # base64 and quoted-printable in mail break lines (RFC 2045 §6.7 and §6.8)


@dataclass(frozen=True, slots=True)
class Hit:
    """A mark that stands somewhere."""

    mark: Mark
    form: str
    """How it was spelled, and what it was packed in."""
    excerpt: str
    """The line around it; marks are replaced by what they were."""


class Search:
    """Looks for all *marks* that tell anything at once.

    Every spelling has eight bytes or more: wherever it stands, it holds one whole word of four bytes at a position that
    four divides. Words are numbers, and to ask for thousands of them at once is one question to a set.
    """

    def __init__(self, marks: Iterable[Mark]) -> None:
        known: dict[bytes, tuple[Mark, str]] = {}
        for mark in marks:
            for spelling, form in spellings(mark).items() if mark.is_telling else ():
                known.setdefault(spelling, (mark, form))
        self._by_word: dict[int, list[tuple[int, bytes, Mark, str]]] = {}
        for spelling, (mark, form) in known.items():
            for offset in range(_WORD):
                word = int.from_bytes(spelling[offset : offset + _WORD], sys.byteorder)
                self._by_word.setdefault(word, []).append((offset, spelling, mark, form))
        self._words: frozenset[int] = frozenset(self._by_word)

    def find(self, data: bytes) -> Iterator[Hit]:
        """Yield a Hit for each mark and form of it in *data*, once."""
        seen: set[tuple[Mark, str]] = set()
        for inside, content in _layers(data):
            for start, end, mark, form in self._places(content):
                form = f"{form}, in {inside}" if inside else form
                if (mark, form) not in seen:
                    seen.add((mark, form))
                    yield Hit(mark, form, self._excerpt(content, start, end))

    def _places(self, data: bytes) -> Iterator[tuple[int, int, Mark, str]]:
        words = array("I", data[: len(data) // _WORD * _WORD])
        for first in range(0, len(words), _BLOCK):
            if not self._words.isdisjoint(words[first : first + _BLOCK]):
                yield from self._places_in_block(data, words, first)

    def _places_in_block(self, data: bytes, words: array[int], first: int) -> Iterator[tuple[int, int, Mark, str]]:
        for number, word in enumerate(words[first : first + _BLOCK], first):
            for offset, spelling, mark, form in self._by_word.get(word, ()):
                start = number * _WORD - offset
                if start >= 0 and data.startswith(spelling, start):
                    yield start, start + len(spelling), mark, form

    def _excerpt(self, data: bytes, start: int, end: int) -> str:
        begin = max(data.rfind(b"\n", 0, start) + 1, start - _AROUND)
        line_end = data.find(b"\n", end)
        stop = min(line_end if line_end >= 0 else len(data), end + _AROUND)
        low = max(0, begin - _MARGIN)
        pieces, at = [], begin
        for first, last, mark, _ in sorted(self._places(data[low : stop + _MARGIN]), key=lambda one: (one[0], -one[1])):
            if low + last > at and low + first < stop:
                pieces += [data[at : max(low + first, at)], f"[mark of {mark.thing}]".encode()]
                at = low + last
        return shown(b"".join([*pieces, data[at:stop]]))


def shown(line: bytes) -> str:
    """Return *line* so that a terminal shows it, and nothing in it steers the terminal.

    >>> shown(b"a\\x1b[31m\\xff b")
    'a\\\\x1b[31m\\\\xff b'
    """
    text = " ".join(line.decode("utf-8", "backslashreplace").split())
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _layers(data: bytes, depth: int = _DEPTH) -> Iterator[tuple[str, bytes]]:
    """Yield *data*, the same with its broken lines joined, and what is compressed in it."""
    yield "", data
    if b"\n" in data:
        yield "", _FOLDS.sub(b"", data)
    for kind, content in unpacked(data) if depth else ():
        for inside, inner in _layers(content, depth - 1):
            yield f"{inside} in {kind}" if inside else kind, inner
