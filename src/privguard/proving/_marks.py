"""What a submission is marked with, and every spelling in which a mark is known again. Pure."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote, quote_plus

Choose = Callable[[str], str]
"""Picks one character of a string, as ``secrets.choice`` does."""

SHORTEST = 8
"""Bytes. What is shorter stands in every file: finding it says nothing."""

_DIGITS_OF_A_MARK = "bcdfghjkmnpqrstvwxz23456789"  # no vowel, so no word; nothing that looks like another
_LENGTH = 18  # characters: 85 random bits, and short enough for a field that takes a screen name
_DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2b", "blake2s")
_DATES = ("{d}.{m}.{y}", "{d}/{m}/{y}", "{m}/{d}/{y}", "{y}/{m}/{d}", "{d}-{m}-{y}", "{m}-{d}-{y}")
_DATES_WITH_NAMES = ("{d} {name} {y}", "{name} {d}, {y}", "{d}-{name}-{y}")


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that was submitted, by which it can be told."""

    thing: str
    """What it was, for people: ``field birthdate``, ``file name``, ``cookie``."""
    text: str
    """What to look for."""
    sent_as: str = ""
    """The kind of submission that it was in; empty for what was the same in all."""
    whole: str = ""
    """The whole value that the text stood in: what somebody may have hashed."""

    @property
    def is_telling(self) -> bool:
        """Whether finding it says anything."""
        return len(self.text.encode()) >= SHORTEST


def new_text(choose: Choose) -> str:
    """Return the text of a new mark: a letter first, so that it can be capitalised.

    >>> new_text(lambda characters: characters[0])
    'bbbbbbbbbbbbbbbbbb'
    """
    return choose(_DIGITS_OF_A_MARK[:19]) + "".join(choose(_DIGITS_OF_A_MARK) for _ in range(_LENGTH - 1))


def spellings(mark: Mark) -> dict[bytes, str]:
    """Return every spelling of *mark* that is looked for, with the name of the form; none is under eight bytes long.

    >>> spellings(Mark("field name", "kitten-cat"))[b"6b697474656e2d636174"]
    'hex'
    """
    found: dict[bytes, str] = {}
    for form, spelling in _all_spellings(mark):
        if len(spelling) >= SHORTEST:
            found.setdefault(spelling, form)
    return found


def _all_spellings(mark: Mark) -> Iterator[tuple[str, bytes]]:
    text = mark.text
    for form, variant in _as_text(text):
        yield form, variant.encode()
        yield f"{form}, UTF-16", variant.encode("utf-16-le")
        yield f"{form}, UTF-16", variant.encode("utf-16-be")
    yield from _as_bytes(text.encode())
    for value in dict.fromkeys((text, mark.whole or text, text.upper(), (mark.whole or text).lower())):
        yield from _digests(value.encode())


def _as_text(text: str) -> Iterator[tuple[str, str]]:
    yield "plain", text
    yield "lower case", text.lower()
    yield "upper case", text.upper()
    yield "capitalised", text.capitalize()
    yield "reversed", text[::-1]
    yield "URL-encoded", quote(text, safe="")
    yield "URL-encoded", quote_plus(text)
    yield "URL-encoded", "".join(f"%{byte:02X}" for byte in text.encode())
    yield "URL-encoded", "".join(f"%{byte:02x}" for byte in text.encode())
    yield "as in JSON", json.dumps(text)[1:-1]
    yield "as in Python", repr(text)[1:-1]
    yield "as in HTML", html.escape(text)
    yield "as in HTML", "".join(f"&#{ord(char)};" for char in text)
    for spelling in _as_date(text):
        yield "as a date", spelling


def _as_date(text: str) -> Iterator[str]:
    """An app that stores a birth date seldom stores it as it was typed."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return
    yield repr(day).removeprefix("datetime.date")
    for width in ("02", "01"):
        numbers = {"d": f"{day.day:{width}}", "m": f"{day.month:{width}}", "y": f"{day.year:04}"}
        for pattern in _DATES:
            yield pattern.format(**numbers)
        for pattern in _DATES_WITH_NAMES:
            yield pattern.format(**numbers, name=f"{day:%B}")
            yield pattern.format(**numbers, name=f"{day:%b}")


def _as_bytes(value: bytes) -> Iterator[tuple[str, bytes]]:
    yield "hex", value.hex().encode()
    yield "hex", value.hex().upper().encode()
    for skipped in range(3):
        # The value may begin at any of the three bytes that four characters spell. The first and the last character
        # that it shares with its neighbours say nothing.
        first = (skipped * 8 + 5) // 6
        last = (skipped + len(value)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield "base64", encode(bytes(skipped) + value)[first:last]


def _digests(value: bytes) -> Iterator[tuple[str, bytes]]:
    """The beginnings of digests, 64 bits of them at least: many are cut short before they are stored."""
    for name in _DIGESTS:
        digest = hashlib.new(name, value, usedforsecurity=False).digest()
        yield f"{name} in hex", digest.hex()[:16].encode()
        yield f"{name} in hex", digest.hex()[:16].upper().encode()
        yield f"{name} in base64", base64.b64encode(digest)[:11]
        yield f"{name} in base64", base64.urlsafe_b64encode(digest)[:11]
        yield f"{name} in bytes", digest[:8]
