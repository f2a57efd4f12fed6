"""Response header fields (RFC 9110 §5) as a server will send them: read once, by name in any case, in bytes or in text.

A field whose name is no token, or whose value holds CR, LF or NUL, becomes another header, or a lost response, on some
server or in some browser; it does not get past. A name with blanks behind it does: browsers read it without them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Spelled = TypeVar("Spelled", bytes, str)

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 §5.6.2
_FORBIDDEN = b"\r\n\0"  # RFC 9110 §5.5
_CACHE_DIRECTIVE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')  # RFC 9111 §5.2: a quoted value may hold commas
_MOST_NAMES = 4096  # a site sends some dozens; an app that makes names up must not fill the memory

# Judged by its own rule, which says what becomes of a forbidden byte in it.
SET_COOKIE = "set-cookie"


class Unreadable(ValueError):
    """A field's name is no token."""


class _Names(dict[Any, str]):
    """Spelled name -> name in lower case, learnt on first sight."""

    def __init__(self, decode: Callable[[Any], str]) -> None:
        self._decode = decode

    def __missing__(self, spelled: Any) -> str:
        name = self._decode(spelled).rstrip(" \t")
        if not _TOKEN.fullmatch(name):
            raise Unreadable
        name = name.lower()
        if len(self) < _MOST_NAMES:
            self[spelled] = name
        return name


@dataclass(slots=True)
class Fields(Generic[Spelled]):
    """Header fields in their order."""

    names: list[str]
    """The name of each in lower case."""
    pairs: list[tuple[Spelled, Spelled]]
    """Each as it was spelled."""
    dropped: int
    """How many were left out because nobody could read them."""


class Dialect(Generic[Spelled]):
    """How one protocol spells header fields: ASGI in bytes, WSGI in latin-1 text."""

    encode: Callable[[Spelled], bytes]
    decode: Callable[[bytes], Spelled]

    def __init__(self, empty: Spelled, encode: Callable[[Spelled], bytes], decode: Callable[[bytes], Spelled]) -> None:
        self._name_case: Callable[[str], str] = str.lower if isinstance(empty, bytes) else str
        self._empty: Spelled = empty
        self._names = _Names(lambda spelled: encode(spelled).decode("latin-1"))
        self.encode = encode
        self.decode = decode

    def spell(self, text: str) -> Spelled:
        """Return latin-1 *text* as this protocol spells it."""
        return self.decode(text.encode("latin-1"))

    def spell_fields(self, fields: Iterable[tuple[str, str]]) -> tuple[tuple[Spelled, Spelled], ...]:
        """Return header fields as this protocol spells them; names are in lower case on ASGI, as HTTP/2 wants them."""
        return tuple((self.spell(self._name_case(name)), self.spell(value)) for name, value in fields)

    def read(self, headers: Iterable[tuple[Any, Any]] | None) -> Fields[Spelled]:
        """Return the fields that can be read; the others are left out and counted."""
        given = list(headers or ())
        known = self._names
        try:
            names = [known[name] for name, _ in given]
            values = self.encode(self._empty.join([pair[1] for pair in given]))
            if len(values.translate(None, _FORBIDDEN)) == len(values):
                return Fields(names, given, 0)
        except (TypeError, ValueError, AttributeError):
            pass  # something is odd: look at each by itself
        readable = [field for field in map(self._read_one, given) if field is not None]
        names = [name for name, _ in readable]
        return Fields(names, [pair for _, pair in readable], len(given) - len(readable))

    def _read_one(self, header: Any) -> tuple[str, tuple[Spelled, Spelled]] | None:
        try:
            name, value = header
            name, value = self._respell(name), self._respell(value)
            lower = self._names[name]
            if lower != SET_COOKIE and _has_forbidden(self.encode(value)):
                return None
        except (TypeError, ValueError, AttributeError):
            return None
        return lower, (name, value)

    def _respell(self, written: Any) -> Spelled:
        """Raises ValueError or TypeError for what is neither bytes nor latin-1 text."""
        if isinstance(written, type(self._empty)):
            self.encode(written)
            return written
        if isinstance(written, str):
            return self.spell(written)
        if isinstance(written, (bytes, bytearray, memoryview)):
            return self.decode(bytes(written))
        raise TypeError


def _has_forbidden(octets: bytes) -> bool:
    return len(octets.translate(None, _FORBIDDEN)) != len(octets)


def _as_bytes(written: bytes) -> bytes:
    if not isinstance(written, bytes):
        raise TypeError
    return written


BYTES: Dialect[bytes] = Dialect(b"", _as_bytes, _as_bytes)
TEXT: Dialect[str] = Dialect("", lambda text: text.encode("latin-1"), lambda octets: octets.decode("latin-1"))


def for_one_visitor(cache_controls: Iterable[str]) -> str:
    """Return the Cache-Control value that says what *cache_controls* say, and ``private`` (RFC 9111 §5.2.2.7).

    >>> for_one_visitor(["public, max-age=60", "s-maxage=900"])
    'max-age=60, private'
    """
    kept: list[str] = []
    for directive in _CACHE_DIRECTIVE.findall(",".join(cache_controls)):
        name = directive.partition("=")[0].strip().lower()
        if name not in ("", "public", "s-maxage", "private"):
            kept.append(directive.strip())
    return ", ".join([*kept, "private"])
