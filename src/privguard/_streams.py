"""Standard output, standard error and ``wsgi.errors``: what is written there past the log is silenced as the log is."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable
from typing import Any

from . import _context
from ._access_lines import REDUCTION


class GuardedStream:
    """A stream of text or bytes whose writing asks in which request it happens; all else is the stream's own."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: Any) -> Any:
        """Write *text*, later or not at all; return how much of it was taken."""
        exchange = _context.current.get()
        if exchange is not None and exchange.muted and _is_silent(exchange, text):
            return len(text)
        left = REDUCTION.line(text) if REDUCTION else text
        if exchange is not None and exchange.waiting is not None:
            exchange.waiting.add(functools.partial(_write_late, self._stream, left))
            return len(text)
        taken = self._stream.write(left)
        return taken if left is text else len(text)

    def writelines(self, lines: Iterable[Any]) -> None:
        """Write *lines*, each as write() does."""
        for line in lines:
            self.write(line)

    @property
    def buffer(self) -> Any:
        """The stream of bytes below one of text."""
        return GuardedStream(self._stream.buffer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_stream":
            object.__setattr__(self, name, value)
        else:
            setattr(self._stream, name, value)

    def __iter__(self) -> Any:
        return iter(self._stream)

    def __enter__(self) -> GuardedStream:
        return self

    def __exit__(self, *raised: object) -> None:
        self._stream.close()

    def __repr__(self) -> str:
        return f"<guarded {self._stream!r}>"


def _is_silent(muted: _context.InProgress, text: Any) -> bool:
    return not isinstance(muted, _context.After) or muted.is_spoken_of(text)


def _write_late(stream: Any, text: Any) -> None:
    """Write *text* and flush: its writer has flushed by now, and some streams end with their request."""
    stream.write(text)
    flush = getattr(stream, "flush", None)
    if flush is not None:
        flush()


def guarded_stream(stream: Any) -> GuardedStream:
    """Return *stream* guarded, once."""
    return stream if isinstance(stream, GuardedStream) else GuardedStream(stream)


def guard_standard_streams() -> None:
    """Put a GuardedStream before standard output and standard error, whoever else has replaced them."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None:  # as in a process without a terminal (pythonw)
            setattr(sys, name, guarded_stream(stream))
