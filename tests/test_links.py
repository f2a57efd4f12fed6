"""Tests of which members of a Link header lead elsewhere."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard._links import leads_elsewhere, own_members

OWN = ["/a.css", "a.css", "?q", "", "./a//b", "/a:b", " /a", "/\\a"[:1] + "a"]
ELSEWHERE = [
    "https://third.example/a.css",
    "HTTPS://third.example",
    "//third.example/a",
    "/\\third.example/a",
    "\\\\third.example",
    "/\t/third.example",
    " https://third.example",
    "\x01https://third.example",
    "ht\ntps://third.example",
    "https:third.example",
    "https:/third.example",
    "data:text/css,a",
    "https://www.chatalot.com@third.example/",
    "https://www.chatalot.com.third.example/",
    "https://www.chatalot.com:8443/",
    "http://www.chatalot.com/",
    "https://[::1",
    "https://a:b/",
]
FIRST_PARTY = ("https://www.chatalot.com", "http://127.0.0.1:8000")


@pytest.mark.parametrize("reference", OWN)
def test_reference_without_a_host_is_the_pages_own(reference):
    """However it is written."""
    assert not leads_elsewhere(reference, ())


@pytest.mark.parametrize("reference", ELSEWHERE)
def test_reference_to_another_host_leads_elsewhere(reference):
    """However a browser would find the host in it."""
    assert leads_elsewhere(reference, FIRST_PARTY)


@pytest.mark.parametrize(
    "reference",
    ["https://www.chatalot.com/a", "//www.chatalot.com/a", "HTTPS://WWW.chatalot.com", "http://127.0.0.1:8000"],
)
def test_origin_of_the_same_owner_is_no_third_party(reference):
    """The owner has named it."""
    assert not leads_elsewhere(reference, FIRST_PARTY)


LISTS = [
    ("</a.css>; rel=preload", "</a.css>; rel=preload"),
    ('</a>; rel="a, b", </b>;x', '</a>; rel="a, b", </b>;x'),
    ("<https://third.example/>; rel=preconnect", ""),
    ("</a>;rel=preload,<//third.example>;rel=preconnect , </b>;rel=preload", "</a>;rel=preload, </b>;rel=preload"),
    ("</a>; rel=preload, garbage", ""),
    ('</a>; title="never ends, <https://third.example>; rel=preconnect', ""),
    ("</a <https://third.example>; rel=preconnect", ""),
    ("", ""),
]


@pytest.mark.parametrize("value, left", LISTS)
def test_members_that_lead_elsewhere_go(value, left):
    """The others stay as they were written; what nobody can read goes as a whole."""
    assert own_members(value, ()) == left


@given(st.text('</>;," =\\ab:tphsx.\t', max_size=40))
def test_no_host_is_left(value):
    """Whatever is written, what is left names no other host, and is read the same again."""
    left = own_members(value, ())
    assert own_members(left, ()) == left
    for reference in re.findall("<([^<>]*)>", left):
        assert urlsplit(urljoin("http://own.example/", reference)).netloc == "own.example"
