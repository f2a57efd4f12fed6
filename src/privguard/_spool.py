"""A body that is held until somebody has decided about it: in memory while it is small, then in a file without a name.

The file is unlinked before the first byte is written (O_TMPFILE where the system has it, tempfile.TemporaryFile), so
that neither a crash nor a backup leaves it behind.
"""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Iterator
from typing import IO, BinaryIO, cast

PIECE = 1 << 16  # bytes that are given on at once
_SMALL = 1 << 12  # bytes: smaller chunks are held together, for each has 33 bytes of its own, and a place


class Spool:
    """Holds the chunks of one body. *memory* is how many bytes of it may lie in memory."""

    __slots__ = ("_chunks", "_file", "_given", "_memory", "length")

    def __init__(self, memory: int) -> None:
        self.length = 0
        """Bytes."""
        self._memory = memory
        self._chunks: deque[bytes] = deque()
        self._file: IO[bytes] | None = None
        self._given: BinaryIO | None = None

    def write(self, chunk: bytes) -> None:
        """Hold *chunk*, too. Raises OSError when the temporary folder takes no more."""
        self.length += len(chunk)
        if self._file is None and self.length > self._memory:
            import tempfile  # which loads what picks random names, and most bodies are small

            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  - discard() closes it, or its reader does
            while self._chunks:
                _write_all(self._file, self._chunks.popleft())
        if self._file is not None:
            _write_all(self._file, chunk)
        elif self._chunks and len(self._chunks[-1]) + len(chunk) <= _SMALL:
            self._chunks[-1] += chunk
        else:
            self._chunks.append(chunk)

    def discard(self) -> None:
        """Forget everything: neither the memory nor the file's pages hold it any longer than the system needs."""
        self._chunks.clear()
        file, self._file = self._file, None
        if file is not None:
            with file:
                file.truncate(0)  # its pages are dropped, and never written to the disk
        given, self._given = self._given, None
        if given is not None:
            given.close()

    def __del__(self) -> None:
        self.discard()  # an app need not read its body, and nobody is warned of the file

    def pieces(self) -> Iterator[bytes]:
        """Yield what is held, once, and hold nothing of it any more."""
        while self._chunks:
            yield self._chunks.popleft()
        if self._file is not None:
            self._file.seek(0)
            while self._file is not None and (piece := self._file.read(PIECE)):
                yield piece
            self.discard()

    def as_file(self) -> BinaryIO:
        """Return what is held as a file that is read from its begin; one on the disk is closed by discard()."""
        file, self._file = self._file, None
        if file is None:
            held = io.BytesIO(b"".join(self._chunks))
            self._chunks.clear()
            return held
        file.seek(0, os.SEEK_SET)
        self._given = _HeldFile(cast("io.RawIOBase", file), PIECE)
        return self._given


class _HeldFile(io.BufferedReader):
    """No app closes what it reads a body from, and nobody is warned of that."""

    def __del__(self) -> None:
        self.close()


def _write_all(file: IO[bytes], chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[file.write(view) :]
