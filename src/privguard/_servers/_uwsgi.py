"""uWSGI: writes access lines natively. Where they are switched off, the app may ask for that of a single request."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from types import ModuleType

_log_this_request: Callable[[], object] | None = None


def log_by_request(module: ModuleType) -> None:
    """Ask for the access line of each request that is not muted: with ``disable-logging``, no other is written."""
    global _log_this_request
    _log_this_request = getattr(module, "log_this_request", None)


def log_ordinary() -> None:
    """Ask for the access line of the request that this thread is at work on."""
    if _log_this_request is not None:
        with contextlib.suppress(Exception):  # in a process of uWSGI's that serves no request
            _log_this_request()
