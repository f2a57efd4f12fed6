"""Tests of OpenTelemetry's instrumentation around privguard and within: the server's span is the request's as well."""

from __future__ import annotations

import asyncio
import contextvars
import gc

import flask
import pytest
from django.test import override_settings
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware as OtelAsgi
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware as OtelWsgi
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import privguard
from privguard._sinks import _spans_around
from sinks.calling import Visitor, guarded, run_all, serve_asgi, serve_wsgi, told
from sinks.sites import Django, DjangoAsgi, Fast, Flask, PlainAsgi, PlainWsgi

SILENT = ("child", "flagged", "quiet")
HEADERS = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST"


class Telemetry:
    """The SDK, exporting to memory."""

    def __init__(self):
        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader], shutdown_on_exit=False)
        self.given = {"tracer_provider": self.tracers, "meter_provider": self.meters}

    def spans(self):
        return self.exporter.get_finished_spans()

    def text(self):
        return "".join(span.to_json() for span in self.spans())

    def points(self):
        """The metrics of requests that have ended, by name: how many were counted, with which labels."""
        data = self.reader.get_metrics_data()
        metrics = [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics] if data else []
        return {
            metric.name: [(getattr(one, "count", None), getattr(one, "value", None), dict(one.attributes)) for one in
                          metric.data.data_points]
            for metric in metrics
        }  # fmt: skip


@pytest.fixture
def telemetry(monkeypatch):
    monkeypatch.setenv(HEADERS, "X-Told,Cookie")
    telemetry = Telemetry()
    yield telemetry
    telemetry.meters.shutdown()
    gc.collect()
    assert _spans_around.around == {}


class AroundWsgi(PlainWsgi):
    def around(self, app):
        return OtelWsgi(app, **self.telemetry.given)


class InsideWsgi(PlainWsgi):
    def around(self, app):
        return app

    def inside(self, app):
        return OtelWsgi(app, **self.telemetry.given)


class TwiceAroundWsgi(PlainWsgi):
    def around(self, app):
        return OtelWsgi(OtelWsgi(app, **self.telemetry.given), **self.telemetry.given)


class AroundAsgi(PlainAsgi):
    def around(self, app):
        return OtelAsgi(app, **self.telemetry.given)


class InsideAsgi(PlainAsgi):
    def around(self, app):
        return app

    def inside(self, app):
        return OtelAsgi(app, **self.telemetry.given)


class TwiceAroundAsgi(PlainAsgi):
    def around(self, app):
        return OtelAsgi(OtelAsgi(app, **self.telemetry.given), **self.telemetry.given)


class InstrumentedFast(Fast):
    def wrap(self, app):
        super().wrap(app)
        self.app = OtelAsgi(self.app, **self.telemetry.given)

    def __init__(self, *, guard):
        super().__init__(guard=guard)
        if not guard:
            self.app = OtelAsgi(self.app, **self.telemetry.given)


class InstrumentedFlask(Flask):
    def __init__(self, *, guard):
        super().__init__(guard=guard)
        FlaskInstrumentor().instrument_app(self.app, **self.telemetry.given)


class InstrumentedFlaskInside(Flask):
    def make(self):
        app = flask.Flask("site")
        FlaskInstrumentor().instrument_app(app, **self.telemetry.given)
        return app


class InstrumentedDjango(Django):
    def middleware(self):
        return [
            "opentelemetry.instrumentation.django.middleware.otel_middleware._DjangoMiddleware",
            *super().middleware(),
        ]


class InstrumentedDjangoAsgi(DjangoAsgi):
    def middleware(self):
        return [
            "opentelemetry.instrumentation.django.middleware.otel_middleware._DjangoMiddleware",
            *super().middleware(),
        ]


SITES = [
    AroundWsgi,
    InsideWsgi,
    TwiceAroundWsgi,
    AroundAsgi,
    InsideAsgi,
    TwiceAroundAsgi,
    InstrumentedFast,
    InstrumentedFlask,
    InstrumentedFlaskInside,
    InstrumentedDjango,
    InstrumentedDjangoAsgi,
]


@pytest.fixture(params=SITES, ids=lambda one: one.__name__)
def site(request, telemetry, monkeypatch):
    monkeypatch.setattr(request.param, "telemetry", telemetry, raising=False)
    if issubclass(request.param, Django):
        instrumentor = DjangoInstrumentor()
        with override_settings(MIDDLEWARE=[]):
            instrumentor.instrument(**telemetry.given)
            yield request.param
            instrumentor.uninstrument()
    else:
        yield request.param


def shape(telemetry):
    return sorted(
        (span.name, str(sorted(map(str, dict(span.attributes).items()))), len(span.events))
        for span in telemetry.spans()
    )


def test_ordinary_submission_that_fails(site, telemetry):
    """Has the spans and the metrics that it has without privguard."""
    site(guard=False).serve(Visitor("ordinary"))
    bare, bare_points = shape(telemetry), counts(telemetry)
    assert "query-ordinary" in telemetry.text()
    telemetry.exporter.clear()
    site(guard=True).serve(Visitor("ordinary"))
    assert shape(telemetry) == bare
    assert counts(telemetry) == {name: 2 * count for name, count in bare_points.items()}


def counts(telemetry):
    return {
        name: sum(count for count, _, _ in points)
        for name, points in telemetry.points().items()
        if points[0][0] is not None
    }


@pytest.mark.parametrize("who", SILENT)
def test_silent_request_that_fails(site, telemetry, who):
    """Leaves no span, no measurement, and no request that seems to be in progress for ever."""
    if who != "flagged":
        site(guard=False).serve(Visitor(who))
        assert telemetry.spans()
        telemetry.exporter.clear()
    before = counts(telemetry)
    site(guard=True).serve(Visitor(who))
    assert telemetry.spans() == ()
    assert counts(telemetry) == before
    in_progress = [value for name, points in telemetry.points().items() for _, value, _ in points if "active" in name]
    assert set(in_progress) <= {0}


def test_fifty_visitors(site, telemetry):
    """Each ordinary one has its spans, and the others none."""
    kinds = ("ordinary", "child", "ordinary", "flagged", "quiet")
    visitors = [Visitor(kinds[number % 5], "json", number) for number in range(50)]
    site(guard=True).serve_all(visitors)
    text = telemetry.text()
    assert not any(f"-{who}-" in text for who in SILENT)
    spans = shape(telemetry)
    telemetry.exporter.clear()
    site(guard=False).serve_all([one for one in visitors if one.who == "ordinary"])
    assert shape(telemetry) == spans


def test_span_that_a_site_has_around_its_server(telemetry):
    """A span of the process, which is no request's, is exported whatever is served in it."""
    tracer = telemetry.tracers.get_tracer("site")

    def app(environ, start_response):
        privguard.flag_child()
        start_response("200 OK", [])
        return [b""]

    with tracer.start_as_current_span("worker"):
        with tracer.start_as_current_span("batch"):
            pass
        serve_wsgi(guarded("wsgi", app), Visitor("flagged"))
    assert [span.name for span in telemetry.spans()] == ["batch", "worker"]


@pytest.mark.parametrize("who", ["ordinary", "child"])
def test_span_of_a_background_task(telemetry, who):
    """It ends when the request is long over, and is a child's all the same."""
    tracer = telemetry.tracers.get_tracer("site")
    visitor = Visitor(who)

    async def serve():
        tasks = []

        async def later():
            with tracer.start_as_current_span("task") as span:
                await asyncio.sleep(0)
                span.set_attribute("told", told(visitor, b""))

        async def app(scope, receive, send):
            tasks.append(asyncio.ensure_future(later()))
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"x"})

        await asyncio.create_task(serve_asgi(guarded("asgi", app), visitor), context=contextvars.Context())
        await asyncio.gather(*tasks)

    asyncio.run(serve())
    assert len(telemetry.spans()) == (1 if who == "ordinary" else 0)


def test_next_request_of_a_connection(telemetry):
    """Servers start it in the context of a child's that is still at work: its spans are its own."""
    tracer = telemetry.tracers.get_tracer("site")
    tasks = []
    child, next_one = Visitor("child"), Visitor("ordinary")

    async def app(scope, receive, send):
        with tracer.start_as_current_span(dict(scope["headers"])[b"x-told"].decode()):
            if scope["headers"] == child.scope()["headers"]:
                tasks.append(asyncio.ensure_future(serve_asgi(site, next_one)))
                await tasks[0]
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"x"})

    site = guarded("asgi", app)
    run_all([serve_asgi(site, child)])
    assert [span.name for span in telemetry.spans()] == [next_one.marks["header"]]


def test_remote_span_is_nobodys(telemetry):
    """The caller's span is its own; nothing is remembered of it."""
    context = trace.SpanContext(1, 2, is_remote=True, trace_flags=trace.TraceFlags(1))
    token = otel_context.attach(trace.set_span_in_context(trace.NonRecordingSpan(context)))
    visitor = Visitor("child")

    def app(environ, start_response):
        assert _spans_around.around == {}
        start_response("200 OK", [])
        return [b"x"]

    try:
        assert list(guarded("wsgi", app)(visitor.environ(), lambda *given: None)) == [b"x"]
    finally:
        otel_context.detach(token)


def test_request_that_its_server_forgets(telemetry):
    """With its span open: what it wrote is written when both are collected."""
    tracer = telemetry.tracers.get_tracer("site")
    visitor = Visitor("ordinary")

    def serve():
        span = tracer.start_span("server")
        otel_context.attach(trace.set_span_in_context(span))

        def app(environ, start_response):
            with tracer.start_as_current_span("work"):
                pass
            start_response("200 OK", [])
            return [b"x"]

        guarded("wsgi", app)(visitor.environ(), lambda *given: None)

    contextvars.Context().run(serve)
    gc.collect()
    assert [span.name for span in telemetry.spans()] == ["work"]


def test_only_the_last_spans_are_remembered(telemetry, monkeypatch):
    """Of those that have ended, which instrumentation still measures."""
    monkeypatch.setattr(_spans_around, "_MOST_ENDED", 2)
    monkeypatch.setattr(_spans_around, "_ended", {})
    site = AroundWsgi
    site.telemetry = telemetry
    site(guard=True).serve_all([Visitor("child", number=number) for number in range(5)])
    assert len(_spans_around._ended) == 2 and telemetry.spans() == ()
