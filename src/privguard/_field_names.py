"""Whether a field's name is one that the owner named, however the framework spells it and whatever it is nested in.

A name is read as words: ``birth_date``, ``birth-date``, ``birthDate`` and ``BirthDate`` are the words of "birthdate",
and ``page`` is one word that is not "age". It matches when its last words are a configured name.

What stands before them in brackets, before a dot, colon or slash, before a form's number (``form-0-``), or above them
in JSON, is a container and may be called anything but an animal, a thing that has an age, or the end of a range. What
is joined to them like one of their own words is weighed:

- ``user_age`` and ``applicant-age`` are a person's and match; ``max_age``, ``cache_age``, ``roof_age`` would be refused
  for every small number, so "age" wants words that speak of people or of the form. An owner can name any other.
- Whatever joins a birth date is somebody's (``mother_birthdate``), except the ends of a range and animals.
- A flag may be said of somebody (``is_child``, ``user_is_child``); ``add_child`` and ``user_child`` are about another
  person than the sender.

What may stand after them: the part of a date, a place in a list, ``value``, ``input``, ``field``. Where a configured
name ends in "date" or "day", or begins with "date", its parts go by that too: ``birth_year``, ``year_of_birth``.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ._field_words import (
    BESIDE_A_DATE,
    IS,
    OF_A_FORM,
    PARTS,
    PEOPLE,
    PLACES,
    RAILS_PARTS,
    RANGES_AND_ANIMALS,
    SAID_OF_SOMEBODY,
    THINGS,
    WRAPPERS,
    Part,
)

_DEEPEST = 6  # steps of a path that are looked at: dob[0][value][date] are four, and its container
_LONGEST = 200  # characters of a name that are looked at, from its end
_MOST_WORDS = 8  # d_o_b are three, date_of_birth_day are four
_MOST_MODIFIERS = 4
_BEFORE_AN_AGE = PEOPLE | OF_A_FORM

# Letters change their case where words meet; HTMLParser is two words.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\dA-Z_]+|\d+")
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_JOINT = re.compile(r"[-_ ]?")  # two of them part a container from its field
_RAILS_PART = re.compile(r"\((\d)i\)\W*\Z")  # birthdate(1i): ActionView's date_select


class Kind(enum.Enum):
    """What a field of this name tells."""

    AGE = "age"
    BIRTHDATE = "birthdate"
    FLAG = "flag"


class Match(NamedTuple):
    """What a name says."""

    kind: Kind
    part: Part
    group: str
    """Equal for the parts of one date, and for no other date beside it in the same container."""


class _Entry(NamedTuple):
    kind: Kind
    part: Part
    base: str
    """What the names of one date's parts have in common."""


class _Word(NamedTuple):
    text: str
    start: int
    end: int


class FieldNames:
    """The configured names, compiled; falsy when there are none.

    >>> names = FieldNames({Kind.AGE: ["age"], Kind.BIRTHDATE: ["birth_date"]})
    >>> names.find("user[birthDate]")
    Match(kind=<Kind.BIRTHDATE: 'birthdate'>, part=<Part.WHOLE: 'whole'>, group='user[|birth|')
    >>> names.find("form-0-birthdate_year").part, names.find("package")
    (<Part.YEAR: 'year'>, None)
    """

    __slots__ = ("_entries", "_hint", "_longest")

    def __init__(self, names: dict[Kind, Sequence[str]]) -> None:
        self._entries = _entries(names)
        self._longest = max(map(len, self._entries), default=0)
        stems = (re.escape(stem) for stem in _stems(self._entries))
        self._hint = re.compile("|".join(stems) or r"(?!)")

    def __bool__(self) -> bool:
        return bool(self._entries)

    def find(self, name: str) -> Match | None:
        """Return what a field's name says, or None when it is not one of those configured; see shown_name()."""
        # Nearly all names leave here.
        if self._hint.search(_squashed(name)) is None:
            return None
        return self._match(name if name.isascii() else unicodedata.normalize("NFKC", name))

    def _match(self, name: str) -> Match | None:
        rails = _RAILS_PART.search(name)
        words = _split(name[: rails.start()] if rails else name)
        for modifiers in range(min(_MOST_MODIFIERS + 1, len(words))):
            count = len(words) - modifiers
            found = self._ending(words[:count])
            if found is None:
                if _is_modifier(name, words, count - 1):
                    continue
                return None
            entry, first = found
            part = _part(entry, words[count:], rails and rails[1])
            if part is None or not _is_somebodys(entry.kind, name, words, first):
                return None
            return Match(entry.kind, part, _group(name, words, first, count, entry))
        return None

    def _ending(self, words: Sequence[_Word]) -> tuple[_Entry, int] | None:
        """The longest configured name that these words end in, and the place of its first word."""
        found = None
        ending = ""
        for place in range(len(words) - 1, max(-1, len(words) - 1 - _MOST_WORDS), -1):
            ending = words[place].text + ending
            if len(ending) > self._longest:
                break
            if entry := self._entries.get(ending):
                found = entry, place
        return found


def shown_name(path: Sequence[str]) -> str:
    """Return the end of a path that a match depends on, as one name.

    >>> shown_name(("users", "0", "dob"))
    'users.0.dob'
    """
    name = path[0] if len(path) == 1 else _joined_name(path)
    return name if len(name) <= _LONGEST else name[-_LONGEST:]


def hidden_container(path: Sequence[str]) -> int:
    """Return a number for the beginning of a path that shown_name() leaves out, equal for equal ones."""
    return hash((tuple(path[:-_DEEPEST]), _joined_name(path)[:-_LONGEST]))


def _joined_name(path: Sequence[str]) -> str:
    return path[0] if len(path) == 1 else ".".join(path[-_DEEPEST:])


def _squashed(name: str) -> str:
    if not name.isascii():
        name = unicodedata.normalize("NFKC", name).casefold()
    return _BETWEEN_WORDS.sub("", name).lower()


def _split(name: str) -> list[_Word]:
    return [_Word(word[0].casefold(), word.start(), word.end()) for word in _WORD.finditer(name)]


# ── compiling ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _entries(names: dict[Kind, Sequence[str]]) -> dict[str, _Entry]:
    configured = [(kind, _squashed(name)) for kind, listed in names.items() for name in listed]
    entries: dict[str, _Entry] = {}
    for kind, name in filter(lambda one: one[1], configured):
        entries.setdefault(name, _Entry(kind, Part.WHOLE, _base(name)))
    for kind, name in filter(lambda one: one[1], configured):
        for spelled, part in _further(kind, name):
            entries.setdefault(spelled, _Entry(kind, part, _base(name)))
    return entries


def _further(kind: Kind, name: str) -> Iterator[tuple[str, Part]]:
    """The names that come with a configured one, written without a joint."""
    if kind is Kind.AGE:
        yield from ((name + unit, Part.WHOLE) for unit in ("years", "yrs", "inyears"))
    elif kind is Kind.FLAG:
        yield "is" + name, Part.WHOLE
    else:
        yield from ((name + word, part) for word, part in PARTS.items())
        yield from ((spelled, PARTS[word]) for spelled, word in _beside_the_whole(name))


def _beside_the_whole(name: str) -> Iterator[tuple[str, str]]:
    """birth_year beside birth_date, year_of_birth beside date_of_birth; and the word for the part."""
    base = _base(name)
    for whole, words in BESIDE_A_DATE.items():
        if name == base + whole:
            yield from ((base + word, word) for word in words)
    if name == "date" + base:
        yield from ((word + base, word) for word in BESIDE_A_DATE["date"])


def _base(name: str) -> str:
    """The name without its word for a date, if there is more to it."""
    for whole in BESIDE_A_DATE:
        if name.endswith(whole):
            return name.removesuffix(whole) or name
    return name.removeprefix("date") or name


def _stems(entries: Iterable[str]) -> Sequence[str]:
    """The entries without those that contain another."""
    stems: list[str] = []
    for entry in sorted(entries, key=len):
        if not any(stem in entry for stem in stems):
            stems.append(entry)
    return stems


# ── what stands around a name ────────────────────────────────────────────────────────────────────────────────────────


def _gap(name: str, words: Sequence[_Word], place: int) -> str:
    """What stands between the word at *place* and the word before it."""
    return name[words[place - 1].end : words[place].start]


def _is_modifier(name: str, words: Sequence[_Word], place: int) -> bool:
    text = words[place].text
    if text.isdecimal():
        # age1 is a first age and age_18 is a question; in brackets any number is a place in a list
        return len(text) == 1 or (place > 0 and not _JOINT.fullmatch(_gap(name, words, place)))
    return text in WRAPPERS or text in PARTS


def _part(entry: _Entry, modifiers: Sequence[_Word], rails: str | None) -> Part | None:
    """Which part the modifiers make of it; None where they make it something else."""
    texts = [word.text for word in modifiers]
    parts = [PARTS[text] for text in texts if text in PARTS]
    if entry.kind is Kind.BIRTHDATE:
        if rails:
            return RAILS_PARTS.get(rails)
        if entry.part is not Part.WHOLE:
            return None if parts else entry.part
        if parts:
            return parts[0] if len(parts) == 1 else None
        return PLACES.get(texts[-1] if texts else "", Part.WHOLE)
    if rails or parts or "date" in texts or (entry.kind is Kind.FLAG and any(map(str.isdecimal, texts))):
        return None
    return entry.part


def _is_somebodys(kind: Kind, name: str, words: Sequence[_Word], first: int) -> bool:
    joined, place = _joined(name, words, first)
    if kind is Kind.FLAG:
        return not joined or (SAID_OF_SOMEBODY.issuperset(joined) and not IS.isdisjoint((*joined, words[first].text)))
    strange = THINGS if kind is Kind.AGE else RANGES_AND_ANIMALS
    if not strange.isdisjoint(map(_singular, joined or _container(name, words, place))):
        return False
    return kind is Kind.BIRTHDATE or _BEFORE_AN_AGE.issuperset(map(_singular, joined))


def _singular(word: str) -> str:
    return word if word in _BEFORE_AN_AGE else word.removesuffix("s")


def _joined(name: str, words: Sequence[_Word], first: int) -> tuple[list[str], int]:
    """The words that are joined to the word at *first* as its own are, and the place of the first of them."""
    joined: list[str] = []
    place = first
    while place > 0 and _JOINT.fullmatch(gap := _gap(name, words, place)):
        before = words[place - 1].text
        if not before.isdecimal():
            joined.append(before)
        elif gap:  # form-0-: a container's number
            break
        place -= 1
    return joined, place


def _container(name: str, words: Sequence[_Word], first: int) -> list[str]:
    """The words of the container next to the word at *first*, without its number."""
    last = next((place for place in range(first - 1, -1, -1) if not words[place].text.isdecimal()), None)
    return [] if last is None else [words[last].text, *_joined(name, words, last)[0]]


def _group(name: str, words: Sequence[_Word], first: int, count: int, entry: _Entry) -> str:
    """The container, the date's own name, and the places in lists that lie between it and its part."""
    inner = name[words[count - 1].end : words[-1].start] if count < len(words) else ""
    return f"{name[: words[first].start].casefold()}|{entry.base}|{inner}"
