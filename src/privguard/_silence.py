"""What is written about a request, and when: nothing of a muted one, and of a submission nothing before it is judged.

``logging.Logger.handle`` is the one place that every record passes, whichever logger made it, whenever that logger or
its handlers came to be: a filter on a logger misses its children, one on a handler misses the next dictConfig. What
Python writes by itself has a hook for each: warnings, exceptions that nobody can catch, tasks that nobody awaits.
"""

from __future__ import annotations

import atexit
import contextlib
import contextvars
import functools
import logging
import sys
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from . import _context
from ._access_lines import REDUCTION
from ._frozen import frozen
from ._streams import guard_standard_streams
from ._threads import carry_into_threads

OWN_LOGGER = "privguard"

# They write their line when the app is done with the request, some of them after its end.
_ACCESS_LOGGERS = frozenset({"django.server", "django.channels.server", "werkzeug", "wsgi", "waitress"})
_MOST_WAITING = 10_000  # of one request: some ten megabytes

Write = Callable[[], object]


def install(logs: Mapping[str, Any] | None = None) -> None:
    """Put privguard's question before each way of writing, once a process, whoever else replaced it.

    *logs* is that part of a policy's settings.
    """
    if logs is not None:
        REDUCTION.add(logs["ip"], has_queries=logs["query"])
    wrap(logging.Logger, "handle", _handle_unless_silent)
    wrap(warnings, "showwarning", _tell_unless_silent)
    wrap(sys, "unraisablehook", _tell_unless_silent)
    guard_standard_streams()
    carry_into_threads()


def wrap(place: Any, name: str, wrapper_of: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace the function *name* of *place* by what *wrapper_of* makes of it, unless that is in its chain already."""
    replaced = getattr(place, name)
    link: Any = replaced
    while link is not None:
        if getattr(link, "_asks_privguard", False):
            return
        link = getattr(link, "__wrapped__", None)
    wrapper = functools.wraps(replaced)(wrapper_of(replaced))
    setattr(wrapper, "_asks_privguard", True)
    setattr(place, name, wrapper)


# ── records of the log ───────────────────────────────────────────────────────────────────────────────────────────────


def _handle_unless_silent(handle: Callable[..., Any]) -> Callable[..., Any]:
    def handle_unless_silent(self: logging.Logger, record: logging.LogRecord) -> None:
        exchange = _context.current.get()
        if REDUCTION and is_access(record):
            REDUCTION.record(record)
        if exchange is None:
            handle(self, record)
        elif exchange.muted:
            if may_write(record, exchange):
                handle(self, record)
        elif (waiting := exchange.waiting) is None or not waiting.takes(record):
            handle(self, record)
        else:
            waiting.add(functools.partial(handle, self, frozen(record)))

    return handle_unless_silent


def may_write(record: logging.LogRecord, exchange: _context.InProgress) -> bool:
    """Whether *record* may be written in the context of the muted *exchange*.

    Nothing may while it is in progress, nor in a task or thread that got a copy of its context. In the context that it
    leaves behind, what is not its own may.
    """
    if record.name == OWN_LOGGER:  # holds nothing of a visitor's, and the owner must read it
        return True
    if is_access(record) and exchange.is_access_line_of_its_own():
        return False
    return isinstance(exchange, _context.After) and not _speaks_of(record, exchange)


def is_access(record: logging.LogRecord) -> bool:
    """Whether *record* comes from a logger that servers write their access lines to."""
    return record.name in _ACCESS_LOGGERS or record.name.endswith(".access")


def _speaks_of(record: logging.LogRecord, after: _context.After) -> bool:
    try:
        message = record.getMessage()
    except Exception:  # the record's arguments do not fit its message: logging reports that by itself
        message = ""
    return is_about(after, message, has_exception=bool(record.exc_info))


def is_about(after: _context.After, text: str, *, has_exception: bool) -> bool:
    """Whether *text*, which is written after a muted request, is about it."""
    if after.raised and has_exception:
        return True
    return after.path != "/" and after.path in text


# ── what waits ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Waiting:
    """What the request of a submission would write, in its order, until it ends without being a child's.

    *errors_at_once*: records of level ERROR and above do not wait.
    """

    def __init__(self, *, errors_at_once: bool = False) -> None:
        self._errors_at_once = errors_at_once
        self._writes: deque[tuple[contextvars.Context, Write]] = deque()
        self._lost = 0
        self._is_dropped = False
        """A latch. A thread that has asked before may still want to write."""
        self._is_released = False
        """A latch, too."""
        _all_waiting.add(self)

    def takes(self, record: logging.LogRecord) -> bool:
        """Whether *record* has to wait."""
        if self._is_released or record.name == OWN_LOGGER:
            return False
        return self.takes_level(record.levelno)

    def takes_level(self, level: int) -> bool:
        """Whether what has this level has to wait."""
        return not (self._errors_at_once and level >= logging.ERROR)

    def add(self, write: Write) -> None:
        """Have *write* called later, in the context of now."""
        if self._is_dropped:
            return
        if self._is_released:
            write()
            return
        if len(self._writes) >= _MOST_WAITING:  # to write early could tell of a child
            self._lost += 1
            return
        self._writes.append((contextvars.copy_context(), write))
        if self._is_dropped:  # by another thread, in between
            self.drop()

    def writes(self) -> list[Write]:
        """Return what waits, in its order."""
        return [write for _, write in list(self._writes)]

    def drop(self) -> None:
        """Forget everything, now and from now on: it is a child's."""
        self._is_dropped = True
        self._writes.clear()
        self._lost = 0

    def release(self) -> None:
        """Write everything. Raises nothing: who has logged is not there any more."""
        self._is_released = True
        failed: Exception | None = None
        while self._writes and not self._is_dropped:
            context, write = self._writes.popleft()
            try:
                context.run(write)
            except Exception as error:
                failed = failed or error
        self._writes.clear()
        lost, self._lost = self._lost, 0
        if lost:
            _tell(
                "%d log records of one request were lost: the records of a submission wait until it is known not to be "
                "a child's, %d at most. Log less in it, or log after its end.",
                lost,
                _MOST_WAITING,
            )
        if failed is not None:
            _tell(
                "a log handler or filter of yours raised %s, and a record of a submission was lost: handlers should "
                "call handleError() instead.",
                type(failed).__name__,
            )

    def __del__(self) -> None:
        if self._writes:  # a server that never closed the response
            self.release()


def _tell(message: str, *arguments: object) -> None:
    with contextlib.suppress(Exception):  # the same handler may have it
        logging.getLogger(OWN_LOGGER).warning(message, *arguments)


_all_waiting: weakref.WeakSet[Waiting] = weakref.WeakSet()


@atexit.register
def _release_all() -> None:
    """Write what still waits when the process ends: nobody has said that it is a child's."""
    for waiting in list(_all_waiting):
        waiting.release()


# ── what Python writes by itself ─────────────────────────────────────────────────────────────────────────────────────


def write_access_line(write: Write) -> None:
    """Have *write* write the access line of the request in progress, or of the one that has just ended, or not."""
    exchange = _context.current.get()
    if exchange is None or not exchange.muted:
        _write(exchange, write)
    elif not exchange.is_access_line_of_its_own():
        write()


def _tell_unless_silent(tell: Callable[..., Any]) -> Callable[..., Any]:
    def tell_unless_silent(*arguments: Any, **named: Any) -> None:
        _write(_context.current.get(), functools.partial(tell, *arguments, **named))

    return tell_unless_silent


class Writer(Protocol):
    """What is asked of a request before it writes."""

    @property
    def waiting(self) -> _context.Queue | None: ...
    @property
    def muted(self) -> bool: ...


def _write(exchange: Writer | None, write: Write) -> None:
    """Call *write* now, when *exchange* ends, or never."""
    waiting = exchange.waiting if exchange is not None else None
    if exchange is not None and exchange.muted:
        return
    if waiting is None:
        write()
    else:
        waiting.add(write)


def watch_tasks() -> None:
    """Have the running asyncio loop ask, too, before it tells of a task whose exception nobody has looked at.

    It does so when the task is collected, in whatever request that happens: the task's own context says whose it was
    (Python 3.12 and newer).
    """
    asyncio = sys.modules.get("asyncio")
    try:
        loop = asyncio.get_running_loop() if asyncio else None
    except RuntimeError:  # another library's loop
        return
    if loop is None:
        return
    handler = loop.get_exception_handler()
    if getattr(handler, "_asks_privguard", False):
        return

    def handle_unless_silent(loop: Any, told: dict[str, Any]) -> None:
        exchange = exchange_of_task(told.get("task") or told.get("future"))
        write = functools.partial(handler, loop, told) if handler else functools.partial(_tell_as_ever, loop, told)
        context = contextvars.copy_context()
        context.run(_context.current.set, exchange)  # and not the request's in which the task was collected
        context.run(_write, exchange, write)

    setattr(handle_unless_silent, "_asks_privguard", True)
    loop.set_exception_handler(handle_unless_silent)


def _tell_as_ever(loop: Any, told: dict[str, Any]) -> None:
    loop.default_exception_handler(told)


def exchange_of_task(task: Any) -> _context.InProgress | None:
    """Return the exchange in which *task* was begun; before Python 3.12, the one in progress."""
    get_context = getattr(task, "get_context", None)
    if get_context is None:
        return _context.current.get()
    context: contextvars.Context = get_context()
    return context.get(_context.current)
