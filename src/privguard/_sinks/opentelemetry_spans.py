"""OpenTelemetry's spans: dropped or kept back between the SDK and its processors, which alone know exporters.

A span ends in the context of whoever ends it, and that of the server's request outside of privguard: instrumentation
that wraps the guarded app ends its span when the request is over. Its id, which is current when the request begins,
says whose it is.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from .. import _context, _silence
from . import hold, is_over, tell, to_begin, to_flag, wrap
from ._spans_around import Owner, around, flag, forget, owner_of, remember, remember_end

_PROCESSORS = ("SynchronousMultiSpanProcessor", "ConcurrentMultiSpanProcessor")

sdk: Any = sys.modules["opentelemetry.sdk.trace"]
trace: Any = sys.modules["opentelemetry.trace"]


def install() -> None:
    """Put the question before the processors of each provider."""
    for name in _PROCESSORS:
        processors = getattr(sdk, name)
        wrap(processors, "on_start", _ask_at_start)
        _silence.wrap(processors, "on_end", _end_unless_silent)
    to_begin.append(_begin)
    to_flag.append(flag)


def _begin(exchange: _context.InProgress) -> None:
    remember(trace.get_current_span(), exchange)


def _ask_at_start(
    exchange: _context.InProgress, on_start: Callable[..., Any], processor: Any, span: Any, *more: Any, **named: Any
) -> Callable[[], Any] | None:
    """Some processors export what has only started. Others set attributes: of an undecided request, they must."""
    if exchange.muted and not is_over(exchange):
        return None
    return functools.partial(on_start, processor, span, *more, **named)


def _end_unless_silent(on_end: Callable[..., Any]) -> Callable[..., Any]:
    def end_unless_silent(processor: Any, span: Any) -> None:
        exchange = _context.current.get()
        if not around and (exchange is None or not (exchange.muted or exchange.waiting)):
            on_end(processor, span)
            return
        try:
            write = _decide(exchange, functools.partial(on_end, processor, span), span)
        except Exception as error:
            tell("opentelemetry_spans", error)
            return
        if write is not None:
            write()

    return end_unless_silent


def _decide(exchange: _context.InProgress | None, write: Callable[[], Any], span: Any) -> Callable[[], Any] | None:
    owner = owner_of(span)
    if owner is not None:
        forget(span, owner)
    inner = None if exchange is None or is_over(exchange) else exchange
    if owner is None and inner is not None and (inner.muted or inner.waiting):
        remember_end(span.get_span_context().span_id, Owner(inner))
    for one in (inner, owner):
        if one is not None and one.muted:
            return None
    for one in (inner, owner):
        if one is not None and one.waiting:
            hold(one, write)
            return None
    return write
