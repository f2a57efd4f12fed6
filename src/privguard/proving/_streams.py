"""What is written to stdout and stderr: by Python, by C code and by child processes; shown when the watch is over."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from ._report import Trace

_STREAMS = ((1, "stdout"), (2, "stderr"))


class StreamWatch:
    """Keeps what is written to the file descriptors 1 and 2, and to what stands in for sys.stdout and sys.stderr."""

    def __init__(self, *, replays: bool) -> None:
        self.replays: bool = replays
        self.traces: list[Trace] = []
        self.left_out: list[str] = []

    @property
    def looked_through(self) -> list[str]:
        """Say what was seen."""
        sizes = {name: sum(len(one.content) for one in self.traces if one.place == name) for _, name in _STREAMS}
        return [f"bytes written to stdout: {sizes['stdout']}, to stderr: {sizes['stderr']}"]

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch in the block."""
        with contextlib.ExitStack() as stack:
            for number, name in _STREAMS:
                stack.enter_context(self._descriptor(number, name))
                stack.enter_context(self._python_stream(number, name))
            yield

    @contextlib.contextmanager
    def _descriptor(self, number: int, name: str) -> Iterator[None]:
        _flush(name)
        try:
            before = os.dup(number)
        except OSError:
            self.left_out.append(f"{name}: it is closed")
            yield
            return
        with tempfile.TemporaryFile() as kept:  # has no name: no folder that is watched shows it
            os.dup2(kept.fileno(), number)
            try:
                yield
            finally:
                _flush(name)
                os.dup2(before, number)
                os.close(before)
                self._keep(number, name, kept)

    def _keep(self, number: int, name: str, kept: IO[bytes]) -> None:
        kept.seek(0)
        content = kept.read()
        self.traces.append(Trace(name, content))
        if self.replays:
            with contextlib.suppress(OSError), open(number, "wb", closefd=False) as stream:
                stream.write(content)

    @contextlib.contextmanager
    def _python_stream(self, number: int, name: str) -> Iterator[None]:
        stream = getattr(sys, name)
        if stream is None or _descriptor_of(stream) == number:
            yield
            return
        copy = _Copied(stream, passes_on=self.replays)
        setattr(sys, name, copy)
        try:
            yield
        finally:
            if getattr(sys, name) is copy:
                setattr(sys, name, stream)
            self.traces.append(Trace(name, "".join(copy.kept).encode("utf-8", "surrogateescape")))


class _Copied:
    """A text stream of which a copy is kept."""

    def __init__(self, stream: Any, *, passes_on: bool) -> None:
        self.stream = stream
        self.passes_on = passes_on
        self.kept: list[str] = []

    def write(self, text: str) -> Any:
        self.kept.append(text)
        return self.stream.write(text) if self.passes_on else len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def _descriptor_of(stream: Any) -> int:
    try:
        return int(stream.fileno())
    except (AttributeError, OSError, ValueError):
        return -1


def _flush(name: str) -> None:
    with contextlib.suppress(Exception):  # no C library that can be called by name
        ctypes.CDLL(None).fflush(None)
    stream = getattr(sys, name)
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
