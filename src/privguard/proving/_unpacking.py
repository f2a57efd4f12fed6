"""What is compressed in some bytes, wherever it begins in them: gzip, zlib, ZIP, bzip2 and xz. Pure."""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from collections.abc import Iterator
from typing import Protocol

LARGEST = 64 * 1024 * 1024
"""Bytes that are unpacked of one member at most: a bomb ends there."""

_CHUNK = 64 * 1024  # bytes
_MEMORY = 128 * 1024 * 1024  # bytes that a decoder of xz may take
_BEGINNINGS = re.compile(
    rb"(?P<gzip>\x1f\x8b\x08)"  # RFC 1952 §2.3.1
    rb"|(?P<zlib>\x78[\x01\x5e\x9c\xda])"  # RFC 1950 §2.2, a window of 32 KiB
    rb"|(?P<zip>PK\x03\x04)"  # APPNOTE 4.3.7
    rb"|(?P<bzip2>BZh[1-9]1AY&SY)"
    rb"|(?P<xz>\xfd7zXZ\x00)",
)


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...
    def decompress(self, data: memoryview, max_length: int = ..., /) -> bytes: ...


def unpacked(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the format and the content of each compressed member that begins somewhere in *data*.

    A member that is cut short gives what can be read of it.

    >>> list(unpacked(b"..." + zlib.compress(b"hello")))
    [('zlib', b'hello')]
    """
    view = memoryview(data)
    for match in _BEGINNINGS.finditer(data):
        kind = match.lastgroup or ""
        content = _decoded(_decoder(kind), view[_start(data, match.start(), kind) :])
        if content:
            yield kind, content


def _start(data: bytes, start: int, kind: str) -> int:
    if kind != "zip":
        return start
    name, extra = (int.from_bytes(data[start + at : start + at + 2], "little") for at in (26, 28))
    return start + 30 + name + extra


def _decoder(kind: str) -> _Decoder:
    if kind == "bzip2":
        return bz2.BZ2Decompressor()
    if kind == "xz":
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)
    return zlib.decompressobj({"gzip": 31, "zlib": 15, "zip": -15}[kind])


def _decoded(decoder: _Decoder, view: memoryview) -> bytes:
    content = bytearray()
    try:
        for at in range(0, len(view), _CHUNK):
            content += decoder.decompress(view[at : at + _CHUNK], LARGEST + 1 - len(content))
            if decoder.eof or len(content) > LARGEST:
                break
    except (zlib.error, lzma.LZMAError, OSError, EOFError):
        pass  # it only began like one, or breaks off: what was read until here counts
    return bytes(content[:LARGEST])
