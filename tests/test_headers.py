"""Tests of reading header fields, however an app wrote them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard._headers import BYTES, TEXT, for_one_visitor


def is_plain(dialect, headers):
    """Whether *headers* may pass at a glance."""
    try:
        return dialect.are_plain(headers)
    except (AttributeError, TypeError, ValueError):
        return False


def names(dialect, headers):
    """The names of what is left of *headers*, in lower case."""
    return [dialect.lower(name) for name, _ in dialect.readable(list(headers))]


class Odd:
    """An object that no server could send."""


GARBAGE = [None, 1, "x", b"x", (), (b"a",), (b"a", b"b", b"c"), (None, b"b"), (b"a", 1), (1, 2), Odd(), ["a"], {}]


@pytest.mark.parametrize("header", GARBAGE, ids=repr)
def test_what_is_no_header_is_left_out(header):
    """One impossible header does not cost the others."""
    headers = [(b"A", b"1"), header, (b"b", b"2")]
    assert not is_plain(BYTES, headers)
    assert BYTES.readable(headers) == [(b"A", b"1"), (b"b", b"2")]


@pytest.mark.parametrize("name", [b"", b" a", b"a:", b"a b", b"a\r\nb", b"a\0", b"\xe4", b"a\x0b", b"(a)", b":status"])
def test_name_that_is_no_token_is_left_out(name):
    """Such a name would be another header, or none, on some server."""
    assert not is_plain(BYTES, [(name, b"1")]) and not is_plain(TEXT, [(name.decode("latin-1"), "1")])
    assert BYTES.readable([(name, b"1")]) == TEXT.readable([(name.decode("latin-1"), "1")]) == []


def test_name_with_blanks_behind_it_is_read():
    """Browsers read such a name without its blanks, so must we."""
    assert TEXT.lower("Set-Cookie \t") == "set-cookie"
    assert TEXT.readable([("Set-Cookie \t", "a=b")]) == [("Set-Cookie \t", "a=b")]


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\r\nSet-Cookie: b=c", "a\0"])
def test_value_that_would_end_the_header_is_left_out(value):
    """No header smuggles another one out."""
    assert not is_plain(TEXT, [("X-A", value)]) and not is_plain(BYTES, [(b"x-a", value.encode())])
    assert names(TEXT, [("X-A", value), ("X-B", "1")]) == ["x-b"]
    assert names(BYTES, [(b"x-a", value.encode()), (b"x-b", b"1")]) == ["x-b"]


def test_set_cookie_with_a_line_break_is_left_to_its_own_rule():
    """The mode of the page says what becomes of it."""
    assert names(BYTES, [(b"set-cookie", b"a=b\r\nc")]) == ["set-cookie"]


def test_text_on_asgi_and_bytes_on_wsgi_are_respelled():
    """A server would stumble over them; the response need not."""
    assert BYTES.readable([("X-A", "é")]) == [(b"X-A", b"\xe9")]
    assert BYTES.readable([[bytearray(b"x-a"), memoryview(b"1")]]) == [(b"x-a", b"1")]
    assert TEXT.readable([(b"X-A", b"\xe9")]) == [("X-A", "é")]


def test_text_beyond_latin_1_is_left_out():
    """No server could send it."""
    assert names(TEXT, [("X-A", "€"), ("X-€", "a"), ("X-B", "1")]) == ["x-b"]
    assert not is_plain(TEXT, [("X-A", "€")])
    assert names(BYTES, [("X-A", "€")]) == []


def test_usual_headers_are_told_at_a_glance():
    """A list of ordinary fields is plain from the second time on; what is asked about never is."""
    headers = [("Content-Type", "text/html"), ("X-Seldom-Seen", "é")]
    assert not TEXT.are_plain(headers)
    assert names(TEXT, headers) == ["content-type", "x-seldom-seen"]
    assert TEXT.are_plain(headers) and TEXT.are_plain([])
    assert not TEXT.are_plain([*headers, ("Set-Cookie", "a=b")])


def test_names_that_an_app_makes_up_do_not_fill_the_memory():
    """What is learnt about names is bounded."""
    for number in range(10_000):
        assert names(BYTES, [(b"x-%d" % number, b"")]) == [f"x-{number}"]
    assert len(BYTES._names) <= 4096 and len(BYTES.plain) <= 4096


ANYTHING = st.none() | st.integers() | st.text(max_size=8) | st.binary(max_size=8)
PAIRS = st.tuples(ANYTHING, ANYTHING) | st.lists(ANYTHING, max_size=3) | ANYTHING


@given(st.lists(PAIRS, max_size=5))
def test_reading_never_raises(headers):
    """Whatever an app passes as headers, what comes out can be sent."""
    for dialect, kind in ((BYTES, bytes), (TEXT, str)):
        readable = dialect.readable(headers)
        assert not is_plain(dialect, headers) or readable == headers
        for spelled, value in readable:
            assert isinstance(spelled, kind) and isinstance(value, kind)
            name = dialect.lower(spelled)
            assert name == name.lower()
            assert name == "set-cookie" or not any(octet in dialect.encode(value) for octet in b"\r\n\0")


@pytest.mark.parametrize(
    "given_values, expected",
    [
        ([], "private"),
        (["public, max-age=60"], "private, max-age=60"),
        (["max-age=60", "S-Maxage=9"], "private, max-age=60"),
        (["private"], "private"),
        (['private="set-cookie, x", no-cache="a, b"'], 'private, no-cache="a, b"'),
        (["no-store"], "private, no-store"),
        ([' ,, max-age="60, public'], 'private, max-age="60, public'),
    ],
)
def test_cache_control_keeps_shared_caches_out(given_values, expected):
    """What the app said of browsers stays; what it said of shared caches goes."""
    assert for_one_visitor(given_values) == expected


def test_bytes_and_text_are_never_compared():
    """A site that runs with ``python -bb`` gets its answers as any other."""
    code = (
        "from privguard import Policy; from privguard._exchange import Exchange; from privguard._headers import *\n"
        "Exchange(Policy(), '/').response_headers(200, [('A', 'b')], TEXT)\n"
        "Exchange(Policy(), '/').response_headers(200, [(b'a', b'b'), ('A', 'b')], BYTES)"
    )
    subprocess.run([sys.executable, "-bb", "-c", code], check=True)
