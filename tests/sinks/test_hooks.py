"""Tests of how hooks come to their libraries, and of what becomes of one that fails."""

from __future__ import annotations

import asyncio
import importlib.machinery
import logging
import subprocess
import sys
import types

import pytest

from privguard import Policy, _context, _sinks
from privguard._exchange import Exchange
from sinks.calling import Visitor, visit
from sinks.outputs import OUTPUTS, Loguru, Spans, Structlog


@pytest.fixture
def nothing_told(monkeypatch):
    monkeypatch.setattr(_sinks, "_told", set())


@pytest.fixture
def hook(monkeypatch):
    """A library that is not loaded yet, and its hook: the list says how often it was put in place."""
    installed = []
    module = types.ModuleType("privguard._sinks.library")
    module.install = lambda: installed.append(1)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(_sinks, "_unseen", {"the_library": "library"})
    monkeypatch.setattr(_sinks, "_modules", 0)
    return installed


def load(monkeypatch, *, is_initializing=False):
    library = types.ModuleType("the_library")
    library.__spec__ = importlib.machinery.ModuleSpec("the_library", None)
    library.__spec__._initializing = is_initializing
    monkeypatch.setitem(sys.modules, "the_library", library)


def test_library_that_is_loaded_later(hook, monkeypatch):
    """Is hooked, once, when the next submission begins."""
    _sinks.look()
    assert hook == []
    load(monkeypatch)
    Exchange(Policy(), "/join").take_in(b"q=x", lambda name: [])
    assert hook == [1]
    monkeypatch.setitem(sys.modules, "another", types.ModuleType("another"))
    _sinks.look()
    assert hook == [1]


def test_library_that_is_still_being_imported(hook, monkeypatch):
    """By another thread: it is looked at again."""
    load(monkeypatch, is_initializing=True)
    _sinks.look()
    assert hook == []
    sys.modules["the_library"].__spec__._initializing = False
    _sinks.look()
    assert hook == [1]


def test_stand_in_is_no_library(hook, monkeypatch):
    """Tests put such things into sys.modules."""
    monkeypatch.setitem(sys.modules, "the_library", types.SimpleNamespace())
    _sinks.look()
    assert hook == []


def test_hook_that_cannot_be_put_in_place(hook, monkeypatch, caplog, nothing_told):
    """Says so in one line: the owner must know."""
    load(monkeypatch)
    monkeypatch.delattr(sys.modules["privguard._sinks.library"], "install")
    _sinks.look()
    _sinks.look()
    (line,) = caplog.messages
    assert line.startswith("privguard's hook for library failed (AttributeError at __init__.py:")


def test_middleware_looks_when_it_is_made(hook, monkeypatch):
    """So the first request finds everything in place."""
    from privguard.asgi import PrivacyMiddleware as Asgi
    from privguard.wsgi import PrivacyMiddleware as Wsgi

    load(monkeypatch)
    Wsgi(lambda *given: [])
    assert hook == [1]
    Asgi(lambda *given: None)
    assert hook == [1]


def test_no_library_is_imported():
    """A process that has none of them gets none."""
    code = (
        "import sys, privguard.wsgi; privguard.wsgi.PrivacyMiddleware(None);"
        "print([name for name in ('sentry_sdk', 'opentelemetry', 'structlog', 'loguru') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


@pytest.mark.parametrize("way", ["wsgi", "asgi"])
@pytest.mark.parametrize("output", OUTPUTS, ids=lambda one: one.__name__)
def test_hook_that_fails(output, way, caplog, monkeypatch, nothing_told):
    """Lets nothing through, disturbs nobody, and says so once; what is no submission's is written as ever."""

    def fail(*given):
        raise RuntimeError("name is Kim")

    with output().open() as opened:
        _sinks.look()  # what is only loaded while they fail would keep the failing ones
        for module in [one for name, one in sys.modules.items() if name.startswith("privguard._sinks.")]:
            for name in ("hold", "must_wait", "is_over", "speaks_of", "owner_of", "_with_what_waits", "_is_balance"):
                if hasattr(module, name):
                    monkeypatch.setattr(module, name, fail)
        visit(way, Visitor("child"), lambda moment, text: opened.write(text))
        visit(way, Visitor("flagged"), lambda moment, text: opened.write(text))
        monkeypatch.undo()
        assert opened.lines() == []
        opened.write("of nobody")
        assert len(opened.lines()) == 1
    assert "Kim" not in caplog.text
    assert all(record.name == "privguard" for record in caplog.records)


def test_hook_that_fails_at_begin_or_end(monkeypatch, caplog, nothing_told):
    """Stops no request."""

    def fail(exchange):
        raise RuntimeError("name is Kim")

    def fail_at_end():
        raise RuntimeError("name is Kim")

    fail_at_end.__module__ = "privguard._sinks.other"
    monkeypatch.setattr(_sinks, "to_begin", [fail, lambda exchange: fail_at_end])
    exchange = Exchange(Policy(), "/join")
    exchange.take_in(b"q=x", lambda name: [])
    exchange.end()
    assert len(caplog.messages) == 2 and "Kim" not in caplog.text


@pytest.mark.parametrize("output", [Structlog, Loguru])
def test_errors_need_not_wait(output):
    """An owner who wants them at once has them at once."""
    settings = {"logs": {"errors_at_once": True}}
    with output().open() as opened:
        exchange = Exchange(Policy(settings), "/join")
        _context.enter(exchange)
        exchange.take_in(b"q=x", lambda name: [])
        opened.write("later")
        opened.write_error("at once")
        assert len(opened.lines()) == 1 and "at once" in opened.lines()[0]
        exchange.end()
        assert len(opened.lines()) == 2


@pytest.mark.parametrize("output", [Structlog, Loguru])
@pytest.mark.parametrize("raises", [True, False])
def test_line_of_a_server_about_a_childs_request(output, raises):
    """A server that logs with such a library names the path, or shows the exception, when the app is done."""
    with output().open() as opened:
        exchange = Exchange(Policy(), "/join")
        _context.enter(exchange)
        exchange.flag_child()
        exchange.end(raised=raises)
        _context.leave(exchange, None)
        opened.write("POST /join 200")
        try:
            raise ValueError
        except ValueError:
            opened.write_exception("failed")
        opened.write("POST /other 200")
        assert len(opened.lines()) == (1 if raises else 2)


def test_structlog_on_top_of_logging(caplog):
    """The record waits where all records wait, once."""
    import structlog

    logger = structlog.wrap_logger(
        logging.getLogger("site"),
        wrapper_class=structlog.stdlib.BoundLogger,
        processors=[structlog.stdlib.render_to_log_kwargs],
    )
    for who in ("ordinary", "child", "flagged", "quiet"):
        caplog.clear()
        visit("wsgi", Visitor(who), lambda moment, text: logger.warning(moment, text=text))
        assert caplog.messages == (["first", "second"] if who == "ordinary" else [])


def test_structlog_event_that_is_dropped():
    """By a processor of the app's."""
    import structlog

    def drop(logger, method, event):
        raise structlog.DropEvent

    logger = structlog.wrap_logger(structlog.PrintLogger(), processors=[drop])
    visit("wsgi", Visitor("ordinary"), lambda moment, text: logger.warning(moment))


def test_structlog_asynchronous():
    """Its methods that write in a thread."""
    with Structlog().open() as output:

        async def write():
            exchange = Exchange(Policy(), "/join")
            _context.enter(exchange)
            exchange.take_in(b"q=x", lambda name: [])
            await output.logger.ainfo("work")
            assert output.lines() == []
            exchange.end()

        asyncio.run(write())
        assert len(output.lines()) == 1


def test_loguru_sink_that_is_removed():
    """Before the submission is over: what waits for it goes nowhere, as loguru itself has it."""
    import loguru

    with Loguru().open() as output:
        exchange = Exchange(Policy(), "/join")
        _context.enter(exchange)
        exchange.take_in(b"q=x", lambda name: [])
        output.write("x")
        loguru.logger.remove(output.number)
        exchange.end()
        assert output.messages == []
        output.number = loguru.logger.add(output.messages.append)


def test_processors_see_spans_that_start():
    """Of an undecided request, too, for they add to them; of a child's they do not."""
    started = []

    class Processor:
        def on_start(self, span, parent_context=None):
            started.append(span.name)

        def on_end(self, span):
            pass

        def _on_ending(self, span):
            pass

        def shutdown(self):
            pass

    with Spans().open() as output:
        output.provider.add_span_processor(Processor())
        visit("wsgi", Visitor("flagged"), lambda moment, text: output.write(text))
        assert started == ["work"]
        visit("wsgi", Visitor("child"), lambda moment, text: output.write(text))
        assert started == ["work"]
