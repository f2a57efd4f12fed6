"""Hypercorn: writes of visitors who leave, and of WSGI apps, from a task of its own that knows no request.

Its logger gets the scope, and so does the app: an entry of the scope leads from the one to the other.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

from .. import _context, _silence

LINE_KEY = "privguard.line"


class _Line:
    """The access line of one request; copies of the scope hold the same one."""

    __slots__ = ("exchange", "held", "is_over")
    exchange: _context.InProgress | None

    def __init__(self) -> None:
        self.exchange = None
        self.held: list[Callable[[], Awaitable[None]]] = []
        self.is_over = False
        """Whether the app's call is over."""

    @property
    def is_open(self) -> bool:
        """Whether nobody knows yet if it will be written."""
        return not self.is_over and (self.exchange is None or self.exchange.waiting is not None)


def give_lines(module: ModuleType) -> None:
    """Have both wrappers of apps put a line into the scope."""
    for wrapper in (module.ASGIWrapper, module.WSGIWrapper):
        _silence.wrap(wrapper, "__call__", _call)
    _silence.wrap(module, "_build_environ", _build_environ)


def _call(call: Callable[..., Any]) -> Callable[..., Any]:
    async def call_with_line(self: Any, scope: Any, *more: Any) -> None:
        line = scope[LINE_KEY] = _Line()
        try:
            await call(self, scope, *more)
        finally:
            line.is_over = True
            if line.exchange is not None and line.exchange.muted:
                _context.current.set(line.exchange)  # this task's, for what the server says of its failure
            for write in line.held:
                await write()

    return call_with_line


def _build_environ(build: Callable[..., Any]) -> Callable[..., Any]:
    def build_with_line(scope: Any, body: bytes) -> Any:
        return {**build(scope, body), LINE_KEY: scope.get(LINE_KEY)}

    return build_with_line


def ask_before_access_lines(module: ModuleType) -> None:
    """Wrap Logger.access, the method that a site's own logger class overrides."""
    _silence.wrap(module.Logger, "access", _access)


def _access(access: Callable[..., Any]) -> Callable[..., Any]:
    async def access_unless_silent(self: Any, request: Any, response: Any, request_time: float) -> None:
        async def write() -> None:
            line = request.get(LINE_KEY)
            token = _context.current.set(_context.current.get() if line is None else line.exchange)
            try:
                await access(self, request, response, request_time)
            finally:
                _context.current.reset(token)

        if response is None and LINE_KEY not in request:  # gone before the app was called
            await _let_others_run()
        line = request.get(LINE_KEY)
        if response is None and line is not None and line.is_open:
            line.held.append(write)
        else:
            await write()

    return access_unless_silent


async def _let_others_run() -> None:
    """Wait until each task that is ready, such as the one that calls the app, has begun."""
    if "hypercorn.trio.run" in sys.modules:
        import trio

        for _ in range(2):  # it runs what is ready in no order
            await trio.lowlevel.checkpoint()
    else:
        import asyncio

        await asyncio.sleep(0)
