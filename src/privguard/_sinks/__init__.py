"""What libraries write past ``logging``: nothing of a muted request leaves, and a submission's waits for its judgement.

One module a library, with the hooks that it has; it is imported when the library is, and never the other way round: a
process that has not loaded it writes nothing with it. ``look()`` finds what has been loaded since, and costs a
comparison where nothing was.
"""

from __future__ import annotations

import importlib
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from .. import _context, _silence

Leave = Callable[[], object]
Ask = Callable[..., Callable[[], Any] | None]

# The module whose presence says that a library is in use, and the one here that knows its hooks.
_HOOKS = {
    "sentry_sdk": "sentry",
    "opentelemetry.sdk.trace": "opentelemetry_spans",
    "opentelemetry.sdk._logs._internal": "opentelemetry_logs",
    "opentelemetry.sdk.metrics._internal.measurement_consumer": "opentelemetry_metrics",
    "structlog": "structlog",
    "loguru": "loguru",
}

to_begin: list[Callable[[_context.InProgress], Leave | None]] = []
"""Called when a submission or a quiet request begins; what they return is called at its end."""
to_flag: list[Callable[[_context.InProgress], object]] = []
"""Called when a request turns out to be a child's."""
to_start_over: list[Callable[[_context.InProgress], Leave | None]] = []
"""Called when a request begins in a context that another one left behind, which may be a child's."""

_looking = threading.RLock()
_unseen = dict(_HOOKS)
_modules = 0
_told: set[str] = set()


def look() -> None:
    """Put the question before each library that has been loaded since the last look."""
    global _modules
    if len(sys.modules) == _modules:
        return
    with _looking:
        count = len(sys.modules)
        for name in [name for name in _unseen if name in sys.modules]:
            spec = getattr(sys.modules[name], "__spec__", None)
            if spec is None or getattr(spec, "_initializing", False):
                count = 0  # another thread is still importing it, or it is a stand-in: look again
                continue
            hook = _unseen.pop(name)
            try:
                importlib.import_module(f"{__name__}.{hook}").install()
            except Exception as error:
                tell(hook, error)
        _modules = count


def begin(exchange: _context.InProgress) -> list[Leave]:
    """Say that a request begins of which nothing may be written, or not yet; return what is to be called at its end."""
    look()
    return _call_each(to_begin, exchange)


def flag(exchange: _context.InProgress) -> None:
    """Say that *exchange* is a child's."""
    _call_each(to_flag, exchange)


def start_over(left: _context.InProgress) -> list[Leave]:
    """Say that a request begins in the context that *left* left behind; return what is to be called at its end."""
    return _call_each(to_start_over, left)


def end(leaves: Sequence[Leave]) -> None:
    """Say that a request is over; *leaves* is what begin() and start_over() returned for it."""
    for leave in reversed(leaves):
        try:
            leave()
        except Exception as error:
            tell(leave.__module__.rpartition(".")[2], error)


def _call_each(functions: list[Callable[..., Any]], exchange: _context.InProgress) -> list[Leave]:
    returned = []
    for function in functions:
        try:
            returned.append(function(exchange))
        except Exception as error:
            tell(function.__module__.rpartition(".")[2], error)
    return [one for one in returned if one is not None]


def wrap(place: Any, name: str, ask: Ask) -> None:
    """Have *ask* asked before the function *name* of *place*, in requests that are muted or undecided.

    It is given the exchange, the function, and the function's arguments; what it returns is called at once, and with
    None nothing is. Where *ask* itself fails, nothing is written, and one line says so.
    """
    library = ask.__module__.rpartition(".")[2]

    def wrapper_of(replaced: Callable[..., Any]) -> Callable[..., Any]:
        def write_unless_silent(*arguments: Any, **named: Any) -> Any:
            exchange = _context.current.get()
            if exchange is None or not (exchange.muted or exchange.waiting):
                return replaced(*arguments, **named)
            try:
                write = ask(exchange, replaced, *arguments, **named)
            except Exception as error:
                tell(library, error)
                return None
            return None if write is None else write()

        return write_unless_silent

    _silence.wrap(place, name, wrapper_of)


def hold(exchange: _silence.Writer, write: Callable[[], Any]) -> None:
    """Have *write* called when *exchange* ends without being a child's, and never if it is one."""
    _silence._write(exchange, write)


def is_over(exchange: _context.InProgress) -> bool:
    """Whether *exchange* is what a muted one left behind in the context of its server."""
    return isinstance(exchange, _context.After)


def speaks_of(exchange: _context.InProgress, text: str, *, has_exception: bool) -> bool:
    """Whether what is written after the muted *exchange* is about it."""
    return not isinstance(exchange, _context.After) or _silence.is_about(exchange, text, has_exception=has_exception)


def must_wait(exchange: _context.InProgress, level: int) -> bool:
    """Whether a line of this level (as logging counts them) waits in the undecided *exchange*."""
    waiting = exchange.waiting
    return waiting is None or waiting.takes_level(level)


def tell(library: str, error: BaseException) -> None:
    """Write, once for each library, that its hook failed. The message is left out: it may hold what a visitor sent."""
    if library in _told:
        return
    _told.add(library)
    steps = traceback.extract_tb(error.__traceback__)
    logging.getLogger(_silence.OWN_LOGGER).error(
        "privguard's hook for %s failed (%s at %s): what that library would write of submissions and quiet requests is "
        "lost, or, where the hook could not be put in place, written. Please report this with the library's version.",
        library,
        type(error).__name__,
        f"{steps[-1].filename.rpartition('/')[2]}:{steps[-1].lineno}" if steps else "an unknown place",
    )
