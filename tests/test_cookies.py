"""Tests of the Set-Cookie judge. What browsers themselves do with these lines is in tests/browsers."""

from __future__ import annotations

import calendar
import email.utils

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from privguard._cookies import Lifetime, as_session, cookie_date, cookie_name, lifetime, plain_date

NOW = calendar.timegm((2026, 11, 23, 12, 0, 0))
PAST = b"Thu, 01 Jan 1970 00:00:00 GMT"
FUTURE = b"Sun, 09 Nov 2031 21:43:09 GMT"
LONG = b"1" * 1025

SESSION, DELETION, PERSISTENT, DOUBTFUL, MALFORMED = Lifetime


def judge(line: bytes, date: float | None = NOW) -> Lifetime:
    return lifetime(line, now=lambda: NOW, date=lambda: date)


VERDICTS = [
    # a session cookie names no lifetime
    (b"a=b", SESSION),
    (b"a=b; Path=/; Secure; HttpOnly; SameSite=Lax", SESSION),
    (b"", SESSION),
    (b"Expires=" + FUTURE, SESSION),
    (b"Max-Age=3600", SESSION),
    (b"a=expires=tomorrow; Path=/max-age=3600", SESSION),
    (b"a=b; foo=Max-Age=3600", SESSION),
    (b'a=b; "Max-Age"=3600', SESSION),
    (b"a=b; MaxAge=3600; Max_Age=3600; Max -Age=3600", SESSION),
    ("a=b; expireſ=Sun, 09 Nov 2031 21:43:09 GMT".encode(), SESSION),
    (b"a=b; \xa0Max-Age=3600", SESSION),
    (b"a=b; \x0bMax-Age=3600", SESSION),
    (b"a=b, c=d; Path=/, Max-Age=3600", SESSION),
    # a sure deletion, by Max-Age
    (b"a=; Max-Age=0", DELETION),
    (b"a=; max-age = -1 ;x", DELETION),
    (b"a=; Max-Age=-0; Expires=" + FUTURE, DELETION),
    (b"a=; Max-Age=3600; Max-Age=0", DELETION),
    (b"a=; Max-Age=0000", DELETION),
    (b"a=; Expires=" + FUTURE + b"; Max-Age=0", DELETION),
    # a sure deletion, by Expires in each shape of HTTP
    (b"a=; Expires=" + PAST, DELETION),
    (b"a=; expires=Thursday, 01-Jan-70 00:00:00 GMT", DELETION),
    (b"a=; expires=Thu, 01-Jan-1970 00:00:01 UTC", DELETION),
    (b"a=; expires=Thu Jan  1 00:00:00 1970", DELETION),
    (b"a=; expires=Thu, 1 Jan 1970 00:00:00 GMT", DELETION),
    # and as other software writes it, over in every zone
    (b"a=; Expires=Thu, 01 Jan 1970 00:00:00 -0000", DELETION),
    (b"a=; Expires=Thu, 01 Jan 1970 00:00:00 PST", DELETION),
    (b"a=; Expires=Sun, 22 Nov 2026 10:00:00 -1200", DELETION),
    (b"a=; Expires=Thu 1-January-1970 0:00:00", DELETION),
    (b'a=; Expires="Thu, 01 Jan 1970 00:00:00 GMT"', DELETION),
    (b"a=; Expires=Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)", DELETION),
    (b"a=; expires=" + FUTURE + b"; expires=" + PAST, DELETION),
    (b"a=; Max-Age=abc; Expires=" + PAST, DELETION),
    (b"a=; Expires=Mon, 23 Nov 2026 12:00:00 GMT", DELETION),
    # what RFC 6265bis calls persistent
    (b"a=b; Max-Age=3600", PERSISTENT),
    (b"a=b;MAX-AGE\t=\t3600", PERSISTENT),
    (b"a=b; Max-Age=" + b"9" * 400, PERSISTENT),
    (b"a=b; Max-Age=3600; Expires=" + PAST, PERSISTENT),
    (b"a=b; Expires=" + PAST + b"; Max-Age=3600", PERSISTENT),
    (b"a=b; Max-Age=3600; Max-Age=abc", PERSISTENT),
    (b"a=b; Max-Age=3600; Max-Age=" + LONG, PERSISTENT),
    (b"a=b; Expires=" + FUTURE, PERSISTENT),
    (b'a=b; Expires="' + FUTURE + b'"', PERSISTENT),
    (b"a=b; Expires=" + FUTURE + b"; Expires=garbage", PERSISTENT),
    (b"a=b; Expires=1 jan 38 0:0:0", PERSISTENT),
    (b"a=b; Expires=Sun, 09-Nov-68 21:43:09 GMT", PERSISTENT),
    (b'a="b;Max-Age=3600;c"', PERSISTENT),
    (b"a=b, c=d; Max-Age=3600", PERSISTENT),
    (b"=b; Max-Age=3600", PERSISTENT),
    (b"a=b" + b";" * 20_000 + b"Max-Age=3600", PERSISTENT),
    (b"\xff\xfe=\x80; Max-Age=3600", PERSISTENT),
    (b"a=b; Expires=Mon, 23 Nov 2026 12:00:01 GMT", PERSISTENT),
    # what some reader may keep, or may not forget
    (b"a=b; Max-Age=+3600", DOUBTFUL),
    (b"a=b; Max-Age=+0", DOUBTFUL),
    (b"a=b; Max-Age=-", DOUBTFUL),
    (b'a=b; Max-Age="3600"', DOUBTFUL),
    (b"a=b; Max-Age", DOUBTFUL),
    (b"a=b; Max-Age=", DOUBTFUL),
    ("a=b; Max-Age=３６００".encode(), DOUBTFUL),
    (b"a=b; Max-Age=3_600", DOUBTFUL),
    (b"a=b; Max-Age=1e9", DOUBTFUL),
    (b"a=b; Max-Age=" + LONG, DOUBTFUL),
    (b"a=; Max-Age=0; Max-Age=" + LONG, DOUBTFUL),
    (b"a=; Max-Age=0; Expires=" + FUTURE + b"; Max-Age=abc", DOUBTFUL),
    (b"a=b; Max-Age=+3600; Expires=" + PAST, DOUBTFUL),
    (b"a=b; Expires=-1", DOUBTFUL),
    (b"a=b; Expires=2031-11-09T21:43:09Z", DOUBTFUL),
    (b"a=b; Expires=31 Feb 2031 00:00:00", DOUBTFUL),
    (b"a=b; Expires=09 Nov 10000 21:43:09", DOUBTFUL),
    (b"a=b; Expires=Mon, 23 Nov 2026 11:45:00 PST", DOUBTFUL),  # over by the clock, and not in California
    (b"a=b; Expires=Sun, 22 Nov 2026 10:00:01 -1200", DOUBTFUL),
    (b"a=b; Expires=Thu, 01 Jan 1969 00:00:00 -0000", DOUBTFUL),
    (b"a=b; Expires=01/01/1970 00:00:00 GMT", DOUBTFUL),  # which is the month?
    (b"a=b; Expires=Thu, 01 Janvier 1970 00:00:00 GMT", DOUBTFUL),
    (b"a=b; Expires=Thu, 01 Jan 1970 24:00:00 GMT", DOUBTFUL),
    (b"a=b; Expires=Mon, 01-Jan-0001 00:00:00 GMT", DOUBTFUL),  # to the RFC this is 2001, to others the year 1
    # what some server would send as two headers
    (b"a=b\r\nSet-Cookie: c=d; Max-Age=99", MALFORMED),
    (b"a=b;\n Max-Age=3600", MALFORMED),
    (b"a=b\rc", MALFORMED),
    (b"a=b\0", MALFORMED),
]


@pytest.mark.parametrize("line, verdict", VERDICTS, ids=range(len(VERDICTS)))
def test_line_is_judged(line, verdict):
    """A cookie passes untouched only when no browser could keep it, or every browser forgets it."""
    assert judge(line) is verdict


def test_deletion_by_expires_is_measured_against_the_date_of_the_response():
    """Browsers correct Expires by the response's Date: a past date can lie in a browser's future."""
    line = b"a=b; Expires=Fri, 01 Jan 1971 00:00:00 GMT"
    assert judge(line, date=NOW) is DELETION
    assert judge(line, date=calendar.timegm((1970, 1, 1, 0, 0, 0))) is DOUBTFUL
    assert judge(line, date=None) is DOUBTFUL


def test_date_in_the_future_does_not_make_a_deletion():
    """The earlier of the two clocks counts."""
    assert judge(b"a=b; Expires=" + FUTURE, date=NOW + 10**9) is PERSISTENT


DATES = [
    (b"Sun, 06 Nov 1994 08:49:37 GMT", (1994, 11, 6, 8, 49, 37)),
    (b"Sunday, 06-Nov-94 08:49:37 GMT", (1994, 11, 6, 8, 49, 37)),
    (b"Sun Nov  6 08:49:37 1994", (1994, 11, 6, 8, 49, 37)),
    (b"1 jan 38 0:0:0", (2038, 1, 1, 0, 0, 0)),
    (b"JANUARY 1st 69 1:2:3", (2069, 1, 1, 1, 2, 3)),
    (b"08:49:37 6 Nov 1994", (1994, 11, 6, 8, 49, 37)),
    (b"99 Nov 1994 08:49:37", None),
    (b"6 Nov 1994 24:49:37", None),
    (b"6 Nov 1994 08:60:37", None),
    (b"6 Nov 1600 08:49:37", None),
    (b"29 Feb 2023 00:00:00", None),
    (b"6 Nov 1994", None),
    (b"Nov 1994 08:49:37", None),
    (b"6 1994 08:49:37", None),
    (b"", None),
]


@pytest.mark.parametrize("text, parts", DATES)
def test_cookie_date(text, parts):
    """Dates are read by the algorithm of RFC 6265bis §5.1.1."""
    assert cookie_date(text) == (parts and calendar.timegm(parts))


@given(st.integers(0, 2**31))
def test_dates_of_http_are_read_alike_by_both_parsers(moment):
    """A date that a server writes is read to the second."""
    text = email.utils.formatdate(moment, usegmt=True).encode()
    assert cookie_date(text) == plain_date(text) == moment


@pytest.mark.parametrize(
    "line, name",
    [(b"a=b; c=d", b"a"), (b" a\t=b", b"a"), (b"=b", b""), (b"secret", b""), (b"a;b=c", b""), (b"", b"")],
)
def test_cookie_name(line, name):
    """A cookie without an equals sign has no name, only a value."""
    assert cookie_name(line) == name


@pytest.mark.parametrize(
    "line, cut",
    [
        (b"a=b; Max-Age=3600; Path=/", b"a=b; Path=/"),
        (b"a=b;Expires=x;max-age;; MAX-AGE =1;Secure", b"a=b;;Secure"),
        (b"Max-Age=1;Max-Age=2", b"Max-Age=1"),
        (b"a=b; Path=/", b"a=b; Path=/"),
    ],
)
def test_lifetime_is_cut_out(line, cut):
    """Every lifetime attribute goes, with its semicolon; no other byte moves."""
    assert as_session(line) == cut


WORDS = [b"a=b", b"Max-Age", b"max-age", b"Expires", b"3600", b"0", b"-1", b"+5", b"Path=/", LONG, PAST, FUTURE]
MARKS = [b";", b"; ", b"=", b" ", b"\t", b",", b'"', b"\xff", b"\x0b", b"Thu, 01 Jan 1970"]
PIECES = st.sampled_from(WORDS + MARKS)
LINES = st.lists(PIECES, max_size=12).map(b"".join) | st.binary(max_size=60)


@given(LINES, st.sampled_from([None, NOW, 0.0]))
@example(b"; Max-Age=3600", None)
def test_judge_never_raises_and_a_cut_cookie_is_a_session_cookie(line, date):
    """Whatever an app sends, there is a verdict, and what has lost its lifetime has none left."""
    verdict = judge(line, date)
    cut = as_session(line)
    assert as_session(cut) == cut
    if verdict is not MALFORMED:
        assert judge(cut, date) is SESSION
    if verdict is SESSION:
        assert cut == line


@given(LINES)
def test_cutting_leaves_every_other_attribute(line):
    """What is left of a cookie is its own segments, in their order."""
    left = iter(line.split(b";"))
    assert all(segment in left for segment in as_session(line).split(b";"))
