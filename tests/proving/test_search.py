"""Tests of the search: what is told of a mark that was found."""

from __future__ import annotations

import base64
import gzip
import zlib

from privguard.proving._marks import Mark
from privguard.proving._search import Search, shown

NAME = Mark("field name", "hq7dk2m9xw4bz8rc3v", "JSON")
BORN = Mark("field birthdate", "2018-05-04", "JSON")


def excerpts(data: bytes) -> list[str]:
    return [hit.excerpt for hit in Search([NAME, BORN]).find(data)]


def test_excerpt_is_the_line_without_the_marks():
    """It can be shown to others, and says what stood there."""
    data = f"first line\nborn {BORN.text}, called {NAME.text}.\nlast line".encode()
    assert excerpts(data) == ["born [mark of field birthdate], called [mark of field name]."] * 2


def test_excerpt_of_a_long_line():
    """The line is cut on both sides, and a mark that sticks out of the cut is still replaced."""
    data = b"x" * 500 + NAME.text.encode() + b"y" * 55 + BORN.text.encode() + b"z" * 500
    first, second = excerpts(data)
    assert first == f"{'x' * 60}[mark of field name]{'y' * 55}[mark of field birthdate]"
    assert second == f"[mark of field name]{'y' * 55}[mark of field birthdate]{'z' * 60}"


def test_excerpt_steers_no_terminal():
    """What a stranger typed is shown escaped."""
    assert excerpts(b"\x1b[31m\xff" + NAME.text.encode() + b"\x00") == ["\\x1b[31m\\xff[mark of field name]\\x00"]
    assert shown("Zoë\u202e".encode()) == "Zoë\\u202e"


def test_mark_that_stands_there_often_is_told_once():
    """Each form of each mark is told once."""
    assert len(excerpts((NAME.text + "\n").encode() * 100)) == 1


def test_marks_that_overlap():
    """One may be the beginning of another, and both are told."""
    long = Mark("field email", f"{BORN.text}@example.org")
    found = list(Search([BORN, long]).find(f"<{long.text}>".encode()))
    assert {hit.mark for hit in found} == {BORN, long}
    assert {hit.excerpt for hit in found} == {"<[mark of field email]>"}


def test_what_is_packed_in_what_is_packed():
    """The form says in what it was."""
    data = f"born {BORN.text}".encode()
    once = gzip.compress(base64.b64encode(data))
    assert [hit.form for hit in Search([BORN]).find(once)] == ["base64, in gzip"]
    thrice = gzip.compress(gzip.compress(zlib.compress(data)))
    assert "plain, in zlib in gzip in gzip" in [hit.form for hit in Search([BORN]).find(thrice)]


def test_lines_that_mail_has_broken():
    """Quoted-printable and base64 break a line anywhere."""
    half = len(NAME.text) // 2
    for fold in ("=\n", "=\r\n", "\n"):
        assert excerpts(f"called {NAME.text[:half]}{fold}{NAME.text[half:]}".encode()) == [
            "called [mark of field name]"
        ]


def test_search_for_nothing():
    """Without marks, nothing is found."""
    assert list(Search([]).find(b"anything at all")) == []
