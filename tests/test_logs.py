"""Tests of which records may be written, and of the lines that privguard writes itself."""

from __future__ import annotations

import contextvars
import logging
import logging.config

import pytest

from privguard import OutsideRequestError, Policy, _context, _logs, _silence, csp_nonce, flag_child
from privguard._exchange import Exchange


@pytest.fixture
def in_request():
    """Run a function in a context of its own, with an exchange on the path in it; return the exchange."""

    def run(path, function):
        exchange = Exchange(Policy(), path)

        def inside():
            _context.enter(exchange)
            function(exchange)

        contextvars.copy_context().run(inside)
        return exchange

    _silence.install()
    return run


def test_record_of_a_quiet_path_is_not_written(in_request, caplog):
    """Whatever logger writes it, at whatever level, before the handlers and after."""

    def log(exchange):
        for name in ("", "app", "app.child", "uvicorn.access"):
            logging.getLogger(name).critical("GET /favicon.ico")

    in_request("/favicon.ico", log)
    assert caplog.records == []


def test_record_of_an_ordinary_path_is_written(in_request, caplog):
    """Everything else is logged as it was."""
    in_request("/favicon.ico-x", lambda exchange: logging.getLogger("app").warning("seen"))
    assert [record.getMessage() for record in caplog.records] == ["seen"]


def test_flagged_request_is_silent_from_then_on(in_request, caplog):
    """The latch goes one way."""

    def log(exchange):
        logging.getLogger("app").warning("before")
        flag_child()
        flag_child()
        logging.getLogger("app").warning("after")

    assert in_request("/join", log).muted
    assert [record.getMessage() for record in caplog.records] == ["before"]


def test_reconfigured_logging_stays_quiet(in_request, caplog):
    """A dictConfig that comes later, and disables the loggers that were there, changes nothing."""

    def log(exchange):
        logging.getLogger("app.later").warning("GET /favicon.ico")

    logging.config.dictConfig({"version": 1, "disable_existing_loggers": True})
    try:
        in_request("/favicon.ico", log)
    finally:
        for known in logging.root.manager.loggerDict.values():
            if isinstance(known, logging.Logger):
                known.disabled = False
    assert caplog.records == []


def test_installing_twice_asks_once(in_request):
    """However many middlewares there are, each record is looked at once."""
    handle = logging.Logger.handle
    _silence.install()
    assert logging.Logger.handle is handle


def test_another_patch_around_ours_is_seen_through(in_request, monkeypatch):
    """A library that wraps the same method and says so does not make us wrap it again."""
    ours = logging.Logger.handle

    def theirs(self, record):
        ours(self, record)

    theirs.__wrapped__ = ours
    monkeypatch.setattr(logging.Logger, "handle", theirs)
    _silence.install()
    assert logging.Logger.handle is theirs


def test_another_patch_that_replaced_ours_is_wrapped(in_request, monkeypatch, caplog):
    """A library that replaced the method without calling the old one does not end the silence."""

    def theirs(self, record):
        self.callHandlers(record)

    monkeypatch.setattr(logging.Logger, "handle", theirs)
    _silence.install()
    in_request("/favicon.ico", lambda exchange: logging.getLogger("app").warning("x"))
    in_request("/", lambda exchange: logging.getLogger("app").warning("y"))
    assert [record.getMessage() for record in caplog.records] == ["y"]


AFTER = [
    # logger, message, arguments, is it written after a quiet request has ended in this context?
    ("gunicorn.error", "Worker exiting (pid: %s)", (7,), True),
    ("app", "nothing to do with it", (), True),
    ("gunicorn.access", "%(h)s", ({"h": 1},), False),
    ("uvicorn.access", "%s", ("x",), False),
    ("django.server", "x", (), False),
    ("django.request", "Not Found: %s", ("/favicon.ico",), False),
]


@pytest.mark.parametrize("name, message, arguments, written", AFTER)
def test_end_of_a_quiet_request_ends_its_silence(in_request, caplog, name, message, arguments, written):
    """A worker's own lines are its own; what speaks of the request stays unsaid."""

    def log(exchange):
        _context.leave(exchange, None)
        logging.getLogger(name).warning(message, *arguments)

    in_request("/favicon.ico", log)
    assert len(caplog.records) == written


@pytest.mark.parametrize("is_written_late", [True, False])
@pytest.mark.parametrize("raised", [True, False])
def test_access_lines_after_a_quiet_request_are_those_of_others(in_request, caplog, raised, is_written_late):
    """One is its own, two when its app raised; a thread or connection that goes on to another app's pages has more."""
    access = logging.getLogger("gunicorn.access")

    def log(exchange):
        own = 2 if raised else 1
        for _ in range(0 if is_written_late else own):
            access.warning("own")
        exchange.raised = raised
        _context.leave(exchange, None)
        for _ in range(own if is_written_late else 0):
            access.warning("own")
        access.warning("of another")
        access.warning("GET /favicon.ico, once more")

    in_request("/favicon.ico", log)
    assert [record.getMessage() for record in caplog.records] == ["of another"]


def test_copy_of_a_quiet_requests_context_stays_silent(in_request, caplog):
    """A task or a thread that the request started goes on in a copy, and speaks of nothing else."""
    copies = []

    def log(exchange):
        copies.append(contextvars.copy_context())
        _context.leave(exchange, None)
        exchange.end()

    in_request("/favicon.ico", log)
    copies[0].run(logging.getLogger("app").warning, "of the request")
    assert caplog.records == []


def test_line_after_a_flagged_request_on_the_front_page_is_written(in_request, caplog):
    """There is a slash in many a line."""

    def log(exchange):
        flag_child()
        _context.leave(exchange, None)
        with pytest.raises(OutsideRequestError):
            flag_child()
        logging.getLogger("app").warning("disk /var is full")

    in_request("/", log)
    assert [record.getMessage() for record in caplog.records] == ["disk /var is full"]


def test_traceback_of_a_quiet_request_is_not_written_after_its_end(in_request, caplog):
    """A server logs an app's exception when the app is done."""

    def log(exchange):
        exchange.raised = True
        _context.leave(exchange, None)
        try:
            raise KeyError("a child's name")
        except KeyError:
            logging.getLogger("server").exception("Exception in app")
        logging.getLogger("server").error("Shutting down")

    in_request("/favicon.ico", log)
    assert [record.getMessage() for record in caplog.records] == ["Shutting down"]


def test_record_whose_arguments_do_not_fit_is_left_to_logging(in_request, monkeypatch, capsys):
    """A mistake in a log call is reported as ever, and breaks nothing."""

    def log(exchange):
        _context.leave(exchange, None)
        logging.getLogger("app").warning("%d", "x")

    monkeypatch.setattr(logging, "raiseExceptions", False)
    in_request("/favicon.ico", log)


@pytest.mark.parametrize("ask", [flag_child, csp_nonce])
def test_asking_outside_a_request_says_so(ask):
    """The error names the two ways to get there."""
    with pytest.raises(OutsideRequestError, match=r"copy_context\(\)\.run"):
        contextvars.Context().run(ask)


def test_asking_after_the_end_of_a_request_says_so(in_request):
    """A thread that a server keeps is not in its last request any more."""

    def late(exchange):
        exchange.end()
        with pytest.raises(OutsideRequestError):
            csp_nonce()

    in_request("/", late)


@pytest.fixture
def fresh_tellings(monkeypatch):
    """As in a process that has told nothing yet."""
    monkeypatch.setattr(_logs, "_told_cookies", set())
    monkeypatch.setattr(_logs, "_told_malformed", False)


COOKIE_LINES = [
    # name, mode, removed, what the line must hold
    (b"sessionid", "strip", False, ["cut the lifetime", '"sessionid"', "SESSION_EXPIRE_AT_BROWSER_CLOSE = True"]),
    (b"csrftoken", "downgrade", False, ["CSRF_COOKIE_AGE = None", "/a"]),
    (b"visitor", "strip", True, ["removed the persistent cookie", 'PRIVGUARD["cookies"]["visit"]', "without Max-Age"]),
    (b"visitor", "block", True, ["removed the cookie", 'mode "block"']),
    (b"", "strip", True, ["(no name)"]),
    (b"a\t\xe4", "strip", True, ["a\\tä"]),
]


@pytest.mark.parametrize("name, mode, removed, parts", COOKIE_LINES)
def test_first_cookie_of_a_name_is_told_once_with_the_cure(fresh_tellings, caplog, name, mode, removed, parts):
    """The owner learns what was taken, where, why, and what to type; once a name."""
    assert not _logs.has_told_cookie(name)
    _logs.tell_cookie(name, "/a", mode, "persistent", removed=removed)
    assert _logs.has_told_cookie(name)
    (record,) = caplog.records
    assert record.name == "privguard" and record.levelname == "WARNING"
    assert all(part in record.getMessage() for part in [*parts, "/a", "demo_paths"])
    assert "\n" not in record.getMessage()


def test_cookie_names_that_an_app_makes_up_do_not_fill_the_log(fresh_tellings, caplog):
    """After a thousand names there is nothing new to learn."""
    for number in range(1200):
        if not _logs.has_told_cookie(b"%d" % number):
            _logs.tell_cookie(b"%d" % number, "/", "strip", "persistent", removed=True)
    assert len(caplog.records) == 1000


def test_malformed_cookie_is_told_with_another_cure(fresh_tellings, caplog):
    """To what would be two headers on some servers, a lifetime is not the matter."""
    _logs.tell_cookie(b"a\r\n\xe4", "/a", "strip", "malformed", removed=True)
    (record,) = caplog.records
    assert 'removed the malformed cookie "a\\r\\nä"' in record.getMessage()
    assert "take CR, LF and NUL out" in record.getMessage() and "Max-Age" not in record.getMessage()


def test_malformed_header_is_told_once(fresh_tellings, caplog):
    """A line a process, without the header's content."""
    _logs.tell_malformed("/a\n")
    _logs.tell_malformed("/b")
    (record,) = caplog.records
    assert "/a\\n" in record.getMessage() and "token" in record.getMessage()


def test_failure_of_privguard_tells_what_to_report_and_nothing_of_the_visitor(in_request, caplog):
    """The owner gets the place in the code; the error's own message may hold what a visitor sent."""

    def fail(exchange):
        try:
            raise KeyError("a visitor's secret")
        except KeyError as error:
            _logs.tell_failure(error)

    in_request("/favicon.ico", fail)
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert "KeyError" in record.getMessage() and "test_logs.py" in record.getMessage()
    assert "please report" in record.getMessage()
    assert "secret" not in record.getMessage() and record.exc_info is None


def test_failure_without_a_traceback_is_told_too(caplog):
    """Even an error that was never raised is reported."""
    _logs.tell_failure(KeyError())
    assert "an unknown place" in caplog.text
