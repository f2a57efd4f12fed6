"""Sentry's scopes: a request of which nothing may be known shares none with another one.

Where Sentry's own WSGI or ASGI integration is around privguard, the isolation scope is the request's already. Where it
is not, or is further in, the request gets a fork: what an app says of its visitor (``set_user``, ``set_tag``) would
otherwise be in the next visitor's events.
"""

from __future__ import annotations

import functools
import sys
from contextvars import ContextVar
from typing import Any

from .. import _context
from . import Leave, is_over

sentry: Any = sys.modules["sentry_sdk"]

# By these, the integrations know that they are at work in this context already.
_APPLIED = (
    ("sentry_sdk.integrations.wsgi", "_wsgi_middleware_applied"),
    ("sentry_sdk.integrations.asgi", "_asgi_middleware_applied"),
)

_started_with: ContextVar[Any] = ContextVar("privguard_sentry_scope", default=None)


def begin(exchange: _context.InProgress) -> Leave | None:
    """Give the request an isolation scope of its own, unless it has one."""
    if not sentry.get_client().is_active() or any(variable.get(False) for variable in _applied()):
        return None
    before = sentry.Scope.get_isolation_scope(), sentry.Scope.get_current_scope()
    sentry.Scope.set_isolation_scope(own := before[0].fork())
    sentry.Scope.set_current_scope(before[1].fork())
    return functools.partial(_leave, exchange, own, before)


def _leave(exchange: _context.InProgress, own: Any, before: tuple[Any, Any]) -> None:
    """Go back, after a child's request: what was said in any other one is in later events, as ever."""
    if exchange.muted and sentry.Scope.get_isolation_scope() is own:
        sentry.Scope.set_isolation_scope(before[0])
        sentry.Scope.set_current_scope(before[1])


def flag(exchange: _context.InProgress) -> None:
    """Have Sentry drop what comes of this request's isolation scope, also what its integration sends at the end."""
    if sentry.get_client().is_active() and not is_flagged():
        sentry.get_isolation_scope().add_event_processor(_drop)


def is_flagged() -> bool:
    """Whether the isolation scope here is a child's request's."""
    return _drop in sentry.get_isolation_scope()._event_processors


def _drop(event: Any, hint: Any) -> None:
    """Drop an event; a processor that returns None does so."""


def start_over(left: _context.InProgress) -> Leave | None:
    """Begin with empty scopes in a context that is a copy of another request's.

    asyncio servers start the next request of a connection in such a copy, while the one before is still at work. The
    integrations take it for their own, and would say of its visitor what they know of the one before.
    """
    if not sentry.get_client().is_active() or (is_over(left) and not is_flagged()):
        return None
    before = sentry.Scope.get_isolation_scope(), sentry.Scope.get_current_scope()
    sentry.Scope.set_isolation_scope(own := _empty(before[0]))
    sentry.Scope.set_current_scope(_empty(before[1]))
    applied = [(variable, variable.get(False)) for variable in _applied()]
    for variable, _ in applied:
        variable.set(False)
    _started_with.set(own)
    return functools.partial(_go_back, own, before, applied)


def _go_back(own: Any, before: tuple[Any, Any], applied: list[tuple[Any, bool]]) -> None:
    """Go back to the request in whose midst this one was: an app may call a guarded one."""
    if _started_with.get() is own:
        sentry.Scope.set_isolation_scope(before[0])
        sentry.Scope.set_current_scope(before[1])
        for variable, was in applied:
            variable.set(was)


def _empty(scope: Any) -> Any:
    empty = type(scope)(ty=scope._type)
    empty.client = scope.client
    return empty


def _applied() -> list[Any]:
    found = [getattr(sys.modules.get(module), name, None) for module, name in _APPLIED]
    return [variable for variable in found if variable is not None]
