"""OpenTelemetry's metrics: a measurement is aggregated by its attributes, and those may be what a visitor typed."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from .. import _context
from . import hold, is_over, wrap
from ._spans_around import last_owner_of

consumers: Any = sys.modules["opentelemetry.sdk.metrics._internal.measurement_consumer"]
metrics: Any = sys.modules["opentelemetry.metrics"]
trace: Any = sys.modules["opentelemetry.trace"]


def install() -> None:
    """Put the question before each measurement."""
    wrap(consumers.SynchronousMeasurementConsumer, "consume_measurement", _ask)


def _ask(
    exchange: _context.InProgress, consume: Callable[..., Any], consumer: Any, measurement: Any
) -> Callable[[], Any] | None:
    write = functools.partial(consume, consumer, measurement)
    if _is_balance(measurement.instrument):
        return write
    if is_over(exchange):
        return None if _is_of_a_muted_request(measurement) else write
    hold(exchange, write)
    return None


def _is_balance(instrument: Any) -> bool:
    """Whether it counts requests in progress up and down: one of the two may come outside of the request.

    That the HTTP instrumentation does, with method, host and scheme as its attributes, and nothing of a submission.
    """
    is_theirs = instrument.instrumentation_scope.name.startswith("opentelemetry.instrumentation.")
    return is_theirs and isinstance(instrument, metrics.UpDownCounter)


def _is_of_a_muted_request(measurement: Any) -> bool:
    owner = last_owner_of(trace.get_current_span(measurement.context))
    return owner is not None and owner.muted
