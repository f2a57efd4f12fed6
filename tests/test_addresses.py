"""Tests of addresses and queries in access lines."""

from __future__ import annotations

import io
import ipaddress
import logging
from types import SimpleNamespace

import pytest
from gunicorn.glogging import SafeAtoms
from hypercorn.logging import AccessLogAtoms
from hypothesis import given
from hypothesis import strategies as st

from privguard import _silence
from privguard._access_lines import REDUCTION, Reduction
from privguard._addresses import shortened, without_addresses, without_queries
from privguard._streams import guarded_stream
from privguard.wsgi import PrivacyMiddleware


@pytest.mark.parametrize(
    ("address", "left"),
    [
        ("192.0.2.77", "192.0.2.0"),
        ("10.0.0.1", "10.0.0.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("::1", "::"),
        ("::ffff:192.0.2.77", "192.0.2.0"),
        ("::FFFF:C000:024D", "192.0.2.0"),
        ("fe80::1%eth0", "fe80::"),
        ("unix:", "unix:"),
        ("999.1.1.1", "999.1.1.1"),
        ("", ""),
    ],
)
def test_address(address, left):
    """A /24 or a /48, as the first parts of an address tell a provider and a region at most."""
    assert shortened(address, "truncate") == left
    assert shortened(address, "none") == ("-" if left != address else address)
    assert shortened(address, "full") == address


@given(st.ip_addresses())
def test_any_address_in_a_line(address):
    """With a port, in brackets, alone or among others: nothing of its rest is left."""
    bits = 24 if address.version == 4 else 48
    mapped = getattr(address, "ipv4_mapped", None)
    expected = str(ipaddress.ip_network((mapped or address, 24 if mapped else bits), strict=False).network_address)
    written = f"[{address}]:80" if address.version == 6 else f"{address}:80"
    for line in (str(address), f'{address} - - "GET / HTTP/1.1"', f"for={written}, {address}", f'"{address}"'):
        assert without_addresses(line, "truncate") == line.replace(str(address), expected)


@pytest.mark.parametrize(
    "text",
    [
        "Mozilla/5.0 (X11; Linux x86_64) Chrome/126.0.0.0 Safari/537.36",
        "[25/Nov/2026:10:20:30 +0000]",
        "12:30:59",
        "GET /a:b::c HTTP/1.1",
        "1.2.3.4.5",
        "v1.2.3",
        "std::string",
    ],
)
def test_what_is_no_address(text):
    """Times, versions and paths stay as they are."""
    assert without_addresses(text, "none") == text


@given(st.text())
def test_any_text(text):
    """Nothing makes it fail."""
    without_addresses(text, "truncate")
    without_queries(text)


def test_query():
    """Up to what ends a URL in a line."""
    assert without_queries('"GET /x?a=b&c=?d HTTP/1.1" 200 "https://site.test/y?z"') == (
        '"GET /x HTTP/1.1" 200 "https://site.test/y"'
    )


@pytest.fixture
def reduction():
    """What this process takes out, which other tests do not ask for."""
    _silence.install()
    yield REDUCTION
    REDUCTION.reset()


def written_by(name, message, *arguments):
    """Return what a logger of this name writes."""
    logger = logging.getLogger(name)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        logger.info(message, *arguments)
    finally:
        logger.removeHandler(handler)
        logger.propagate = True
    return stream.getvalue().strip()


GUNICORN = SafeAtoms(
    {"h": "192.0.2.77", "r": "GET /x?a=b HTTP/1.1", "q": "a=b", "{x-forwarded-for}i": "2001:db8:1:2::3", "s": 200}
)
HYPERCORN = AccessLogAtoms(
    {
        "type": "http",
        "client": ("192.0.2.77", 4711),
        "method": "GET",
        "path": "/x",
        "query_string": b"a=b",
        "scheme": "http",
        "headers": [(b"forwarded", b'for="[2001:db8:1:2::3]:80"')],
    },
    None,
    0.1,
)
GRANIAN = {"addr": "192.0.2.77", "path": "/x", "query_string": "a=b"}
LINES = [
    ("uvicorn.access", '%s - "%s %s HTTP/%s" %d', ("192.0.2.77:4711", "GET", "/x?a=b", "1.1", 200)),
    ("gunicorn.access", '%(h)s "%(r)s" %(q)s %({X-Forwarded-For}i)s %({none}i)s %(s)s', (GUNICORN,)),
    ("hypercorn.access", '%(h)s "%(R)s" %(q)s %({Forwarded}i)s %(none)s', (HYPERCORN,)),
    (
        "granian.access",
        '%(addr)s "%(path)s?%(query_string)s"',
        ({"addr": "192.0.2.77", "path": "/x", "query_string": "a=b"},),
    ),
    ("werkzeug", '192.0.2.77 - - [25/Nov/2026 10:20:30] "%s" %s -', ("GET /x?a=b HTTP/1.1", "200")),
    ("django.server", '"%s" %s %s', ("GET /x?a=b HTTP/1.1", "200", "5")),
    ("wsgi", '192.0.2.77 "GET /x?a=b HTTP/1.1" 200', ()),
]


@pytest.mark.parametrize(("name", "message", "arguments"), LINES, ids=[name for name, _, _ in LINES])
def test_access_line(reduction, name, message, arguments):
    """Of each server: its own formatter finds in the record what it always found, only shorter."""
    bare = written_by(name, message, *arguments)
    assert "a=b" in bare
    reduction.add("truncate", has_queries=True)
    line = written_by(name, message, *arguments)
    assert line == bare.replace("192.0.2.77", "192.0.2.0").replace("2001:db8:1:2::3", "2001:db8:1::")
    reduction.add("none", has_queries=False)
    line = written_by(name, message, *arguments)
    assert "192.0.2" not in line and "2001:db8" not in line and "a=b" not in line
    assert "/x" in line


def test_other_loggers_are_left_alone(reduction):
    """An app that logs an address has its reasons."""
    reduction.add("none", has_queries=False)
    assert written_by("site", "%s /x?a=b", "192.0.2.77") == "192.0.2.77 /x?a=b"


def test_access_line_on_a_stream(reduction):
    """Of servers that have no logger; other lines are left alone."""
    plain = io.StringIO()
    stream = guarded_stream(plain)
    reduction.add("truncate", has_queries=False)
    line = '192.0.2.77 - - [25/Nov/2026 10:20:30] "GET /x?a=b HTTP/1.1" 200 5\n'
    assert stream.write(line) == len(line)
    stream.write("connect to 192.0.2.77\n")
    assert plain.getvalue() == '192.0.2.0 - - [25/Nov/2026 10:20:30] "GET /x HTTP/1.1" 200 5\nconnect to 192.0.2.77\n'


def test_strictest_middleware_counts(reduction):
    """The servers' loggers are the process's."""
    one = Reduction()
    assert not one
    one.add("none", has_queries=True)
    one.add("truncate", has_queries=True)
    assert one.text("192.0.2.77 ?a") == "- ?a"
    one.add("full", has_queries=False)
    assert one.text("192.0.2.77 /?a") == "- /"


def test_app_sees_the_whole_address(reduction):
    """What it does with one is its own business."""
    seen = []

    def app(environ, start_response):
        seen.append((environ["REMOTE_ADDR"], environ["QUERY_STRING"], environ["HTTP_X_FORWARDED_FOR"]))
        start_response("200 OK", [])
        return []

    environ = {"PATH_INFO": "/", "REMOTE_ADDR": "192.0.2.77", "QUERY_STRING": "a", "HTTP_X_FORWARDED_FOR": "192.0.2.78"}
    settings = {"logs": {"ip": "none", "query": False}}
    PrivacyMiddleware(app, settings)(environ, lambda *given: None)
    assert seen == [("192.0.2.77", "a", "192.0.2.78")]
    assert REDUCTION


def test_argument_of_another_kind(reduction):
    """An address with its port as a pair, numbers, nothing at all."""
    reduction.add("truncate", has_queries=True)
    record = logging.LogRecord(
        "x.access", logging.INFO, "", 0, SimpleNamespace(), ((("192.0.2.77", 80), 5, None),), None
    )
    reduction.record(record)
    record.args = (("192.0.2.77", 80), 5, None)
    reduction.record(record)
    assert record.args == (("192.0.2.0", 80), 5, None)
