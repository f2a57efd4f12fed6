"""loguru's sinks.

Its documented ways in (``patch``, ``filter``) belong to the app, and cannot keep a message back. Each message passes
``Handler.emit`` of each sink, which formats it at once; what it then gives to the sink, or to the sink's queue, waits.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from .. import _context
from . import hold, must_wait, speaks_of, wrap


def install() -> None:
    """Put the question before each message to each sink."""
    wrap(sys.modules["loguru._handler"].Handler, "emit", _ask)


def _ask(
    exchange: _context.InProgress, emit: Callable[..., Any], handler: Any, record: Any, *more: Any, **named: Any
) -> Callable[[], Any] | None:
    if exchange.muted:
        if speaks_of(exchange, record["message"], has_exception=record["exception"] is not None):
            return None
    elif must_wait(exchange, record["level"].no):
        handler = _Holding(handler, exchange)
    return functools.partial(emit, handler, record, *more, **named)


class _Holding:
    """A handler as ``emit`` reads it, whose sink gets what it is given when the request ends."""

    def __init__(self, handler: Any, exchange: _context.InProgress) -> None:
        self._of = handler
        self._exchange = exchange
        self._sink = self._queue = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)

    def write(self, message: Any) -> None:
        hold(self._exchange, functools.partial(_write, self._of, message))

    put = write


def _write(handler: Any, message: Any) -> None:
    """As ``emit`` does when it has formatted a message."""
    with handler._protected_lock():
        if handler._stopped:
            return
        if handler._enqueue:
            handler._queue.put(message)
        else:
            handler._sink.write(message)
