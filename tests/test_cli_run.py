"""Tests of ``privguard run``: somebody's app, served behind privguard as it is."""

from __future__ import annotations

import functools
import logging
import signal
import socket
import sys
import threading
import types

import fastapi
import flask
import pytest
import starlette.applications
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler

import privguard.asgi
import privguard.wsgi
from cli_process import get, serving
from cli_process import privguard as run_privguard
from privguard._interface import interface_of
from privguard.cli import main

SHOP = """\
HEADERS = [
    ("Content-Type", "text/html"),
    ("Content-Length", "6"),
    ("Set-Cookie", "visitor=1; Max-Age=31536000"),
]

def web(environ, start_response):
    start_response("200 OK", HEADERS)
    return [b"a page"]

async def live(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"a page"})

async def stillborn(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})

def make_web():
    return web

def either(*arguments): ...
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with an app in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "street_stall.py").write_text(SHOP)
    (tmp_path / "privguard.toml").write_text('demo_paths = ["/demo/"]')
    yield tmp_path
    sys.modules.pop("street_stall", None)


@pytest.fixture
def logging_given_back():
    """uvicorn configures its loggers; other tests find them as they were."""
    loggers = [logging.getLogger(name) for name in ("uvicorn", "uvicorn.access", "uvicorn.error", "uvicorn.asgi")]
    before = [(one, one.handlers[:], one.level, one.propagate) for one in loggers]
    yield
    for one, handlers, level, propagate in before:
        one.handlers[:], one.propagate = handlers, propagate
        one.setLevel(level)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


# ── ASGI or WSGI ─────────────────────────────────────────────────────────────────────────────────────────────────────


class AsyncCall:
    async def __call__(self, scope, receive, send): ...


class PlainCall:
    def __call__(self, environ, start_response): ...


class PerRequest:
    """PEP 3333 allows a class: its constructor is the call."""

    def __init__(self, environ, start_response): ...


async def coroutine(scope, receive, send): ...


def returns_awaitable(scope, receive, send):
    return coroutine(scope, receive, send)


def with_option(environ, start_response, *, debug=False): ...


def with_default(environ, start_response, extra=None): ...


def anything(*args, **kwargs): ...


def one_argument(scope): ...


APPS = [
    (flask.Flask("x"), "wsgi"),
    (flask.Flask("x").wsgi_app, "wsgi"),
    (WSGIHandler.__new__(WSGIHandler), "wsgi"),
    (ASGIHandler.__new__(ASGIHandler), "asgi"),
    (fastapi.FastAPI(), "asgi"),
    (starlette.applications.Starlette(), "asgi"),
    (privguard.wsgi.PrivacyMiddleware(PlainCall()), "wsgi"),
    (privguard.asgi.PrivacyMiddleware(AsyncCall()), "asgi"),
    (AsyncCall(), "asgi"),
    (PlainCall(), "wsgi"),
    (PerRequest, "wsgi"),
    (coroutine, "asgi"),
    (functools.partial(coroutine), "asgi"),
    (functools.partial(with_default, extra=1), "wsgi"),
    (returns_awaitable, "asgi"),
    (with_option, "wsgi"),
    (with_default, "wsgi"),
    (anything, None),
    (one_argument, None),
    (AsyncCall, None),
    (dict.fromkeys, None),
    (type, None),
    ("no app", None),
]


@pytest.mark.parametrize(("app", "kind"), APPS, ids=lambda value: getattr(value, "__name__", type(value).__name__))
def test_kind_of_an_app(app, kind):
    """The apps of each framework are served as what they are; what may be either is not guessed at."""
    assert interface_of(app) == kind


def test_app_that_may_be_either(capsys, folder):
    """Where the signature does not tell, the line says which two commands there are."""
    assert main(["run", "street_stall:either"]) == 2
    line = capsys.readouterr().err
    assert "type: privguard run street_stall:either --asgi (" in line
    assert "or privguard run street_stall:either --wsgi (" in line


@pytest.mark.parametrize(("name", "server"), [("web", "waitress"), ("live", "uvicorn")])
def test_server_that_is_not_installed(capsys, folder, monkeypatch, name, server):
    """Without the extra, one line says how to get it."""
    monkeypatch.setitem(sys.modules, server, None)
    assert main(["run", f"street_stall:{name}"]) == 1
    assert capsys.readouterr().err == f"privguard: {server} is not installed; type: pip install 'privguard[run]'\n"


def test_settings_with_a_mistake(capsys, folder):
    """Nothing is served under settings that are wrong."""
    (folder / "privguard.toml").write_text('demo_pahts = ["/demo/"]')
    assert main(["run", "street_stall:web", "--settings", "privguard.toml"]) == 2
    assert 'privguard.toml: PRIVGUARD["demo_pahts"]: no such key; did you mean "demo_paths"?' in capsys.readouterr().err


# ── serving ──────────────────────────────────────────────────────────────────────────────────────────────────────────

SERVED = [
    (["street_stall:web"], "WSGI"),
    (["street_stall:live"], "ASGI"),
    (["street_stall:make_web()", "--wsgi"], "WSGI"),
    (["street_stall:live", "--asgi"], "ASGI"),
]


@pytest.mark.parametrize(("arguments", "kind"), SERVED, ids=lambda value: "".join(value))
def test_app_is_served_guarded(folder, arguments, kind):
    """The app keeps the policy without a change to its code, until Ctrl-C, which ends it well."""
    port = free_port()
    with serving("run", *arguments, "--settings", "privguard.toml", "--port", str(port), cwd=folder) as server:
        server.read_until(f"privguard guards {arguments[0]} ({kind}) on http://127.0.0.1:{port}/  Ctrl-C stops it.\n")
        status, headers, body = get(port, "/")
        demo = dict(get(port, "/demo/")[1])
        get(port, "/favicon.ico")
        code = server.stop()
    names = {name.lower() for name, _ in headers}
    assert (status, body) == (200, b"a page")
    assert "content-security-policy" in names and "set-cookie" not in names
    assert "visitor=1; Max-Age=31536000" in demo.values()
    assert code == 0
    assert server.said.endswith("Stopped.\n")
    assert "Traceback" not in server.errors
    if kind == "ASGI":
        assert "GET /demo/ HTTP/" in server.said
    assert "favicon" not in server.said + server.errors


@pytest.mark.parametrize("name", ["web", "live"])
def test_served_app_is_stopped_by_sigterm(folder, name):
    """A container that is stopped ends well too."""
    port = free_port()
    with serving("run", f"street_stall:{name}", "--port", str(port), cwd=folder) as server:
        get(port)
        assert server.stop(signal.SIGTERM) == 0
    assert server.said.endswith("Stopped.\n")
    assert "Traceback" not in server.errors


def test_app_that_does_not_start(folder):
    """An app that gives up at its start ends the command, with a line behind its own words."""
    ended = run_privguard("run", "street_stall:stillborn", "--port", "0", cwd=folder)
    assert ended.returncode == 1
    assert "no database" in ended.stderr
    assert ended.stderr.endswith("mend that, and type the same again\n")
    assert "Traceback" not in ended.stderr
    assert "Stopped" not in ended.stdout


def test_any_free_port(folder):
    """Port 0 takes what is free, and the line says which."""
    with serving("run", "street_stall:web", "--port", "0", cwd=folder) as server:
        line = server.read_until("Ctrl-C")
        port = int(line.split("127.0.0.1:")[1].split("/")[0])
        assert get(port)[0] == 200


@pytest.mark.parametrize("name", ["web", "live"])
def test_app_is_served_in_this_process(capsys, folder, logging_given_back, name):
    """What a process of its own does, this one does."""
    port = free_port()
    answers = []

    def visit_and_stop():
        try:
            answers.append(get(port)[0])
        finally:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    visitor = threading.Thread(target=visit_and_stop)
    visitor.start()
    assert main(["run", f"street_stall:{name}", "--port", str(port)]) == 0
    visitor.join()
    assert answers == [200]
    assert "Stopped." in capsys.readouterr().out


def test_app_that_does_not_start_in_this_process(capsys, folder, logging_given_back):
    """What a process of its own does, this one does."""
    assert main(["run", "street_stall:stillborn", "--port", "0"]) == 1
    assert "the app did not start" in capsys.readouterr().err


@pytest.mark.parametrize(("has_started", "code"), [(False, 1), (True, 0)])
def test_uvicorn_that_returns(capsys, folder, monkeypatch, has_started, code):
    """Older versions of uvicorn return when the app does not start, where newer ones exit."""

    class Server:
        started = has_started

        def __init__(self, config): ...

        def run(self, sockets): ...

    uvicorn = types.SimpleNamespace(Server=Server, Config=lambda app, interface: None)
    monkeypatch.setitem(sys.modules, "uvicorn", uvicorn)
    assert main(["run", "street_stall:live", "--port", "0"]) == code
    assert ("did not start" in capsys.readouterr().err) != has_started
