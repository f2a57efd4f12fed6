"""Tests of threads that a request starts."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import privguard
from privguard import Policy, _context, _silence, _threads
from privguard._exchange import Exchange

log = logging.getLogger("site")


@pytest.fixture
def in_request(caplog):
    """Run a function in the middle of a request, a submission by default; then end that, and return it."""
    _silence.install()

    def run(function, *, is_submission=True, then=lambda: None):
        exchange = Exchange(Policy(), "/join")

        def inside():
            _context.enter(exchange)
            if is_submission:
                exchange.take_in(b"q=x", lambda name: [])
            function()

        contextvars.copy_context().run(inside)
        then()
        exchange.end()
        return exchange

    return run


def messages(caplog):
    return [record.getMessage() for record in caplog.records]


def started(function, **named):
    thread = threading.Thread(target=function, **named)
    thread.start()
    return thread


@pytest.mark.parametrize("is_childs", [True, False])
@pytest.mark.parametrize("daemon", [True, False])
def test_thread_of_a_submission(in_request, caplog, is_childs, daemon):
    """What it writes waits with the rest; of a child's, it is dropped."""

    def work():
        started(lambda: log.warning("name is Kim"), daemon=daemon).join()
        assert caplog.records == []
        if is_childs:
            privguard.flag_child()
            started(lambda: log.warning("name is Kim"), daemon=daemon).join()

    in_request(work)
    assert messages(caplog) == ([] if is_childs else ["name is Kim"])


def test_thread_that_goes_on_after_a_childs_request(in_request, caplog):
    """It is silent still; unless it is a daemon, which may be a service that the request was the first to need."""
    go_on = threading.Event()
    threads = []

    def late(text):
        go_on.wait(10)
        log.warning(text)

    def work():
        privguard.flag_child()
        threads.append(started(late, args=("name is Kim",)))
        threads.append(started(late, args=("a service",), daemon=True))

    in_request(work)
    go_on.set()
    for thread in threads:
        thread.join()
    assert messages(caplog) == ["a service"]


def test_thread_of_an_ordinary_request_knows_of_none(in_request):
    """Nothing is carried that nobody needs."""
    seen = []
    in_request(lambda: started(lambda: seen.append(_context.current.get())).join(), is_submission=False)
    started(lambda: seen.append(_context.current.get())).join()
    assert seen == [None, None]


@pytest.mark.parametrize("is_childs", [True, False])
def test_exception_of_a_thread(in_request, monkeypatch, is_childs):
    """Python tells of it with a traceback on standard error: when the submission has turned out to be no child's."""
    told = []
    monkeypatch.setattr(threading, "excepthook", lambda args: told.append((str(args.exc_value), args.thread.name)))

    def fail():
        raise ValueError("name is Kim")

    def work():
        started(fail, name="a").join()
        assert told == []
        if is_childs:
            privguard.flag_child()
            started(fail, name="b").join()

    in_request(work)
    assert told == ([] if is_childs else [("name is Kim", "a")])


def test_exception_of_a_thread_that_outlives_its_submission(in_request, monkeypatch):
    """By then it is known that there was no child."""
    told = []
    monkeypatch.setattr(threading, "excepthook", lambda args: told.append(str(args.exc_value)))
    go_on = threading.Event()
    threads = []

    def fail():
        go_on.wait(10)
        raise ValueError("late")

    in_request(lambda: threads.append(started(fail)))
    go_on.set()
    threads[0].join()
    assert told == ["late"]


@pytest.mark.parametrize("is_childs", [True, False])
def test_work_in_a_pool(in_request, caplog, is_childs):
    """A pool's threads serve other requests, too: they keep nothing of this one."""
    with ThreadPoolExecutor(1) as pool:

        def work():
            pool.submit(log.warning, "name is %s", "Kim").result()
            if is_childs:
                privguard.flag_child()
                pool.submit(log.warning, "name is Kim").result()

        in_request(work, then=lambda: pool.submit(log.warning, "of another").result())
    assert messages(caplog) == ["of another"] + ([] if is_childs else ["name is Kim"])


def test_subclass_of_thread_and_its_wrappers(in_request, caplog):
    """Other libraries replace run(), and may pass the thread itself."""

    class Mine(threading.Thread):
        def run(self):
            log.warning("name is Kim")

    def work():
        thread = Mine()
        run = thread.run
        thread.run = lambda *given: run(*given)
        privguard.flag_child()
        thread.start()
        thread.join()

    in_request(work)
    assert caplog.records == []


def test_wrapper_around_ours_that_passes_the_thread(in_request, caplog):
    """Sentry's does."""
    ran = []

    def work():
        thread = threading.Thread(target=ran.append, args=[1])
        privguard.flag_child()
        _threads._carry(thread, _context.current.get())
        run = thread.run
        thread.run = lambda: run(thread)
        threading.Thread.start.__wrapped__(thread)
        thread.join()
        assert ran == [1]

    in_request(work)
    assert caplog.records == []


def test_timer(in_request, caplog):
    """It is a thread as well."""

    def work():
        privguard.flag_child()
        timer = threading.Timer(0.01, log.warning, ["name is Kim"])
        timer.start()
        timer.join()

    in_request(work)
    assert caplog.records == []
    time.sleep(0)
