"""Tests of what is seen of Sentry and OpenTelemetry: in stand-ins, and in the real ones where they are installed."""

from __future__ import annotations

import sys
import types

import pytest

from privguard.proving._exporters import ExporterWatch

MARK = "hq7dk2m9xw4bz8rc3v"
REAL = ("sentry_sdk", "opentelemetry.sdk.trace", "opentelemetry.trace", "opentelemetry.sdk.metrics")


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch):
    """As in a process that has loaded neither."""
    for name in REAL:
        monkeypatch.delitem(sys.modules, name, raising=False)


def places(watch: ExporterWatch) -> list[str]:
    return [one.place for one in watch.traces if MARK.encode() in one.content]


class Client:
    """As Sentry's."""

    def __init__(self, transport):
        self.transport = transport
        self.waiting = []

    def is_active(self):
        return True

    def capture(self, content):
        self.transport.capture_envelope(types.SimpleNamespace(serialize=lambda: content.encode()))

    def flush(self, timeout):
        for content in self.waiting:
            self.capture(content)
        self.transport.flush(timeout=timeout)


class Transport:
    def __init__(self):
        self.sent = []

    def capture_envelope(self, envelope):
        self.sent.append(envelope)

    def flush(self, timeout):
        """Has nothing left."""


def test_sentry(monkeypatch):
    """What would be sent is seen, also what the client keeps back for a while, and nothing of it is sent."""
    client = Client(Transport())
    transport = client.transport
    monkeypatch.setitem(sys.modules, "sentry_sdk", types.SimpleNamespace(get_client=lambda: client))
    watch = ExporterWatch()
    with watch.watching():
        client.capture(f"error: {MARK}")
        client.waiting.append(f"log: {MARK}")
    assert places(watch) == ["envelope for Sentry"] * 2
    assert "envelopes for Sentry: 2" in watch.looked_through
    assert client.transport is transport and transport.sent == []


def test_sentry_without_a_dsn(monkeypatch):
    """Without an address it sends nothing, and with one it would: that is said."""
    monkeypatch.setitem(sys.modules, "sentry_sdk", types.SimpleNamespace(get_client=lambda: Client(None)))
    watch = ExporterWatch()
    with watch.watching():
        pass
    assert watch.left_out == ["Sentry: it has no DSN here, and sends nothing; with SENTRY_DSN set it would"]


@pytest.mark.parametrize(
    "module",
    [None, types.SimpleNamespace(), types.SimpleNamespace(get_client=lambda: types.SimpleNamespace(is_active=bool))],
    ids=["not loaded", "too old", "not set up"],
)
def test_without_sentry(monkeypatch, module):
    """An app that has not set it up is told so."""
    if module:
        monkeypatch.setitem(sys.modules, "sentry_sdk", module)
    watch = ExporterWatch()
    with watch.watching():
        pass
    assert watch.looked_through == [
        "OpenTelemetry: the app has not set up its SDK",
        "Sentry: the app has not set it up",
    ] or watch.looked_through == [
        "Sentry: the app has not set it up",
        "OpenTelemetry: the app has not set up its SDK",
    ]


class Provider:
    """As OpenTelemetry's."""

    def __init__(self):
        self.processors = []

    def add_span_processor(self, processor):
        self.processors.append(processor)

    def end(self, content):
        span = types.SimpleNamespace(to_json=lambda: content)
        for one in self.processors:
            one.on_start(span, parent_context=None)
            one._on_ending(span)
            one.on_end(span)


def test_opentelemetry(monkeypatch):
    """A span is seen when it ends, and behind the block no more."""
    provider = Provider()
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", types.SimpleNamespace())
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.metrics", types.SimpleNamespace(MeterProvider=int))
    monkeypatch.setitem(sys.modules, "opentelemetry.metrics", types.SimpleNamespace(get_meter_provider=lambda: 1))
    trace = types.SimpleNamespace(get_tracer_provider=lambda: provider)
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", trace)
    watch = ExporterWatch()
    with watch.watching():
        provider.end(MARK)
    provider.end(MARK)
    assert places(watch) == ["span for OpenTelemetry"]
    assert "spans for OpenTelemetry: 1" in watch.looked_through
    assert watch.left_out == ["OpenTelemetry's metrics"]
    assert provider.processors[0].force_flush()
    assert provider.processors[0].shutdown() is None


def test_opentelemetry_that_is_only_loaded(monkeypatch):
    """Without a provider of the SDK's there is nothing to be seen."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", types.SimpleNamespace())
    trace = types.SimpleNamespace(get_tracer_provider=lambda: object())
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", trace)
    watch = ExporterWatch()
    with watch.watching():
        pass
    assert "OpenTelemetry: the app has not set up its SDK" in watch.looked_through
