"""What single servers need so that they, too, are silent: each by its own hook, and only where that server runs.

Most servers need nothing: their lines go through ``logging`` or a standard stream, in the context that the request has
left behind. Here is what writes past both, after the app is done, or from elsewhere.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from . import _daphne, _gevent, _hypercorn, _uwsgi
from ._hypercorn import LINE_KEY
from ._uwsgi import log_ordinary

__all__ = ["LINE_KEY", "adapt", "begin", "log_ordinary"]

_HOOKS: Mapping[str, Callable[[ModuleType], None]] = {
    "daphne.access": _daphne.ask_before_access_lines,
    "daphne.server": _daphne.ask_before_warnings,
    "gevent.pywsgi": _gevent.ask_before_access_lines,
    "hypercorn.app_wrappers": _hypercorn.give_lines,
    "hypercorn.logging": _hypercorn.ask_before_access_lines,
    "uwsgi": _uwsgi.log_by_request,
}


def adapt() -> None:
    """Put privguard's question into the servers that this process has loaded, once each."""
    for name, hook in _HOOKS.items():
        module = sys.modules.get(name)
        if module is not None:
            hook(module)


def begin(request: Mapping[str, Any], exchange: Any) -> None:
    """Let the server of this *request*, a scope or an environ, find its *exchange* again."""
    line = request.get(LINE_KEY)
    if line is not None:
        line.exchange = exchange
