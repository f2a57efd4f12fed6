"""gevent's pywsgi: writes access lines to a stream when the request has ended, in whatever spelling its path came."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

from .. import _silence
from .._access_lines import REDUCTION


def ask_before_access_lines(module: ModuleType) -> None:
    """Wrap WSGIHandler.log_request, the method that its documentation has subclasses override."""
    _silence.wrap(module.WSGIHandler, "log_request", _log_request)
    _silence.wrap(module.WSGIHandler, "format_request", _format_request)


def _log_request(log_request: Callable[..., Any]) -> Callable[..., Any]:
    def log_unless_silent(self: Any) -> None:
        _silence.write_access_line(functools.partial(log_request, self))

    return log_unless_silent


def _format_request(format_request: Callable[..., str]) -> Callable[..., str]:
    def format_reduced(self: Any) -> str:
        line = format_request(self)
        return REDUCTION.text(line) if REDUCTION else line

    return format_reduced
