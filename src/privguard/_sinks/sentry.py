"""Sentry (2.x): events, transactions, breadcrumbs, logs, metrics and streamed spans.

An event of an undecided request is made at once, with all that the scopes know at that moment, and its envelope waits.
What a request of which nothing may be known puts into Sentry's scopes goes no further than the request: it has an
isolation scope of its own, from Sentry's integration around it or from here.
"""

from __future__ import annotations

import copy
import functools
import logging
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from .. import _context
from . import Leave, hold, is_over, speaks_of, tell, to_begin, to_flag, to_start_over, wrap
from ._sentry_scopes import begin, flag, is_flagged, sentry, start_over

_BATCHERS = ("_batcher", "_log_batcher", "_metrics_batcher", "_span_batcher")


def install() -> None:
    """Put the question before whatever leaves, and before what is kept for later events."""
    wrap(sentry.Client, "capture_event", _ask_event)
    wrap(sentry.Scope, "add_breadcrumb", _ask_breadcrumb)
    for name in _BATCHERS:
        module = sys.modules.get(f"sentry_sdk.{name}")
        for batcher in vars(module).values() if module else ():
            if isinstance(batcher, type) and batcher.__module__ == f"sentry_sdk.{name}" and "add" in vars(batcher):
                wrap(batcher, "add", _ask_item)
    to_begin.append(begin)
    to_flag.append(flag)
    to_start_over.append(start_over)


def _ask_event(
    exchange: _context.InProgress,
    capture: Callable[..., Any],
    client: Any,
    event: Any,
    hint: Any = None,
    scope: Any = None,
) -> Callable[[], Any] | None:
    if is_over(exchange):
        is_about = is_flagged() or speaks_of(
            exchange, str(event.get("message", "")), has_exception=bool(hint and hint.get("exc_info"))
        )
        return None if is_about else functools.partial(capture, client, event, hint, scope)
    if exchange.muted:
        return None
    if scope is not None and event.get("type") is None:
        scope = _with_what_waits(scope, exchange, client)
    return functools.partial(capture, _Client(client, exchange), event, hint, scope)


def _ask_item(exchange: _context.InProgress, add: Callable[..., Any], batcher: Any, item: Any) -> Leave | None:
    write = functools.partial(add, batcher, item)
    if is_over(exchange):
        return None if is_flagged() else write
    hold(exchange, write)
    return None


class _Client:
    """A client as ``capture_event`` reads it, whose envelopes leave when the request ends."""

    def __init__(self, client: Any, exchange: _context.InProgress) -> None:
        self._of = client
        self.transport = client.transport and _Transport(client.transport, exchange)
        spotlight = getattr(client, "spotlight", None)
        self.spotlight = spotlight and _Transport(spotlight, exchange)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)


class _Transport:
    def __init__(self, transport: Any, exchange: _context.InProgress) -> None:
        self._of = transport
        self._exchange = exchange

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)

    def capture_envelope(self, envelope: Any) -> None:
        hold(self._exchange, functools.partial(self._of.capture_envelope, envelope))


# ── breadcrumbs ──────────────────────────────────────────────────────────────────────────────────────────────────────


class _Breadcrumb(functools.partial[None]):
    """A breadcrumb that waits: the scope's function, the scope, the breadcrumb and its hint."""


def _ask_breadcrumb(
    exchange: _context.InProgress, add: Callable[..., Any], scope: Any, crumb: Any = None, hint: Any = None, **more: Any
) -> Leave | None:
    if exchange.muted:
        is_about = not is_over(exchange) or is_flagged()
        return None if is_about else functools.partial(add, scope, crumb, hint, **more)
    made = {"timestamp": datetime.now(UTC), **(crumb or {}), **more}
    hold(exchange, _Breadcrumb(add, scope, made, hint))
    return None


def _with_what_waits(scope: Any, exchange: _context.InProgress, client: Any) -> Any:
    """Return *scope* with the breadcrumbs that wait, and those of the log records that wait."""
    waiting = exchange.waiting
    writes = waiting.writes() if waiting is not None else []
    scope = copy.copy(scope)
    try:
        for add, crumb, hint in _breadcrumbs_of(writes, client):
            add(scope, crumb, hint)
    except Exception as error:  # an event with fewer breadcrumbs is better than none
        tell("sentry", error)
    return scope


def _breadcrumbs_of(writes: list[Any], client: Any) -> Iterator[tuple[Any, Any, Any]]:
    integration = client.get_integration("logging")
    handler = integration and integration._breadcrumb_handler
    add = sentry.Scope.add_breadcrumb.__wrapped__
    for write in writes:
        if isinstance(write, _Breadcrumb):
            yield add, *write.args[1:]
        elif handler and isinstance(write, functools.partial) and isinstance(write.args[-1], logging.LogRecord):
            logger, record = write.args
            record = _as_filtered(logger, copy.copy(record))
            if record and record.levelno >= handler.level and handler._can_record(record):
                handler.format(record)
                yield add, handler._breadcrumb_from_record(record), {"log_record": record}


def _as_filtered(logger: logging.Logger, record: logging.LogRecord) -> logging.LogRecord | None:
    """Return what the filters of *logger* leave of *record*: they may take a password out of it."""
    if logger.disabled:
        return None
    kept: Any = logger.filter(record)
    return record if kept is True else kept or None
