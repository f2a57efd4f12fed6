"""The values in a JSON text (RFC 8259) and the keys that lead to them, in constant memory and linear time.

Everything that some parser reads is read: texts in a row, with or without line ends (JSON lines) or record separators
(RFC 7464), duplicate keys, NaN, bare words for keys, UTF-16 and UTF-32 as json.loads() tells them. Where a text is no
JSON, the reader goes on with the next token: ``unread`` says that it has, and later names are still seen.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Generator, Iterator

from ._charsets import charset_named
from ._fields import Field

LONGEST_VALUE = 1 << 10  # characters of a key or a value that are kept: ages, dates and flags are shorter
_LONGEST_TOKEN = 1 << 14  # bytes of one that are held: 1,024 characters at 12 (a surrogate pair in escapes), and some
# Containers whose keys are kept: System.Text.Json allows 64, PHP 512, Python's json about 1,000. Below that a value is
# told with the last key before it.
_DEEPEST = 64
_BLOCK = 1 << 16  # bytes that are looked at at once: what is held and what a pattern remembers stays within it

# What means nothing outside of strings here, with the record separator and the bytes of a byte order mark. Elements are
# counted, not commas.
_BLANKS = b",\t\n\r \x1e\xef\xbb\xbf"
_IN = {
    b"blanks": b"[%b]*+" % _BLANKS,
    b"string": rb'"([^"\\]*+(?:\\.[^"\\]*+)*)"',
    b"simple": rb'"([^"\\]*+)"',
    b"word": rb'([^%b":\[\]{}]++)' % _BLANKS,
}
_TOKEN = re.compile(rb"%(blanks)b(?:%(string)b(?:%(blanks)b(:))?|%(word)b|(:)|([\[{]++)|([\]}]++))" % _IN, re.DOTALL)
_STRING, _KEY, _WORD, _COLON, _OPEN, _CLOSE = range(1, 7)
# What is usual, in one step: a member of an object with its value, an element of an array.
_MEMBER = re.compile(rb"%(blanks)b%(simple)b%(blanks)b:%(blanks)b(?:%(simple)b|%(word)b)(?=%(blanks)b[^:])" % _IN)
_ELEMENT = re.compile(rb"%(blanks)b(?:%(simple)b|%(word)b)(?=%(blanks)b[^:])" % _IN)
_BRACKETS = b"[]{}"
_BACKSLASH, _SQUARE = b"\\["
_STRING_REST = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*', re.DOTALL)
_WORD_REST = re.compile(rb'[^%b":\[\]{}]*+' % _BLANKS)
_LITERALS = {b"true": "true", b"false": "false", b"null": ""}
# Python's json reads the last three, and writes them (RFC 8259 §6 has none of them).
_NUMBER = re.compile(rb"-?(?:\d++(?:\.\d++)?(?:[eE][+-]?\d++)?|Infinity)|NaN")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.)|\Z)", re.DOTALL)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonReader:
    """Reads the values below *path* in a text that comes in chunks."""

    def __init__(self, charset: str = "", path: tuple[str, ...] = ()) -> None:
        self.unread = ""
        """Why the text could not be read to its end, as far as that is known."""
        self._charset = charset
        self._decoder: codecs.IncrementalDecoder | None = None
        self._begin: bytes | None = b""
        """The first bytes, until they tell the encoding."""
        self._held = b""
        self._long = b""
        """The begin of a token that is too long to be held."""
        self._pending: str | None = None
        """A string or word of which it is not known yet whether it is a key."""
        self._paths = [path]
        """What leads to each container that is open."""
        self._at: list[str | int | None] = [None]
        """The key or the index in each; None outside of all."""
        self._deeper = 0
        """How many containers are open whose keys are not kept."""
        self._deep_key = ""

    def feed(self, chunk: bytes) -> Iterator[Field]:
        """Yield the values that are whole by now. To be iterated to its end."""
        if self._begin is not None:
            chunk, self._begin = self._begin + chunk, None
            if len(chunk) < 4:
                self._begin = chunk
                return
            self._detect(chunk)
        for at in range(0, len(chunk), _BLOCK):
            yield from self._read(self._in_utf_8(chunk[at : at + _BLOCK]))

    def finish(self) -> Iterator[Field]:
        """Yield what is left; an end that is missing is told in ``unread``."""
        begin, self._begin = self._begin, None
        if begin is not None:
            self._detect(begin)
        yield from self._read(self._in_utf_8(begin or b"", is_last=True))
        token = self._long or self._held
        if token:
            yield from self._settled()
            self._pending = self._cut_short(token)
        yield from self._settled()
        if token.startswith(b'"') or self._deeper or len(self._at) > 1:
            self.unread = "truncated JSON"

    def _detect(self, begin: bytes) -> None:
        """Of the declared charset only a name that is not Unicode's counts: json.loads() asks the bytes, too."""
        encoding: str = json.detect_encoding(begin)
        if encoding.startswith("utf-8"):
            encoding = charset_named(self._charset)
        if encoding != "utf-8":
            self._decoder = codecs.getincrementaldecoder(encoding)("replace")

    def _in_utf_8(self, chunk: bytes, *, is_last: bool = False) -> bytes:
        return chunk if self._decoder is None else self._decoder.decode(chunk, is_last).encode()

    # ── tokens ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _read(self, chunk: bytes) -> Iterator[Field]:
        data = self._held + chunk if self._held else chunk
        at = self._behind_long_token(data) if self._long else 0
        while not self._long:
            if self._pending is None and not self._deeper and data[at : at + 1] not in _BRACKETS:
                at = yield from self._usual(data, at)
            match = _TOKEN.match(data, at)
            if not match or (match.lastindex == _WORD and match.end() == len(data)):
                break  # a word may go on
            at = match.end()
            if match.lastindex != _COLON and self._pending is not None:
                yield from self._settled()
            self._take(match)
        self._held = data[at:] if self._long else data[at:].lstrip(_BLANKS)
        if len(self._held) > _LONGEST_TOKEN:
            yield from self._settled()
            self._go_past_long_token()

    def _usual(self, data: bytes, at: int) -> Generator[Field, None, int]:
        """Yield what is told as it would be token by token, and return where to go on."""
        place, path = self._at[-1], self._paths[-1]
        if isinstance(place, str):
            while match := _MEMBER.match(data, at):
                at = match.end()
                self._at[-1] = key = _text(match[1])
                yield Field((*path, key), self._word(match[3]) if match[2] is None else _text(match[2]))
        elif place is not None:
            while match := _ELEMENT.match(data, at):
                at = match.end()
                yield Field((*path, str(place)), self._word(match[2]) if match[1] is None else _text(match[1]))
                self._at[-1] = place = place + 1
        return at

    def _take(self, match: re.Match[bytes]) -> None:
        kind = match.lastindex
        if kind == _STRING:
            self._pending = _unescaped(match[_STRING])
        elif kind == _KEY:
            self._name(_unescaped(match[_STRING]))
        elif kind == _WORD:
            self._pending = self._word(match[_WORD])
        elif kind == _COLON:
            self._name(self._pending)
        elif kind == _OPEN:
            self._open(match[_OPEN])
        else:
            self._close(len(match[_CLOSE]))

    def _go_past_long_token(self) -> None:
        held = self._held
        self._long = held[:_LONGEST_TOKEN]
        self._held = held[_end_of_rest(self._long, held, 1) :]

    def _behind_long_token(self, data: bytes) -> int:
        """Return the end of a token that is too long to be held, or of what *data* has of it."""
        at = _end_of_rest(self._long, data, 0)
        if at < len(data) and data[at] != _BACKSLASH:
            at += self._long.startswith(b'"')
            self._pending, self._long = self._cut_short(self._long), b""
        return at

    def _cut_short(self, token: bytes) -> str:
        return _unescaped(token[1:]) if token.startswith(b'"') else self._word(token)

    def _word(self, raw: bytes) -> str:
        raw = raw[:_LONGEST_TOKEN]
        if (literal := _LITERALS.get(raw)) is not None:
            return literal
        if not _NUMBER.fullmatch(raw):
            self.unread = "malformed JSON"
        return _text(raw)

    # ── what they mean ───────────────────────────────────────────────────────────────────────────────────────────────

    def _settled(self) -> Iterator[Field]:
        """What is pending is a value, for no colon follows."""
        if self._pending is not None:
            yield Field(self._next_path(), self._pending)
            self._pending = None

    def _next_path(self) -> tuple[str, ...]:
        """What leads to the value that comes now."""
        place, path = self._at[-1], self._paths[-1]
        if self._deeper:
            return (*path, self._deep_key)
        if isinstance(place, int):
            self._at[-1] = place + 1
        return path if place is None else (*path, str(place))

    def _name(self, key: str | None) -> None:
        """What a colon follows is a key; outside of an object that is an error, and named all the same."""
        self._pending = None
        if key is None or not (self._deeper or isinstance(self._at[-1], str)):
            self.unread = "malformed JSON"
        if self._deeper:
            self._deep_key = key or ""
        else:
            self._at[-1] = key or ""

    def _open(self, brackets: bytes) -> None:
        for number, bracket in enumerate(brackets):
            if len(self._at) > _DEEPEST:
                self._deep_key = self._next_path()[-1]
                self._deeper += len(brackets) - number
                return
            self._paths.append(self._next_path())
            self._at.append(0 if bracket == _SQUARE else "")

    def _close(self, count: int) -> None:
        known = max(0, count - self._deeper)
        self._deeper = max(0, self._deeper - count)
        if known >= len(self._at):
            self.unread = "malformed JSON"
            known = len(self._at) - 1
        if known:
            del self._paths[-known:], self._at[-known:]


def _end_of_rest(begin: bytes, data: bytes, at: int) -> int:
    """Return as far as *data* goes on with the token that has this *begin*; a backslash waits for its letter."""
    rest = _STRING_REST if begin.startswith(b'"') else _WORD_REST
    match = rest.match(data, at)
    return match.end() if match else at


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")[:LONGEST_VALUE]


def _unescaped(raw: bytes) -> str:
    text = raw[:_LONGEST_TOKEN].decode("utf-8", "replace")
    if "\\" in text:
        text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else _letter(match[2]), text)
        if _SURROGATE.search(text):  # a pair is one character; one alone is none
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text[:LONGEST_VALUE]


def _letter(escaped: str | None) -> str:
    return _ESCAPED.get(escaped, escaped) if escaped else ""
