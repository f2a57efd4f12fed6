"""structlog's own output. On top of ``logging`` there is nothing to ask: the record passes there.

``BoundLoggerBase._proxy_to_logger`` is documented for those who write bound loggers of their own ("Despite underscore
available to custom wrapper classes"), and every line passes it. The processors run at once, so that a line keeps its
moment; what they made of it waits.
"""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable
from typing import Any

from .. import _context
from . import hold, must_wait, speaks_of, wrap

structlog: Any = sys.modules["structlog"]

_LEVELS = {"critical": 50, "fatal": 50, "failure": 40, "exception": 40, "error": 40, "err": 40, "warning": 30}


def install() -> None:
    """Put the question before each line."""
    wrap(structlog.BoundLoggerBase, "_proxy_to_logger", _ask)


def _ask(
    exchange: _context.InProgress, proxy: Callable[..., Any], bound: Any, method: str, event: Any = None, **more: Any
) -> Callable[[], Any] | None:
    write = functools.partial(proxy, bound, method, event, **more)
    if isinstance(bound._logger, logging.Logger):
        return write
    if exchange.muted:
        about = speaks_of(
            exchange, f"{event} {more}", has_exception=method == "exception" or bool(more.get("exc_info"))
        )
        return None if about else write
    if not must_wait(exchange, _LEVELS.get(method, 0)):
        return write
    return functools.partial(_process_and_hold, exchange, bound, method, event, more)


def _process_and_hold(exchange: _context.InProgress, bound: Any, method: str, event: Any, more: dict[str, Any]) -> None:
    try:
        arguments, named = bound._process_event(method, event, more)
    except structlog.DropEvent:
        return
    hold(exchange, functools.partial(getattr(bound._logger, method), *arguments, **named))
