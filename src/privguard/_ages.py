"""Ages as people and programs write them, in whole years; of what a text leaves open, the lowest.

``12.9`` is 12, ``10-12`` is 10, ``18 months`` is 1. "Under 13" and "up to 12" begin at 0, "over 12" at 13, "almost 13"
is 12. An age below 0 is -1. None is no knowledge: a text that holds no age, more than two, an unknown word, or more
years than anybody lives.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ._fields import typed_text

OLDEST = 130  # years: nobody has been older than 122


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# English, German, French, Spanish, Portuguese, Italian and Dutch, without accents; years also as East Asia writes them.
_YEARS = _words("years year yrs yr yo y jahre jahren jahr j ans an anos ano annees anni anno jaar 歳 才 岁 歲 세 살")
_MONTHS = _words("months month mths mth mos mo m monate monaten monat mois meses mes mesi mese maanden maand")
_WEEKS = _words("weeks week wks wk w wochen woche semaines semaine semanas semana settimane settimana weken")
_DAYS = _words("days day d tage tagen tag jours jour dias dia giorni giorno dagen dag")
_IN_A_YEAR = {
    word: number
    for words, number in ((_YEARS, 1.0), (_MONTHS, 12.0), (_WEEKS, 365.25 / 7), (_DAYS, 365.25))
    for word in words
}
_UNDER = _words(
    "< <= ≤ under below younger less most max maximum u unter junger weniger hochstens moins menos menor meno minder"
    " jonger"
)
_UP_TO = _words("to until till bis tot jusqu jusque hasta ate fino")  # before an age; between two they are a range
_OVER = _words(
    "> over above older more uber mehr plus mas mais mayor maior piu meer ouder"
)  # before an age; else: and more
_ALMOST = _words("almost nearly soon turning going bald presque bientot casi quasi quase bijna")
# Words beside an age that change nothing in it.
_BESIDE = _words(
    "+ - ~ / & >= ≥ p ish i am im my is me age aged old of about around approx approximately ca circa etwa just"
    " only now and or up on at a in least from between than ich bin alt alter und oder ab von mindestens min minimum"
    " als zwischen jahrig jahrige es je ai jai et ou entre de des partir tengo edad o que tenho idade ho eta e da di"
    " tra ik ben en dan tussen vanaf leeftijd half demi demie medio mezzo meio"
)
_KNOWN = _BESIDE.union(_IN_A_YEAR, _UNDER, _UP_TO, _OVER, _ALMOST)
_SPELLED = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
        " seventeen eighteen nineteen twenty".split()
    )
}

_SCIENTIFIC = re.compile(r"-?\d+(?:\.\d+)?e[+-]?\d{1,3}")  # as some programs write JSON's numbers (RFC 8259 §6)
_TOKEN = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+|[<>]=|[<>≤≥+~/&-]")
_STRANGE = re.compile(r"[^\w\s.,:;'\"()!?=<>≤≥+~/&-]|[.,]\d+[.,]\d")  # the second: a dotted date
_YEARS_OLD = re.compile(r"(?<![a-z])y[./ ]{0,2}o(?![a-z])")
_FRACTION = re.compile(r"(?<=\d) \d/\d(?!\S)")
_LEADING_NUMBER = re.compile(r"\d+")


class _Quantity(NamedTuple):
    number: int
    in_a_year: float
    """How many of its unit make a year; 0 where the text names no unit."""


def lowest_age(text: str) -> int | None:
    """Return the lowest age in whole years that *text* allows, or None when it tells none.

    >>> lowest_age("12 Jahre"), lowest_age("10 to 12"), lowest_age("under 13"), lowest_age("13+")
    (12, 10, 0, 13)
    >>> lowest_age("18 months"), lowest_age("-1"), lowest_age("131"), lowest_age("unknown")
    (1, -1, None, None)
    """
    plain = _FRACTION.sub("", _YEARS_OLD.sub("yo", typed_text(text)))
    if plain.isdecimal():
        return _credible(int(plain))
    if _SCIENTIFIC.fullmatch(plain):
        return _credible(float(plain))
    return None if _STRANGE.search(plain) else _from_tokens(list(_tokens(plain)))


def _credible(age: float) -> int | None:
    if age < 0:
        return -1
    return math.floor(age) if age < OLDEST + 1 else None


def _tokens(plain: str) -> Iterator[str]:
    return (_SPELLED.get(token, token) for token in _TOKEN.findall(plain))


def _from_tokens(tokens: Sequence[str]) -> int | None:
    places = [place for place, token in enumerate(tokens) if token[0].isdecimal()]
    if not places or any(token not in _KNOWN for token in tokens if not token[0].isdecimal()):
        return None
    ages = _ages(_without_remainders([_quantity(tokens, place) for place in places]))
    before, after = tokens[: places[0]], tokens[places[-1] + 1 :]
    if len(ages) == 1 and before == ["-"]:
        return -1
    if not 1 <= len(ages) <= 2 or max(ages) > OLDEST:
        return None
    return _credible(_bounded(min(ages), before, after))


def _quantity(tokens: Sequence[str], place: int) -> _Quantity:
    number = _LEADING_NUMBER.match(tokens[place])
    unit = tokens[place + 1] if place + 1 < len(tokens) else ""
    return _Quantity(int(number[0]) if number else 0, _IN_A_YEAR.get(unit, 0.0))


def _without_remainders(quantities: Sequence[_Quantity]) -> Sequence[_Quantity]:
    """The months of "12 years and 3 months" make nobody 13, and are no second age."""
    before = (_Quantity(0, 0.0), *quantities)
    return [one for last, one in zip(before, quantities) if not 0 < last.in_a_year < one.in_a_year]


def _ages(quantities: Sequence[_Quantity]) -> Sequence[int]:
    """The whole years of each; the unit of "10-12 months" is that of both."""
    in_a_year = 1.0
    ages: list[int] = []
    for quantity in reversed(quantities):
        in_a_year = quantity.in_a_year or in_a_year
        ages.append(int(quantity.number // in_a_year))
    return ages


def _bounded(age: int, before: Sequence[str], after: Sequence[str]) -> int:
    """The lowest age that the words before and after it leave."""
    if not _UNDER.isdisjoint((*before, *after)) or not _UP_TO.isdisjoint(before):
        return 0
    if not _ALMOST.isdisjoint((*before, *after)):
        return max(age - 1, 0)
    return age if _OVER.isdisjoint(before) else age + 1
