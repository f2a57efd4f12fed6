"""Tests of the document type declaration of XML as it comes in (XML 1.0 §2.8)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard._doctype import Doctype, entity_value, is_attribute_list

WHOLE = [
    b"<!DOCTYPE a>",
    b"<!DOCTYPE a SYSTEM '>'>",
    b'<!DOCTYPE html PUBLIC "-//W3C//DTD \'[>" "">',
    b"<!DOCTYPE a []>",
    b"<!DOCTYPE a [ <!ENTITY b ']>'> ] >",
    b"<!DOCTYPE a [<!ATTLIST b c CDATA \">\"><!-- ]> ' --><? ]> ' ?>%b; ]>",
    b"<!DOCTYPE a [<!-- - -- --><??><!ELEMENT b ANY>]>",
]


def found_in_pieces(text: bytes, cuts: list[int]) -> tuple[int, list[bytes]]:
    """Return where the end is found when *text* comes in these pieces, and what is declared before it."""
    doctype, seen = Doctype(), 9
    for cut in [*cuts, len(text)]:
        length = doctype.find(text[:cut], 0, seen)
        if length >= 0:
            break
        seen = ~length
    return length, [text[start:end] for start, end in doctype.declarations]


@pytest.mark.parametrize("text", WHOLE)
def test_end(text):
    """It is no bracket in quotes, comments, instructions and declarations; wherever the text is cut."""
    whole = found_in_pieces(text + b"> ]>", [])
    assert whole[0] == len(text)
    for cut in range(9, len(text)):
        assert found_in_pieces(text, [cut]) == whole
    assert found_in_pieces(text, list(range(9, len(text)))) == whole


@pytest.mark.parametrize("text", WHOLE)
def test_no_end(text):
    """It may come later."""
    assert found_in_pieces(text[:-1], [])[0] < 0


def test_declarations():
    """They are told in their order, without comments and instructions."""
    text = b"<!DOCTYPE a [<!ENTITY b '>'><!-- <!ENTITY c ''> --> <!ATTLIST d e ID #IMPLIED><? <!ENTITY f ''> ?>]>"
    assert found_in_pieces(text, [20, 40])[1] == [b"<!ENTITY b '>'>", b"<!ATTLIST d e ID #IMPLIED>"]


@pytest.mark.parametrize(
    ("declaration", "value"),
    [
        (b"<!ENTITY a '<b/>'>", b"<b/>"),
        (b'<!ENTITY a\n"&#60;b/>">', b"&#60;b/>"),
        (b"<!ENTITY % a '%b;'>", b"%b;"),
        (b"<!ENTITY a '&#x3C;'>", b"&#x3C;"),
        (b"<!ENTITY a '&#169; 7 > 6'>", None),
        (b"<!ENTITY a SYSTEM 'b'>", None),
        (b"<!ELEMENT a '<'>", None),
    ],
)
def test_entity_that_stands_for_markup(declaration, value):
    """A bracket, a reference to one, or an entity that may hold one."""
    span = entity_value(declaration)
    assert (span and declaration[slice(*span)]) == value


def test_attribute_list():
    """It may give an element attributes that it has not."""
    assert is_attribute_list(b"<!ATTLIST a b CDATA 'c'>")
    assert not is_attribute_list(b"<!ELEMENT a ANY>")


PIECES = [b"[", b"]", b">", b"'", b'"', b"<!--", b"-->", b"<?", b"?>", b"<!", b"<", b"-", b"a", b" "]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join), st.lists(st.integers(9, 40), max_size=3))
def test_end_in_any_pieces(text, cuts):
    """It is the same however the text is cut."""
    text = b"<!DOCTYPE" + text
    whole = found_in_pieces(text, [])
    pieces = found_in_pieces(text, sorted(min(cut, len(text)) for cut in cuts))
    assert pieces == whole or (pieces[0] < 0 and whole[0] < 0 and pieces[1] == whole[1])
