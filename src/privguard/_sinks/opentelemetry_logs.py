"""OpenTelemetry's log records and events that were not made by ``logging``."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from .. import _context
from . import hold, speaks_of, wrap

_PROCESSORS = ("SynchronousMultiLogRecordProcessor", "ConcurrentMultiLogRecordProcessor")


def install() -> None:
    """Put the question before the processors of each provider."""
    logs = sys.modules["opentelemetry.sdk._logs._internal"]
    for name in _PROCESSORS:
        wrap(getattr(logs, name), "on_emit", _ask)


def _ask(
    exchange: _context.InProgress, on_emit: Callable[..., Any], processor: Any, record: Any
) -> Callable[[], Any] | None:
    write = functools.partial(on_emit, processor, record)
    if exchange.muted:
        return None if speaks_of(exchange, str(record.log_record.body), has_exception=False) else write
    hold(exchange, write)
    return None
