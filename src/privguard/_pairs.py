"""Names and values with "=" between them: application/x-www-form-urlencoded (URL §5) and text/plain (HTML §4.10.22.8).

Pairs are parted by "&" alone, as the URL standard, Django, Werkzeug and Starlette have it; ";" has been no separator
since Python 3.10. A value that begins as JSON does is read as such, too, below its name: GraphQL sends variables so.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from ._charsets import charset_named
from ._fields import Field
from ._json_fields import LONGEST_VALUE, JsonReader

LONGEST_TEXT = 1 << 16  # bytes of a pair that are held; of what is longer, the begin is read
_BLOCK = 1 << 16  # bytes that are split at once
_BEGINS_JSON = frozenset("{[ \t\r\n")  # or may begin so


class UrlencodedReader:
    """Reads the pairs of a form that comes in chunks."""

    unread = ""
    """Every sequence of bytes is such a form."""
    _separator = b"&"
    _is_escaped = True

    def __init__(self, charset: str = "") -> None:
        self._charset = charset_named(charset)
        self._held = bytearray()

    def feed(self, chunk: bytes) -> Iterator[Field]:
        """Yield the fields that are whole by now. To be iterated to its end."""
        for at in range(0, len(chunk), _BLOCK):
            first, *others = chunk[at : at + _BLOCK].split(self._separator)
            self._held += first[: LONGEST_TEXT - len(self._held)]
            if others:
                begun, self._held = self._held, bytearray(others[-1])
                others[-1] = bytes(begun)
                yield from self._fields([others.pop(), *others])

    def finish(self) -> Iterator[Field]:
        """Yield what is left."""
        return self._fields([bytes(self._held)])

    # Every field of every form passes here: a call less for each is a tenth of the time.
    def _fields(self, pairs: list[bytes]) -> Iterator[Field]:
        is_escaped = self._is_escaped
        for pair in pairs:
            if not pair:
                continue
            raw_name, _, raw_value = (pair.replace(b"+", b" ") if is_escaped else pair).partition(b"=")
            if is_escaped and b"%" in raw_value:
                raw_value = unquote_to_bytes(raw_value)
            if is_escaped and b"%" in raw_name:
                raw_name = unquote_to_bytes(raw_name)
            name = raw_name.decode(self._charset, "replace")[:LONGEST_VALUE]
            value = raw_value.decode(self._charset, "replace")
            yield Field((name,), value if len(value) <= LONGEST_VALUE else value[:LONGEST_VALUE])
            if name == "_charset_":  # HTML §4.10.22.4
                self._charset = charset_named(value)
            elif value[:1] in _BEGINS_JSON:
                yield from fields_in(name, value)


class PlainReader(UrlencodedReader):
    """Reads a form that was sent as text/plain: lines, in which nothing is escaped."""

    _separator = b"\n"
    _is_escaped = False

    def _fields(self, pairs: list[bytes]) -> Iterator[Field]:
        return super()._fields([pair.removesuffix(b"\r") for pair in pairs])


def fields_in(name: str, value: str) -> Iterator[Field]:
    """Yield what is below a field's *name* where its value begins as an object or an array does."""
    if value.lstrip().startswith(("{", "[")):
        reader = JsonReader(path=(name,))
        yield from reader.feed(value.encode())
        yield from reader.finish()


def query_fields(query_string: bytes) -> list[Field]:
    """Return the fields of a URL's query: that is where a form with ``method=get`` puts them.

    >>> query_fields(b"name=Ann&dob=2015-02-28")
    [Field(path=('name',), value='Ann'), Field(path=('dob',), value='2015-02-28')]
    """
    reader = UrlencodedReader()
    return [*reader.feed(query_string), *reader.finish()]
