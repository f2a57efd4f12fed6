"""Threads that a request starts: what it is, quiet or undecided, goes with them.

A thread begins without the context of the one that started it, and would write as if there were no request. Only
privguard's own variable is carried, and only from a request that is quiet or undecided.
"""

from __future__ import annotations

import functools
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, thread
from typing import Any

from . import _context

_WORKER = getattr(thread, "_worker", None)  # what the threads of a pool run: these outlive every request


class _WhileInProgress:
    """A request as its daemon threads see it, which may be services that go on for good: until its end.

    They do not keep it from being collected, when a server forgets to close it.
    """

    def __init__(self, exchange: Any) -> None:
        self._exchange = weakref.ref(exchange)

    @property
    def ended(self) -> bool:
        exchange = self._exchange()
        return exchange is None or bool(exchange.ended)

    @property
    def muted(self) -> bool:
        exchange = self._exchange()
        return exchange is not None and bool(exchange.muted and not exchange.ended)

    @property
    def waiting(self) -> Any:
        exchange = self._exchange()
        return exchange.waiting if exchange is not None else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._exchange(), name)


def carry_into_threads() -> None:
    """Have threads and pools ask, once a process, in which request they are started."""
    for owner, name, wrapper_of in (
        (threading.Thread, "start", _start_carrying),
        (ThreadPoolExecutor, "submit", _submit_carrying),
    ):
        replaced = getattr(owner, name)
        if not getattr(replaced, "_asks_privguard", False):
            wrapper = functools.wraps(replaced)(wrapper_of(replaced))
            setattr(wrapper, "_asks_privguard", True)
            setattr(owner, name, wrapper)


def _to_be_carried() -> Any:
    exchange = _context.current.get()
    if exchange is None or isinstance(exchange, _context.After):
        return None
    return exchange if exchange.muted or exchange.waiting is not None else None


def _start_carrying(start: Callable[..., Any]) -> Callable[..., Any]:
    def start_carrying(self: threading.Thread) -> None:
        exchange = _to_be_carried()
        if exchange is not None and getattr(self, "_target", None) is not _WORKER:
            _carry(self, _WhileInProgress(exchange) if self.daemon else exchange)
        start(self)

    return start_carrying


def _carry(started: threading.Thread, exchange: Any) -> None:
    run = started.run

    def run_carrying(*arguments: Any, **named: Any) -> None:
        if arguments and arguments[0] is started:  # others take it for a method, and pass the thread
            arguments = arguments[1:]
        _context.current.set(exchange)
        try:
            run(*arguments, **named)
        except Exception as error:
            _tell_of(error, started, exchange)

    setattr(started, "run", run_carrying)


def _tell_of(error: Exception, failed: threading.Thread, exchange: Any) -> None:
    """Have Python tell of a thread's exception as ever: later, or not at all."""
    if exchange.muted:
        return
    if exchange.waiting is None:
        raise error
    told = threading.ExceptHookArgs((type(error), error, error.__traceback__, failed))
    exchange.waiting.add(functools.partial(threading.excepthook, told))


def _submit_carrying(submit: Callable[..., Any]) -> Callable[..., Any]:
    def submit_carrying(self: ThreadPoolExecutor, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        exchange = _to_be_carried()
        return submit(self, function if exchange is None else _within(exchange, function), *args, **kwargs)

    return submit_carrying


def _within(exchange: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function, assigned=())
    def run_within(*args: Any, **kwargs: Any) -> Any:
        token = _context.current.set(exchange)
        try:
            return function(*args, **kwargs)
        finally:
            _context.current.reset(token)

    return run_within
