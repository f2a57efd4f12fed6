"""Tests of what is written past the log: standard output, standard error, wsgi.errors."""

from __future__ import annotations

import contextvars
import io
import sys

import pytest

import privguard
from privguard import Policy, _context
from privguard._exchange import Exchange
from privguard._streams import GuardedStream, guard_standard_streams, guarded_stream
from privguard.wsgi import PrivacyMiddleware


def in_request(function, path="/join", *, is_submission=True, end=True):
    exchange = Exchange(Policy(), path)

    def inside():
        _context.enter(exchange)
        if is_submission:
            exchange.take_in(b"q=x", lambda name: [])
        function(exchange)

    contextvars.copy_context().run(inside)
    if end:
        exchange.end()
    return exchange


def test_outside_of_requests_all_is_written():
    """And so it is in an ordinary request, at once."""
    plain = io.StringIO()
    stream = guarded_stream(plain)
    assert stream.write("a") == 1
    in_request(lambda exchange: stream.write("b"), is_submission=False, end=False)
    assert plain.getvalue() == "ab"
    assert guarded_stream(stream) is stream


def test_submission_prints_when_it_has_ended():
    """In its order; nothing, where it was a child's."""
    plain = io.StringIO()
    stream = guarded_stream(plain)

    def work(exchange):
        assert stream.write("one ") == 4
        stream.writelines(["two ", "three"])
        assert plain.getvalue() == ""

    in_request(work)
    assert plain.getvalue() == "one two three"

    def work_for_a_child(exchange):
        stream.write("name is Kim")
        privguard.flag_child()
        assert stream.write("name is Kim") == 11

    in_request(work_for_a_child)
    assert plain.getvalue() == "one two three"


@pytest.mark.parametrize("path", ["/favicon.ico", "/join", "/"])
def test_server_goes_on_after_a_quiet_request(path):
    """It writes of others in the context that the request left, and not of the request."""
    plain = io.StringIO()
    stream = guarded_stream(plain)

    def work(exchange):
        exchange.flag_child()
        exchange.end()
        _context.leave(exchange, None)
        stream.write(f'127.0.0.1 "POST {path} HTTP/1.1" 200\n')
        stream.write("Worker exiting\n")

    in_request(work, path)
    assert plain.getvalue() == "Worker exiting\n"


def test_bytes_below_a_stream_are_guarded():
    """Of both kinds."""
    plain = io.TextIOWrapper(io.BytesIO(), "utf-8")
    stream = guarded_stream(plain)

    def work(exchange):
        privguard.flag_child()
        stream.buffer.write(b"name is Kim")
        exchange.end()
        _context.leave(exchange, None)
        stream.buffer.write(b"GET /join HTTP/1.1")
        stream.buffer.write(b"x")

    in_request(work)
    stream.flush()
    assert plain.buffer.getvalue() == b"x"


def test_all_else_is_the_streams_own():
    """Code that asks a stream for its encoding, or sets something on it, finds what it found before."""
    plain = io.StringIO("a\nb\n")
    stream = GuardedStream(plain)
    assert (stream.readable(), stream.closed, list(stream)) == (True, False, ["a\n", "b\n"])
    assert "StringIO" in repr(stream)
    stream.mark = 1
    assert plain.mark == 1
    with stream as same:
        assert same is stream
    assert plain.closed
    with pytest.raises(AttributeError):
        stream.no_such_thing  # noqa: B018


def test_standard_streams_are_guarded_once(monkeypatch):
    """A process without a terminal has none."""
    plain = io.StringIO()
    monkeypatch.setattr(sys, "stdout", plain)
    monkeypatch.setattr(sys, "stderr", None)
    guard_standard_streams()
    guard_standard_streams()
    assert sys.stdout._stream is plain and sys.stderr is None
    in_request(lambda exchange: (exchange.flag_child(), print("name is Kim")))
    print("x")
    assert plain.getvalue() == "x\n"


@pytest.mark.parametrize("query", ["", "age=9", "age=30"])
def test_errors_of_wsgi(query):
    """Apps and servers write to that stream past every log."""
    errors = io.StringIO()

    def app(environ, start_response):
        environ["wsgi.errors"].write(f"name is Kim, query {environ['QUERY_STRING']}")
        start_response("200 OK", [])
        return [b"x"]

    environ = {"PATH_INFO": "/join", "QUERY_STRING": query, "REQUEST_METHOD": "GET", "wsgi.errors": errors}
    body = PrivacyMiddleware(app, {"children": {"action": "mute"}})(environ, lambda *given: None)
    list(body)
    if hasattr(body, "close"):
        body.close()
    assert errors.getvalue() == ("" if query == "age=9" else f"name is Kim, query {query}")


def test_what_waited_is_flushed_when_it_is_written():
    """Whoever wrote it has flushed long before: some streams end with their request."""
    below = io.BytesIO()
    stream = guarded_stream(io.TextIOWrapper(io.BufferedWriter(below)))
    in_request(lambda exchange: (stream.write("one"), stream.flush()))
    assert below.getvalue() == b"one"


def test_stream_that_was_closed_meanwhile_keeps_back_nothing_else():
    """Nor does its error reach the server; a stream that cannot be flushed is written to."""
    closed, plain = io.StringIO(), io.StringIO()
    only_writes = type("OnlyWrites", (), {"write": plain.write})()
    first, second = GuardedStream(closed), GuardedStream(only_writes)

    def work(exchange):
        first.write("one")
        second.write("two")
        closed.close()

    in_request(work)
    assert plain.getvalue() == "two"
