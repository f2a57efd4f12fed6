"""The body of a response that a browser reads as a document: scrubbed on its way out, compressed or not.

What is compressed is unpacked, scrubbed and packed again as it streams (RFC 9110 §8.4); its length and entity tag are
other ones then. A body in a coding that cannot be read here is not sent at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from ._codings import CodingError, decoder, encoder, missing_extra, readable
from ._documents import DocumentScrubber, Kind
from ._elements import View
from ._errors import UnseenBodyError
from ._scrubber import Removal

# A document's length stays, and not every byte: what was computed over the app's bytes would be wrong.
DIGESTS = frozenset({"content-md5", "digest", "repr-digest", "content-digest"})
# What a second packing changes.
LENGTHS = frozenset({"content-length", "accept-ranges"})


class Body(Protocol):
    """What a body passes through, chunk by chunk."""

    def take_removed(self) -> list[Removal]:
        """Return what was taken out since the last call."""

    def feed(self, chunk: bytes) -> bytes:
        """Return what may leave by now."""

    def finish(self) -> bytes:
        """Return what is left."""


def document_body(
    kind: Kind, content_types: Sequence[str], applied: tuple[str, ...], view: View, *, is_part: bool
) -> Body:
    """Return what a document's body has to pass that is packed in the codings *applied*, as parse_codings() names them.

    Raises UnseenBodyError when one cannot be read here.
    """
    scrubber = DocumentScrubber(kind, content_types, view, is_part=is_part)
    if not applied:
        return scrubber
    if is_part:
        raise UnseenBodyError(
            "a part of a compressed page was asked for, and nobody can tell what is in it: serve pages whole, or "
            "uncompressed where ranges are wanted"
        )
    if not readable(applied):
        extra = missing_extra(applied)
        cure = f"pip install '{extra}'" if extra else "send it uncompressed or with gzip"
        raise UnseenBodyError(
            f"a page is compressed with {', '.join(applied)}, which cannot be read here, and would leave unseen: "
            f"{cure}, or compress around privguard (a middleware outside of it, or the proxy in front)"
        )
    return _CodedBody(scrubber, applied)


class _CodedBody:
    """A document under the content codings that the app applied."""

    def __init__(self, scrubber: DocumentScrubber, codings: tuple[str, ...]) -> None:
        self._scrubber = scrubber
        self._codings = codings
        self._decoder = decoder(codings)
        self._encoder = encoder(codings)
        self._is_empty = True

    def take_removed(self) -> list[Removal]:
        return self._scrubber.take_removed()

    def feed(self, chunk: bytes) -> bytes:
        if not chunk:
            return b""
        self._is_empty = False
        return self._pack(self._unpacked(self._decoder.feed(chunk)))

    def finish(self) -> bytes:
        if self._is_empty:  # the answer to a HEAD: there is no body, and no empty one either
            return b""
        packed = self._pack(self._unpacked(self._decoder.finish())) + self._pack_one(self._scrubber.finish())
        return packed + b"".join(self._encoder.finish())

    def _unpacked(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from pieces
        except CodingError as error:
            raise UnseenBodyError(
                f"{error} ({', '.join(self._codings)}): send that Content-Encoding only with bytes that are packed so, "
                "and close the compressor at the end"
            ) from None

    def _pack(self, pieces: Iterable[bytes]) -> bytes:
        return b"".join(self._pack_one(self._scrubber.feed(piece)) for piece in pieces)

    def _pack_one(self, piece: bytes) -> bytes:
        return b"".join(self._encoder.feed(piece)) if piece else b""
