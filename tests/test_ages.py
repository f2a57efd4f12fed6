"""Tests of the reader of ages."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard._ages import lowest_age
from privguard._fields import Field, typed_text

IN_ONE_WORD = """
12 012 12.0 12.9 12,9 12.99 １２ ١٢ १२
12years 12yrs 12y 12yo 12Jahre 12ans 12½ 12歳 12岁 12살 +12 12+ 12-12 ~12 ≥12 >=12
1.2e1 12E0 twelve Twelve age=12 "12" (12) 12! 12-13 12_13 12+years 12plus ‎12‎
""".split()
TWELVE = [
    *IN_ONE_WORD,
    " 12 ",
    "12 years",
    "12 years old",
    "12 year-old",
    "12 y/o",
    "12 y.o.",
    "12 Jahre alt",
    "12 J.",
    "12-jährig",
    "12 ans",
    "12 ans et demi",
    "12 años",
    "12 anos",
    "12 anni",
    "12 jaar",
    "I'm 12",
    "I am 12 years old",
    "Age: 12",
    "aged 12",
    "ich bin 12",
    "J'ai 12 ans",
    "tengo 12 años",
    "about 12",
    "12 years and 3 months",
    "12y3m",
    "12 years, 11 months, 30 days",
    "12 or older",
    "12 and over",
    "12 years or more",
    "at least 12",
    "from 12",
    "ab 12",
    "12 to 15",
    "12 - 15 years",
    "12–15",
    "12 bis 15 Jahre",
    "15-12",
    "between 12 and 15",
    "over 11",
    "> 11",
    "older than 11",
    "plus de 11 ans",
    "almost 13",
    "turning 13",
    "13 soon",
    "12 going on 13",
    "twelve years",
    "12 1/2",
    "12 1/2 years",
    "12/13",
    "12/m",
    "12ish",
    "12 & up",
    "12 years of age",
    "12 anos de idade",
    "P12Y6M",
    "mehr als 11",
    "144 months",
    "155 months",
]

AGES = [(text, 12) for text in TWELVE] + [
    # a range means its lowest age, and what has no lower end begins at birth
    ("10-12", 10),
    ("10 – 12", 10),
    ("0-12", 0),
    ("18-24", 18),
    ("13+", 13),
    ("65+", 65),
    ("over 12", 13),
    *((text, 0) for text in ("<13", "< 13", "under 13", "Under-13", "under_13", "below 13", "younger than 13", "U13")),
    *((text, 0) for text in ("less than 13", "unter 13", "jünger als 13", "moins de 13 ans", "menos de 13 años")),
    *((text, 0) for text in ("12 and under", "12 or younger", "up to 12", "bis 12", "at most 12", "≤12", "<=12")),
    *((text, 0) for text in ("0", "0.5", "1 month", "11 months", "40 weeks", "300 days", "6 months to 2 years")),
    ("almost 1", 0),
    # other units
    ("18 months", 1),
    ("18 Monate", 1),
    ("18 mois", 1),
    ("18m", 1),
    ("10-30 months", 0),
    ("24-30 months", 2),
    ("104 weeks", 1),
    ("105 weeks", 2),
    ("366 days", 1),
    # whoever is not born yet is no grown-up
    *((text, -1) for text in ("-1", "-12", "-131", "-0.5", "−3", "-1e3", "-1e999")),
    # longer than anybody lives, or nothing that tells an age
    ("130", 130),
    ("130.9", 130),
    *((text, None) for text in ("131", "999", "2013", "1e3", "1e999", "9" * 100, "9" * 101, "over 130", "12-200")),
    *((text, None) for text in ("", " ", "null", "true", "none", "NaN", "Infinity", "unknown", "adult", "-", "+", "<")),
    *((text, None) for text in ("04.03.2015", "2015-03-04", "04/03/2015", "1985-03", "03.04.15", "1-2-3")),
    *(
        (text, None)
        for text in (
            "12%",
            "$12",
            "#12",
            "12/f",
            "room 12",
            "04/03/85",
            "12/2013",
            "not under 13",
            "0x0c",
            "12 apples",
            "a12b",
        )
    ),
]


@pytest.mark.parametrize("text, age", AGES, ids=range(len(AGES)))
def test_age_is_read(text, age):
    """However an age is written, it is the lowest that can be meant, in whole years, or no knowledge."""
    assert lowest_age(text) == age


PER_YEAR = {"years": 1, "Jahre": 1, "ans": 1, "años": 1, "months": 12, "Monate": 12, "mois": 12, "maanden": 12}


@given(st.integers(0, 1500), st.sampled_from(sorted(PER_YEAR)))
def test_months_become_years_when_they_are_whole(number, unit):
    """A year is over when its twelve months are: counted one by one."""
    years = sum(1 for month in range(1, number + 1) if month % PER_YEAR[unit] == 0)
    assert lowest_age(f"{number} {unit}") == (years if years <= 130 else None)


@given(st.integers(0, 130), st.integers(0, 130), st.sampled_from(["-", " - ", " to ", "–", " bis ", " or ", "..."]))
def test_range_is_its_lowest_age(first, second, mark):
    """Who says 10 to 12 may be 10."""
    assert lowest_age(f"{first}{mark}{second}") == min(first, second)


@given(
    st.integers(0, 130),
    st.integers(0, 9),
    st.sampled_from(["0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "০১২৩৪৫৬৭৮৯"]),
)
def test_digits_of_every_script_are_digits(age, tenth, digits):
    """A phone types the digits of its language."""
    text = "".join(digits[int(one)] for one in str(age))
    assert lowest_age(text) == age
    assert lowest_age(f"{text}.{digits[tenth]}") == age


@given(st.text(max_size=110) | st.text("0123456789.,-+<>ey mowd½٣", max_size=30))
def test_reader_never_raises(text):
    """Whatever is sent as an age, it is a lifetime's or nothing."""
    age = lowest_age(text)
    assert age is None or -1 <= age <= 130


@pytest.mark.parametrize("text", ["1" * 10**7, " " * 10**7, "1," * 50, "y" * 100, "1e" * 50, "<" * 100, "1 - " * 25])
def test_reader_takes_no_time(text):
    """Nothing that is sent as an age keeps the server busy."""
    began = time.perf_counter()
    assert lowest_age(text) is None
    assert time.perf_counter() - began < 1  # seconds; it takes some hundredths at most


@given(st.text(max_size=110))
def test_typed_text_is_plain_and_short(text):
    """Whatever the keyboard, digits come out as 0 to 9, letters small, blanks single, and no more than a line."""
    plain = typed_text(text)
    assert len(plain) <= 100 and plain == " ".join(plain.split())
    assert all(one in "0123456789" for one in plain if one.isdecimal())
    assert not any("A" <= one <= "Z" for one in plain)


def test_field_is_a_way_and_a_value():
    """A field is named by its way through the submission."""
    assert Field(("user", "age"), "12") == (("user", "age"), "12")
