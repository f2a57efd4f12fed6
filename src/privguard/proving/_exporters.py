"""What Sentry and OpenTelemetry would send away, where the app has loaded them: kept here, and nothing of it sent."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from ._report import Trace


class ExporterWatch:
    """Keeps what goes to the exporters in a block."""

    def __init__(self) -> None:
        self.traces: list[Trace] = []
        self.looked_through: list[str] = []
        self.left_out: list[str] = ["OpenTelemetry's metrics"] if _has_meters() else []

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch in the block."""
        with self._sentry(), self._opentelemetry():
            yield

    def _keep(self, place: str, content: bytes) -> None:
        self.traces.append(Trace(place, content))

    # ── Sentry ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @contextlib.contextmanager
    def _sentry(self) -> Iterator[None]:
        client = _sentry_client()
        if client is None:
            self.looked_through.append("Sentry: the app has not set it up")
            yield
            return
        if client.transport is None:
            self.left_out.append("Sentry: it has no DSN here, and sends nothing; with SENTRY_DSN set it would")
            yield
            return
        before, kept = client.transport, _Envelopes(client.transport, self._keep)
        client.transport = kept
        try:
            yield
        finally:
            client.flush(timeout=2.0)
            client.transport = before
            self.looked_through.append(f"envelopes for Sentry: {kept.count}")

    # ── OpenTelemetry ────────────────────────────────────────────────────────────────────────────────────────────────

    @contextlib.contextmanager
    def _opentelemetry(self) -> Iterator[None]:
        provider = _tracer_provider()
        if provider is None:
            self.looked_through.append("OpenTelemetry: the app has not set up its SDK")
            yield
            return
        spans = _Spans(self._keep)
        provider.add_span_processor(spans)  # there is no way to take it out again
        try:
            yield
        finally:
            spans.is_watching = False
            self.looked_through.append(f"spans for OpenTelemetry: {spans.count}")


def _sentry_client() -> Any:
    sentry: Any = sys.modules.get("sentry_sdk")
    if sentry is None or not hasattr(sentry, "get_client"):  # 2.0 and newer
        return None
    client = sentry.get_client()
    return client if client.is_active() else None


def _tracer_provider() -> Any:
    if "opentelemetry.sdk.trace" not in sys.modules:
        return None
    provider = sys.modules["opentelemetry.trace"].get_tracer_provider()
    return provider if hasattr(provider, "add_span_processor") else None


class _Envelopes:
    """A transport of Sentry's that sends nothing."""

    def __init__(self, transport: Any, keep: Any) -> None:
        self._transport = transport
        self._keep = keep
        self.count = 0

    def capture_envelope(self, envelope: Any) -> None:
        self.count += 1
        self._keep("envelope for Sentry", envelope.serialize())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _Spans:
    """A processor of OpenTelemetry's SDK."""

    def __init__(self, keep: Any) -> None:
        self._keep = keep
        self.is_watching = True
        self.count = 0

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """Wait for its end."""

    def _on_ending(self, span: Any) -> None:
        """Wait for its end."""

    def on_end(self, span: Any) -> None:
        if self.is_watching:
            self.count += 1
            self._keep("span for OpenTelemetry", span.to_json().encode())

    def shutdown(self) -> None:
        """Hold nothing."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return True


def _has_meters() -> bool:
    """Whether the app has set up OpenTelemetry's SDK for metrics."""
    sdk, metrics = sys.modules.get("opentelemetry.sdk.metrics"), sys.modules.get("opentelemetry.metrics")
    return bool(sdk and metrics and isinstance(metrics.get_meter_provider(), sdk.MeterProvider))
