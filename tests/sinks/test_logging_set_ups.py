"""Tests of logging as sites set it up: queues, memory, dictConfig afterwards, loggers that are switched off."""

from __future__ import annotations

import contextlib
import io
import logging
import logging.config
import logging.handlers
import queue

import pytest

from sinks.calling import BODIES, Visitor, asgi_app, guarded, run_all, serve_asgi, visit

NAME = "sinks.site"
log = logging.getLogger(NAME)


def stream_handler(stream):
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    return handler


@contextlib.contextmanager
def attached(handler):
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(handler)
        handler.close()
        log.setLevel(logging.NOTSET)
        log.propagate = True


@contextlib.contextmanager
def with_queue(stream):
    """A QueueHandler, whose listener writes in a thread of its own."""
    records = queue.SimpleQueue()
    listener = logging.handlers.QueueListener(records, stream_handler(stream))
    listener.start()
    with attached(logging.handlers.QueueHandler(records)):
        yield
    listener.stop()


@contextlib.contextmanager
def with_memory(stream):
    """A MemoryHandler, which keeps records until it is closed."""
    with attached(logging.handlers.MemoryHandler(100_000, logging.CRITICAL, stream_handler(stream))):
        yield


@contextlib.contextmanager
def with_dict_config(stream):
    """dictConfig when privguard is at work already."""
    guarded("wsgi", None)
    config = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"f": {"format": "%(levelname)s %(message)s"}},
        "handlers": {"h": {"class": "logging.StreamHandler", "stream": stream, "formatter": "f"}},
        "loggers": {NAME: {"handlers": ["h"], "level": "DEBUG", "propagate": False}},
    }
    logging.config.dictConfig(config)
    try:
        yield
    finally:
        logging.config.dictConfig(
            {"version": 1, "disable_existing_loggers": False, "loggers": {NAME: {"level": "NOTSET"}}}
        )
        log.handlers.clear()


SET_UPS = [with_queue, with_memory, with_dict_config]


@pytest.fixture(params=SET_UPS, ids=lambda one: one.__name__)
def set_up(request):
    return request.param


def work(moment, text):
    log.info("%s %s", moment, text.replace("\r\n", "|"))
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("failed in %s", moment)


@pytest.mark.parametrize("way", ["wsgi", "asgi"])
@pytest.mark.parametrize("body", BODIES)
def test_ordinary_submission(set_up, way, body):
    """Is written as without privguard: the same lines, in the same order."""
    texts = []
    for guard in (False, True):
        stream = io.StringIO()
        with set_up(stream):
            visit(way, Visitor("ordinary", body), work, guard=guard)
        texts.append(stream.getvalue())
    assert "query-ordinary-0-4711" in texts[0]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("way", ["wsgi", "asgi"])
@pytest.mark.parametrize("who", ["child", "flagged", "quiet"])
def test_silent_request(set_up, way, who):
    """Leaves nothing, neither at once nor when the queue is read."""
    stream = io.StringIO()
    with set_up(stream):
        visit(way, Visitor(who), work)
    assert stream.getvalue() == ""


def test_fifty_at_once(set_up):
    """Each ordinary one is there once."""
    kinds = ("ordinary", "child", "ordinary", "flagged", "quiet")
    visitors = [Visitor(kinds[number % 5], BODIES[number % 3], number) for number in range(50)]
    stream = io.StringIO()
    with set_up(stream):
        run_all(serve_asgi(guarded("asgi", asgi_app(one, work)), one) for one in visitors)
    text = stream.getvalue()
    for visitor in visitors:
        assert text.count(f"INFO first {visitor.marks['query']}") == (visitor.who == "ordinary")
    assert not any(f"-{who}-" in text for who in ("child", "flagged", "quiet"))


def test_loggers_that_are_switched_off(caplog):
    """By a dictConfig that knows nothing of them: they stay so, and come back as they were."""
    try:
        logging.config.dictConfig({"version": 1, "disable_existing_loggers": True})
        disabled = log.disabled
        visit("wsgi", Visitor("ordinary"), work)
    finally:
        for logger in logging.Logger.manager.loggerDict.values():
            if isinstance(logger, logging.Logger):
                logger.disabled = False
    assert disabled and caplog.records == []
    visit("wsgi", Visitor("child"), work)
    assert caplog.records == []
