"""Tests of what single servers need to be silent, with stand-ins for them; tests/servers has the servers themselves."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
import types

import pytest

from privguard import _context, _servers
from privguard._access_lines import REDUCTION
from privguard._exchange import Exchange
from privguard._policy import Policy
from privguard._servers import _daphne, _gevent, _hypercorn, _uwsgi
from privguard.asgi import PrivacyMiddleware as AsgiMiddleware
from privguard.wsgi import PrivacyMiddleware as WsgiMiddleware


def exchange(path="/"):
    return Exchange(Policy.of(None), path)


def within(one, function, *arguments):
    """Call *function* in a context in which *one* is the exchange in progress."""
    context = contextvars.copy_context()
    context.run(_context.current.set, one)
    return context.run(function, *arguments)


def waiting():
    """Return an exchange whose submission is not judged yet."""
    one = exchange()
    one.take_in(b"a=1", lambda name: [])
    return one


def test_each_server_is_looked_for_when_the_guard_is_made_and_when_it_first_serves(monkeypatch):
    """Either may be loaded before the other; later requests look for nothing."""
    seen = []
    monkeypatch.setitem(sys.modules, "uwsgi", types.ModuleType("uwsgi"))
    monkeypatch.setattr(_servers, "_HOOKS", {"uwsgi": seen.append, "no.such.server": seen.append})

    def app(environ, start_response):
        start_response("200 OK", [])
        return []

    guarded = WsgiMiddleware(app)
    assert len(seen) == 1
    for count in (2, 2):
        guarded({"PATH_INFO": "/", "REQUEST_METHOD": "GET"}, lambda *start: None)
        assert len(seen) == count

    async def asgi_app(scope, receive, send):
        pass

    guarded = AsgiMiddleware(asgi_app)
    for count in (4, 4):
        asyncio.run(guarded({"type": "http", "path": "/", "headers": []}, None, None))
        assert len(seen) == count


# ── daphne and gevent ────────────────────────────────────────────────────────────────────────────────────────────────


def daphne():
    class AccessLogGenerator:
        def __init__(self):
            self.written = []

        def write_entry(self, host, request, status=None):
            self.written.append(request)

    module = types.SimpleNamespace(AccessLogGenerator=AccessLogGenerator)
    _daphne.ask_before_access_lines(module)
    _daphne.ask_before_access_lines(module)
    return AccessLogGenerator()


def test_daphnes_access_line_is_that_of_the_request_in_progress():
    """Not written of a favicon, at the end of a submission, and at once of any other, in or out of a request."""
    log, submission = daphne(), waiting()
    within(exchange("/favicon.ico"), log.write_entry, "host", "GET /favicon.ico")
    within(submission, log.write_entry, "host", "POST /")
    within(exchange(), log.write_entry, "host", "GET /")
    log.write_entry("host", "GET /unguarded")
    assert log.written == ["GET /", "GET /unguarded"]
    submission.end()
    assert log.written[2:] == ["POST /"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Task.get_context() is new in Python 3.12")
def test_daphne_does_not_name_the_favicon_that_it_had_to_end_by_force(caplog):
    """It warns from a timer of its own; and goes on to warn of all others."""
    logger = logging.getLogger("daphne.test")
    module = types.SimpleNamespace(logger=logger)
    _daphne.ask_before_warnings(module)
    _daphne.ask_before_warnings(module)
    assert len(logger.filters) == 1

    async def main():
        async def app(path):
            _context.current.set(exchange(path))

        for path in ("/favicon.ico", "/page"):
            task = asyncio.create_task(app(path))
            await task
            logger.warning("%r of %s took too long", task, path)
        logger.warning("nothing else")

    asyncio.run(main())
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert "/page" in said[0]


def test_gevents_line_of_an_ended_request_is_written_only_when_it_is_another_ones():
    """It writes when the request has ended, in the same greenlet, which may go on to what is not guarded."""
    written = []

    class WSGIHandler:
        def log_request(self):
            written.append(self.format_request())

        def format_request(self):
            return "192.0.2.7 line"

    _gevent.ask_before_access_lines(types.SimpleNamespace(WSGIHandler=WSGIHandler))
    handler = WSGIHandler()
    after = _context.After(exchange("/favicon.ico"))
    within(after, handler.log_request)
    assert written == []
    within(after, handler.log_request)
    assert written == ["192.0.2.7 line"]
    REDUCTION.add("truncate", has_queries=True)
    assert handler.format_request() == "192.0.2.0 line"
    REDUCTION.reset()


# ── Hypercorn ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Hypercorn:
    """As much of Hypercorn as its hooks touch; *app* is told its scope."""

    def __init__(self, app):
        written = self.written = []

        class Wrapper:
            async def __call__(self, scope, *more):
                await app(scope)

        class Logger:
            async def access(self, request, response, request_time):
                one = _context.current.get()
                if one is None or not one.muted:
                    written.append(request["path"])

        self.modules = types.SimpleNamespace(
            ASGIWrapper=type("ASGIWrapper", (Wrapper,), {"__call__": Wrapper.__call__}),
            WSGIWrapper=type("WSGIWrapper", (Wrapper,), {"__call__": Wrapper.__call__}),
            _build_environ=lambda scope, body: {"PATH_INFO": scope["path"]},
            Logger=Logger,
        )
        _hypercorn.give_lines(self.modules)
        _hypercorn.ask_before_access_lines(self.modules)
        self.call = self.modules.ASGIWrapper().__call__
        self.access = Logger().access


@pytest.mark.parametrize(("path", "lines"), [("/favicon.ico", []), ("/page", ["/page"])])
def test_hypercorn_finds_the_request_of_a_wsgi_app_by_its_scope(path, lines):
    """The line is written by a task that never was in the request's context."""

    async def app(scope):
        _servers.begin(server.modules._build_environ(scope, b""), exchange(path))

    server, scope = Hypercorn(app), {"path": path}

    async def main():
        await server.call(scope)
        await server.access(scope, {"status": 200}, 0.1)

    asyncio.run(main())
    assert server.written == lines


def test_hypercorn_says_nothing_of_a_muted_answer_that_it_cannot_end(caplog):
    """It would, from the task in which it had called the app."""

    async def app(scope):
        _servers.begin(scope, exchange(scope["path"]))
        raise ValueError("too little data")

    async def main(path):
        try:
            await Hypercorn(app).call({"path": path})
        except ValueError as error:
            logging.getLogger("hypercorn.error").error("%s: %s", path, error)

    for path in ("/favicon.ico", "/page"):
        asyncio.run(main(path))
    assert [record.getMessage() for record in caplog.records] == ["/page: too little data"]


@pytest.mark.parametrize("is_muted", [True, False])
def test_line_of_a_visitor_who_left_hypercorn_waits_until_it_is_known_whose_it_is(is_muted):
    """They may leave before the app was called, and while a submission is not judged."""

    async def app(scope):
        for _ in range(3):
            await asyncio.sleep(0)
        one = waiting()
        _servers.begin(scope, one)
        await asyncio.sleep(0)
        if is_muted:
            one.flag_child()
        one.end()

    server, scope = Hypercorn(app), {"path": "/page"}

    async def main():
        async with asyncio.TaskGroup() as group:
            group.create_task(server.call(scope))
            await server.access(scope, None, 0.1)
            assert server.written == []
            await asyncio.sleep(0)

    asyncio.run(main())
    assert server.written == ([] if is_muted else ["/page"])


def test_hypercorn_writes_what_no_app_was_called_for():
    """A request that is turned away has no line of its own."""

    async def app(scope):
        raise AssertionError

    server = Hypercorn(app)
    asyncio.run(server.access({"path": "/early"}, None, 0.1))
    assert server.written == ["/early"]


def test_hypercorn_lets_trios_tasks_begin(monkeypatch):
    """As it lets asyncio's."""
    trio = pytest.importorskip("trio")
    monkeypatch.setitem(sys.modules, "hypercorn.trio.run", types.ModuleType("hypercorn.trio.run"))
    begun = []

    async def other():
        begun.append(True)

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
            await _hypercorn._let_others_run()
            assert begun == [True]

    trio.run(main)


# ── uWSGI ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_uwsgi_is_asked_for_the_line_of_each_request_that_is_not_muted(monkeypatch):
    """And of no other: with disable-logging, it writes what it is asked for."""
    asked = []
    monkeypatch.setattr(_uwsgi, "_log_this_request", None)
    exchange().end()
    module = types.ModuleType("uwsgi")
    module.log_this_request = lambda: asked.append(True)
    _uwsgi.log_by_request(module)
    exchange("/favicon.ico").end()
    assert asked == []
    exchange().end()
    assert asked == [True]


def test_uwsgis_process_without_a_request_is_not_disturbed(monkeypatch):
    """Mules and spoolers may call the app, too."""

    def raising():
        raise ValueError("no request")

    monkeypatch.setattr(_uwsgi, "_log_this_request", raising)
    exchange().end()
