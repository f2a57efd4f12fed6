"""Tests of names and values with "=" between them: urlencoded forms, queries, and forms sent as text/plain."""

from __future__ import annotations

import tracemalloc
from collections import deque
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard._charsets import charset_named
from privguard._pairs import PlainReader, UrlencodedReader, query_fields
from submitting import fields_from, in_every_way

PIECES = [
    "a",
    "=",
    "&",
    "&&",
    "%",
    "%4",
    "%41",
    "+",
    ";",
    "%26",
    "%3D",
    "%FF",
    "\xff",
    "%u00e9",
    "\r\n",
    "é",
    "age",
]
FORMS = st.lists(st.sampled_from(PIECES)).map("".join)


def read(body, make=UrlencodedReader, *arguments):
    fields, unread = in_every_way(lambda: make(*arguments), body)
    assert unread == ""
    return [(name, value) for (name,), value in fields]


@given(FORMS)
def test_same_fields_as_pythons_parser(text):
    """A form is read as Python, Werkzeug and Django read it, blank values and all."""
    body = text.encode()
    assert read(body) == parse_qsl(body.decode(), keep_blank_values=True)


@given(st.lists(st.tuples(st.text(), st.text().filter(lambda value: value.lstrip()[:1] not in ("{", "[")))))
def test_what_was_typed_is_read(pairs):
    """Whatever a visitor types arrives as typed."""
    assert [(field.path, field.value) for field in query_fields(urlencode(pairs).encode())] == [
        ((name,), value) for name, value in pairs
    ]


@given(st.binary(max_size=60))
def test_any_bytes(body):
    """Every sequence of bytes is a form (URL §5.1), and is the same however it is cut."""
    in_every_way(UrlencodedReader, body)
    in_every_way(PlainReader, body)


@pytest.mark.parametrize(
    ("body", "pairs"),
    [
        (b"", []),
        (b"&&", []),
        (b"=", [("", "")]),
        (b"age", [("age", "")]),
        (b"age=9=10", [("age", "9=10")]),
        (b"age=9&age=30", [("age", "9"), ("age", "30")]),
        (b"a=1;age=9", [("a", "1;age=9")]),
        (b"user%5Bdob%5D=2020-01-02", [("user[dob]", "2020-01-02")]),
        (b"first+name=A%20B+C%2b", [("first name", "A B C+")]),
        (b"a=%ff%E2%82&b=%zz%", [("a", "\ufffd\ufffd"), ("b", "%zz%")]),
        ("alter=\uff19".encode(), [("alter", "\uff19")]),
        (
            b"_charset_=iso-8859-1&a=%e9&_charset_=zip&b=%C3%A9",
            [("_charset_", "iso-8859-1"), ("a", "é"), ("_charset_", "zip"), ("b", "é")],
        ),
    ],
)
def test_form(body, pairs):
    """As the URL standard §5 parses it."""
    assert read(body) == pairs


@pytest.mark.parametrize(
    ("body", "pairs"),
    [
        (b"age=9\r\nname=A+B%20C & D\r\n", [("age", "9"), ("name", "A+B%20C & D")]),
        (b"age=9\nb=1=2", [("age", "9"), ("b", "1=2")]),
        (b"\r\n\nage\r\n", [("age", "")]),
    ],
)
def test_form_as_plain_text(body, pairs):
    """HTML §4.10.22.8: a line for each field, and nothing is escaped."""
    assert read(body, PlainReader) == pairs


def test_declared_charset():
    """Is what the bytes of a form are in."""
    assert read(b"a=%e9", UrlencodedReader, "windows-1252") == read(b"a=\xe9", PlainReader, "latin1") == [("a", "é")]


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("", "utf-8"),
        ("UTF-8", "utf-8"),
        (" Windows-1252\t", "windows-1252"),
        ("x-sjis", "shift_jis"),
        ("iso-8859-12", "utf-8"),
        ("utf-16", "utf-8"),
        ("unicode_escape", "utf-8"),
        ("rot13", "utf-8"),
        ("../os\0é", "utf-8"),
    ],
)
def test_charset(label, name):
    """Only a charset in which a browser sends forms is looked up, whatever a visitor writes."""
    assert charset_named(label) == name


def test_every_charset_that_is_known():
    """Is one of Python's in which ASCII is ASCII."""
    from privguard import _charsets

    text = "age=9 [AZaz]{-}%26"
    for label in _charsets._KNOWN:
        assert text.encode().decode(charset_named(label)) == text


@pytest.mark.parametrize(
    ("query", "below"),
    [
        (b"variables=%7B%22dob%22%3A%222020%22%7D", [(("variables", "dob"), "2020")]),
        (b"data=+[{%22age%22:9}]", [(("data", "0", "age"), "9")]),
        (b"data=[age]", [(("data", "0"), "age")]),
        (b"data=%0A9", []),
    ],
)
def test_json_in_a_value(query, below):
    """Is looked into: GraphQL over HTTP sends variables so."""
    assert [(field.path, field.value) for field in query_fields(query)[1:]] == below


@pytest.mark.parametrize("unit", [b"a", b"&", b"a=1&", b"=", b"%41", b"%"])
def test_large_form_in_constant_memory(unit):
    """A child behind megabytes of anything is found, and they are not held."""
    reader = UrlencodedReader()
    chunk = unit * (60_000 // len(unit))
    tracemalloc.start()
    deque(reader.feed(b"text="), maxlen=0)
    for _ in range(100 if unit == b"a" else 3):
        deque(reader.feed(chunk), maxlen=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert fields_from(reader, [b"&age=9"])[-1] == (("age",), "9")
    assert peak < 3_000_000


@pytest.mark.parametrize("size", [1023, 1024, 65_535, 65_536, 65_537, 200_000])
def test_long_value(size):
    """Its first 1,024 characters are kept, wherever the chunks end."""
    body = b"text=" + b"%41" * (size // 3) + b"&age=9"
    whole = fields_from(UrlencodedReader(), [body])
    assert whole == [(("text",), "A" * min(size // 3, 1024)), (("age",), "9")]
    for cut in (65_530, 65_536, 65_541, size, size + 6):
        assert fields_from(UrlencodedReader(), [body[:cut], body[cut:]]) == whole
