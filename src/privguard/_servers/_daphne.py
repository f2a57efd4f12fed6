"""daphne: writes access lines to a stream that it took before the app came, and warns of apps that do not end."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from types import ModuleType
from typing import Any

from .. import _context, _silence
from .._access_lines import REDUCTION


def ask_before_access_lines(module: ModuleType) -> None:
    """Wrap AccessLogGenerator, which is called within the request's own send()."""
    _silence.wrap(module.AccessLogGenerator, "write_entry", _write_entry)


def _write_entry(write_entry: Callable[..., Any]) -> Callable[..., Any]:
    def write_unless_silent(*arguments: Any, **named: Any) -> None:
        left = [_reduced(one) for one in arguments]
        named = {name: _reduced(one) for name, one in named.items()}
        _silence.write_access_line(functools.partial(write_entry, *left, **named))

    return write_unless_silent


def _reduced(value: Any) -> Any:
    """Return what is left of a part of an access line: of an address, or of a request line with its query."""
    return REDUCTION.text(value) if REDUCTION and isinstance(value, str) else value


def ask_before_warnings(module: ModuleType) -> None:
    """Filter the server's own logger: its application_checker names requests that it has to end by force."""
    if _is_written not in module.logger.filters:
        module.logger.addFilter(_is_written)


def _is_written(record: logging.LogRecord) -> bool:
    task = record.args[0] if isinstance(record.args, tuple) and record.args else None
    exchange: _context.InProgress | None = _silence.exchange_of_task(task)
    return exchange is None or not exchange.muted
