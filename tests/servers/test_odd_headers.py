"""Tests that no header list, however odd, becomes a second Set-Cookie or a traceback on a real server's wire."""

from __future__ import annotations

import pytest

from servers.apps.odd_headers import CASES
from servers.harness import ASGI, SERVERS, Connection, ask, parse

HANDSHAKE = [
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
]


def cookie_lines(raw):
    """The Set-Cookie lines in a response's head, for the most lenient of readers: any CR or LF ends a line."""
    head = raw.partition(b"\r\n\r\n")[0].replace(b"\r", b"\n")
    lines = [line for line in head.split(b"\n") if line.partition(b":")[0].strip().lower() == b"set-cookie"]
    return [line.partition(b":")[2].strip() for line in lines]


def assert_harmless(raw):
    assert b"Max-Age" not in raw and b"max-age" not in raw
    assert len(cookie_lines(raw)) <= 1
    assert b"Traceback" not in raw and b".py" not in raw
    head = raw.partition(b"\r\n\r\n")[0]
    assert b"\0" not in head and b"\n" not in head.replace(b"\r\n", b"") and b"\r" not in head.replace(b"\r\n", b"")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", SERVERS)
def test_odd_headers_of_a_page(name, case, servers):
    """The page arrives, without what nobody could send."""
    answer = ask(servers(name), "GET", "/odd", X_Case=case)
    assert (answer.status, answer.body) == (200, b"plain")
    assert answer.every("content-security-policy")
    assert_harmless(answer.raw)


# A handshake whose headers are None no server completes, with privguard or without.
@pytest.mark.parametrize("case", [case for case in CASES if case != "none"])
@pytest.mark.parametrize("name", ASGI)
def test_odd_headers_of_a_handshake(name, case, servers):
    """A websocket is opened, without what nobody could send."""
    with Connection(servers(name).port) as connection:
        connection.send("GET", "/odd", [*HANDSHAKE, ("X-Case", case)])
        head = connection.read_until(b"\r\n\r\n")
    assert parse(head).status == 101
    assert_harmless(head)
