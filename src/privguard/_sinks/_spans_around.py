"""Which of OpenTelemetry's spans were around a request when that began: they end after it, and are its own."""

from __future__ import annotations

import threading
import weakref
from typing import Any

from .. import _context


class Owner:
    """A request, as long as it is there, and whether it is a child's, for ever.

    The request itself would hold what waits in it, which holds the context of each writer, which holds the span.
    """

    __slots__ = ("_exchange", "muted")

    def __init__(self, exchange: _context.InProgress) -> None:
        self._exchange = weakref.ref(exchange)
        self.muted = exchange.muted

    @property
    def waiting(self) -> _context.Queue | None:
        """Where what it writes waits."""
        exchange = self._exchange()
        return exchange.waiting if exchange is not None else None

    def is_of(self, exchange: _context.InProgress) -> bool:
        """Whether it is *exchange*."""
        return self._exchange() is exchange


# By the span's id; an entry goes when its span ends, or is collected.
around: dict[int, tuple[Owner, Any]] = {}
# Of those, the last that have ended: instrumentation measures a request when its span is over.
_ended: dict[int, Owner] = {}
_MOST_ENDED = 256
_ending = threading.Lock()


def remember(span: Any, exchange: _context.InProgress) -> None:
    """Say that *span* is around *exchange*."""
    told = span.get_span_context()
    if told.is_valid and not told.is_remote:
        span_id = told.span_id
        around.setdefault(span_id, (Owner(exchange), weakref.ref(span, lambda _: around.pop(span_id, None))))


def flag(exchange: _context.InProgress) -> None:
    """Say that *exchange* is a child's."""
    for owner in [owner for owner, _ in list(around.values())] + list(_ended.values()):
        if owner.is_of(exchange):
            owner.muted = True


def owner_of(span: Any) -> Owner | None:
    """Return the request that *span* was around when that began."""
    known = around.get(span.get_span_context().span_id)
    return known[0] if known else None


def last_owner_of(span: Any) -> Owner | None:
    """Return the same of a span that has perhaps just ended."""
    return owner_of(span) or _ended.get(span.get_span_context().span_id)


def remember_end(span_id: int, owner: Owner) -> None:
    """Say that the span of this id has ended, which was *owner*'s."""
    with _ending:
        _ended[span_id] = owner
        if len(_ended) > _MOST_ENDED:
            del _ended[next(iter(_ended))]


def forget(span: Any, owner: Owner) -> None:
    """Say that *span* has ended; the one around it, of more instrumentation, is *owner*'s as well."""
    span_id = span.get_span_context().span_id
    around.pop(span_id, None)
    if not (owner.muted or owner.waiting):
        return
    remember_end(span_id, owner)
    parent = span.parent
    # Of instrumentation within instrumentation, the outer span may end first: with the last piece of a body.
    if parent is not None and not parent.is_remote and parent.span_id not in _ended:
        around.setdefault(parent.span_id, (owner, None))
