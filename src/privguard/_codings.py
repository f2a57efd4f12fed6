"""Content codings (RFC 9110 §8.4): a body unpacked and packed again while it streams, in constant memory.

gzip and deflate come with Python; br and zstd with libraries that the extra ``privguard[compress]`` installs, which are
imported when such a body first comes.
"""

from __future__ import annotations

import importlib
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

_PIECE = 1 << 16  # bytes that are unpacked at once: a bomb must not fill the memory
_MOST_CODINGS = 5  # more is an attack, and browsers give up, too
_EXTRA = "privguard[compress]"
_ALIASES = {"x-gzip": "gzip"}
# Those that browsers unpack. Any other they ignore, and show what came.
_KNOWN = frozenset({"gzip", "deflate", "br", "zstd", "dcb", "dcz", "compress", "x-compress"})
_ALWAYS_READABLE = re.compile(r"(?:gzip|deflate|identity|[ ,])*")


class CodingError(ValueError):
    """A body is not what its Content-Encoding says."""


class Step(Protocol):
    """One coding, in one direction."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what *chunk* becomes, in pieces of bounded size."""

    def finish(self) -> Iterator[bytes]:
        """Yield what is left. Raises CodingError when the body is not whole."""


# ── gzip and deflate (RFC 1950 to 1952) ──────────────────────────────────────────────────────────────────────────────


class _Inflate:
    """zlib's decoder: several gzip members follow one another, and what follows the last is no part of the body."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._engine = zlib.decompressobj(window)
        self._begin = b""
        self._is_begun = False
        self._has_member = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        if not self._is_begun:
            chunk = self._begin = self._begin + chunk
            if len(chunk) < 2:
                return
            self._begin = b""
            self._is_begun = True
            # "deflate" is zlib's format, and some servers have always sent it without that frame.
            if self._window == zlib.MAX_WBITS and (chunk[0] & 0x0F != 8 or (chunk[0] << 8 | chunk[1]) % 31):
                self._window = -zlib.MAX_WBITS
                self._engine = zlib.decompressobj(self._window)
        while chunk:
            if self._engine.eof and not self._next_member(chunk):
                return
            try:
                piece = self._engine.decompress(chunk, _PIECE)
            except zlib.error:
                if self._has_member:
                    return  # behind the last member
                raise CodingError("the body is not compressed as it says") from None
            if piece:
                yield piece
            chunk = self._engine.unused_data if self._engine.eof else self._engine.unconsumed_tail
            if not piece and not chunk:
                return

    def _next_member(self, chunk: bytes) -> bool:
        self._has_member = True
        if self._window != zlib.MAX_WBITS | 16 or not chunk.startswith(b"\x1f"):
            return False
        self._engine = zlib.decompressobj(self._window)
        return True

    def finish(self) -> Iterator[bytes]:
        if not self._engine.eof and not self._has_member:
            raise CodingError("the compressed body is not whole")
        yield from ()


class _Deflate:
    def __init__(self, window: int) -> None:
        self._engine = zlib.compressobj(6, zlib.DEFLATED, window)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        if chunk:  # a page that is sent in parts is to arrive in parts
            yield self._engine.compress(chunk) + self._engine.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> Iterator[bytes]:
        yield self._engine.flush()


# ── br (RFC 7932) and zstd (RFC 8878) ────────────────────────────────────────────────────────────────────────────────


def _library(*names: str) -> Any:
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            pass
    return None


def _brotli() -> Any:
    return _library("brotli", "brotlicffi")


def _zstd() -> Any:
    return _library("compression.zstd", "backports.zstd")


class _BrotliDecode:
    def __init__(self) -> None:
        self._library = _brotli()
        self._engine = self._library.Decompressor()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        try:
            piece = self._engine.process(chunk, output_buffer_limit=_PIECE)
            while piece or not self._engine.can_accept_more_data():
                yield piece
                if self._engine.is_finished():
                    break
                piece = self._engine.process(b"", output_buffer_limit=_PIECE)
        except self._library.error:
            raise CodingError("the body is not compressed as it says") from None

    def finish(self) -> Iterator[bytes]:
        if not self._engine.is_finished():
            raise CodingError("the compressed body is not whole")
        yield from ()


class _BrotliEncode:
    def __init__(self) -> None:
        self._engine = _brotli().Compressor(quality=4)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        if chunk:
            yield self._engine.process(chunk) + self._engine.flush()

    def finish(self) -> Iterator[bytes]:
        yield self._engine.finish()


class _ZstdDecode:
    def __init__(self) -> None:
        self._library = _zstd()
        self._engine = self._library.ZstdDecompressor()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        try:
            while chunk or not self._engine.needs_input:
                if self._engine.eof:  # frames follow one another
                    self._engine = self._library.ZstdDecompressor()
                piece = self._engine.decompress(chunk, _PIECE)
                if piece:
                    yield piece
                chunk = self._engine.unused_data if self._engine.eof else b""
                if self._engine.eof and not chunk:
                    return
        except self._library.ZstdError:
            raise CodingError("the body is not compressed as it says") from None

    def finish(self) -> Iterator[bytes]:
        if not self._engine.eof:
            raise CodingError("the compressed body is not whole")
        yield from ()


class _ZstdEncode:
    def __init__(self) -> None:
        library = _zstd()
        self._flush = library.ZstdCompressor.FLUSH_BLOCK
        self._engine = library.ZstdCompressor(level=3)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        if chunk:
            yield self._engine.compress(chunk, self._flush)

    def finish(self) -> Iterator[bytes]:
        yield self._engine.flush()


_GZIP = zlib.MAX_WBITS | 16
_DECODERS: Mapping[str, Callable[[], Step]] = {
    "gzip": lambda: _Inflate(_GZIP),
    "deflate": lambda: _Inflate(zlib.MAX_WBITS),
    "br": _BrotliDecode,
    "zstd": _ZstdDecode,
}
_ENCODERS: Mapping[str, Callable[[], Step]] = {
    "gzip": lambda: _Deflate(_GZIP),
    "deflate": lambda: _Deflate(zlib.MAX_WBITS),
    "br": _BrotliEncode,
    "zstd": _ZstdEncode,
}
_LIBRARIES: Mapping[str, Callable[[], Any]] = {"br": _brotli, "zstd": _zstd}

# ── what a header field says ─────────────────────────────────────────────────────────────────────────────────────────


def parse_codings(values: Sequence[str]) -> tuple[str, ...]:
    """Return the codings in these Content-Encoding values, in the order in which they were applied.

    Without ``identity`` and what browsers do not know, for they show what comes under such a name as it is.

    >>> parse_codings(["X-GZIP, identity", "br"])
    ('gzip', 'br')
    """
    names = (one.strip(" \t").lower() for one in ",".join(values).split(","))
    return tuple(_ALIASES.get(name, name) for name in names if _ALIASES.get(name, name) in _KNOWN)


def readable(codings: Sequence[str]) -> bool:
    """Whether a body in *codings* can be read and written here."""
    return len(codings) <= _MOST_CODINGS and all(map(_is_here, codings))


def _is_here(coding: str) -> bool:
    return coding in _DECODERS and (coding not in _LIBRARIES or _LIBRARIES[coding]() is not None)


def missing_extra(codings: Sequence[str]) -> str | None:
    """Return what to install so that *codings* can be read, or None where that would not help."""
    return _EXTRA if len(codings) <= _MOST_CODINGS and all(one in _DECODERS for one in codings) else None


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
        return self._pass(0, chunk)

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
    return Chain([_DECODERS[one]() for one in reversed(codings)])


def encoder(codings: Sequence[str]) -> Chain:
    """Return what packs a body in *codings*, which are readable()."""
    return Chain([_ENCODERS[one]() for one in codings])
