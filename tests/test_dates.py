"""Tests of the reader of birth dates. The oracle walks through the calendar day by day."""

from __future__ import annotations

import datetime
import functools
import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard._dates import (
    age_when_born,
    birth_of_parts,
    day_part,
    latest_birth,
    month_part,
    today_in_the_latest_zone,
    whole_years,
    year_part,
)

TODAY = date(2026, 11, 23)
MARCH_4 = date(2015, 3, 4)

# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────

IN_ONE_WORD = """
2015-03-04 2015-3-4 2015/03/04 2015.03.04 20150304 04.03.2015 4.3.2015 4.3.15 2015_03_04
2015-03-04T00:00 2015-03-04T00:00:00 2015-03-04T23:59:59.999 2015-03-04T00:00:00+01:00 2015-03-04T23:00:00-05:00
20150304T000000 20150304120000 201503041200 2015-03-04+01:00 2015-063 2015-W10-3
""".split()
FOURTH_OF_MARCH = [
    *IN_ONE_WORD,
    "2015-03-04 00:00:00",
    "2015-03-04 00:00:00 +0100",
    "  2015-03-04\n",
    "2015 03 04",
    "2015. 3. 4.",
    "March 4, 2015",
    "March 4th, 2015",
    "4th of March, 2015",
    "Wednesday, March 4, 2015",
    "Wed Mar 04 2015 00:00:00 GMT+0100 (Central European Standard Time)",
    "Wed, 4 March 2015 12:30 PM",
    "Wed Mar  4 00:00:00 2015",
    "Wed Mar 04 00:00:00 CET 2015",
    "04-Mar-2015",
    "04-MAR-15",
    "04Mar2015",
    "4 Mar '15",
    "2015 March 4",
    "4. März 2015",
    "Mittwoch, der 4. Maerz 2015",
    "le 4 mars 2015",
    "mer. 4 mars 2015",
    "mercredi 4 mars 2015",
    "el 4 de marzo de 2015",
    "miércoles, 4 de marzo de 2015",
    "4º de março de 2015",
    "quarta-feira, 4 de março de 2015",
    "mercoledì 4 marzo 2015",
    "woensdag 4 maart 2015",
    "4 mrt. 2015",
    "２０１５－０３－０４",
    "٢٠١٥-٠٣-٠٤",
    "२०१५-०३-०४",
    "2015年3月4日",
    "2015년 3월 4일",
    "2015–03–04",
    "\u200e2015\u200e-\u200e03\u200e-\u200e04",
    "2015\xa003\xa004",
]

DATES = [(text, MARCH_4) for text in FOURTH_OF_MARCH] + [
    # a missing day or month is the last one
    ("2015", date(2015, 12, 31)),
    ("２０１５", date(2015, 12, 31)),
    ("2015-02", date(2015, 2, 28)),
    ("2016-02", date(2016, 2, 29)),
    ("02/2015", date(2015, 2, 28)),
    ("2.2015", date(2015, 2, 28)),
    ("201502", date(2015, 2, 28)),
    ("February 2015", date(2015, 2, 28)),
    ("févr. 2015", date(2015, 2, 28)),
    ("2015年2月", date(2015, 2, 28)),
    ("March '15", date(2015, 3, 31)),
    ("'15", date(2015, 12, 31)),
    ("2015-W10", date(2015, 3, 8)),
    # and a part that is zero is a missing one
    ("2015-00-00", date(2015, 12, 31)),
    ("2015-03-00", date(2015, 3, 31)),
    ("2015-0-0", date(2015, 12, 31)),
    # of two readings the one that makes the person younger; where one is no date, the other
    ("03/04/2015", date(2015, 4, 3)),
    ("04/03/2015", date(2015, 4, 3)),
    ("3-4-2015", date(2015, 4, 3)),
    ("3 4 2015", date(2015, 4, 3)),
    ("03042015", date(2015, 4, 3)),
    ("‎3‎/‎4‎/‎2015", date(2015, 4, 3)),
    ("１/１２/２０１５", date(2015, 12, 1)),
    ("3/4/2015, 12:00:00 AM", date(2015, 4, 3)),
    ("13/04/2015", date(2015, 4, 13)),
    ("04/13/2015", date(2015, 4, 13)),
    ("29/02/2016", date(2016, 2, 29)),
    ("03.04.2015", date(2015, 4, 3)),
    ("12.1.2015", date(2015, 1, 12)),
    ("04.13.2015", date(2015, 4, 13)),
    # a year of two digits is the latest that is not in the future
    ("03/04/26", date(2026, 4, 3)),
    ("03/04/27", date(1927, 4, 3)),
    ("31.12.26", date(2026, 12, 31)),
    ("04/03/00", date(2000, 4, 3)),
    ("15-Mar-04", date(2004, 3, 15)),
    ("99-12-31", date(1999, 12, 31)),
    ("99 Dec 31", date(1999, 12, 31)),
    ("040315", date(2015, 4, 3)),
    ("200412", date(2012, 4, 20)),
    # a moment in UTC may be the next day where it was written
    ("2015-03-04T00:00:00Z", date(2015, 3, 5)),
    ("2015-03-04T23:00:00.000Z", date(2015, 3, 5)),
    ("2015-12-31T23:00:00z", date(2016, 1, 1)),
    ("2015-03-04T00:00:00+00:00", date(2015, 3, 5)),
    ("2015-03-04 00:00:00 UTC", date(2015, 3, 5)),
    ("2015-03-04Z", date(2015, 3, 5)),
    ("20150304T000000Z", date(2015, 3, 5)),
    ("Tue, 03 Mar 2015 23:00:00 GMT", MARCH_4),
    ("2015-03-04T00:00:00Z[UTC]", date(2015, 3, 5)),
    ("9999-12-31T00:00:00Z", date(9999, 12, 31)),
    ("1425427200000", date(2015, 3, 5)),
    ("1425427200", date(2015, 3, 5)),
    ("1425427200.123", date(2015, 3, 5)),
    ("/Date(1425427200000)/", date(2015, 3, 5)),
    ("/Date(1425427200000+0100)/", date(2015, 3, 5)),
    ("20150304000000Z", date(2015, 3, 5)),
    ("Wed Mar 04 00:00:00 UTC 2015", date(2015, 3, 5)),
    ("-315619200", date(1960, 1, 2)),
    ("-315619200000", date(1960, 1, 2)),
    ("199999999999", date(1976, 5, 4)),
    # a month's name beside a weekday of the same letters
    ("mar. 4 mars 2015", MARCH_4),
    ("mar 4 mar 2015", MARCH_4),
    ("martes 4 de marzo de 2015", MARCH_4),
    # the future is a date too
    ("2031-01-01", date(2031, 1, 1)),
    ("2558-03-04", date(2558, 3, 4)),
    # what tells no year, or is no date
    *((text, None) for text in ("", " ", "null", "12", "5", "015", "March 4", "Mar-15", "--0203", "---04", "-0304")),
    *((text, None) for text in ("0000-03-04", "0000", "00/00/0000", "0000-00-00", "10000-01-01", "0000-001")),
    *((text, None) for text in ("2015-02-30", "2015-13-01", "31.02.2015", "13/13/2015", "29/02/2015", "20150230")),
    *((text, None) for text in ("2015-366", "2015-000", "2015-W54-1", "2015-W10-8", "2015-W1", "W10", "32 March 2015")),
    *((text, None) for text in ("2015-2016", "1/2/3", "1/2/345", "123/4/2015", "3/4", "2015-123-4", "1 2 3 4")),
    *((text, None) for text in ("yesterday", "March April 2015", "4 March May 2015", "4 Foo 2015", "March 4 5 2015")),
    *((text, None) for text in ("2015-03-04 or so", "<2015-03-04>", "$2015", "-2015", "+2015-03-04", "555-123-4567")),
    *((text, None) for text in ("12345", "1234567", "1" * 14, "1" * 20, "9" * 101, "2015-03-04" + "." * 100, "ﷺ" * 50)),
    *((text, None) for text in ("mar 4 mar mar 2015", "123 March 2015", "March 2015 2016", "4 March 015")),
]


@pytest.mark.parametrize("text, born", DATES, ids=range(len(DATES)))
def test_birth_date_is_read(text, born):
    """However a birth date is written, it is read as the latest day that can be meant, or not at all."""
    assert latest_birth(text, TODAY) == born


@pytest.mark.parametrize(
    "born, today, years",
    [
        ("2013-11-23", TODAY, 13),
        ("2013-11-24", TODAY, 12),
        ("2012-02-29", date(2025, 2, 28), 12),
        ("2012-02-29", date(2025, 3, 1), 13),
        ("2012-02-29", date(2028, 2, 29), 16),
        ("2026-11-23", TODAY, 0),
        ("2026-11-24", TODAY, -1),
        ("2031", TODAY, -6),
        ("1896-11-23", TODAY, 130),
        ("1895-11-23", TODAY, None),
        ("0015-03-04", TODAY, None),
        ("unknown", TODAY, None),
    ],
)
def test_age(born, today, years):
    """A birthday makes a year older, 29 February on 1 March; the future is below zero, and nobody is over 130."""
    assert age_when_born(born, today) == years


@pytest.mark.parametrize(
    "now, today",
    [
        ((2026, 11, 23, 11, 59, 59), date(2026, 11, 22)),
        ((2026, 11, 23, 12, 0, 0), date(2026, 11, 23)),
        ((2024, 2, 29, 11, 0, 0), date(2024, 2, 28)),
    ],
)
def test_day_begins_when_it_has_begun_everywhere(now, today):
    """Nobody's birthday comes before it has come in the last zone of the world, UTC-12."""
    assert today_in_the_latest_zone(datetime.datetime(*now, tzinfo=datetime.UTC).timestamp()) == today


@pytest.mark.parametrize(
    "year, month, day, born",
    [
        (2015, 3, 4, date(2015, 3, 4)),
        (2015, 3, 0, date(2015, 3, 31)),
        (2015, 0, 4, date(2015, 12, 4)),
        (2015, 0, 0, date(2015, 12, 31)),
        (2015, 2, 31, date(2015, 2, 28)),
        (0, 3, 4, None),
    ],
)
def test_parts_are_put_together(year, month, day, born):
    """Of a date in separate fields, what is missing is the latest possible; without a year there is none."""
    assert birth_of_parts(year, month, day) == born


@pytest.mark.parametrize(
    "read, text, number",
    [
        *((month_part, text, 3) for text in ("3", "03", " 3 ", "３", "March", "mar", "Mar.", "MÄRZ", "março", "maart")),
        *((month_part, text, 0) for text in ("", "0", "13", "Month", "3.0", "2015-03")),
        *((day_part, text, 4) for text in ("4", "04", "４")),
        *((day_part, text, 0) for text in ("", "0", "32", "DD", "4.5", "2015-03-04")),
        *((lambda text: year_part(text, TODAY), text, 2015) for text in ("2015", "15", "２０１５", "2015.0")),
        *(
            (lambda text: year_part(text, TODAY), text, 0)
            for text in ("", "0", "0000", "YYYY", "5", "20155", "2015-03")
        ),
    ],
)
def test_part_is_read(read, text, number):
    """A select sends a number or a name, and a heading such as "Month" while nothing is chosen."""
    assert read(text) == number


# ── the oracle ───────────────────────────────────────────────────────────────────────────────────────────────────────


@functools.cache
def days_of(year: int) -> list[date]:
    first = date(year, 1, 1)
    days = (first + datetime.timedelta(days=number) for number in range(366))
    return [day for day in days if day.year == year]


def birthdays(born: date, today: date) -> int:
    """How often somebody has had a birthday, counted one by one."""
    count = 0
    while True:
        year = born.year + count + 1
        on = [day for day in days_of(year) if (day.month, day.day) == (born.month, born.day)]
        if (on[0] if on else date(year, 3, 1)) > today:
            return count
        count += 1


DAYS = st.dates(date(1897, 1, 1), date(2026, 11, 23))

MONTHS = [
    "January February March April May June July August September October November December",
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "Jan. Feb. Mär. Apr. Mai Jun. Jul. Aug. Sep. Okt. Nov. Dez.",
    "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "ene feb mar abr may jun jul ago sept oct nov dic",
    "jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez.",
    "gen feb mar apr mag giu lug ago set ott nov dic",
    "jan. feb. mrt. apr. mei jun. jul. aug. sep. okt. nov. dec.",
]


@given(DAYS, st.sampled_from(MONTHS), st.sampled_from(["{d} {m} {y}", "{m} {d}, {y}", "{d}-{m}-{y}", "{y} {m} {d}"]))
def test_month_may_be_named(day, names, order):
    """Every month is understood by its name, whole or short, in English and six languages more."""
    text = order.format(d=day.day, m=names.split()[day.month - 1], y=day.year)
    assert latest_birth(text, TODAY) == day


@given(DAYS, st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%Y-%m-%dT%H:%M:%S", "%Y-%j", "%G-W%V-%u"]))
def test_unambiguous_date_is_read_to_the_day(day, shape):
    """A date that can be read in one way is read so."""
    assert latest_birth(day.strftime(shape), TODAY) == day


@given(st.integers(0, 32), st.integers(0, 32), st.integers(1900, 2030), st.sampled_from("/- "))
def test_slashed_date_is_the_latest_of_its_readings(first, second, year, mark):
    """The later reading counts; 0 stands for any day or any month."""
    readings = ((first, second), (second, first))
    fitting = [day for day in days_of(year) if any(d in (0, day.day) and m in (0, day.month) for d, m in readings)]
    assert latest_birth(f"{first}{mark}{second}{mark}{year}", TODAY) == max(fitting, default=None)


@given(st.integers(0, 99), st.dates(date(1970, 1, 1), date(2120, 1, 1)))
def test_year_of_two_digits_is_the_latest_not_in_the_future(digits, today):
    """No pivot year: what 68 and 69 mean depends on today alone."""
    year = today.year
    while year % 100 != digits:
        year -= 1
    born = latest_birth(f"15.06.{digits:02}", today)
    assert born == date(year, 6, 15)


@given(st.dates(date(1990, 1, 1), date(2026, 11, 23)), st.dates(date(2020, 1, 1), date(2026, 11, 23)))
def test_age_is_the_number_of_birthdays(born, today):
    """Whole years are birthdays, counted one by one."""
    if born <= today:
        assert whole_years(born, today) == birthdays(born, today)
    else:
        assert whole_years(born, today) < 0


@given(st.integers(2000, 2026), st.integers(0, 12), st.integers(0, 31))
def test_missing_parts_are_the_latest_of_all_days_that_fit(year, month, day):
    """Of all the days that fit what is known, the youngest person's counts."""
    fitting = [one for one in days_of(year) if month in (0, one.month) and day in (0, one.day)]
    in_month = [one for one in days_of(year) if month in (0, one.month)]
    assert birth_of_parts(year, month, day) == max(fitting or in_month)


WRITTEN = st.text("0123456789 -/.,:'TZtz+年월\u200e\xa0０٣ºé", max_size=40) | st.text(max_size=110)


@given(WRITTEN)
def test_reader_never_raises(text):
    """Whatever is sent as a birth date, it is a day of the calendar or nothing."""
    born = latest_birth(text, TODAY)
    assert born is None or isinstance(born, date)
    assert year_part(text, TODAY) in range(10_000)
    assert month_part(text) in range(13) and day_part(text) in range(32)


@pytest.mark.parametrize("text", ["1" * 10**7, " " * 10**7, "1-" * 50, "1:" * 50, "T00" * 33, "ﷺ" * 100, "(" * 100])
def test_reader_takes_no_time(text):
    """Nothing that is sent as a date keeps the server busy."""
    began = time.perf_counter()
    assert latest_birth(text, TODAY) is None
    assert time.perf_counter() - began < 1  # seconds; it takes some hundredths at most
