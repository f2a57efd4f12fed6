"""Tests of what is seen of logs, warnings, and exceptions that nobody caught."""

from __future__ import annotations

import gc
import logging
import logging.handlers
import sys
import threading
import warnings

import pytest

from privguard.proving._logs import LogWatch

MARK = "hq7dk2m9xw4bz8rc3v"


@pytest.fixture
def logger():
    """A logger of nobody's."""
    one = logging.getLogger("proved")
    yield one
    one.handlers.clear()
    one.propagate = True
    one.setLevel(logging.NOTSET)


def places(watch: LogWatch) -> list[str]:
    return [one.place for one in watch.traces if MARK.encode() in one.content]


class Secret:
    def __str__(self):
        return "nobody"

    def __repr__(self):
        return f"<{MARK}>"


class Unshowable:
    def __repr__(self):
        raise ValueError


def test_message_and_arguments(logger):
    """A record is seen as it is written, and so are its arguments, of which a handler may show more."""
    watch = LogWatch()
    with watch.watching():
        logger.warning("born %s", MARK)
        logger.warning("by %s", Secret())
        logger.warning("without")
    assert places(watch) == ["log record of proved (WARNING)"] * 2
    assert watch.looked_through[0] == "log records that reached a handler: 3"


def test_arguments_that_do_not_fit(logger, monkeypatch):
    """Handlers write the message and its arguments then; and so it is seen."""
    monkeypatch.setattr(logging, "raiseExceptions", False)
    watch = LogWatch()
    with watch.watching():
        logger.propagate = False
        logger.addHandler(logging.handlers.BufferingHandler(10))
        logger.warning("born %d", MARK)
        logger.warning("born %s %s", Unshowable())
    assert places(watch) == ["log record of proved (WARNING)"]
    assert any(b"<tuple that cannot be shown>" in one.content for one in watch.traces)


def test_what_a_record_carries(logger):
    """What stands in extra, a formatter for machines writes."""
    watch = LogWatch()
    with watch.watching():
        logger.warning("joined", extra={"birthdate": MARK})
    assert places(watch) == ["log record of proved (WARNING): what it carries"]


def test_traceback_with_its_local_variables(logger):
    """An error report shows them, so they are seen."""
    watch = LogWatch()

    def fail(birthdate):
        raise ValueError("no")

    with watch.watching():
        try:
            fail(MARK)
        except ValueError:
            logger.exception("failed")
    assert places(watch) == ["log record of proved (ERROR): traceback with local variables"]


def test_stack_info(logger):
    """A stack that is logged is seen, and no exception is none."""
    watch = LogWatch()
    with watch.watching():
        logger.warning("here", stack_info=True, exc_info=True)
    assert any(b"test_stack_info" in one.content for one in watch.traces if one.place.endswith("traceback"))


@pytest.mark.parametrize("propagates", [True, False])
def test_record_for_several_handlers_counts_once(logger, propagates):
    """Each record is told once, also where it does not reach the root logger."""
    watch = LogWatch()
    logger.propagate = propagates
    for _ in range(3):
        logger.addHandler(logging.handlers.BufferingHandler(10))
    with watch.watching():
        logger.warning(MARK)
    assert len(places(watch)) == 1


def test_record_that_no_handler_takes(logger):
    """What a filter of the handler's stops, and what is below the level, is written nowhere."""
    watch = LogWatch()
    handler = logging.handlers.BufferingHandler(10)
    handler.addFilter(lambda record: False)
    logger.addHandler(handler)
    logger.propagate = False
    with watch.watching():
        logger.warning(MARK)
        logger.debug(MARK)
    assert places(watch) == []


def test_level_that_nobody_has_set(logger):
    """Servers and platforms set INFO; what is set already stays."""
    root = logging.getLogger()
    before = root.level
    try:
        for level, seen in ((logging.WARNING, 1), (logging.ERROR, 0), (logging.INFO, 1)):
            root.setLevel(level)
            watch = LogWatch()
            with watch.watching():
                logger.info(MARK)
            assert len(places(watch)) == seen
            assert root.level == level
    finally:
        root.setLevel(before)


def test_level_beside_a_handler_of_the_app(logger, monkeypatch):
    """WARNING, together with a handler, is a decision."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [logging.handlers.BufferingHandler(10)])
    watch = LogWatch()
    with watch.watching():
        logger.info(MARK)
    assert places(watch) == []


def test_warning_that_is_shown():
    """What the filters let pass is seen."""
    watch = LogWatch()
    with warnings.catch_warnings(record=True) as shown, watch.watching():
        warnings.simplefilter("always")
        warnings.warn(f"{MARK} is deprecated", DeprecationWarning, stacklevel=1)
        warnings.simplefilter("ignore")
        warnings.warn(f"{MARK} is ignored", DeprecationWarning, stacklevel=1)
    assert places(watch) == ["warning (DeprecationWarning)"]
    assert watch.looked_through[1] == "warnings: 1"
    assert len(shown) == 1


def test_exceptions_that_nobody_caught(monkeypatch):
    """In a thread, where nothing can be raised, and in the main thread: each is seen with its local variables."""
    called = []
    monkeypatch.setattr(sys, "excepthook", lambda *told: called.append("sys"))
    monkeypatch.setattr(sys, "unraisablehook", lambda told: called.append("unraisable"))
    monkeypatch.setattr(threading, "excepthook", lambda told: called.append("threading"))

    class Falls:
        def __del__(self):
            raise ValueError(MARK)

    def fail():
        birthdate = MARK
        raise ValueError(len(birthdate))

    watch = LogWatch()
    with watch.watching():
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        Falls()
        gc.collect()
        sys.excepthook(ValueError, ValueError(MARK), None)
        threading.excepthook(threading.ExceptHookArgs([SystemExit, None, None, None]))
    hooks = ("threading.excepthook", "sys.unraisablehook", "sys.excepthook")
    assert called == ["threading", "unraisable", "sys", "threading"]
    assert places(watch) == [f"{name}: traceback with local variables" for name in hooks]
    assert watch.looked_through[2] == "exceptions that nobody caught: 4"


def test_everything_is_as_it_was(logger):
    """Behind the block nothing is kept any more."""
    before = (logging.Handler.handle, warnings.showwarning, sys.excepthook, logging.getLogger().handlers[:])
    watch = LogWatch()
    with watch.watching():
        pass
    logger.warning(MARK)
    assert places(watch) == []
    assert (logging.Handler.handle, warnings.showwarning, sys.excepthook, logging.getLogger().handlers) == before
