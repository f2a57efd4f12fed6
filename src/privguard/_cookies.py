"""Set-Cookie as every browser reads it (RFC 6265bis §5.5 to §5.7): a cookie is persistent if ANY browser would keep it.

Browsers and the RFC disagree on hundreds of spellings, so nothing here tries to be exact about them. A header that is
surely a session cookie or surely a deletion passes byte for byte; one that the RFC calls persistent is PERSISTENT;
whatever is left that names a lifetime is DOUBTFUL, and without its lifetime it is a session cookie for every reader.
All in bytes: text functions fold and strip characters that no browser does.
"""

from __future__ import annotations

import calendar
import datetime
import enum
import functools
import re
from collections.abc import Callable

_MAX_ATTRIBUTE_VALUE = 1024  # bytes; a longer value makes browsers ignore the attribute (RFC 6265bis §5.6)
_WHITE_SPACE = b" \t"  # the only bytes that are trimmed (RFC 6265bis §5.6)

_MOST_REMEMBERED = 256  # bytes of attributes whose verdict is remembered; real ones take some 80
# A quick look for what no session cookie has. Patterns on bytes fold ASCII letters only, as browsers do.
_LIFETIME_NAMED = re.compile(rb";[ \t]*(?:expires|max-age)[ \t]*(?:[=;]|\Z)", re.IGNORECASE)
_MAX_AGE_VALID = re.compile(rb"-?[0-9]+")
_MAX_AGE_OVER = re.compile(rb"-[0-9]+|0+")
# Chromium takes a plus sign, and Firefox takes a leading minus alone for a number.
_MAX_AGE_MAY_COUNT = re.compile(rb"\+?[0-9]|-")


class Lifetime(enum.Enum):
    """What a Set-Cookie header asks a browser to do."""

    SESSION = "session"
    """Keep it until the browser is closed."""
    DELETION = "deletion"
    """Forget it now; surely so, in every browser."""
    PERSISTENT = "persistent"
    """Keep it after the browser is closed, by RFC 6265bis."""
    DOUBTFUL = "doubtful"
    """A lifetime is named, and its readers do not agree on what it says."""
    MALFORMED = "malformed"
    """CR, LF or NUL: some server would send a second header, some browser lose the response."""


def lifetime(set_cookie: bytes, *, now: Callable[[], float], date: Callable[[], float | None]) -> Lifetime:
    """Return what the set-cookie-string *set_cookie* asks for.

    *now* gives the server's clock in seconds since 1970. *date* gives the response's first Date header on the same
    scale, by which browsers correct their reading of Expires: the clock when the response has none, None when it cannot
    be read. Both are asked only when the verdict rests on a date.

    >>> lifetime(b"a=b; Max-Age=3600", now=lambda: 0, date=lambda: 0)
    <Lifetime.PERSISTENT: 'persistent'>
    >>> lifetime(b"a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", now=lambda: 1e9, date=lambda: 1e9)
    <Lifetime.DELETION: 'deletion'>
    """
    # Here and below: finding in bytes is several times quicker than `in`.
    if set_cookie.find(b"\n") >= 0 or set_cookie.find(b"\r") >= 0 or set_cookie.find(b"\0") >= 0:
        return Lifetime.MALFORMED
    end_of_value = set_cookie.find(b";")
    if end_of_value < 0:
        return Lifetime.SESSION
    attributes = set_cookie[end_of_value:]
    if len(attributes) > _MOST_REMEMBERED:
        return _judge(attributes) or _judge_dates(attributes, now(), date())
    return _judge_remembered(attributes) or _judge_dates(attributes, now(), date())


def _judge(attributes: bytes) -> Lifetime | None:
    """Return the verdict on a cookie's attributes, or None when it rests on a date."""
    if not _LIFETIME_NAMED.search(attributes):
        return Lifetime.SESSION
    max_ages, expires = _lifetimes(attributes)
    return None if expires else _verdict(max_ages, expires, 0.0, None)


# A site sends the same few attributes with each of its cookies.
_judge_remembered = functools.lru_cache(maxsize=1024)(_judge)


def _judge_dates(attributes: bytes, now: float, date: float | None) -> Lifetime:
    max_ages, expires = _lifetimes(attributes)
    return _verdict(max_ages, expires, now, None if date is None else min(now, date))


def _verdict(max_ages: list[bytes], expires: list[bytes], now: float, clock: float | None) -> Lifetime:
    if _is_sure_deletion(max_ages, expires, clock):
        return Lifetime.DELETION
    return Lifetime.PERSISTENT if _is_persistent(max_ages, expires, now) else Lifetime.DOUBTFUL


def _lifetimes(attributes: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return the values of Max-Age and of Expires."""
    max_ages: list[bytes] = []
    expires: list[bytes] = []
    for attribute in attributes.split(b";"):
        name, _, value = attribute.partition(b"=")
        name = name.strip(_WHITE_SPACE).lower()
        if name == b"max-age":
            max_ages.append(value.strip(_WHITE_SPACE))
        elif name == b"expires":
            expires.append(value.strip(_WHITE_SPACE))
    return max_ages, expires


def as_session(set_cookie: bytes) -> bytes:
    """Return *set_cookie* with every Expires and Max-Age attribute cut out; every other byte is as it was.

    >>> as_session(b"a=b; Path=/; Max-Age=3600;Secure")
    b'a=b; Path=/;Secure'
    """
    first, *attributes = set_cookie.split(b";")
    return b";".join([first, *(one for one in attributes if not _names_lifetime(one))])


def cookie_name(set_cookie: bytes) -> bytes:
    """Return the cookie's name; empty for a nameless cookie (RFC 6265bis §5.6 step 3)."""
    name, equals, _ = set_cookie.partition(b";")[0].partition(b"=")
    return name.strip(_WHITE_SPACE) if equals else b""


def _names_lifetime(attribute: bytes) -> bool:
    return attribute.partition(b"=")[0].strip(_WHITE_SPACE).lower() in (b"expires", b"max-age")


def _is_sure_deletion(max_ages: list[bytes], expires: list[bytes], clock: float | None) -> bool:
    if any(len(value) > _MAX_ATTRIBUTE_VALUE for value in max_ages + expires):
        return False
    if max_ages and _MAX_AGE_OVER.fullmatch(max_ages[-1]):
        return True
    if clock is None or not expires or any(_MAX_AGE_MAY_COUNT.match(value) for value in max_ages):
        return False
    expiry = plain_date(expires[-1])
    if expiry is None:
        expiry = latest_reading(expires[-1])
    return expiry is not None and expiry <= clock


def _is_persistent(max_ages: list[bytes], expires: list[bytes], now: float) -> bool:
    """RFC 6265bis §5.7 step 6: the last valid Max-Age decides, else the last valid Expires."""
    for value in reversed(max_ages):
        if len(value) <= _MAX_ATTRIBUTE_VALUE and _MAX_AGE_VALID.fullmatch(value):
            return not _MAX_AGE_OVER.fullmatch(value)
    for value in reversed(expires):
        if len(value) <= _MAX_ATTRIBUTE_VALUE and (expiry := cookie_date(value)) is not None:
            return expiry > now
    return False


# ── dates ────────────────────────────────────────────────────────────────────────────────────────────────────────────

_MONTHS = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")
_DELIMITERS = re.compile(rb"[\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME = re.compile(rb"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[^0-9].*)?", re.DOTALL)
_DAY = re.compile(rb"([0-9]{1,2})(?:[^0-9].*)?", re.DOTALL)
_YEAR = re.compile(rb"([0-9]{2,4})(?:[^0-9].*)?", re.DOTALL)

_WEEKDAY = rb"(?:mon|tue|wed|thu|fri|sat|sun|monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
_MONTH = rb"(?P<month>" + b"|".join(_MONTHS) + rb")"
_CLOCK = rb"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_PLAIN_DATES = (
    # IMF-fixdate, RFC 850 and Netscape's form with dashes (RFC 9110 §5.6.7)
    re.compile(
        rb"(?:%s, )?(?P<day>[0-9]{1,2})([ -])%s\2(?P<year>[0-9]{4}|[0-9]{2}) %s(?: (?:GMT|UTC))?"
        % (_WEEKDAY, _MONTH, _CLOCK),
        re.IGNORECASE,
    ),
    # asctime
    re.compile(
        rb"%s %s (?P<day>[ 0-9]?[0-9]) %s (?P<year>[0-9]{4})(?: (?:GMT|UTC))?" % (_WEEKDAY, _MONTH, _CLOCK),
        re.IGNORECASE,
    ),
)

_WIDEST_ZONE = 26 * 60 * 60  # seconds: from UTC-12 to UTC+14
_ANY_MONTH = (
    rb"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|january|february|march|april|june|july|august"
    rb"|september|october|november|december)"
)
_ANY_CLOCK = rb"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_ANY_YEAR = rb"(?P<year>19[7-9][0-9]|2[0-9]{3})"  # the others are read as years of other centuries somewhere
_ANY_ZONE = rb'(?: +(?:(?:GMT|UTC)?[+-](?:0[0-9]|1[0-4])[0-5][0-9]|[A-Z]{1,4})(?: \([A-Za-z ]{1,40}\))?"?)?'
# One dash or blanks between the fields: Firefox takes a second dash for a sign.
_WORDY_DATE = re.compile(
    rb'(?:"?%s,? *)?(?P<day>[0-9]{1,2})(?: +|-)%s(?: +|-)%s +%s%s'
    % (_WEEKDAY, _ANY_MONTH, _ANY_YEAR, _ANY_CLOCK, _ANY_ZONE),
    re.IGNORECASE,
)
_WORDY_DATE_MONTH_FIRST = re.compile(
    rb'"?%s,? +%s +(?P<day>[0-9]{1,2}),? +%s +%s%s' % (_WEEKDAY, _ANY_MONTH, _ANY_YEAR, _ANY_CLOCK, _ANY_ZONE),
    re.IGNORECASE,
)


def cookie_date(text: bytes) -> int | None:
    """Return the cookie-date *text* in seconds since 1970 by the algorithm of RFC 6265bis §5.1.1, or None if it fails.

    >>> cookie_date(b"1 jan 38 0:0:1 anything")
    2145916801
    """
    time = day = month = year = None
    for token in _DELIMITERS.split(text):
        if time is None and (match := _TIME.fullmatch(token)):
            time = tuple(int(part) for part in match.groups())
        elif day is None and (match := _DAY.fullmatch(token)):
            day = int(match[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS.index(token[:3].lower()) + 1
        elif year is None and (match := _YEAR.fullmatch(token)):
            year = int(match[1])
    if time is None or day is None or month is None or year is None:
        return None
    return _seconds(_whole_year(year), month, day, *time)


def plain_date(text: bytes) -> int | None:
    """Return a date in one of HTTP's own shapes, which every parser reads alike, in seconds since 1970, or None.

    The zone is GMT, UTC or absent: Firefox would hear any other.
    """
    for shape in _PLAIN_DATES:
        if match := shape.fullmatch(text):
            year = int(match["year"])
            return _seconds(
                _whole_year(year) if len(match["year"]) == 2 else year,
                _MONTHS.index(match["month"].lower()) + 1,
                int(match["day"]),
                int(match["hour"]),
                int(match["minute"]),
                int(match["second"]),
            )
    return None


def latest_reading(text: bytes) -> int | None:
    """Return the latest moment, in seconds since 1970, at which any reader could see a date in words, or None.

    The fields are those of HTTP's own shapes, spelled as other software spells them (``-0000``, no comma, ``0:00:00``),
    and every parser reads them alike but for the zone, which Firefox hears and Chromium does not.
    """
    match = _WORDY_DATE.fullmatch(text) or _WORDY_DATE_MONTH_FIRST.fullmatch(text)
    if match is None:
        return None
    month = _MONTHS.index(match["month"][:3].lower()) + 1
    clock = (int(match[unit]) for unit in ("hour", "minute", "second"))
    moment = _seconds(int(match["year"]), month, int(match["day"]), *clock)
    return None if moment is None else moment + _WIDEST_ZONE


def _whole_year(year: int) -> int:
    if year <= 69:
        return year + 2000
    return year + 1900 if year <= 99 else year


def _seconds(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int | None:
    if year < 1601:
        return None
    try:
        moment = datetime.datetime(year, month, day, hour, minute, second)
    except ValueError:  # no such day, hour, minute or second
        return None
    return calendar.timegm(moment.timetuple())
