"""Tests of tags and attributes as browsers read them (HTML standard §13.2.5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard._markup import Tag, TagEnd, decode, decode_mapped, end_of_tag, has_unknown_entity, whole_tag

TAGS = [
    (b"<a>", b"a", {}),
    (b"<A B>", b"a", {b"b": b""}),
    (b"<a b=c>", b"a", {b"b": b"c"}),
    (b"<a b='c d'e=\"f\">", b"a", {b"b": b"c d", b"e": b"f"}),
    (b"<a\tb\n=\f'c'\r/>", b"a", {b"b": b"c"}),
    (b"<a/b=c/d>", b"a", {b"b": b"c/d"}),
    (b"<a b=1 B=2>", b"a", {b"b": b"1"}),
    (b"<a =b=c>", b"a", {b"=b": b"c"}),
    (b"<a b= >", b"a", {b"b": b""}),
    (b"<a b=>", b"a", {b"b": b""}),
    (b"<a b=c'd\"e>", b"a", {b"b": b"c'd\"e"}),
    (b"<a 'b>", b"a", {b"'b": b""}),
    (b"<a b='>'>", b"a", {b"b": b">"}),
    (b"<a <b>", b"a", {b"<b": b""}),
    (b"<a\0b c\0=d>", b"a\0b", {b"c\0": b"d"}),
    (b"</a b='c'>", b"a", {b"b": b"c"}),
    (b"<a b c / d>", b"a", {b"b": b"", b"c": b"", b"d": b""}),
    (b"<a='b>", b"a='b", {}),
]


@pytest.mark.parametrize(("text", "name", "attributes"), TAGS)
def test_tag(text, name, attributes):
    """Name, attributes and end; of two attributes with one name the first."""
    assert end_of_tag(text + b"x>", 0) == len(text)
    tag = whole_tag(text + b"x>", 0, 99)
    assert tag is not None
    assert (tag.name, {key: tag.raw(key) for key in tag.attributes}) == (name, attributes)
    assert tag.raw(b"none") is tag.value(b"none") is None


@pytest.mark.parametrize(
    "text", [b"<", b"<a", b"<a b", b"<a b=", b"<a b='", b"<a b='>", b'<a b=">', b"<a b=c", b"<a b= '>"]
)
def test_tag_that_has_not_ended(text):
    """Its end may come later."""
    assert end_of_tag(text, 0) == -1
    assert whole_tag(text, 0, 99) is None


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        (b"<a/>", True),
        (b"<a>", False),
        (b"<a b/>", True),
        (b"<a b=c/>", False),
        (b"<a b='c'/>", True),
        (b"<a b='/'>", False),
    ],
)
def test_tag_that_ends_itself(text, ends):
    """A slash at its end, unless that belongs to a value."""
    assert Tag(text, 0, len(text)).ends_itself() is ends


PIECES = ["a", "b", "=", " =", "'", '"', "/", ">", "<", "\t", "é", "\0", "='", "x=y", " "]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join), st.data())
def test_end_is_found_in_any_pieces(text, data):
    """As it is in the whole: names and values may be cut anywhere."""
    tag = b"<a" + text.encode()
    end = end_of_tag(tag, 0)
    finder, at = TagEnd(), 1
    cuts = sorted({*data.draw(st.lists(st.integers(2, len(tag)), max_size=4)), len(tag)})
    for cut in cuts:
        found = finder.find(tag[:cut], at)
        if found >= 0:
            break
        at = ~found
    assert found == end if end >= 0 else found < 0


REFERENCES = [
    (b"a&amp;b", "a&b"),
    (b"&#x2F;&#47;&#X2f", "///"),
    (b"&sol;&colon;&Tab;&NewLine;", "/:\t\n"),
    (b"&AMP&amp=&amp;", "&&amp=&"),
    (b"?a=1&copy=2&copy;", "?a=1&copy=2©"),
    (b"&notit;&nosuch;&;&#;&#x;", "&notit;&nosuch;&;&#;&#x;"),
    (b"&#99999999999999;", "\ufffd"),
    (b"&#xD800;&#0;&#x110000;&#99999999;", "\ufffd" * 4),
    (b"&#x00000000002F;&#0000000000000047", "//"),
    (b"&#128;&#1;&#xFDD0;", "€\x01\ufdd0"),  # for a browser, these are characters all the same
    ("é&eacute;".encode(), "éé"),
    (b"\xff&lt;", "\ufffd<"),
]


@pytest.mark.parametrize(("raw", "text"), REFERENCES)
def test_character_references(raw, text):
    """As part of an attribute: without a semicolon, a name before an equals sign is none."""
    assert decode(raw) == text


@given(
    st.lists(st.sampled_from([b"a", b"&lt;", b"&#x2f;", b"&", b";", "é".encode(), b"&amp"]), max_size=9).map(b"".join)
)
def test_where_decoded_bytes_are_written(raw):
    """Each that is written as itself is found; the others are known to be none."""
    text, written = decode_mapped(raw)
    found = [written.find(offset) for offset in range(len(text))]
    assert all(raw[at] == text[offset] for offset, at in enumerate(found) if at is not None)
    assert [at for at in found if at is not None] == sorted({at for at in found if at is not None})
    assert written.find(len(text)) is None


def test_entities_that_a_document_may_declare():
    """All but the five of XML and numbers."""
    assert not has_unknown_entity(b"a&amp;&lt;&#60;&#x3c;& b")
    for raw in (b"a&amp;&nbsp;", b"&_;", "&é;".encode(), b"&:a;", b"&ampx;"):
        assert has_unknown_entity(raw)
