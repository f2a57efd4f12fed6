"""Which interface an app speaks: ASGI 3.0 or WSGI (PEP 3333), as far as its signature tells."""

from __future__ import annotations

import inspect
from typing import Any


def interface_of(app: Any) -> str | None:
    """Return ``"asgi"``, ``"wsgi"`` or, when its signature does not tell, None.

    ASGI 3.0 is awaited with (scope, receive, send); PEP 3333 is called with (environ, start_response).

    >>> interface_of(lambda environ, start_response: [])
    'wsgi'
    """
    if inspect.iscoroutinefunction(app) or (callable(app) and inspect.iscoroutinefunction(type(app).__call__)):
        return "asgi"
    return {2: "wsgi", 3: "asgi"}.get(required_arguments(app))


def required_arguments(app: Any) -> int:
    """Return how many positional arguments *app* must be called with; -1 when nobody can tell."""
    try:
        parameters = inspect.signature(app).parameters.values()
    except (TypeError, ValueError):
        return -1
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return -1
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(one.kind in positional and one.default is one.empty for one in parameters)
