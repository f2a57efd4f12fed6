"""What reaches a log, and what Python tells of by itself: warnings, and exceptions that nobody caught."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from ._report import Trace

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class LogWatch:
    """Keeps what handlers write, and what hooks are called with, in a block."""

    def __init__(self) -> None:
        self.traces: list[Trace] = []
        self.failures: int = 0
        self.warnings: int = 0
        self._records: dict[int, logging.LogRecord] = {}  # kept, so that no other gets the number of one of them

    @property
    def looked_through(self) -> list[str]:
        """Say what was seen."""
        return [
            f"log records that reached a handler: {len(self._records)}",
            f"warnings: {self.warnings}",
            f"exceptions that nobody caught: {self.failures}",
        ]

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch in the block."""
        with contextlib.ExitStack() as stack:
            _replaced(stack, logging.Handler, "handle", self._handle)
            _replaced(stack, warnings, "showwarning", self._show_warning)
            _replaced(stack, sys, "excepthook", self._hook)
            _replaced(stack, sys, "unraisablehook", self._unraisable_hook)
            _replaced(stack, threading, "excepthook", self._thread_hook)
            stack.enter_context(_root_is_handled())
            yield

    # ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _handle(self, handle: Callable[..., Any]) -> Callable[..., Any]:
        def handle_and_keep(handler: logging.Handler, record: logging.LogRecord) -> Any:
            passed = handle(handler, record)
            if passed and id(record) not in self._records:
                self._records[id(record)] = record
                self._keep_record(record)
            return passed

        return handle_and_keep

    def _keep_record(self, record: logging.LogRecord) -> None:
        place = f"log record of {record.name} ({record.levelname})"
        # at once: arguments may change, and a formatter may have left its text in the record
        self._keep(place, _message(record))
        self._keep(f"{place}: what it carries", _shown({k: v for k, v in vars(record).items() if k not in _PLAIN}))
        if record.exc_info and record.exc_info[1] is not None:
            self._keep_error(place, record.exc_info[1], record.exc_info[2])
        for text in filter(None, (record.exc_text, record.stack_info)):
            self._keep(f"{place}: traceback", text)

    def _keep(self, place: str, text: str) -> None:
        self.traces.append(Trace(place, text.encode("utf-8", "surrogateescape")))

    def _keep_error(self, place: str, error: BaseException, frames: Any) -> None:
        told = traceback.TracebackException(type(error), error, frames, capture_locals=True)
        self._keep(f"{place}: traceback with local variables", "".join(told.format()))

    # ── what Python calls by itself ──────────────────────────────────────────────────────────────────────────────────

    def _show_warning(self, show: Callable[..., Any]) -> Callable[..., Any]:
        def show_and_keep(message: Any, category: type[Warning], *rest: Any, **options: Any) -> None:
            self.warnings += 1
            self._keep(f"warning ({category.__name__})", str(message))
            show(message, category, *rest, **options)

        return show_and_keep

    def _failed(self, place: str, error: BaseException | None, frames: Any, more: str = "") -> None:
        self.failures += 1
        self._keep(place, more)
        if error is not None:
            self._keep_error(place, error, frames)

    def _hook(self, hook: Callable[..., Any]) -> Callable[..., Any]:
        def keep_and_call(kind: type[BaseException], error: BaseException, frames: Any) -> None:
            self._failed("sys.excepthook", error, frames)
            hook(kind, error, frames)

        return keep_and_call

    def _unraisable_hook(self, hook: Callable[..., Any]) -> Callable[..., Any]:
        def keep_and_call(told: Any) -> None:
            more = f"{told.err_msg or ''} {_shown(told.object)}"
            self._failed("sys.unraisablehook", told.exc_value, told.exc_traceback, more)
            hook(told)

        return keep_and_call

    def _thread_hook(self, hook: Callable[..., Any]) -> Callable[..., Any]:
        def keep_and_call(told: Any) -> None:
            self._failed("threading.excepthook", told.exc_value, told.exc_traceback, _shown(told.thread))
            hook(told)

        return keep_and_call


def _replaced(stack: contextlib.ExitStack, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    before = getattr(owner, name)
    setattr(owner, name, make(before))
    stack.callback(setattr, owner, name, before)


@contextlib.contextmanager
def _root_is_handled() -> Iterator[None]:
    """Let a record reach a handler that would reach one on the real site.

    Where nobody has set a level, the levels are as servers and platforms set them: INFO.
    """
    root, keeps = logging.getLogger(), Silent()
    level = root.level
    if level == logging.WARNING and all(type(one).__module__.startswith("_pytest.") for one in root.handlers):
        root.setLevel(logging.INFO)
    root.addHandler(keeps)
    try:
        yield
    finally:
        root.removeHandler(keeps)
        root.setLevel(level)


class Silent(logging.Handler):
    """A handler that writes nothing: what is kept is kept for every handler."""

    def emit(self, record: logging.LogRecord) -> None:
        pass


def _message(record: logging.LogRecord) -> str:
    try:
        return f"{record.getMessage()}\n{_shown(record.args)}"
    except Exception:  # the arguments do not fit the message: handlers report that, and show both
        return f"{_shown(record.msg)}\n{_shown(record.args)}"


def _shown(thing: object) -> str:
    try:
        return repr(thing)
    except Exception:
        return f"<{type(thing).__name__} that cannot be shown>"
