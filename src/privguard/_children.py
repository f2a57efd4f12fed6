"""Whether a submission says that it is a child's.

One field that says so is enough, wherever it stands and however often its name is sent; once said, it stays said. What
cannot be read is no knowledge and says nothing.

The parts of a date are put together at the end, each container's and each list item's by themselves. Of a part that is
sent more than once the latest counts: the date is the latest that can be put together. Of more dates than are held at
once, and where names are longer than anybody gives them, a year stands alone, as one does whose month is missing: some
who had their birthday already are taken for children, and no child is missed.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from . import _ages, _dates
from ._field_names import FieldNames, Kind, Match, hidden_container, shown_name
from ._field_words import Part
from ._fields import Field, typed_text

_MOST_DATES = 256  # put together from parts in one submission: three numbers each, and a form has some dozens
_MOST_NAMES = 512  # remembered, of 200 characters at most: some 100 KiB

_UNKNOWN = Match(Kind.FLAG, Part.WHOLE, "unknown")  # by identity: no name's match is this one
_PLACE_OF = {Part.YEAR: 0, Part.MONTH: 1, Part.DAY: 2}
_QUOTES = " .,!?'\"()[]{}-"
_NO = frozenset(("", *"false off no n f null none nil undefined unchecked n/a nein non nao nee nej ei".split()))
_LONGEST_NO = 20  # characters, with quotes around it


class ChildRules:
    """What says that a submission is a child's, compiled once; falsy when no field can say it.

    *children* is that part of the checked settings.

    >>> rules = ChildRules({"minimum_age": 13, "age_fields": ["age"], "birthdate_fields": [], "flag_fields": []})
    >>> bool(rules), rules.minimum_age
    (True, 13)
    """

    __slots__ = ("_matches", "_names", "minimum_age")

    minimum_age: int
    """Years: who is younger is a child."""
    _names: FieldNames
    _matches: dict[str, Match | None]

    def __init__(self, children: Mapping[str, Any]) -> None:
        put = object.__setattr__
        listed: dict[Kind, Sequence[str]] = {kind: children[f"{kind.value}_fields"] for kind in Kind}
        put(self, "minimum_age", children["minimum_age"])
        put(self, "_names", FieldNames(listed))
        put(self, "_matches", {})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"ChildRules are frozen; make new ones to change {name!r}")

    def __bool__(self) -> bool:
        return bool(self._names)

    def match(self, name: str, met: dict[str, Match | None]) -> Match | None:
        """Return what a name says. What nobody has remembered yet goes into *met*."""
        found = self._matches.get(name, _UNKNOWN)
        if found is _UNKNOWN:
            found = met.get(name, _UNKNOWN)
        if found is _UNKNOWN:
            found = self._names.find(name)
            if len(met) < _MOST_NAMES:
                met[name] = found
        return found

    def remember(self, met: Mapping[str, Match | None]) -> None:
        """Look these names up no more: forms are sent again and again. Not for a child's: nothing of it is kept."""
        if len(self._matches) + len(met) > _MOST_NAMES:
            self._matches.clear()
        self._matches.update(met)


class ChildJudge:
    """The judge of one submission: sees its fields in their order, and says what they come to.

    >>> rules = ChildRules({"minimum_age": 13, "age_fields": ["age"], "birthdate_fields": ["dob"], "flag_fields": []})
    >>> judge = ChildJudge(rules, datetime.date(2026, 3, 4))
    >>> judge.see(Field(("name",), "Kim"))
    >>> judge.see(Field(("dob_year",), "2013"))
    >>> judge.see(Field(("dob_month",), "April"))
    >>> judge.flagged
    False
    >>> judge.finish()
    >>> judge.flagged
    True
    """

    __slots__ = ("_met", "_parts", "_rules", "_today", "asked", "flagged")

    asked: bool
    """Whether some field answers a question about the visitor's age, whatever it says. A latch, too."""
    flagged: bool
    """A latch: False to True only."""

    def __init__(self, rules: ChildRules, today: datetime.date) -> None:
        self.asked = self.flagged = False
        self._rules = rules
        self._today = today
        self._met: dict[str, Match | None] = {}
        self._parts: dict[int, list[int]] = {}  # year, month and day of each date; 0 is missing

    def see(self, field: Field) -> None:
        """Take the next field into account."""
        if self.flagged:
            return
        match = self._rules.match(shown_name(field.path), self._met)
        if match is not None:
            self.asked |= field.value != ""
            self.flagged = self._says_child(match, field)

    def finish(self) -> None:
        """Take into account what only the whole submission says."""
        for year, month, day in self._parts.values():
            self.flagged |= self._is_young(_dates.birth_of_parts(year, month, day))
        self._parts.clear()
        if not self.flagged and self._met:
            self._rules.remember(self._met)
        self._met = {}

    def _says_child(self, match: Match, field: Field) -> bool:
        if match.kind is Kind.FLAG:
            return says_yes(field.value)
        if match.kind is Kind.AGE:
            age = _ages.lowest_age(field.value)
            return age is not None and age < self._rules.minimum_age
        part, number = self._part(match.part, field.value)
        if number:
            return self._keep(hash((hidden_container(field.path), match.group)), part, number)
        return self._is_young(_dates.latest_birth(field.value, self._today))

    def _part(self, part: Part, value: str) -> tuple[Part, int]:
        """Which part of a date a value is, and its number; 0 where it is none."""
        if part is Part.YEAR or (part is Part.FIRST and len(typed_text(value)) == 4):
            return Part.YEAR, _dates.year_part(value, self._today)
        if part in (Part.MONTH, Part.SECOND):
            return Part.MONTH, _dates.month_part(value)
        # "birthday" beside "birthmonth" and "birthyear" is a day
        return Part.DAY, 0 if part is Part.FIRST else _dates.day_part(value)

    def _keep(self, date: int, part: Part, number: int) -> bool:
        """Keep the part for later; True where there is no later and it is a child's alone."""
        if date not in self._parts and len(self._parts) >= _MOST_DATES:
            return part is Part.YEAR and self._is_young(_dates.birth_of_parts(number, 0, 0))
        kept = self._parts.setdefault(date, [0, 0, 0])
        place = _PLACE_OF[part]
        kept[place] = max(kept[place], number)
        return False

    def _is_young(self, born: datetime.date | None) -> bool:
        age = _dates.credible_age(born, self._today)
        return age is not None and age < self._rules.minimum_age


def says_yes(text: str) -> bool:
    """Return whether the value of a flag is anything but a clear no: a checkbox's own value may be any word.

    >>> says_yes("on"), says_yes("is_child"), says_yes("False"), says_yes("0")
    (True, True, False, False)
    """
    if len(text.strip()) > _LONGEST_NO:
        return True
    plain = typed_text(text).strip(_QUOTES)
    return plain not in _NO and plain.strip("+0.,") != ""
