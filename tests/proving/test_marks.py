"""Tests of marks: each spelling in which one is known again, against spellings that other code makes."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import random
import secrets
from datetime import date
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard.proving._marks import SHORTEST, Mark, new_text, spellings
from privguard.proving._search import Search

TEXT = "hq7dk2m9xw4bz8rc3v"
ADDRESS = f"{TEXT}@example.org"
ODD = 'Zoë "Ω" & <b>'
BIRTHDAY = "2018-05-04"


def forms(data: bytes, *marks: Mark) -> set[str]:
    return {hit.form for hit in Search(marks).find(data)}


SPELLED = [
    (TEXT.encode(), "plain"),
    (TEXT.upper().encode(), "upper case"),
    (TEXT.capitalize().encode(), "capitalised"),
    (TEXT[::-1].encode(), "reversed"),
    ("".join(f"%{byte:02x}" for byte in TEXT.encode()).encode(), "URL-encoded"),
    ("".join(f"%{byte:02X}" for byte in TEXT.encode()).encode(), "URL-encoded"),
    ("".join(f"&#{byte};" for byte in TEXT.encode()).encode(), "as in HTML"),
    (TEXT.encode().hex().encode(), "hex"),
    (TEXT.encode().hex().upper().encode(), "hex"),
    (base64.b64encode(TEXT.encode()), "base64"),
    (base64.urlsafe_b64encode(b"?>" + TEXT.encode() + b"?>~"), "base64"),
    (base64.b64encode(b"?" + TEXT.encode() + b"~~"), "base64"),
    (base64.encodebytes(b"a" * 50 + TEXT.encode() + b"b" * 50), "base64"),
    (TEXT.encode("utf-16"), "plain, UTF-16"),
    (TEXT.encode("utf-16-be"), "plain, UTF-16"),
    (hashlib.md5(TEXT.encode()).hexdigest().encode(), "md5 in hex"),
    (hashlib.sha1(TEXT.encode()).hexdigest().upper().encode(), "sha1 in hex"),
    (hashlib.sha256(TEXT.encode()).hexdigest()[:20].encode(), "sha256 in hex"),
    (hashlib.sha256(TEXT.encode()).digest(), "sha256 in bytes"),
    (base64.b64encode(hashlib.sha256(TEXT.encode()).digest()), "sha256 in base64"),
    (base64.urlsafe_b64encode(hashlib.sha512(TEXT.encode()).digest()).rstrip(b"="), "sha512 in base64"),
    (hashlib.sha256(ADDRESS.encode()).hexdigest().encode(), "sha256 in hex"),
    (hashlib.md5(ADDRESS.strip().lower().encode()).hexdigest().encode(), "md5 in hex"),
]


@pytest.mark.parametrize(("written", "form"), SPELLED, ids=lambda value: value if isinstance(value, str) else "")
def test_mark_is_known_again(written, form):
    """However somebody spells it, it is found, and told by the name of the spelling."""
    assert forms(b"before " + written + b" behind", Mark("field email", TEXT, "JSON", ADDRESS)) == {form}


@pytest.mark.parametrize(
    ("written", "form"),
    [
        (ODD.encode(), "plain"),
        (quote(ODD, safe="").encode(), "URL-encoded"),
        (quote_plus(ODD).encode(), "URL-encoded"),
        (urlencode({"name": ODD}).encode(), "URL-encoded"),
        (json.dumps({"name": ODD}).encode(), "as in JSON"),
        (repr(repr(ODD)).encode(), "as in Python"),
        (html.escape(ODD).encode(), "as in HTML"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_value_that_has_to_be_escaped(written, form):
    """A name with quotes and accents is found where it was escaped."""
    assert form in forms(written, Mark("field name", ODD)) | ({"as in Python"} if b"\\'" in written else set())


DAY = date.fromisoformat(BIRTHDAY)


@pytest.mark.parametrize(
    "written",
    [
        "04.05.2018",
        "4.5.2018",
        "05/04/2018",
        "5/4/2018",
        "04/05/2018",
        "2018/05/04",
        repr(DAY),
        "4 May 2018",
        "May 4, 2018",
    ],
)
def test_birth_date_as_it_is_usually_written(written):
    """An app that has understood a date writes it otherwise than it was typed."""
    assert forms(f"born {written}.".encode(), Mark("field birthdate", BIRTHDAY)) == {"as a date"}


def test_no_spelling_is_so_short_that_it_says_nothing():
    """Eight bytes or more are no coincidence."""
    for text in (TEXT, BIRTHDAY, ODD, "12345678"):
        assert min(map(len, spellings(Mark("x", text)))) >= SHORTEST
    assert b"7" not in spellings(Mark("field age", "7"))


@pytest.mark.parametrize(
    ("text", "is_telling"), [("7", False), ("1234567", False), ("12345678", True), ("ÄÖÜ!", False)]
)
def test_what_is_too_short_is_not_looked_for(text, is_telling):
    """The digit 7 stands everywhere."""
    mark = Mark("field age", text)
    assert mark.is_telling is is_telling
    assert bool(forms(text.encode(), mark)) is is_telling


def test_new_marks():
    """No two are the same; each begins with a letter, and no mark has a vowel, of which words are made."""
    texts = {new_text(secrets.choice) for _ in range(1000)}
    assert len(texts) == 1000
    assert all(len(one) == 18 and one[0].isalpha() and one.islower() and not set(one) & set("aeiou") for one in texts)


@given(st.integers(), st.binary(max_size=200), st.binary(max_size=200))
def test_every_spelling_is_found_wherever_it_stands(seed, before, behind):
    """At every position, whatever stands around it."""
    chance = random.Random(seed)
    mark = Mark("field name", new_text(chance.choice), "JSON", "")
    written = chance.choice(list(spellings(mark)))
    assert mark in {hit.mark for hit in Search([mark]).find(before + written + behind)}


@given(st.text(min_size=8), st.binary(max_size=9))
def test_any_value_is_found_in_base64(value, before):
    """Wherever it begins among the three bytes that four characters spell."""
    mark = Mark("field name", value.encode("utf-8", "replace").decode())
    data = base64.b64encode(before + mark.text.encode() + b"...")
    assert "base64" in forms(data, mark) or len(mark.text.encode()) < SHORTEST


@given(st.binary(max_size=5000))
def test_nothing_is_found_in_bytes_that_know_nothing_of_it(data):
    """Random bytes hold no mark."""
    assert list(Search([Mark("field name", new_text(secrets.choice))]).find(data)) == []
