"""Tests of requests whose contexts meet: what is muted stays muted, what is not is written, whoever started whom.

A server may begin one request in the context that another left behind, an app may begin one within another, and a
thread may go on when its request is over.
"""

from __future__ import annotations

import contextlib

import pytest

from servers.harness import SERVERS, Connection, ask, request_head
from servers.records import QUIET_SERVERS, STAGES, access_lines, expect_written, new_token, records

UVICORNS = ["uvicorn-h11", "uvicorn-httptools", "gunicorn-uvicorn"]
ACCESS_LINE_AT_END = ("gunicorn-asgi", "gunicorn-sync", "gunicorn-gthread")


@contextlib.contextmanager
def behind_one_that_works_on(server, gate, first, second, how):
    """Send two requests over one connection; the app is still at work on the first when the second has its answer.

    uvicorn begins the second in the context of the first when both came at once, and for the rest of a connection on
    which a long body made it stop reading.
    """
    tokens = new_token(), new_token()
    body = b"x" * 200_000 if how == "after a long body" else b""
    heads = [
        request_head("POST", f"{first}?token={tokens[0]}", [("X-Token", tokens[0]), ("Content-Length", len(body))]),
        request_head("POST", f"{second}?token={tokens[1]}", [("X-Token", tokens[1]), ("Connection", "close")]),
    ]
    with Connection(server.port) as connection:
        if body:
            connection.socket.sendall(heads[0] + body)
            connection.read_until(b"plain")
            connection.socket.sendall(heads[1])
        else:
            connection.socket.sendall(heads[0] + heads[1])
        assert b" 500 " in connection.read_all()
        gate.arrived(f"background:{tokens[0]}")
        yield tokens
        gate.open(f"background:{tokens[0]}")


HOW = pytest.mark.parametrize("how", ["at once", "after a long body"])


@HOW
@pytest.mark.parametrize("name", UVICORNS)
def test_ordinary_failure_behind_a_quiet_request_is_written(name, how, servers, gate):
    """Its traceback and its access line, although a quiet request began before it and goes on."""
    server = servers(name)
    with behind_one_that_works_on(server, gate, "/quiet/background", "/raise-before", how) as (_, token):
        expect_written(server, {f"RuntimeError: before {token}": 1} | access_lines([token]))


@HOW
@pytest.mark.parametrize("name", UVICORNS)
def test_failure_of_a_childs_submission_behind_an_ordinary_request_is_not_written(name, how, servers, gate):
    """Neither its traceback nor its access line, although an ordinary request began before it and goes on."""
    server = servers(name)
    with behind_one_that_works_on(server, gate, "/background", "/join-and-raise", how) as (first, token):
        after = new_token()
        ask(server, "GET", f"/page?token={after}", X_Token=after)
        expect_written(server, records([after]) | access_lines([after]))
    expect_written(server, access_lines([first]))  # which waits until it is known not to be a child's
    assert server.lines(token) == []


@pytest.mark.parametrize("name", QUIET_SERVERS)
def test_flagged_request_that_asks_a_guarded_app_within_stays_silent(name, servers):
    """A request within a request, in the middle of a streaming answer, is not the end of the outer one's silence."""
    server, token, after = servers(name), new_token(), new_token()
    answer = ask(server, "POST", f"/join-and-ask-within?token={token}", X_Token=token)
    assert (answer.status, answer.body) == (200, b"[1][2]")
    ask(server, "GET", f"/page?token={after}", X_Token=after)
    expect_written(server, records([after]) | access_lines([after]))
    assert server.lines(f"between:{token}") == []
    if name in ACCESS_LINE_AT_END:
        assert server.lines(token) == []


@pytest.mark.parametrize("name", QUIET_SERVERS)
def test_unguarded_part_of_a_site_keeps_its_lines(name, start):
    """What privguard does not guard it does not mute, although the only worker has just served a quiet request."""
    server = start([word for word in SERVERS[name] if word not in ("--workers", "2")])
    tokens = [new_token() for _ in range(3)]
    for token in tokens:
        ask(server, "GET", "/favicon.ico", X_Token="canary")
        ask(server, "GET", f"/unguarded?token={token}", X_Token=token)
    expect_written(server, records(tokens) | access_lines(tokens))
    assert server.lines("canary") == []


@pytest.mark.parametrize("page", ["/favicon.ico", "/join"])
@pytest.mark.parametrize("name", QUIET_SERVERS)
def test_job_that_a_quiet_request_began_stays_quiet(name, page, servers, gate):
    """A thread that copied the context is the request's, even when the answer has left."""
    server, token = servers(name), new_token()
    ask(server, "GET", page, X_Token=token, X_Late="1")
    gate.open(f"late:{token}")
    gate.arrived(f"late-said:{token}")
    assert server.lines(f"late:{token}") == []


@pytest.mark.parametrize("name", QUIET_SERVERS)
def test_job_that_an_ordinary_request_began_is_heard(name, servers, gate):
    """And the same job of any other page is logged."""
    server, token = servers(name), new_token()
    ask(server, "GET", "/page", X_Token=token, X_Late="1")
    gate.open(f"late:{token}")
    expect_written(server, records([token], [*STAGES, "late"]))
