"""Tests of what Sentry keeps of a visitor, and for how long: scopes, breadcrumbs, the next request of a connection."""

from __future__ import annotations

import asyncio
import contextvars
import logging

import pytest
import sentry_sdk
from sentry_sdk.integrations.asgi import SentryAsgiMiddleware
from sentry_sdk.integrations.logging import LoggingIntegration

import privguard
from privguard import Policy, _context
from privguard._exchange import Exchange
from privguard.wsgi import PrivacyMiddleware
from sinks.calling import Visitor, guarded, run_all, serve_asgi, visit
from sinks.outputs import Envelopes, sentry

log = logging.getLogger("site")


@pytest.fixture
def envelopes():
    with sentry(default_integrations=False, integrations=[LoggingIntegration()], traces_sample_rate=1.0) as transport:
        log.setLevel(logging.INFO)
        yield transport
        log.setLevel(logging.NOTSET)


@pytest.fixture(autouse=True)
def scopes_of_nobody():
    """A test begins in no other's scopes."""
    before = sentry_sdk.get_isolation_scope(), sentry_sdk.get_current_scope()
    sentry_sdk.Scope.set_isolation_scope(sentry_sdk.Scope(ty=before[0]._type))
    sentry_sdk.Scope.set_current_scope(sentry_sdk.Scope(ty=before[1]._type))
    yield
    sentry_sdk.Scope.set_isolation_scope(before[0])
    sentry_sdk.Scope.set_current_scope(before[1])


def submission(work, settings=None):
    """Run *work* in a submission, in this very context, as a thread of a server does."""
    exchange = Exchange(Policy(settings), "/join")
    _context.enter(exchange)
    exchange.take_in(b"q=x", lambda name: [])
    try:
        work()
    except ValueError:
        exchange.raised = True
    exchange.end(raised=exchange.raised)
    _context.leave(exchange, None)
    return exchange


def crumbs(envelopes):
    return [
        [one["message"] for one in event.get("breadcrumbs", {}).get("values", ())]
        for event in envelopes.payloads("event")
    ]


@pytest.mark.parametrize("flags", [True, False])
def test_what_is_said_of_a_child_is_forgotten(envelopes, flags):
    """Without an integration of Sentry's, a thread has one scope for all its visitors: not for a child."""

    def work():
        sentry_sdk.set_user({"username": "Kim"})
        sentry_sdk.set_tag("name", "Kim")
        sentry_sdk.get_current_scope().set_extra("name", "Kim")
        sentry_sdk.add_breadcrumb(message="Kim")
        if flags:
            privguard.flag_child()
            sentry_sdk.add_breadcrumb(message="Kim")

    submission(work)
    sentry_sdk.capture_message("next")
    assert ("Kim" in envelopes.texts()[0]) is not flags


def test_breadcrumbs_of_undecided_visitors_at_the_same_time(envelopes):
    """Are in nobody else's event, whatever scopes they share."""

    def work():
        sentry_sdk.add_breadcrumb(message="Kim")
        log.info("Kim, too")
        scope = sentry_sdk.get_isolation_scope()
        outside = contextvars.Context()
        outside.run(sentry_sdk.Scope.set_isolation_scope, scope)
        outside.run(sentry_sdk.capture_message, "of another")
        sentry_sdk.capture_message("own")

    submission(work)
    assert crumbs(envelopes) == [[], ["Kim", "Kim, too"]]


def test_breadcrumbs_as_the_app_would_have_them(envelopes, monkeypatch):
    """Filters, levels and ignored loggers hold for those that wait, too; and each is there once afterwards."""

    class TakingOut(logging.Filter):
        def filter(self, record):
            record.msg = str(record.msg).replace("password", "***")
            return "nothing" not in record.msg

    def work():
        log.addFilter(taking := TakingOut())
        log.info("my password")
        log.info("nothing of it")
        log.debug("too low")
        logging.getLogger("sentry_sdk.errors").error("their own")
        off = logging.getLogger("off")
        off.error("off")
        off.disabled = True
        log.info("last")
        sentry_sdk.capture_message("own")
        off.disabled = False
        log.removeFilter(taking)

    log.setLevel(logging.DEBUG)
    monkeypatch.setattr(logging.getLogger("off"), "disabled", False)
    submission(work)
    sentry_sdk.capture_message("after")
    own = next(event for event in envelopes.payloads("event") if event.get("message") == "own")
    assert [one["message"] for one in own["breadcrumbs"]["values"]] == ["my ***", "last"]


def test_filter_that_gives_another_record(envelopes):
    """As Python 3.12 lets it."""

    def work():
        log.addFilter(other)
        log.info("Kim")
        sentry_sdk.capture_message("own")
        log.removeFilter(other)

    def other(record):
        return logging.makeLogRecord({**vars(record), "msg": "somebody"})

    submission(work)
    (own, *_) = crumbs(envelopes)
    assert own in (["somebody"], ["Kim"])  # before 3.12 what a filter returns is but true


def test_breadcrumb_that_cannot_be_made(envelopes, caplog, monkeypatch):
    """The event is sent without it."""
    from privguard import _sinks

    monkeypatch.setattr(_sinks, "_told", set())

    class Failing(logging.Filter):
        def filter(self, record):
            raise RuntimeError("name is Kim")

    def work():
        log.addFilter(failing := Failing())
        log.info("Kim")
        sentry_sdk.capture_message("own")
        log.removeFilter(failing)

    submission(work)
    assert not any("Kim" in text for text in envelopes.texts()[:1])
    assert [one for one in caplog.messages if one.startswith("privguard's hook for sentry failed (RuntimeError")]


def test_client_without_logging_integration():
    """Has the breadcrumbs that it would have."""
    with sentry(default_integrations=False) as envelopes:

        def work():
            log.warning("no breadcrumb")
            sentry_sdk.add_breadcrumb(message="direct", hint={"a": 1})
            sentry_sdk.capture_message("own")
            sentry_sdk.get_client().capture_event({"message": "without a scope"})

        submission(work)
    assert crumbs(envelopes)[0] == ["direct"]
    assert len(envelopes.payloads("event")) == 2


def test_order_of_what_waited(envelopes):
    """Events leave in the order in which they were made, with the moment at which they were."""

    def work():
        for number in range(3):
            sentry_sdk.capture_message(f"number {number}")
        assert envelopes.sent == []

    submission(work)
    events = envelopes.payloads("event")
    assert [event["message"] for event in events] == ["number 0", "number 1", "number 2"]
    assert [event["timestamp"] for event in events] == sorted(event["timestamp"] for event in events)


def test_event_has_an_id_while_it_waits(envelopes):
    """Sites show it to their visitor."""
    told = []
    submission(lambda: told.append(sentry_sdk.capture_message("x")))
    assert told[0] == envelopes.payloads("event")[0]["event_id"]


def test_spotlight(envelopes):
    """The developer's own window waits as well."""
    seen = Envelopes()
    sentry_sdk.get_client().spotlight = seen
    submission(lambda: sentry_sdk.capture_message("of an ordinary one"))
    submission(lambda: (sentry_sdk.capture_message("Kim"), privguard.flag_child()))
    assert len(seen.sent) == 1
    sentry_sdk.get_client().spotlight = None


def test_server_that_captures_the_exception(envelopes):
    """Past its end, without any integration."""

    def work():
        privguard.flag_child()
        raise ValueError("Kim")

    exchange = submission(work)
    assert isinstance(_context.current.get(), _context.After) and exchange.raised
    try:
        raise ValueError("Kim")
    except ValueError:
        sentry_sdk.capture_exception()
    sentry_sdk.capture_message("worker is leaving")
    sentry_sdk.add_breadcrumb(message="of the worker")
    sentry_sdk.capture_message("worker has left")
    assert crumbs(envelopes) == [[], ["of the worker"]]


def test_sentry_that_is_not_set_up():
    """Costs nothing and changes no scope."""
    scope = sentry_sdk.get_isolation_scope()
    submission(privguard.flag_child)
    assert sentry_sdk.get_isolation_scope() is scope


@pytest.mark.parametrize("around", [True, False])
@pytest.mark.parametrize("who", ["child", "flagged", "quiet"])
@pytest.mark.parametrize("next_who", ["ordinary", "get"])
def test_next_request_of_a_connection(envelopes, around, who, next_who):
    """Servers start it in a copy of the context of the one before, which is still at work: it has nothing of it."""
    first, second = Visitor(who, number=1), Visitor("ordinary", number=2)
    if next_who == "get":
        second.query, second.body = "", b""
        del second.headers["Content-Length"], second.headers["Content-Type"]
    tasks = []

    async def app(scope, receive, send):
        if (b"x-told", first.marks["header"].encode()) in scope["headers"]:
            sentry_sdk.set_user({"username": first.marks["body"]})
            if first.who == "flagged":
                privguard.flag_child()
            tasks.append(asyncio.ensure_future(serve_asgi(site, second)))
            await tasks[0]
        sentry_sdk.capture_message(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})

    if around:
        guarded_app = guarded("asgi", app)

        async def outer(scope, receive, send):
            await guarded_app(scope, receive, send)

        site = SentryAsgiMiddleware(outer)
    else:
        site = guarded("asgi", SentryAsgiMiddleware(app))
    run_all([serve_asgi(site, first)])
    assert [event["message"] for event in envelopes.payloads("event")] == ["/join"]
    assert not any("-1-4711" in text for text in envelopes.texts())
    if not around:
        assert second.marks["header"] in envelopes.texts()[0]


def test_request_within_a_request(envelopes):
    """An app that calls a guarded one, as it would call any function, goes on with its own scopes."""

    def inner(environ, start_response):
        sentry_sdk.set_tag("inner", "yes")
        sentry_sdk.capture_message("inner")
        start_response("200 OK", [])
        return [b"x"]

    inside = PrivacyMiddleware(inner)

    def work(moment, text):
        if moment == "first":
            sentry_sdk.set_tag("outer", "yes")
            body = inside(Visitor("ordinary", number=2).environ(), lambda *given: None)
            list(body)
            body.close()
            sentry_sdk.capture_message("outer")

    visit("wsgi", Visitor("ordinary"), work)
    tags = {event["message"]: event.get("tags") for event in envelopes.payloads("event")}
    assert tags == {"inner": {"inner": "yes"}, "outer": {"outer": "yes"}}


def test_end_in_another_context(envelopes):
    """Some servers close a response elsewhere: its scopes are left alone there."""
    exchanges = []

    def begin():
        exchange = Exchange(Policy(), "/join")
        _context.enter(exchange)
        exchange.take_in(b"q=x", lambda name: [])
        exchange.flag_child()
        exchanges.append(exchange)
        sentry_sdk.set_tag("name", "Kim")

    context = contextvars.copy_context()
    context.run(begin)
    scope = sentry_sdk.get_isolation_scope()
    exchanges[0].end()
    assert sentry_sdk.get_isolation_scope() is scope
    context.run(Exchange, Policy(), "/")  # the next one that is served there
    context.run(_context.current.set, None)
    context.run(sentry_sdk.capture_message, "next")
    assert "Kim" not in envelopes.texts()[0]


def test_nested_request_that_ends_elsewhere(envelopes):
    """Its end changes no scope of the context in which that is."""
    context = contextvars.copy_context()
    outer, inner = [], []

    def begin(exchanges):
        exchange = Exchange(Policy(), "/join")
        _context.enter(exchange)
        exchange.take_in(b"q=x", lambda name: [])
        exchanges.append(exchange)

    context.run(begin, outer)
    context.run(begin, inner)
    scope = sentry_sdk.get_isolation_scope()
    inner[0].end()
    assert sentry_sdk.get_isolation_scope() is scope
    outer[0].end()


def test_transport_is_otherwise_the_clients(envelopes):
    """Clients of older versions ask it for more than to send."""
    from privguard._sinks.sentry import _Client

    client = _Client(sentry_sdk.get_client(), Exchange(Policy(), "/join"))
    assert client.transport.sent is envelopes.sent and client.options is sentry_sdk.get_client().options
