"""Tests of what waits while a submission may still be a child's, and of what nobody gets to read."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import subprocess
import sys
import threading
import warnings

import pytest

import privguard
from privguard import OutsideRequestError, Policy, _context, _silence
from privguard._exchange import Exchange
from privguard.asgi import PrivacyMiddleware as AsgiMiddleware
from privguard.wsgi import PrivacyMiddleware as WsgiMiddleware

log = logging.getLogger("site")


def none(name):
    return []


@pytest.fixture
def in_submission(caplog):
    """Run a function in the middle of a submission with these settings; return the exchange, which has ended."""
    _silence.install()

    def run(function, settings=None, *, end=True):
        exchange = Exchange(Policy(settings), "/join")

        def inside():
            _context.enter(exchange)
            exchange.take_in(b"q=x", none)
            function()

        contextvars.copy_context().run(inside)
        if end:
            exchange.end()
        return exchange

    return run


def messages(caplog):
    return [record.getMessage() for record in caplog.records]


def test_records_of_a_submission_wait_for_its_end(in_submission, caplog):
    """Then they are written in their order, with the moment at which they were made."""

    def work():
        log.warning("first")
        log.error("second")
        assert caplog.records == []

    in_submission(work)
    assert messages(caplog) == ["first", "second"]
    first, second = caplog.records
    assert first.created <= second.created


def test_records_before_the_flag_are_dropped_with_it(in_submission, caplog):
    """Whoever knows in the middle of a request that it is a child's has not told the log of it before."""

    def work():
        log.error("name is Kim")
        privguard.flag_child()
        log.error("name is Kim, still")

    assert in_submission(work).muted
    assert caplog.records == []


def test_errors_need_not_wait(in_submission, caplog):
    """An owner who wants them at once may say so; the rest waits all the same."""

    def work():
        log.warning("later")
        log.error("at once")
        assert messages(caplog) == ["at once"]

    in_submission(work, {"logs": {"errors_at_once": True}})
    assert messages(caplog) == ["at once", "later"]


def test_line_of_privguard_does_not_wait(in_submission, caplog):
    """It holds nothing of a visitor's."""

    def work():
        logging.getLogger("privguard").warning("type this")
        assert messages(caplog) == ["type this"]

    in_submission(work)


def test_record_says_what_it_said(in_submission, caplog):
    """Objects in its message may change before it is written."""
    names, told = ["Ann"], {"name": "Ann"}

    class Row:
        is_there = True

        def __repr__(self):
            assert self.is_there
            return "<Row>"

    row = Row()

    def work():
        log.warning("%s of %r", names, row)
        log.warning("%(name)s of %(all)s", {"name": "Ann", "all": names})
        log.warning(names)
        log.warning("%(name)s", told)
        log.warning("%d and %.1f", 3, 2.5)
        names.append("Kim")
        told["name"] = "Kim"
        row.is_there = False

    in_submission(work)
    assert messages(caplog) == ["['Ann'] of <Row>", "Ann of ['Ann']", "['Ann']", "Ann", "3 and 2.5"]


def test_object_that_cannot_be_shown_is_left_to_logging(in_submission, monkeypatch):
    """Its report is logging's business, as ever."""
    monkeypatch.setattr(logging, "raiseExceptions", False)

    class Broken:
        def __str__(self):
            raise KeyError

    in_submission(lambda: log.warning("%s", Broken()))


def test_what_a_submission_writes_is_bounded(in_submission, caplog, monkeypatch):
    """Of more lines than anybody waits for, the owner is told how many were lost; a child's leave none behind."""
    monkeypatch.setattr(_silence, "_MOST_WAITING", 3)

    def work():
        for number in range(5):
            log.warning("line %d", number)

    in_submission(work)
    assert messages(caplog)[:3] == ["line 0", "line 1", "line 2"]
    assert "2 log records of one request were lost" in messages(caplog)[3]
    caplog.clear()

    def work_for_a_child():
        work()
        privguard.flag_child()

    in_submission(work_for_a_child)
    assert caplog.records == []


def test_filter_that_raises_when_a_record_is_written(in_submission, caplog):
    """Loses its own line and no other, and the server is not disturbed: one line says so."""

    class Failing(logging.Filter):
        def filter(self, record):
            if record.msg == "first":
                raise RuntimeError("name is Kim")
            return True

    def work():
        log.warning("first")
        log.warning("second")

    log.addFilter(failing := Failing())
    in_submission(work)
    log.removeFilter(failing)
    assert messages(caplog)[0] == "second"
    assert messages(caplog)[1].startswith("a log handler or filter of yours raised RuntimeError, and a record")


def test_what_comes_after_the_flag_of_another_thread(in_submission, caplog):
    """Was on its way when the flag was set: it is dropped with the rest."""
    waiting = _silence.Waiting()
    waiting.drop()
    waiting.add(lambda: log.warning("name is Kim"))
    waiting.release()
    assert caplog.records == []


def test_context_of_a_record_is_the_one_it_was_made_in(in_submission, caplog):
    """A filter that reads the request's number from a context variable reads the right one."""
    number = contextvars.ContextVar("number", default=0)
    seen = []

    class Filter(logging.Filter):
        def filter(self, record):
            seen.append(number.get())
            return True

    def work():
        number.set(7)
        log.warning("x")
        number.set(8)

    caplog.handler.addFilter(added := Filter())
    in_submission(work)
    caplog.handler.removeFilter(added)
    assert seen == [7]


def test_submission_without_an_end_is_written_when_it_is_collected(in_submission, caplog):
    """A server that never closes a response loses no line."""
    in_submission(lambda: log.warning("x"), end=False)
    gc.collect()
    assert messages(caplog) == ["x"]


SCRIPT = """
import logging, sys
from privguard import Policy, _context, _silence
from privguard._exchange import Exchange
logging.basicConfig(format="%(message)s", stream=sys.stdout)
_silence.install()
kept = []
for flags in (False, True):
    exchange = Exchange(Policy(), "/join")
    kept.append(exchange)
    _context.enter(exchange)
    exchange.take_in(b"q=x", lambda name: [])
    logging.warning("flagged: %s", flags)
    if flags:
        exchange.flag_child()
"""


def test_process_that_ends_writes_what_waits():
    """Of submissions in flight, only a child's is not told."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "flagged: False\n"


def test_warnings_are_silenced_and_wait(in_submission, capsys):
    """They hold what code was given, and Python writes them past every logger."""
    shown = []
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, *more, **named: shown.append(str(message))
        _silence.install()

        def work():
            warnings.warn("of a submission", stacklevel=1)
            assert shown == []

        in_submission(work)
        assert shown == ["of a submission"]

        def work_for_a_child():
            warnings.warn("name is Kim", stacklevel=1)
            privguard.flag_child()
            warnings.warn("name is Kim", stacklevel=1)

        in_submission(work_for_a_child)
        warnings.warn("of nobody", stacklevel=1)
    assert shown == ["of a submission", "of nobody"]


def test_exception_that_nobody_can_catch_is_silenced(in_submission, monkeypatch):
    """Python tells of one in a destructor with its traceback."""
    told = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: told.append(str(unraisable.exc_value)))
    _silence.install()

    class Dying:
        def __init__(self, text):
            self.text = text

        def __del__(self):
            raise ValueError(self.text)

    def work():
        Dying("name is Kim")
        privguard.flag_child()
        Dying("name is Kim")

    in_submission(work)
    in_submission(lambda: Dying("of another") and None)
    assert told == ["of another"]


def asgi_submission(app, settings=None, query=b"q=x"):
    async def serve():
        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            pass

        scope = {"type": "http", "path": "/join", "query_string": query, "headers": [], "method": "GET"}
        await AsgiMiddleware(app, settings)(scope, receive, send)
        gc.collect()
        await asyncio.sleep(0)

    asyncio.run(serve())


async def answer(send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})


async def fail(text):
    raise ValueError(text)


TELLS_ITS_CONTEXT = sys.version_info >= (3, 12)  # before, a task does not: the docs say so


@pytest.mark.parametrize("is_childs", [True, False])
def test_task_that_nobody_awaited(caplog, is_childs):
    """asyncio tells of its exception when it is collected, whenever that is; of a child's, never."""

    async def app(scope, receive, send):
        task = asyncio.ensure_future(fail("name is Kim"))
        if is_childs:
            privguard.flag_child()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task
        await answer(send)

    asgi_submission(app)
    assert ("name is Kim" in caplog.text) is not is_childs


def test_task_of_nobody_that_is_collected_in_a_childs_request(caplog):
    """Is told of: the silence is the request's own."""

    async def serve():
        task = asyncio.ensure_future(fail("of the site"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        tasks = [task]
        del task

        async def app(scope, receive, send):
            privguard.flag_child()
            tasks.clear()
            gc.collect()
            await answer(send)

        async def send(message):
            pass

        scope = {"type": "http", "path": "/join", "query_string": b"q", "headers": [], "method": "GET"}
        await AsgiMiddleware(app)(scope, None, send)

    asyncio.run(serve())
    assert ("of the site" in caplog.text) is TELLS_ITS_CONTEXT


def test_handler_of_a_loop_is_asked_as_before():
    """Of an ordinary task; and privguard asks once, however many submissions come."""
    told = []

    async def serve():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: told.append(context["message"]))
        _silence.watch_tasks()
        ours = loop.get_exception_handler()
        _silence.watch_tasks()
        assert loop.get_exception_handler() is ours
        loop.call_exception_handler({"message": "x"})

    asyncio.run(serve())
    assert told == ["x"]
    _silence.watch_tasks()  # outside of any loop, there is nothing to watch


def test_background_tasks_and_threads_of_a_childs_request_are_silent(caplog):
    """They go on in a copy of its context, after its end, too."""
    done = threading.Event()
    threads = []

    async def app(scope, receive, send):
        async def later():
            await asyncio.sleep(0)
            log.warning("name is Kim")

        tasks.append(asyncio.ensure_future(later()))
        threads.append(threading.Thread(target=contextvars.copy_context().run, args=(in_thread,)))
        threads[0].start()
        privguard.flag_child()
        await answer(send)
        done.set()

    def in_thread():
        done.wait(10)
        log.warning("name is Kim")

    tasks: list[asyncio.Future] = []
    asgi_submission(app)
    threads[0].join()
    assert caplog.records == []


# ── on_child() ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_callbacks_are_called_when_the_flag_is_set(in_submission):
    """In their order, once; one that comes later is called at once."""
    called = []

    def work():
        privguard.on_child(lambda: called.append(1))
        privguard.on_child(lambda: called.append(2))
        assert called == []
        privguard.flag_child()
        privguard.flag_child()
        assert called == [1, 2]
        privguard.on_child(lambda: called.append(3))

    in_submission(work)
    assert called == [1, 2, 3]


def test_callbacks_are_forgotten_where_no_child_is(in_submission):
    """They hold what the app gave them."""
    called = []
    exchange = in_submission(lambda: privguard.on_child(lambda: called.append(1)))
    assert called == [] and exchange._on_child == ()


def test_callback_that_fails_keeps_none_from_being_called(in_submission, caplog):
    """What it raised is the app's to handle; the request is a child's all the same."""
    called = []

    def fail_at_once():
        raise LookupError("row")

    def work():
        privguard.on_child(fail_at_once)
        privguard.on_child(lambda: called.append(2))
        with pytest.raises(LookupError):
            privguard.flag_child()
        log.warning("name is Kim")

    in_submission(work)
    assert called == [2] and caplog.records == []


def test_callback_outside_of_a_request():
    """There is nobody to wait for."""
    with pytest.raises(OutsideRequestError, match=r"on_child\(\) was called outside a request"):
        contextvars.Context().run(privguard.on_child, list)
    with pytest.raises(OutsideRequestError):
        _context.After(Exchange(Policy(), "/")).on_child(list)


@pytest.mark.parametrize("action", ["mute", "refuse"])
def test_app_that_learns_of_the_child_by_its_callback(action):
    """With "mute", it is known before the app is called."""
    called = []

    def app(environ, start_response):
        privguard.on_child(lambda: called.append(1))
        start_response("200 OK", [("Set-Cookie", "a=b")])
        return [b"x"]

    settings = {"children": {"action": action}}
    environ = {"PATH_INFO": "/", "QUERY_STRING": "age=9", "REQUEST_METHOD": "GET"}
    WsgiMiddleware(app, settings)(environ, lambda *given: None)
    assert called == ([1] if action == "mute" else [])
