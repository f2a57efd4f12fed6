"""The fields of a submission, read from the chunks of its body as they pass: nothing is changed, and nothing is held.

What is read: forms (urlencoded, multipart, and the text/plain of HTML) and whatever has "json" in its type's name. JSON
is looked for, too, where other types are declared: ``fetch`` and ``sendBeacon`` send it as text/plain so that no
preflight is needed, curl's ``-d`` as urlencoded, and a view that calls ``get_json(force=True)`` or
``json.loads(request.body)`` asks for no type at all. A body without a type, or with what is none, is read as JSON or
else as urlencoded: a child who is missed is the failure that counts, and to look is cheap.

A body that is not what its headers say is read as far as it goes; ``unread`` says why that is not to its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from ._codings import Chain, CodingError, decoder, parse_codings, readable
from ._fields import Field
from ._json_fields import JsonReader
from ._media_types import sent_type
from ._multipart import MultipartReader, boundary_in
from ._pairs import PlainReader, UrlencodedReader

# What a compressed body may become: Apache's DeflateInflateRatioLimit is 200, and a text of one letter comes to 1,030.
_MOST_UNPACKED = 1 << 27  # bytes that are unpacked whatever was sent
_MOST_TIMES = 200  # as many bytes as were sent

_BLANKS = rb"\t\n\r \0\x1e\xef\xbb\xbf\xfe\xff"  # with the bytes of byte order marks, and of UTF-16
# [0].age and [].age are names in a form, and what else an array of one number or none holds has no name.
_BEGINS_AS_JSON = re.compile(rb'[%b]*+(?:\{|\[[%b]*+(?:[\[{"]|-?\d++[^\d\]]))' % (_BLANKS, _BLANKS))
_MAY_BEGIN_SO = re.compile(rb"[%b]*+(?:\[[%b]*+-?\d*+)?" % (_BLANKS, _BLANKS))
_LONGEST_BEGIN = 1 << 10  # bytes
_SEPARATORS = re.compile(r"[ \t,]+")


class _BodyReader(Protocol):
    """Reads one kind of body."""

    @property
    def unread(self) -> str:
        """Why the body could not be read to its end."""

    def feed(self, chunk: bytes) -> Iterator[Field]:
        """Yield the fields that are whole by now."""

    def finish(self) -> Iterator[Field]:
        """Yield what is left."""


class _Nothing:
    """Reads no field in what cannot be read."""

    def __init__(self, unread: str) -> None:
        self.unread = unread

    def feed(self, chunk: bytes) -> Iterator[Field]:
        return iter(())

    def finish(self) -> Iterator[Field]:
        return iter(())


class _JsonOr:
    """Reads JSON where the body begins as such, and something else otherwise."""

    def __init__(self, other: _BodyReader, charset: str) -> None:
        self._other = other
        self._charset = charset
        self._begin = b""
        self._chosen: _BodyReader | None = None

    @property
    def unread(self) -> str:
        return self._chosen.unread if self._chosen else ""

    def feed(self, chunk: bytes) -> Iterator[Field]:
        if self._chosen is None:
            chunk = self._begin + chunk
            if len(chunk) < _LONGEST_BEGIN and _MAY_BEGIN_SO.fullmatch(chunk):
                self._begin = chunk
                return iter(())
        return self._choice(chunk).feed(chunk)

    def finish(self) -> Iterator[Field]:
        if self._chosen is None:
            yield from self._choice(self._begin).feed(self._begin)
        yield from self._choice(b"").finish()

    def _choice(self, begin: bytes) -> _BodyReader:
        if self._chosen is None:
            is_json = _BEGINS_AS_JSON.match(begin[:_LONGEST_BEGIN])
            self._chosen = JsonReader(self._charset) if is_json else self._other
        return self._chosen


class FieldsReader:
    """Reads the fields of one body."""

    def __init__(self, body: _BodyReader, unpacker: Chain | None = None, unread: str = "") -> None:
        self._body = body
        self._unpacker = unpacker
        self._unread = unread
        self._begin = b""
        """What was sent before there was something unpacked."""
        self._sent = 0
        self._unpacked = 0
        self._is_over = False

    @property
    def unread(self) -> str:
        """Why the body could not be read to its end, as far as that is known; empty where it could."""
        return self._unread or self._body.unread

    def feed(self, chunk: bytes) -> Iterator[Field]:
        """Yield the fields that are whole by now. To be iterated to its end, before more is fed. Raises nothing."""
        if self._unpacker is None:
            return iter(()) if self._is_over else self._body.feed(chunk)
        return self._unpack(chunk, self._unpacker)

    def finish(self) -> Iterator[Field]:
        """Yield what is left. Raises nothing."""
        if self._unpacker is not None and self._sent:
            yield from self._read(b"", self._unpacker.finish())
        yield from self._body.finish()

    def _unpack(self, chunk: bytes, unpacker: Chain) -> Iterator[Field]:
        self._sent += len(chunk)
        yield from self._read(chunk, unpacker.feed(chunk))
        if not self._unpacked:
            self._begin = (self._begin + chunk)[:_LONGEST_BEGIN]

    def _read(self, chunk: bytes, pieces: Iterator[bytes]) -> Iterator[Field]:
        try:
            for piece in pieces:
                self._unpacked += len(piece)
                yield from self._body.feed(piece)
                if self._unpacked > max(_MOST_UNPACKED, _MOST_TIMES * self._sent):
                    self._give_up("the body is a bomb")
                    return
        except CodingError as error:
            self._give_up(str(error))
            if not self._unpacked:  # a label that is wrong: an app that looks at none reads what came
                self._is_over = False
                yield from self._body.feed(self._begin + chunk)

    def _give_up(self, why: str) -> None:
        self._unread, self._unpacker, self._is_over = why, None, True


def fields_reader(content_type: str, content_encoding: str = "") -> FieldsReader | None:
    """Return what reads a body with these header fields, or None where such a body is no submission.

    Both are as they came, and empty where they did not come. A coding that is not known or whose library is missing is
    told in ``unread``; the body is read as it is then, for some name a charset there.

    >>> reader = fields_reader("application/json")
    >>> [*reader.feed(b'{"child": true, "name"'), *reader.feed(b': "Ann"}'), *reader.finish()]
    [Field(path=('child',), value='true'), Field(path=('name',), value='Ann')]
    """
    body = _body_reader(content_type)
    if body is None:
        return None
    codings = parse_codings([content_encoding])
    named = [name for name in _SEPARATORS.split(content_encoding.lower()) if name not in ("", "identity")]
    if len(codings) != len(named) or not readable(codings):
        return FieldsReader(body, unread="unknown coding")
    return FieldsReader(body, decoder(codings) if codings else None)


def _body_reader(content_type: str) -> _BodyReader | None:
    essence, charset = sent_type([content_type]) or ("", "")
    if essence in ("application/x-www-form-urlencoded", ""):
        return _JsonOr(UrlencodedReader(charset), charset)
    if essence == "multipart/form-data":
        boundary = boundary_in(content_type)
        return MultipartReader(boundary, charset) if boundary else _Nothing("no boundary")
    if "json" in essence:
        return JsonReader(charset)
    return _JsonOr(PlainReader(charset), charset) if essence == "text/plain" else None
