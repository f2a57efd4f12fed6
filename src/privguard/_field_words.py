"""The words that field names are made of, beside those that the owner configures."""

from __future__ import annotations

import enum


class Part(enum.Enum):
    """Which part of a date a field holds."""

    WHOLE = "whole"
    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    FIRST = "0"
    """The first of a list: the year of one that holds year, month and day, as Java writes dates into JSON."""
    SECOND = "1"
    THIRD = "2"


# English, German, French, Spanish, Portuguese, Italian, Dutch, without accents.
PARTS = {
    word: part
    for part, words in (
        (Part.YEAR, "year yyyy yy y yr jahr annee ano anno jaar"),
        (Part.MONTH, "month mm m mon monat mois mes mese maand"),
        (Part.DAY, "day dd d tag jour dia giorno dag"),
    )
    for word in words.split()
}
# birth_year beside birth_date. No short words: who would expect created_by under "bday"?
BESIDE_A_DATE = {
    "date": ("year", "month", "day"),
    "day": ("year", "month", "day"),
    "datum": ("jahr", "monat", "tag", "jaar", "maand", "dag"),
}
RAILS_PARTS = {"1": Part.YEAR, "2": Part.MONTH, "3": Part.DAY}  # 4 to 6 are a time
PLACES = {part.value: part for part in (Part.FIRST, Part.SECOND, Part.THIRD)}
WRAPPERS = frozenset(("value", "input", "field", "date"))

PEOPLE = frozenset(
    "user member person people child children kid minor teen teenager student pupil applicant customer client patient"
    " guest visitor participant player attendee passenger traveller traveler subscriber contact candidate employee"
    " parent guardian mother father mom mum dad son daughter brother sister sibling baby infant youth adult camper"
    " athlete driver rider reader author owner profile holder insured beneficiary recipient resident tenant voter donor"
    " winner entrant spouse partner wife husband dependent dependant friend teacher".split()
)
"""Whose age an age may be."""
OF_A_FORM = frozenset(
    "your my his her their our me self current actual real exact form signup sign up register registration join login"
    " survey quiz application enrolment enrollment booking checkout demo step input txt text field fld frm the a new"
    " enter personal details info data billing shipping of s".split()
)
"""What a form's author writes before a field's name, and means the field itself."""
IS = frozenset("is am are im".split())
SAID_OF_SOMEBODY = IS | frozenset("i he she you they a the user visitor member person applicant".split())
RANGES_AND_ANIMALS = frozenset(
    "min max minimum maximum earliest latest before after since until pet dog cat horse puppy puppie kitten"
    " animal".split()
)
"""Whose birth date, or where the end of a range, is no visitor's."""
THINGS = RANGES_AND_ANIMALS | frozenset(
    "cache cookie file domain car vehicle truck boat bike house building property roof machine device equipment".split()
)
"""Things that have an age."""
