"""Tests of what every library writes: of an ordinary visitor all, in order, once; of a child or the favicon nothing."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import pytest

import privguard
from sinks.calling import BODIES, Visitor, asgi_app, guarded, run_all, serve_asgi, serve_wsgi, visit, wsgi_app
from sinks.outputs import OUTPUTS

WAYS = ("wsgi", "asgi")
SILENT = ("child", "flagged", "quiet")


@pytest.fixture(params=OUTPUTS, ids=lambda one: one.__name__)
def output(request):
    with request.param().open() as output:
        yield output


def work_with(output):
    return lambda moment, text: output.write(f"{moment} {text}")


def has_mark(output) -> bool:
    return any("4711" in line for line in output.lines())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", ["ordinary", *SILENT])
def test_bare_site(output, way, who):
    """Without privguard each mark is there: the tests below can see it."""
    visitor = Visitor(who, "multipart")
    visit(way, visitor, work_with(output), guard=False, inside=ignoring_flags)
    text = "\n".join(output.lines())
    places = ("header", "cookie") if who == "quiet" else ("query", "header", "cookie", "body", "file")
    assert [place for place in places if visitor.marks[place] not in text] == []


def ignoring_flags(app):
    """An app that says flag_child() where no privguard is would be told so."""

    def call(*arguments):
        return app(*arguments)

    return call


@pytest.fixture(autouse=True)
def flags_that_nobody_hears(monkeypatch, request):
    """In the bare site."""
    if "bare" in request.node.name:
        monkeypatch.setattr(privguard, "flag_child", lambda: None)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("way", WAYS)
def test_ordinary_submission(output, way, body):
    """Loses nothing."""
    visit(way, Visitor("ordinary", body), work_with(output))
    assert [("first" in line, "second" in line) for line in output.lines()] == [(True, False), (False, True)]
    assert has_mark(output)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", SILENT)
def test_silent_request(output, way, who, body):
    """Leaves nothing at all."""
    visit(way, Visitor(who, body), work_with(output))
    assert output.lines() == []


def crowd() -> list[Visitor]:
    kinds = ("ordinary", "child", "ordinary", "flagged", "quiet")
    return [Visitor(kinds[number % 5], BODIES[number % 3], number) for number in range(50)]


def assert_each_once(output):
    text = "\n".join(output.lines())
    for visitor in crowd():
        wanted = 1 if visitor.who == "ordinary" else 0
        for moment in ("first", "second"):
            assert text.count(f"{moment} {visitor.marks['query']}") == wanted
    assert not any(f"-{who}-" in text for who in SILENT)
    numbers = [line for line in output.lines() if "ordinary" in line]
    assert len(numbers) == 40


def test_fifty_at_once(output):
    """Interleaved in one event loop, each has its own silence."""
    run_all(serve_asgi(guarded("asgi", asgi_app(one, work_with(output))), one) for one in crowd())
    assert_each_once(output)


def test_fifty_in_threads(output):
    """Interleaved in threads, too."""
    gate = threading.Barrier(50)

    def work_together(moment, text):
        if moment == "second":
            gate.wait(30)
        output.write(f"{moment} {text}")

    apps = [(guarded("wsgi", wsgi_app(one, work_together)), one) for one in crowd()]
    threads = [threading.Thread(target=serve_wsgi, args=served) for served in apps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_each_once(output)


@pytest.mark.parametrize("who", ["ordinary", *SILENT])
def test_tasks_and_threads_after_the_request(output, who):
    """They go on in a copy of its context: what they write is the request's."""
    visitor = Visitor(who)
    threads = []

    async def serve():
        over = asyncio.Event()

        async def later():
            await over.wait()
            output.write("task 4711")

        def work(moment, text):
            if moment == "first":
                tasks.append(asyncio.ensure_future(later()))
                context = contextvars.copy_context()
                threads.append(threading.Thread(target=context.run, args=(output.write, "thread 4711")))

        tasks = []
        app = guarded("asgi", asgi_app(visitor, work))
        await asyncio.create_task(serve_asgi(app, visitor), context=contextvars.Context())
        over.set()
        await asyncio.gather(*tasks)
        threads[0].start()
        threads[0].join()

    asyncio.run(serve())
    assert len(output.lines()) == (2 if who == "ordinary" else 0)


@pytest.mark.parametrize("who", ["ordinary", *SILENT])
def test_what_a_server_writes_after_a_request(output, who):
    """Another's lines in a thread that served a child are written."""
    visitor = Visitor(who)
    app = guarded("wsgi", wsgi_app(visitor, lambda *told: None))

    def serve_and_write():
        body = app(visitor.environ(), lambda *given: None)
        list(body)
        body.close()
        output.write("worker is leaving")

    contextvars.Context().run(serve_and_write)
    assert len(output.lines()) == 1


def test_server_that_never_closes(output):
    """Of an undecided submission, nothing is lost: it is written when the response is collected."""
    import gc

    visitor = Visitor("ordinary")
    app = guarded("wsgi", wsgi_app(visitor, work_with(output)))
    contextvars.Context().run(app, visitor.environ(), lambda *given: None)
    gc.collect()
    assert len(output.lines()) == 2
