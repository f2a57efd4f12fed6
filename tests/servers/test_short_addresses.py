"""Tests of access lines with less of an address, and without a query, behind real servers."""

from __future__ import annotations

import pytest

from browsers.programs import wait_until
from servers.harness import GUNICORN, SERVERS, ask

FORWARDED = "203.0.113.77"
# With what owners add who sit behind a proxy.
WITH_HEADERS = [
    *GUNICORN,
    "--access-logformat",
    '%(h)s "%(r)s" %(q)s "%({{X-Forwarded-For}}i)s" %({{raw_uri}}e)s %({{query_string}}e)s',  # of str.format()
    "wsgi_site:application",
]


def lines_of(server):
    """Wait for the line of a visit, and return all that was written."""
    ask(server, "GET", "/plain?secret=visited", X_Forwarded_For=FORWARDED)
    assert wait_until(lambda: server.lines("/plain"))
    return server.lines("/plain")


@pytest.mark.parametrize("name", [name for name in SERVERS if name != "waitress"])  # which writes no access lines
def test_access_line_tells_less(name, start):
    """Of where a visitor was, the first 24 bits; of what was asked for, the path."""
    server = start(name, policy={"logs": {"ip": "truncate", "query": False}})
    lines = lines_of(server)
    assert not any("secret" in one or "127.0.0.1" in one or FORWARDED in one for one in lines)
    # uvicorn believes a proxy on the same machine whom it serves
    assert any("127.0.0.0" in one or "203.0.113.0" in one for one in lines)


def test_access_line_with_headers(start):
    """Whatever a format asks for."""
    server = start(WITH_HEADERS, policy={"logs": {"ip": "none", "query": False}})
    for line in lines_of(server):
        assert "127.0.0" not in line and "203.0.113" not in line and "secret" not in line
