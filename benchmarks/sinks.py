"""What privguard adds to what libraries write in an ordinary request, and to the request, in nanoseconds.

Usage: python benchmarks/sinks.py
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable
from typing import Any

BATCH = 500
ROUNDS = 40


def fastest(call: Callable[[], Any]) -> float:
    """Return what one call costs in the fastest batch, in nanoseconds of CPU time."""
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.process_time_ns()
        for _ in range(BATCH):
            call()
        best = min(best, (time.process_time_ns() - begin) / BATCH)
    return best


def main() -> None:
    """Measure before privguard is at work, and after."""
    import io

    import loguru
    import sentry_sdk
    import structlog
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from sentry_sdk.transport import Transport

    class Nowhere(Transport):
        def capture_envelope(self, envelope: Any) -> None:
            """Send nothing."""

    sentry_sdk.init(dsn="https://key@sentry.test/1", transport=Nowhere(), default_integrations=False)
    loguru.logger.remove()
    loguru.logger.add(lambda message: None, format="{message}")
    lines = structlog.wrap_logger(
        structlog.PrintLogger(io.StringIO()), processors=[structlog.processors.JSONRenderer()]
    )
    tracer = TracerProvider().get_tracer("bench")
    counter = MeterProvider([InMemoryMetricReader()]).get_meter("bench").create_counter("c")
    calls = {
        "structlog, a line": lambda: lines.info("x"),
        "loguru, a message": lambda: loguru.logger.info("x"),
        "OpenTelemetry, a span": lambda: tracer.start_span("x").end(),
        "OpenTelemetry, a measurement": lambda: counter.add(1, {"a": "b"}),
        "Sentry, a breadcrumb": lambda: sentry_sdk.add_breadcrumb(message="x"),
        "Sentry, an event": lambda: sentry_sdk.capture_message("x"),
    }
    bare = {name: contextvars.Context().run(fastest, call) for name, call in calls.items()}
    from privguard import Policy, _context, _sinks
    from privguard._exchange import Exchange

    policy = Policy()
    costs = {
        "a request without a query": lambda: Exchange(policy, "/").end(),
        "a submission": lambda: _submit(policy),
        "a look": _sinks.look,
    }

    def _submit(policy: Policy) -> None:
        exchange = Exchange(policy, "/join")
        exchange.take_in(b"q=x", lambda name: [])
        exchange.end()

    print(f"{'':32}{'bare':>9}{'no request':>12}{'ordinary':>12}   (the last two: added)")
    hooks, _sinks._unseen = _sinks._unseen, {}
    before = {name: fastest(call) for name, call in costs.items() if name != "a look"}
    _sinks._unseen, _sinks._modules = hooks, 0
    _sinks.look()
    for name, call in calls.items():
        outside = contextvars.Context().run(fastest, call) - bare[name]
        context = contextvars.Context()
        context.run(_context.enter, Exchange(policy, "/"))
        inside = context.run(fastest, call) - bare[name]
        print(f"{name:32}{bare[name]:9.0f}{outside:12.0f}{inside:12.0f}")
    for name, call in costs.items():
        print(f"{name:32}{before.get(name, 0):9.0f}{fastest(call):12.0f}   (without libraries, and with all of them)")


if __name__ == "__main__":
    main()
