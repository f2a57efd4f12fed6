"""Tests of Content-Type as browsers read it; what they do was seen in Chromium 156 and Firefox 153."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard._media_types import media_type, plain_type

TYPES = [
    ("text/html", "text/html", ""),
    (" Text/HTML ;charset=UTF-8", "text/html", "utf-8"),
    ("text/html;\tcharset=utf-16le", "text/html", "utf-16le"),
    ("text/html; charset=a; charset=b", "text/html", "a"),
    ("text/html; charset=; charset=b", "text/html", "b"),
    ('text/html; charset=" utf-16le"', "text/html", "utf-16le"),
    ('text/html; charset="utf\\-8"x; charset=b', "text/html", "utf-8"),
    ('text/html; charset="utf-8', "text/html", "utf-8"),
    ("text/html; charset=utf-8 x", "text/html", "utf-8 x"),
    ("text/html; charset = utf-8", "text/html", ""),
    ('text/html; a=";charset=utf-16"', "text/html", ""),
    ("text/html; a=charset=utf-16", "text/html", ""),
    ("text/html; charset='utf-8'", "text/html", "'utf-8'"),
    ("text/plain, text/html", "text/html", ""),
    ("text/html, text/plain", "text/plain", ""),
    ("text/html, nonsense,", "text/html", ""),
    ("text/html; charset=a,", "text/html", "a"),
    ("text/html; charset=a, text/html", "text/html", "a"),
    ("text/html; charset=a, text/html; charset=b", "text/html", "b"),
    ("text/plain; charset=a, text/html", "text/html", ""),
    ('text/html; a=", text/plain;"', "text/html", ""),
    ('text/html; a="\\", text/plain;"', "text/html", ""),
    ('text/html; a="b\\', "text/html", ""),
    ("text/html, */*", "text/html", ""),
    ("text/html x", "text/html", ""),  # browsers pass over words behind a type
    ("text/html\tx", "text/html", ""),
    ("text/html(c); charset=a", "text/html", "a"),
    ("text/plain, text/html x", "text/html", ""),
]
NONE = ["", "html", "text/", "/html", "text/ html", '"text/html"', "a/b/c", "*/*", ","]


@pytest.mark.parametrize(("value", "essence", "charset"), TYPES)
def test_media_type(value, essence, charset):
    """The last type of several, with its first charset."""
    assert media_type([value]) == (essence, charset)


@pytest.mark.parametrize("value", NONE)
def test_what_is_no_media_type(value):
    """A browser looks at how the file begins."""
    assert media_type([value]) is None


def test_several_fields():
    """They count as one list, each with its own quotes."""
    assert media_type(['text/plain; a="', "text/html; charset=a", "text/html"]) == ("text/html", "a")
    assert media_type([]) is None


@given(st.text(alphabet="text/html;charset=\"\\, ,*'\t", max_size=30))
def test_any_value(value):
    """Never raises."""
    media_type([value])


@pytest.mark.parametrize(
    ("values", "sent"),
    [
        (["text/html"], "text/html"),
        (["Text/HTML; Charset=UTF-8"], "Text/HTML; Charset=UTF-8"),
        (['text/html; charset="utf-8"; a=b;'], 'text/html; charset="utf-8"; a=b;'),
        (["multipart/form-data; boundary=x"], "multipart/form-data; boundary=x"),
        (["application/json"], "application/json"),
        (["text/html x"], "text/html"),
        (["text/html x;charset=utf-16le"], "text/html; charset=utf-16le"),
        (["text/plain, text/html"], "text/html"),
        (["text/plain", "text/html; charset=a"], "text/html; charset=a"),
        (['text/html;charset="";charset=utf-16le'], "text/html; charset=utf-16le"),
        (["text/html;charset=a;charset=b"], "text/html; charset=a"),
        (["text/html;charset=utf-16le\x0c"], "text/html; charset=utf-16le"),
        (['text/html;charset="utf\\-8"'], "text/html; charset=utf-8"),
        (["text/html;charset=\xe9"], "text/html"),
        (['text/html;charset=""'], "text/html"),
        (["text/html;charset=utf-8 x"], "text/html"),
        (["image/png, x"], "image/png"),
        (["application/signed-exchange;v=b3"], "application/octet-stream"),
        (["Application/Signed-Exchange"], "application/octet-stream"),
        (["x"], None),
        ([""], None),
        ([], None),
    ],
)
def test_type_that_leaves(values, sent):
    """What each browser reads in its own way leaves as it was read here; what all read alike, as it is."""
    assert plain_type(values) == sent
    if sent is not None:
        assert plain_type([sent]) == sent
        if "signed" not in str(values).lower():
            assert media_type([sent]).essence == media_type(values).essence


@given(st.lists(st.text(alphabet='text/html;charset="utf-16le,\\ x\t\x0c=', max_size=40), max_size=3))
def test_any_type_that_leaves(values):
    """It is read in one way, here at least, and has nothing in it that some browser may take for something else."""
    sent = plain_type(values)
    if sent is not None and values != [sent]:
        assert re.fullmatch(r"[!-~]+/[!-~]+(?:; charset=[a-z0-9._:-]+)?", sent)
