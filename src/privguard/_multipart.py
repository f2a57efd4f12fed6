"""multipart/form-data (RFC 7578), read part by part in constant memory by Werkzeug's decoder, which is loaded on need.

The decoder gets blocks of one size, however the body is cut, and never a part of a delimiter line: what it finds does
not depend on the network. What it cannot read, it is helped over, for other parsers can: a part without a
Content-Disposition, a header that is not UTF-8, and what follows the last delimiter.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ._charsets import charset_named
from ._fields import Field
from ._json_fields import LONGEST_VALUE, JsonReader
from ._media_types import sent_type
from ._pairs import LONGEST_TEXT, fields_in

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers
    from werkzeug.sansio.multipart import Event, MultipartDecoder
    from werkzeug.sansio.multipart import Field as FieldEvent
    from werkzeug.sansio.multipart import File as FileEvent

_BLOCK = 1 << 16  # bytes that the decoder gets at once, as Werkzeug's own form parser has it
_LONGEST_HEADERS = 1 << 17  # bytes of one part's; Django allows 1 KiB, Werkzeug 500 kB
_LONGEST_BOUNDARY = 1 << 10  # bytes; RFC 2046 §5.1.1 allows 70, python-multipart 256
_PADDING = 1 << 10  # bytes of blanks behind a boundary (RFC 2046 §5.1.1) that are surely seen

_BOUNDARY = re.compile(r';[\t ]*boundary[\t ]*=[\t ]*(?:"((?:[^"\\]|\\.)*)"|([^;]*))', re.IGNORECASE)
_NAME = re.compile(r"""[;\s]name[\t ]*=[\t ]*["']?([^"';]*)""", re.IGNORECASE)
_QUOTED_PAIR = re.compile(r"\\(.)")
_LINE_BREAK = re.compile(rb"\r\n|\n|\r")
_BLANK_LINE = re.compile(rb"\r\n\r\n|\r\r|\n\n")


def boundary_in(content_type: str) -> bytes:
    """Return the boundary that a Content-Type names; empty where it names none that can be.

    >>> boundary_in('multipart/form-data; boundary="a b"'), boundary_in("multipart/form-data; boundary=--=_1")
    (b'a b', b'--=_1')
    """
    match = _BOUNDARY.search(content_type)
    quoted, plain = match.groups("") if match else ("", "")
    boundary = (_QUOTED_PAIR.sub(r"\1", quoted) or plain.strip()).encode("latin-1", "replace")
    return boundary if len(boundary) <= _LONGEST_BOUNDARY else b""


class MultipartReader:
    """Reads the fields of a form that comes in chunks, and goes past its files."""

    def __init__(self, boundary: bytes, charset: str = "") -> None:
        from werkzeug.sansio import multipart

        self.unread = ""
        """Why the form could not be read to its end, as far as that is known."""
        self._library = multipart
        self._boundary = boundary
        self._marker = b"--" + boundary
        self._charset = charset
        self._held = bytearray()
        self._decoder = self._fresh_decoder()
        self._part: _Part | None = None
        self._missing = "no such boundary"

    def feed(self, chunk: bytes) -> Iterator[Field]:
        """Yield the fields that are whole by now. To be iterated to its end."""
        ahead = _BLOCK + len(self._marker)
        for at in range(0, len(chunk), _BLOCK):
            self._held += chunk[at : at + _BLOCK]
            while len(self._held) >= ahead:
                cut = self._cut()
                block = bytes(self._held[:cut])
                del self._held[:cut]
                yield from self._read(block)

    def finish(self) -> Iterator[Field]:
        """Yield what is left; an end that is missing is told in ``unread``."""
        yield from self._read(bytes(self._held))
        self._held.clear()
        if self._part is not None:
            yield from self._part.finish()
        self.unread = self._missing or self.unread

    def _cut(self) -> int:
        """Return the size of the next block: in front of a delimiter line that might not be whole in it."""
        size = len(self._marker)
        at = self._held.rfind(self._marker, _BLOCK - _PADDING - size, _BLOCK + size)
        return at - 2 if at >= 0 else _BLOCK

    # ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _fresh_decoder(self, data: bytes = b"") -> MultipartDecoder:
        decoder = self._library.MultipartDecoder(self._boundary)
        decoder.receive_data(data)
        return decoder

    def _read(self, block: bytes) -> Iterator[Field]:
        if self._decoder.state is self._library.State.PREAMBLE:
            begin = block.find(self._marker)  # the decoder's pattern looks for it, too, a hundred times slower
            block = block[begin:] if begin >= 0 else b""
        self._decoder.receive_data(block)
        while (event := self._next_event()) is not self._library.NEED_DATA:
            yield from self._take(event)
        state = self._decoder.state
        if state is self._library.State.PREAMBLE:
            self._decoder = self._fresh_decoder()  # nothing in it is needed
        elif state is self._library.State.PART and len(self._decoder.buffer) > _LONGEST_HEADERS:
            self.unread = "overlong headers in multipart"
            self._decoder = self._fresh_decoder()

    def _next_event(self) -> Event:
        while True:
            if self._decoder.state is self._library.State.EPILOGUE:
                # Django reads parts there, too; and the decoder would keep all of it until the end.
                self._missing = ""
                self._decoder.state = self._library.State.PREAMBLE
            try:
                return self._decoder.next_event()
            except ValueError as error:
                self._help_over(error)

    def _help_over(self, error: ValueError) -> None:
        """Have the part read again in which the decoder has failed, with headers that it can read."""
        rest = bytes(self._decoder.buffer)
        if isinstance(error, UnicodeDecodeError):
            blank = _BLANK_LINE.search(rest)
            end = blank.start() if blank else len(rest)
            rest = rest[:end].decode(charset_named(self._charset), "replace").encode() + rest[end:]
        else:
            line_break = _LINE_BREAK.match(rest)
            # Where the headers are still there, the part is given up: nothing may be tried again for ever.
            rest = b"Content-Disposition: none" + line_break[0] + rest if line_break else b""
        self._decoder = self._fresh_decoder(self._marker + b"\n" + rest)

    def _take(self, event: Event) -> Iterator[Field]:
        if isinstance(event, (self._library.Field, self._library.File)):
            self._missing = "truncated multipart"
            self._part = _Part(event, self._charset)
        elif isinstance(event, self._library.Data) and self._part is not None:
            yield from self._part.feed(event.data)
            if not event.more_data:
                yield from self._part.finish()
                self._charset = self._part.charset_of_others
                self._part = None


class _Part:
    """One part: text, JSON below the part's name, or nothing that is looked at."""

    def __init__(self, event: FieldEvent | FileEvent, charset: str) -> None:
        self._headers: Headers = event.headers
        self._name = _name_of(event)
        self._kept = bytearray()
        declared = sent_type([self._headers.get("content-type", "")])
        self._charset = (declared and declared.charset) or charset
        self.charset_of_others = charset
        """What the form is in, as far as it is known behind this part (HTML §4.10.22.7)."""
        self._json: JsonReader | None = None
        file_name = getattr(event, "filename", None)
        # FormData names a Blob "blob" (XHR §4, "create an entry"): that is how scripts send JSON in a part.
        if declared is not None and "json" in declared.essence and file_name in (None, "blob"):
            self._json = JsonReader(self._charset, (self._name,))
        self._is_text = file_name is None and self._json is None

    def feed(self, data: bytes) -> Iterator[Field]:
        if self._json is not None and self._name:
            yield from self._json.feed(data)
        elif self._is_text:
            self._kept += data[: LONGEST_TEXT - len(self._kept)]

    def finish(self) -> Iterator[Field]:
        if not self._name:
            return
        if self._json is not None:
            yield from self._json.finish()
        elif self._is_text:
            yield from self._text(bytes(self._kept))

    def _text(self, raw: bytes) -> Iterator[Field]:
        value = raw.decode(charset_named(self._charset), "replace")
        if self._name == "_charset_":
            self.charset_of_others = value
        yield Field((self._name,), value[:LONGEST_VALUE])
        yield from fields_in(self._name, value)
        if self._headers.get("content-transfer-encoding", "").strip().lower() == "base64":
            yield from self._text_in_base64(raw)

    def _text_in_base64(self, raw: bytes) -> Iterator[Field]:
        """Django decodes it, others do not."""
        try:
            decoded = binascii.a2b_base64(raw + b"==")
        except binascii.Error:
            return
        value = decoded.decode(charset_named(self._charset), "replace")
        yield Field((self._name,), value[:LONGEST_VALUE])
        yield from fields_in(self._name, value)


def _name_of(event: FieldEvent | FileEvent) -> str:
    """Return a part's name as Werkzeug reads it (RFC 2231, RFC 5987, %22), or as more lenient parsers do."""
    match = None if event.name else _NAME.search(event.headers["content-disposition"])
    name = match[1].strip() if match else event.name or ""
    return name[:LONGEST_VALUE]
