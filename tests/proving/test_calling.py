"""Tests of the calls: an app is called as a server calls it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import secrets
import threading
import time
from datetime import date

import pytest

from privguard.proving import CannotProve
from privguard.proving import _calling as calling
from privguard.proving import _lifespan as lifespan
from privguard.proving._calling import deliver
from privguard.proving._submissions import submissions

SENT = submissions("/jo%C3%AFn", {}, choose=secrets.choice, below=secrets.randbelow, today=date(2026, 1, 1))
current: contextvars.ContextVar[int] = contextvars.ContextVar("current", default=0)


@pytest.fixture
def impatient(monkeypatch):
    """Nobody waits for long."""
    monkeypatch.setattr(calling, "PATIENCE", 0.2)
    monkeypatch.setattr(calling, "_LEAVE", 0.2)
    monkeypatch.setattr(lifespan, "_LEAVE", 0.2)


def answered(app, kind):
    return [(one.status, one.headers, one.body) for one in deliver(app, kind, "shop.example", SENT)]


# ── WSGI ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_wsgi_app_gets_the_request():
    """The path is decoded, the body can be read to its end, and the headers are there."""
    seen = []

    def app(environ, start_response):
        seen.append((environ["PATH_INFO"], environ["QUERY_STRING"], environ["HTTP_HOST"], environ["CONTENT_TYPE"]))
        assert environ["wsgi.input"].read() == SENT[len(seen) - 1].body
        assert int(environ["CONTENT_LENGTH"]) == len(SENT[len(seen) - 1].body)
        write = start_response("201 Created", [("X-A", "b")])
        write(b"be")
        return iter([b"hi", b"nd"])

    assert answered(app, "wsgi") == [(201, ((b"X-A", b"b"),), b"behind")] * 3
    assert [one[:3] for one in seen] == [("/jo\xc3\xafn", sent.query, "shop.example") for sent in SENT]


def test_wsgi_body_is_closed():
    """close() is called, also when reading the body fails."""
    closed = []

    class Body:
        def __iter__(self):
            yield b"half"
            raise OSError("no more")

        def close(self):
            closed.append(True)

    def app(environ, start_response):
        start_response("200 OK", [])
        return Body()

    assert answered(app, "wsgi") == [(500, (), b"half")] * 3
    assert closed == [True] * 3


def test_wsgi_app_that_never_starts_its_response():
    """A server answers with 500."""
    assert answered(lambda environ, start_response: [], "wsgi") == [(500, (), b"")] * 3


def test_nothing_is_handed_on_in_the_context():
    """Each request has a context of its own, and none has that of the caller."""
    current.set(7)
    seen = []

    def app(environ, start_response):
        seen.append(current.get())
        current.set(1)
        start_response("200 OK", [])
        return []

    answered(app, "wsgi")
    assert seen == [0, 0, 0]


@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
def test_app_that_fails_is_told_in_the_log(caplog, kind):
    """As servers do; the traceback begins with the app's own frames."""

    def app(environ, start_response):
        raise ValueError("no")

    async def later(scope, receive, send):
        raise ValueError("no")

    assert answered(later if kind == "asgi" else app, kind) == [(500, (), b"")] * 3
    assert [record.name for record in caplog.records] == ["privguard.proving.server"] * 3
    assert "proving/_calling.py" not in caplog.text
    assert "ValueError: no" in caplog.text


# ── ASGI ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_asgi_app_gets_the_request():
    """The scope has the path both ways; after the answer, the visitor leaves."""
    scopes, messages = [], []

    async def app(scope, receive, send):
        scopes.append(scope)
        if scope["type"] == "http":
            messages.append([await receive()])
            await send({"type": "http.response.start", "status": 201, "headers": [(b"x-a", b"b")]})
            await send({"type": "http.response.body", "body": b"be", "more_body": True})
            await send({"type": "http.response.body", "body": b"hind"})
            await send({"type": "http.response.trailers"})
            messages[-1].append(await receive())

    assert answered(app, "asgi") == [(201, ((b"x-a", b"b"),), b"behind")] * 3
    assert [one["type"] for one in scopes] == ["lifespan", "http", "http", "http"]
    assert (scopes[1]["path"], scopes[1]["raw_path"]) == ("/joïn", b"/jo%C3%AFn")
    assert (b"host", b"shop.example") in scopes[1]["headers"]
    assert [one[0]["body"] for one in messages] == [one.body for one in SENT]
    assert [one[1] for one in messages] == [{"type": "http.disconnect"}] * 3


async def answer(send):
    await send({"type": "http.response.start", "status": 204})
    await send({"type": "http.response.body"})


def test_lifespan_is_kept():
    """The app is started, its state reaches the requests, and it is stopped at the end."""
    steps = []

    async def app(scope, receive, send):
        if scope["type"] == "http":
            steps.append(scope["state"]["database"])
            await answer(send)
            return
        steps.append((await receive())["type"])
        scope["state"]["database"] = "open"
        await send({"type": "lifespan.startup.complete"})
        steps.append((await receive())["type"])
        await send({"type": "lifespan.shutdown.complete"})

    assert answered(app, "asgi") == [(204, (), b"")] * 3
    assert steps == ["lifespan.startup", "open", "open", "open", "lifespan.shutdown"]


@pytest.mark.parametrize(("message", "said"), [({"message": "no database"}, "no database"), ({}, "it gave no reason")])
def test_app_that_does_not_start(message, said):
    """Then nothing can be proved, and the line says why."""

    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", **message})

    with pytest.raises(CannotProve, match=f"the app did not start: {said}"):
        answered(app, "asgi")


def test_app_that_starts_for_ever(impatient):
    """Nobody waits for ever."""

    async def app(scope, receive, send):
        await asyncio.sleep(3600)

    with pytest.raises(CannotProve, match=r"the app did not start within 0\.2 seconds"):
        answered(app, "asgi")


def test_app_that_answers_for_ever(impatient):
    """Nor for an answer."""

    async def app(scope, receive, send):
        assert scope["type"] == "http"
        await asyncio.sleep(3600)

    with pytest.raises(CannotProve, match=r"no whole answer came within 0\.2 seconds"):
        answered(app, "asgi")


def test_app_that_never_stops(impatient):
    """Its answers count all the same."""

    async def app(scope, receive, send):
        if scope["type"] == "http":
            await answer(send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await asyncio.sleep(3600)

    assert answered(app, "asgi") == [(204, (), b"")] * 3


def test_time_that_runs_out_within_the_app():
    """An app's own TimeoutError is an error of the app."""

    async def app(scope, receive, send):
        raise TimeoutError

    assert answered(app, "asgi") == [(500, (), b"")] * 3


def test_test_that_is_a_coroutine():
    """In a thread where a loop runs already, the app gets another one."""

    async def app(scope, receive, send):
        assert scope["type"] == "http"
        await answer(send)

    async def test():
        return answered(app, "asgi")

    assert asyncio.run(test()) == [(204, (), b"")] * 3


# ── what goes on behind the answer ───────────────────────────────────────────────────────────────────────────────────


def responds(environ, start_response):
    start_response("200 OK", [])
    return []


def test_thread_is_waited_for():
    """What an app does behind the answer, it has done."""
    done = []

    def app(environ, start_response):
        threading.Timer(0.3, done.append, [True]).start()
        return responds(environ, start_response)

    answered(app, "wsgi")
    assert done == [True] * 3


def test_thread_that_does_not_end_is_left(impatient):
    """After some seconds, nobody waits any more."""
    end = threading.Event()

    def app(environ, start_response):
        threading.Thread(target=end.wait).start()
        return responds(environ, start_response)

    assert len(answered(app, "wsgi")) == 3
    end.set()


def test_pool_that_is_idle_is_not_waited_for():
    """Its threads live as long as the process."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        begun = time.monotonic()
        answered(lambda environ, start: pool.submit(responds, environ, start).result(), "wsgi")
        assert time.monotonic() - begun < calling._LEAVE


def test_tasks_are_waited_for():
    """For a task the same holds."""
    done = []

    async def app(scope, receive, send):
        assert scope["type"] == "http"

        async def later():
            await asyncio.sleep(0.05)
            done.append(True)

        scope["state"]["task"] = asyncio.create_task(later())
        await answer(send)

    answered(app, "asgi")
    assert done == [True] * 3
