"""Content codings (RFC 9110 §8.4): a body unpacked and packed again while it streams, in constant memory.

gzip and deflate come with Python; br and zstd with libraries that the extra ``privguard[compress]`` installs, which are
imported on first need. "Browsers" are Chromium 156 and Firefox 153, as measured.
"""

from __future__ import annotations

import functools
import importlib
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

_PIECE = 1 << 16  # bytes that are read or unpacked at once: a bomb must not fill the memory
_MOST_CODINGS = 5  # more is an attack; Chromium stops at ten
_EXTRA = "privguard[compress]"
_ALIASES = {"x-gzip": "gzip"}
# What somebody may unpack (RFC 9110 §8.4.1, RFC 9842). Under any other name browsers show what came.
_KNOWN = frozenset({"gzip", "deflate", "br", "zstd", "dcb", "dcz", "compress", "x-compress"})
_SEPARATORS = re.compile(r"[ \t,]+")  # Firefox reads "gzip x" as gzip
_ALWAYS_READABLE = re.compile(r"(?:gzip|deflate|identity|[ ,])*")


class CodingError(ValueError):
    """A body is not what its Content-Encoding says."""


class Step(Protocol):
    """One coding, in one direction."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what *chunk*, which is not empty, becomes, in pieces of bounded size."""

    def finish(self) -> Iterator[bytes]:
        """Yield what is left. Raises CodingError when the body is not whole."""


def _end(is_whole: bool) -> Iterator[bytes]:
    if not is_whole:
        raise CodingError("the compressed body is not whole")
    return iter(())


# ── gzip and deflate (RFC 1950 to 1952) ──────────────────────────────────────────────────────────────────────────────

_GZIP = zlib.MAX_WBITS | 16
_GZIP_MAGIC = b"\x1f\x8b"


def _deflate_window(begin: bytes) -> int:
    """RFC 1950 §2.2 has a frame; some servers have always sent "deflate" without it, and browsers read that."""
    is_framed = begin[0] & 0x0F == 8 and int.from_bytes(begin[:2]) % 31 == 0
    return zlib.MAX_WBITS if is_framed else -zlib.MAX_WBITS


class _Inflate:
    """zlib's decoder: gzip members follow one another (RFC 1952 §2.2), and what else follows is no part of the body.

    Browsers stop after the first member; other clients go on.
    """

    def __init__(self, window_of: Callable[[bytes], int]) -> None:
        self._window_of = window_of
        self._engine: Any = None  # between members
        self._begin = b""
        self._has_member = False
        self._is_over = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        while not self._is_over:
            if self._engine is None:
                chunk = self._begin_member(chunk)
                if not chunk:
                    return
            try:
                piece = self._engine.decompress(chunk, _PIECE)
            except zlib.error:
                raise CodingError("the body is not compressed as it says") from None
            if piece:
                yield piece
            if self._engine.eof:
                chunk, self._engine, self._has_member = self._engine.unused_data, None, True
                continue
            chunk = self._engine.unconsumed_tail
            if not chunk and len(piece) < _PIECE:  # else zlib may hold more, even where it has read all
                return

    def _begin_member(self, chunk: bytes) -> bytes:
        """Return what to read now: nothing before a member has shown two bytes, nor where none follows."""
        begin = self._begin + chunk
        if len(begin) < 2:
            self._begin = begin
            return b""
        self._begin = b""
        self._is_over = self._has_member and not begin.startswith(_GZIP_MAGIC)
        if self._is_over:
            return b""
        self._engine = zlib.decompressobj(self._window_of(begin))
        return begin

    def finish(self) -> Iterator[bytes]:
        return _end(self._engine is None and self._has_member)


class _Deflate:
    def __init__(self, window: int) -> None:
        self._engine = zlib.compressobj(6, zlib.DEFLATED, window)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        # A page that is sent in parts is to arrive in parts.
        yield self._engine.compress(chunk) + self._engine.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> Iterator[bytes]:
        yield self._engine.flush()


# ── br (RFC 7932) and zstd (RFC 8878) ────────────────────────────────────────────────────────────────────────────────


@functools.cache  # a failing import costs 100 µs, and every request asks
def _library(*names: str) -> Any:
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            pass
    return None


def _brotli() -> Any:
    library = _library("brotli", "brotlicffi")
    # Before 1.2 it cannot be told to unpack in pieces: a bomb would fill the memory.
    return library if hasattr(getattr(library, "Decompressor", None), "can_accept_more_data") else None


def _zstd() -> Any:
    return _library("compression.zstd", "backports.zstd")


class _BrotliDecode:
    """The library allows nothing behind the end; browsers ignore it."""

    def __init__(self) -> None:
        self._library = _brotli()
        self._engine = self._library.Decompressor()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        try:
            piece = self._engine.process(chunk, output_buffer_limit=_PIECE)
            while piece or not self._engine.can_accept_more_data():  # it may hold more even where it can
                yield piece
                piece = self._engine.process(b"", output_buffer_limit=_PIECE)
        except self._library.error:
            raise CodingError("the body is not compressed as it says") from None

    def finish(self) -> Iterator[bytes]:
        return _end(self._engine.is_finished())


class _BrotliEncode:
    def __init__(self) -> None:
        self._engine = _brotli().Compressor(quality=4)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        yield self._engine.process(chunk) + self._engine.flush()

    def finish(self) -> Iterator[bytes]:
        yield self._engine.finish()


class _ZstdDecode:
    """Frames follow one another (RFC 8878 §3), here and in browsers."""

    def __init__(self) -> None:
        self._library = _zstd()
        # A window of 8 MiB is the most that a body may ask for (RFC 9659 §3); the library would grant 128.
        options = {self._library.DecompressionParameter.window_log_max: 23}
        self._new_engine = functools.partial(self._library.ZstdDecompressor, options=options)
        self._engine = self._new_engine()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        try:
            while chunk or not (self._engine.eof or self._engine.needs_input):
                if self._engine.eof:
                    self._engine = self._new_engine()
                piece = self._engine.decompress(chunk, _PIECE)
                if piece:
                    yield piece
                chunk = self._engine.unused_data
        except self._library.ZstdError:
            raise CodingError("the body is not compressed as it says") from None

    def finish(self) -> Iterator[bytes]:
        return _end(self._engine.eof)


class _ZstdEncode:
    def __init__(self) -> None:
        library = _zstd()
        self._flush = library.ZstdCompressor.FLUSH_BLOCK
        self._engine = library.ZstdCompressor(level=3)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        yield self._engine.compress(chunk, self._flush)

    def finish(self) -> Iterator[bytes]:
        yield self._engine.flush()


# What unpacks, and what packs.
_CODINGS: Mapping[str, tuple[Callable[[], Step], Callable[[], Step]]] = {
    "gzip": (lambda: _Inflate(lambda begin: _GZIP), lambda: _Deflate(_GZIP)),
    "deflate": (lambda: _Inflate(_deflate_window), lambda: _Deflate(zlib.MAX_WBITS)),
    "br": (_BrotliDecode, _BrotliEncode),
    "zstd": (_ZstdDecode, _ZstdEncode),
}
_LIBRARIES: Mapping[str, Callable[[], Any]] = {"br": _brotli, "zstd": _zstd}

# ── what a header field says ─────────────────────────────────────────────────────────────────────────────────────────


def parse_codings(values: Sequence[str]) -> tuple[str, ...]:
    """Return the codings in these Content-Encoding values, in the order in which they were applied.

    Without ``identity`` and what browsers do not know, for they show what comes under such a name as it is.

    >>> parse_codings(["X-GZIP, identity", "br"])
    ('gzip', 'br')
    """
    names = (_ALIASES.get(name, name) for name in _SEPARATORS.split(",".join(values).lower()))
    return tuple(name for name in names if name in _KNOWN)


def readable(codings: Sequence[str]) -> bool:
    """Whether a body in *codings* can be read and written here."""
    return len(codings) <= _MOST_CODINGS and all(map(_is_here, codings))


def _is_here(coding: str) -> bool:
    return coding in _CODINGS and (coding not in _LIBRARIES or _LIBRARIES[coding]() is not None)


def missing_extra(codings: Sequence[str]) -> str | None:
    """Return what to install so that *codings* can be read, or None where that would not help."""
    return _EXTRA if len(codings) <= _MOST_CODINGS and set(codings) <= set(_CODINGS) else None


def acceptable(accept_encoding: str) -> str:
    """Return an Accept-Encoding value without what cannot be read here (RFC 9110 §12.5.3).

    >>> acceptable("gzip, deflate;q=0.5, dcb")
    'gzip, deflate;q=0.5'
    """
    if _ALWAYS_READABLE.fullmatch(accept_encoding):
        return accept_encoding
    kept = [one.strip(" \t") for one in accept_encoding.split(",")]
    kept = [one for one in kept if one and _may_ask(one.partition(";")[0].strip(" \t").lower())]
    return ", ".join(kept) or "identity"


def _may_ask(coding: str) -> bool:
    """``*`` would ask for everything that is not named."""
    return coding == "identity" or _is_here(_ALIASES.get(coding, coding))


class Chain:
    """Several codings after one another, all in one direction."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what *chunk* becomes, in pieces of bounded size. Raises CodingError."""
        for at in range(0, len(chunk), _PIECE):  # what is left of a larger one would be copied for each piece
            yield from self._pass(0, chunk[at : at + _PIECE])

    def _pass(self, number: int, chunk: bytes) -> Iterator[bytes]:
        if number == len(self._steps):
            yield chunk
            return
        for piece in self._steps[number].feed(chunk):
            yield from self._pass(number + 1, piece)

    def finish(self) -> Iterator[bytes]:
        """Yield what is left. Raises CodingError when the body is not whole."""
        for number, step in enumerate(self._steps):
            for piece in step.finish():
                yield from self._pass(number + 1, piece)


def decoder(codings: Sequence[str]) -> Chain:
    """Return what unpacks a body in *codings*, which are readable()."""
    return Chain([_CODINGS[one][0]() for one in reversed(codings)])


def encoder(codings: Sequence[str]) -> Chain:
    """Return what packs a body in *codings*, which are readable()."""
    return Chain([_CODINGS[one][1]() for one in codings])
