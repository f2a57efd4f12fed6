"""Birth dates as people and programs write them, read as the latest day that was possibly meant; ages in whole years.

Where a text leaves something open, the person is taken to be as young as it allows: a missing day or month is the last
one, ``03/04/2015`` is the later of its two readings. A two-digit year is the latest that is not in the future: in 2026,
26 is 2026 and 27 is 1927. Dotted dates have the day first, and the month only where that is no date. Day or month 0 is
a missing one, year 0 a date withheld (OpenID Connect Core §5.1). ISO 8601, RFC 3339, HTML dates, months and weeks.

A moment in UTC counts as the next day, for JavaScript's toISOString() moves a midnight in Europe or Asia to the day
before. A number of 9 or 10 digits is a moment in seconds since 1970, one of 11 to 13 digits in milliseconds; one of 12
or 14 digits that is a date and a time of the 20th or 21st century is that.
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Iterable, Sequence

from ._fields import typed_text

OLDEST = 130  # years: nobody has been older than 122
_LATEST_ZONE = datetime.timezone(datetime.timedelta(hours=-12))
_ONE_DAY = datetime.timedelta(days=1)

# Per month: English, German, French, Spanish, Portuguese, Italian and Dutch, in full and abbreviated, without accents.
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january januar janner jaenner janvier enero janeiro gennaio januari jan janv ene gen",
            "february februar feber fevrier febrero fevereiro febbraio februari feb febr fev fevr",
            "march marz maerz mars marzo marco maart mar mrz mrt",
            "april avril abril aprile apr avr abr",
            "may mai mayo maio maggio mei mag",
            "june juni juin junio junho giugno jun giu",
            "july juli juillet julio julho luglio jul juil lug",
            "august aout agosto augustus aug aou ago",
            "september septembre septiembre setiembre setembro settembre sep sept set sett",
            "october oktober octobre octubre outubro ottobre oct okt out ott",
            "november novembre noviembre novembro nov",
            "december dezember decembre diciembre dezembro dicembre dec dez dic",
        ),
        1,
    )
    for name in names.split()
}
# What stands beside the parts of a date and says nothing new: weekdays, articles, the endings of ordinal numbers.
_BESIDE = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun"
    " montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr sa so"
    " lundi mardi mercredi jeudi vendredi samedi dimanche lun mer jeu ven sam dim"
    " lunes martes miercoles jueves viernes sabado domingo mie jue vie sab dom"
    " segunda terca quarta quinta sexta feira seg ter qua qui sex"
    " lunedi martedi mercoledi giovedi venerdi sabato domenica gio"
    " maandag dinsdag woensdag donderdag vrijdag zaterdag zondag ma wo vr za zo"
    " st nd rd th er re ere eme e ro o a ste de of the on le el il den der am del da".split()
)
_LIKE_A_MONTH = "mar"  # Tuesday in French, Spanish and Italian

_TIME = re.compile(
    r"(?<=\d)(?:(?:t\d{2}(?::?\d{2}){0,2}|,?[ t](?:at )?\d{1,2}:\d{2}(?::\d{2})?)(?:[.,]\d{1,9})?(?: ?[ap]\.?m\.?)? ?"
    r"(?P<zone>z|(?:utc|gmt)(?:[+-]\d{1,2}(?::?\d{2})?)?|[+-]\d{2}(?::?\d{2})?|[a-z]{2,5})?(?: ?[\[(].*)?"
    r"|(?P<alone>z|[+-]\d{2}:\d{2}))\Z"
)
_UTC = re.compile(r"z|(?:utc|gmt)?[+-]00?(?::?00)?|utc|gmt")
_CLOCK_BEFORE_YEAR = re.compile(r"( \d{1,2}:\d{2}:\d{2}(?: [a-z]{3,5})?)( \d{4})\Z")  # as C and Java write it
_MOMENT = re.compile(r"(?:/date\()?(-?\d{9,13})(?:\.\d+|(?:[+-]\d{4})?\))?")  # the words around it: Microsoft's JSON
_STAMP = re.compile(r"((?:19|20)\d{6})((?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?z?)")
_SHORT_YEAR = re.compile(r"'(\d\d)(?!\d)")
_WORD = re.compile(r"\d+|[^\W\d_]+")
_STRANGE = re.compile(r"\A\W|[^\w\-./,' ]")
_EAST_ASIAN = str.maketrans({"年": "-", "月": "-", "日": " ", "년": "-", "월": "-", "일": " "})
_MONTH_PART = re.compile(r"0?[1-9]|1[0-2]")
_DAY_PART = re.compile(r"0?[1-9]|[12]\d|3[01]")
_YEAR_PART = re.compile(r"(\d{4}|\d\d)(?:\.0+)?")

Numbers = Sequence[str]


def today_in_the_latest_zone(now: float) -> datetime.date:
    """Return the date in UTC-12 at *now*, in seconds since 1970: nobody's birthday is there before it is.

    >>> today_in_the_latest_zone(1772625600.0)  # noon in UTC
    datetime.date(2026, 3, 4)
    >>> today_in_the_latest_zone(1772625599.0)
    datetime.date(2026, 3, 3)
    """
    return datetime.datetime.fromtimestamp(now, _LATEST_ZONE).date()


def whole_years(born: datetime.date, today: datetime.date) -> int:
    """Return the age on *today*; below 0 when *born* is in the future. Who is born on 29 February waits for 1 March."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def age_when_born(text: str, today: datetime.date) -> int | None:
    """Return the lowest age that a birth date allows, below 0 for the future; None where it says nothing credible.

    >>> age_when_born("03/04/2015", datetime.date(2026, 4, 2))
    10
    """
    return credible_age(latest_birth(text, today), today)


def credible_age(born: datetime.date | None, today: datetime.date) -> int | None:
    """Return the age of somebody born on *born*; None when that is unknown, or longer ago than anybody lives."""
    years = OLDEST + 1 if born is None else whole_years(born, today)
    return None if years > OLDEST else years


def latest_birth(text: str, today: datetime.date) -> datetime.date | None:
    """Return the latest birth date that *text* can mean, or None when it is no date with a year.

    *today* tells which century a year of two digits is in.

    >>> latest_birth("4th of March, '15", datetime.date(2026, 1, 1))
    datetime.date(2015, 3, 4)
    >>> latest_birth("2015-02-30", datetime.date(2026, 1, 1)) is None
    True
    """
    plain = typed_text(text).translate(_EAST_ASIAN).rstrip(" -.,/")
    if stamp := _STAMP.fullmatch(plain):
        plain = f"{stamp[1]}t{stamp[2]}"
    elif moment := _MOMENT.fullmatch(plain):
        return _from_moment(moment[1])
    plain = _CLOCK_BEFORE_YEAR.sub(r"\2\1", _SHORT_YEAR.sub(lambda year: f" {_year(year[1], today)}", plain).lstrip())
    time = _TIME.search(plain)
    if time is None:
        return _from_date(plain, today)
    born = _from_date(plain[: time.start()], today)
    in_utc = _UTC.fullmatch(time["zone"] or time["alone"] or "")
    return min(born, datetime.date.max - _ONE_DAY) + _ONE_DAY if born and in_utc else born


def birth_of_parts(year: int, month: int, day: int) -> datetime.date | None:
    """Return the latest birth date with these parts, 0 for a missing one, or None without a year.

    A day that its month has not is missing too: the year is an answer of its own.

    >>> birth_of_parts(2015, 2, 31)
    datetime.date(2015, 2, 28)
    """
    return _date(year, month, day) or _date(year, month, 0)


def year_part(text: str, today: datetime.date) -> int:
    """Return the year that *text* is, in four or two digits; 0 when it is none."""
    digits = _YEAR_PART.fullmatch(typed_text(text))
    return _year(digits[1], today) if digits else 0


def month_part(text: str) -> int:
    """Return the month that *text* is, as a number or a name; 0 when it is none."""
    plain = typed_text(text).rstrip(".")
    return int(plain) if _MONTH_PART.fullmatch(plain) else _MONTHS.get(plain, 0)


def day_part(text: str) -> int:
    """Return the day of a month that *text* is; 0 when it is none."""
    plain = typed_text(text)
    return int(plain) if _DAY_PART.fullmatch(plain) else 0


def _from_moment(number: str) -> datetime.date:
    seconds = int(number) if len(number.lstrip("-")) <= 10 else int(number) // 1000
    return datetime.date(1970, 1, 1) + datetime.timedelta(days=seconds // 86_400) + _ONE_DAY


def _from_date(plain: str, today: datetime.date) -> datetime.date | None:
    if _STRANGE.search(plain):
        return None
    tokens = _WORD.findall(plain)
    numbers = [token for token in tokens if token.isdecimal()]
    if len(numbers) < len(tokens):
        return _from_words([token for token in tokens if not token.isdecimal()], numbers, today)
    return _from_numbers(numbers, "." in plain, today)


def _from_numbers(numbers: Numbers, dotted: bool, today: datetime.date) -> datetime.date | None:
    if len(numbers) == 3:
        return _from_three(numbers[0], numbers[1], numbers[2], dotted, today)
    if len(numbers) == 2:
        return _from_two(*numbers)
    return _from_digits(numbers[0], today) if len(numbers) == 1 else None


def _from_three(first: str, second: str, third: str, dotted: bool, today: datetime.date) -> datetime.date | None:
    lengths = len(first), len(second), len(third)
    if max(lengths[1:]) <= 2 and lengths[0] == 4:
        return _date(int(first), int(second), int(third))
    if max(lengths[:2]) > 2 or lengths[2] not in (2, 4):
        return None
    year = _year(third, today)
    day_first, month_first = _date(year, int(second), int(first)), _date(year, int(first), int(second))
    born = (day_first or month_first) if dotted else _latest((day_first, month_first))
    if born is None and lengths[0] == lengths[2] == 2:  # 99-12-31 is no date but with the year first
        return _date(_year(first, today), int(second), int(third))
    return born


def _from_two(first: str, second: str) -> datetime.date | None:
    lengths = len(first), len(second)
    if lengths[0] == 4 and lengths[1] <= 2:
        return _date(int(first), int(second), 0)
    if lengths[0] <= 2 and lengths[1] == 4:
        return _date(int(second), int(first), 0)
    return _day_of_year(int(first), int(second)) if lengths == (4, 3) else None


def _from_digits(digits: str, today: datetime.date) -> datetime.date | None:
    if len(digits) == 4:
        return _date(int(digits), 0, 0)
    if len(digits) == 8:
        year_first = _date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        return year_first or _from_three(digits[:2], digits[2:4], digits[4:], False, today)
    if len(digits) == 6:  # as typed on a keypad, or a year and a month
        typed = _from_three(digits[:2], digits[2:4], digits[4:], False, today)
        return _latest((typed, _date(int(digits[:4]), int(digits[4:]), 0)))
    return None


def _from_words(words: Sequence[str], numbers: Numbers, today: datetime.date) -> datetime.date | None:
    if words == ["w"]:
        return _from_week(numbers)
    months = [_MONTHS[word] for word in words if word in _MONTHS]
    if len(months) == 2 and _LIKE_A_MONTH in words:
        months = [_MONTHS[word] for word in words if word in _MONTHS and word != _LIKE_A_MONTH] or months[:1]
    if len(months) != 1 or any(word not in _BESIDE and word not in _MONTHS for word in words):
        return None
    lengths = [len(number) for number in numbers]
    if lengths == [4]:
        return _date(int(numbers[0]), months[0], 0)
    if len(lengths) != 2:
        return None
    return _named(numbers[1], months[0], numbers[0], today) or _named(numbers[0], months[0], numbers[1], today)


def _named(year: str, month: int, day: str, today: datetime.date) -> datetime.date | None:
    return _date(_year(year, today), month, int(day)) if len(year) in (2, 4) and len(day) <= 2 else None


def _from_week(numbers: Numbers) -> datetime.date | None:
    if [len(number) for number in numbers] not in ([4, 2], [4, 2, 1]):
        return None
    try:
        return datetime.date.fromisocalendar(*map(int, numbers), *(7,) * (3 - len(numbers)))
    except ValueError:  # no such week or day
        return None


def _day_of_year(year: int, day: int) -> datetime.date | None:
    if not (year >= 1 and 1 <= day <= 365 + calendar.isleap(year)):
        return None
    return datetime.date(year, 1, 1) + (day - 1) * _ONE_DAY


def _year(digits: str, today: datetime.date) -> int:
    """The year of these four digits, or the latest that ends in these two and is not in the future."""
    if len(digits) == 4:
        return int(digits)
    return today.year - (today.year - int(digits)) % 100


def _date(year: int, month: int, day: int) -> datetime.date | None:
    """The date, and the latest of those that a 0 leaves open; None when there is none."""
    month = month or 12
    if not (1 <= year <= datetime.MAXYEAR and month <= 12):
        return None
    last = calendar.monthrange(year, month)[1]
    return datetime.date(year, month, day or last) if day <= last else None


def _latest(dates: Iterable[datetime.date | None]) -> datetime.date | None:
    return max((date for date in dates if date is not None), default=None)
