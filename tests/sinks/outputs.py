"""Each library, writing where a test can read: ``write(text)``, and ``lines()`` for all that has left by now."""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from typing import ClassVar

import loguru
import sentry_sdk
import structlog
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ConcurrentMultiSpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sentry_sdk import logger as sentry_logger
from sentry_sdk.transport import Transport


class Envelopes(Transport):
    """A transport of Sentry's that sends nothing."""

    def __init__(self, options=None):
        super().__init__(options)
        self.sent = []

    def capture_envelope(self, envelope):
        self.sent.append(envelope)

    def texts(self):
        return [envelope.serialize().decode() for envelope in self.sent]

    def payloads(self, kind):
        return [item.payload.json for envelope in self.sent for item in envelope.items if item.type == kind]


@contextlib.contextmanager
def sentry(**options):
    """Set Sentry up, and take it down again."""
    transport = Envelopes()
    client_before = sentry_sdk.get_global_scope().client
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # what replaces send_default_pii is not in 2.0
        sentry_sdk.init(dsn="https://key@sentry.test/1", transport=transport, send_default_pii=True, **options)
    try:
        yield transport
    finally:
        sentry_sdk.flush()
        sentry_sdk.get_client().close()
        sentry_sdk.get_global_scope().set_client(client_before)


class SentryMessages:
    """Events."""

    @contextlib.contextmanager
    def open(self):
        with sentry(default_integrations=False) as self.transport:
            yield self

    def write(self, text):
        sentry_sdk.capture_message(text)

    def lines(self):
        return self.transport.texts()


class SentryLogs(SentryMessages):
    """What Sentry calls structured logs, sent in batches."""

    @contextlib.contextmanager
    def open(self):
        with sentry(default_integrations=False, enable_logs=True) as self.transport:
            yield self

    def write(self, text):
        sentry_logger.info(text.replace("{", "{{").replace("}", "}}"))

    def lines(self):
        sentry_sdk.get_client().flush()
        return [one["body"] for batch in self.transport.payloads("log") for one in batch["items"]]


class SentryMetrics(SentryLogs):
    """Counts with attributes, sent in batches."""

    def write(self, text):
        sentry_sdk.metrics.count("submissions", 1, attributes={"text": text})

    def lines(self):
        sentry_sdk.get_client().flush()
        return [json.dumps(one) for batch in self.transport.payloads("trace_metric") for one in batch["items"]]


class SentryTransactions(SentryMessages):
    """Transactions, and the spans in them."""

    @contextlib.contextmanager
    def open(self):
        with sentry(default_integrations=False, traces_sample_rate=1.0) as self.transport:
            yield self

    def write(self, text):
        with sentry_sdk.start_transaction(name="work") as transaction:
            transaction.set_data("text", text)


class Spans:
    """Spans of OpenTelemetry's."""

    processor = None

    @contextlib.contextmanager
    def open(self):
        self.exporter = InMemorySpanExporter()
        provider = self.provider = TracerProvider(
            active_span_processor=self.processor and self.processor(), shutdown_on_exit=False
        )
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = provider.get_tracer("site")
        yield self

    def write(self, text):
        with self.tracer.start_as_current_span("work") as span:
            span.add_event("told", {"text": text})

    def lines(self):
        return [span.to_json() for span in self.exporter.get_finished_spans()]


class ConcurrentSpans(Spans):
    """The same through the provider's other processor."""

    processor = ConcurrentMultiSpanProcessor


class LogRecords:
    """OpenTelemetry's own log records and events."""

    @contextlib.contextmanager
    def open(self):
        self.exporter = InMemoryLogRecordExporter()
        provider = LoggerProvider(shutdown_on_exit=False)
        provider.add_log_record_processor(SimpleLogRecordProcessor(self.exporter))
        self.logger = provider.get_logger("site")
        yield self

    def write(self, text):
        self.logger.emit(body=text)

    def lines(self):
        return [one.log_record.body for one in self.exporter.get_finished_logs()]


class Metrics:
    """What OpenTelemetry counts, by attributes."""

    @contextlib.contextmanager
    def open(self):
        self.reader = InMemoryMetricReader()
        provider = MeterProvider([self.reader], shutdown_on_exit=False)
        self.counter = provider.get_meter("site").create_counter("submissions")
        yield self
        provider.shutdown()

    def write(self, text):
        self.counter.add(1, {"text": text})

    def lines(self):
        data = self.reader.get_metrics_data()
        if data is None:
            return []
        metrics = [one for r in data.resource_metrics for s in r.scope_metrics for one in s.metrics]
        points = [point for metric in metrics for point in metric.data.data_points]
        return [point.attributes["text"] for point in points for _ in range(point.value)]


class Structlog:
    """structlog, with its own output."""

    def factory(self):
        return structlog.PrintLoggerFactory(self.file)

    @contextlib.contextmanager
    def open(self):
        self.file = io.StringIO()
        processors = [structlog.processors.TimeStamper(fmt="iso"), structlog.processors.JSONRenderer()]
        self.logger = structlog.wrap_logger(
            self.factory()(), processors=processors, wrapper_class=structlog.make_filtering_bound_logger(0)
        )
        yield self

    def write(self, text):
        self.logger.info("work", text=text)

    def write_error(self, text):
        self.logger.error("work", text=text)

    def write_exception(self, text):
        self.logger.exception("work", text=text)

    def lines(self):
        return self.file.getvalue().splitlines()


class StructlogWriting(Structlog):
    """The same with its faster logger."""

    def factory(self):
        return structlog.WriteLoggerFactory(self.file)


class Loguru:
    """loguru, with one sink."""

    options: ClassVar[dict] = {}

    @contextlib.contextmanager
    def open(self):
        self.messages = []
        loguru.logger.remove()
        self.number = loguru.logger.add(self.messages.append, format="{message}", **self.options)
        yield self
        loguru.logger.remove(self.number)

    def write(self, text):
        loguru.logger.info("{}", text)

    def write_error(self, text):
        loguru.logger.error("{}", text)

    def write_exception(self, text):
        loguru.logger.exception("{}", text)

    def lines(self):
        loguru.logger.complete()
        return list(self.messages)


class LoguruEnqueued(Loguru):
    """The same, written by a thread of its own."""

    options: ClassVar[dict] = {"enqueue": True}


OUTPUTS = [
    SentryMessages,
    SentryLogs,
    SentryMetrics,
    SentryTransactions,
    Spans,
    ConcurrentSpans,
    LogRecords,
    Metrics,
    Structlog,
    StructlogWriting,
    Loguru,
    LoguruEnqueued,
]
