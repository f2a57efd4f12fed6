"""Which files below some folders have changed, and what is in them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from ._report import Trace

LARGEST = 64 * 1024 * 1024
"""Bytes of a file that are looked through, from its end: that is where a log grows."""

_NO_DATA = frozenset({".git", ".hg", "__pycache__", "node_modules", "site-packages"})  # code, and its caches
# It may have become a link since, or a pipe that nobody writes to; Windows has neither flag.
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_State = tuple[int, int, int, int]


class FileWatch:
    """Remembers the files below *folders* as they are now."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.folders: list[Path] = list(dict.fromkeys(folder.resolve() for folder in folders))
        self.left_out: list[str] = []
        self._changed = 0
        self._before: dict[str, _State] = dict(self._files())

    @property
    def looked_through(self) -> list[str]:
        """Say what was looked through."""
        where = ", ".join(map(str, self.folders))
        return [f"files changed: {self._changed} of {len(self._before)} below {where}"]

    def traces(self) -> Iterator[Trace]:
        """Yield what is in each file that has changed since."""
        now = dict(self._files())
        changed = [path for path, state in now.items() if self._before.get(path) != state]
        self._changed = len(changed)
        for path in changed:
            yield Trace(f"file {path}: its name", os.fsencode(path))
            try:
                yield Trace(f"file {path}", self._read(path))
            except OSError as error:
                self._leave_out(error)

    def _leave_out(self, error: OSError) -> None:
        line = f"{error.filename}: {error.strerror}"
        # of what is gone, nothing is left
        if not isinstance(error, FileNotFoundError) and line not in self.left_out:
            self.left_out.append(line)

    def _read(self, path: str) -> bytes:
        with open(os.open(path, _FLAGS), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > LARGEST:
                self.left_out.append(f"file {path}: all but its last {LARGEST // 1024**2} MiB")
                file.seek(size - LARGEST)
            return file.read(LARGEST)

    def _files(self) -> Iterator[tuple[str, _State]]:
        for top in self.folders:
            for folder, folders, names in os.walk(top, onerror=self._leave_out, followlinks=False):
                folders[:] = [name for name in folders if name not in _NO_DATA]
                for name in names:
                    path = os.path.join(folder, name)
                    state = _state_of(path)
                    if state is not None:
                        yield path, state


def _state_of(path: str) -> _State | None:
    """Return by what a change of a file is known; None for what is no file, and for a link."""
    try:
        found = os.lstat(path)
    except OSError:  # gone in this moment
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
