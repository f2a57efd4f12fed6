"""A field of a submission, and the text of it in one spelling, whatever keyboard it was typed on.

Digits of every script become ASCII (Unicode category Nd), compatibility forms become plain (UAX #15, NFKD), accents and
invisible marks go: some browsers put direction marks around the numbers of a localized date.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

LONGEST = 100  # characters: the longest date that a browser writes, with its zone spelled out, has about 70

_SIGNS: dict[int, str] = {
    **dict.fromkeys(map(ord, "‐‑‒–—―−"), "-"),
    **dict.fromkeys(map(ord, "⁄∕"), "/"),
    **dict.fromkeys(map(ord, "‘’ʼ′"), "'"),
    **dict.fromkeys(map(ord, "¼½¾⅓⅔"), ""),  # ages are whole years; NFKD would make 12½ a hundred and twenty-one
    **dict.fromkeys(map(ord, "。٫"), "."),
    **dict.fromkeys(map(ord, "、،"), ","),
}
_UNSEEN = ("Mn", "Me", "Cf")  # accents, enclosing marks, invisible format characters


class Field(NamedTuple):
    """One value of a submission, and the way to it."""

    path: tuple[str, ...]
    """A form's field: its name, decoded. JSON: the keys and the array indexes (decimal) that lead to the value."""
    value: str
    """Text. JSON: true is ``"true"``, false is ``"false"``, null is empty, a number is as it was written."""


def typed_text(value: str) -> str:
    """Return *value* in lower case, in one spelling, with single blanks; empty when it is longer than any answer.

    >>> typed_text(" ４  März２０１５ ")
    '4 marz2015'
    """
    text = value.strip()
    if len(text) > LONGEST:
        return ""
    if not text.isascii():
        text = _plain(text)
    return " ".join(text.casefold().split()) if len(text) <= LONGEST else ""


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.translate(_SIGNS))
    seen = (one for one in apart if unicodedata.category(one) not in _UNSEEN)
    digits = (str(unicodedata.decimal(one)) if one.isdecimal() else one for one in seen)
    return unicodedata.normalize("NFC", "".join(digits))
