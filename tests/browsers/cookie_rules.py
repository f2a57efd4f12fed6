"""What RFC 6265bis and plain HTTP say of a Set-Cookie line: written anew for the tests, from the standard alone."""

from __future__ import annotations

import calendar
import re
import time
from datetime import datetime

# RFC 9110 §5.6.7, and Netscape's dashes.
PLAIN_DATES = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"]
PLAIN_DATES += ["%a, %d-%b-%Y %H:%M:%S GMT", "%a, %d-%b-%y %H:%M:%S GMT", "%d %b %Y %H:%M:%S UTC"]
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()


def attributes(line: bytes, wanted: str) -> list[str]:
    """Return the values of one attribute that are not too long to count (§5.6)."""
    values = []
    for segment in line.decode("latin-1").split(";")[1:]:
        name, _, value = segment.partition("=")
        value = value.strip(" \t")
        if name.strip(" \t").encode().lower() == wanted.encode() and len(value) <= 1024:
            values.append(value)
    return values


def is_persistent(line: bytes) -> bool:
    """Whether RFC 6265bis §5.7 step 6 would have the cookie persist."""
    ages = [value for value in attributes(line, "max-age") if re.fullmatch("-?[0-9]+", value)]
    if ages:
        return not re.fullmatch("-[0-9]+|0+", ages[-1])
    dates = [moment for moment in map(cookie_date, attributes(line, "expires")) if moment is not None]
    return bool(dates) and dates[-1] > datetime.fromtimestamp(time.time())


def cookie_date(text: str) -> datetime | None:
    """Return the moment by the algorithm of §5.1.1."""
    found: dict[str, str] = {}
    for token in re.split(r"[\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+", text):
        if "time" not in found and re.match(r"[0-9]{1,2}(:[0-9]{1,2}){2}(?![0-9])", token):
            found["time"] = token
        elif "day" not in found and re.match(r"[0-9]{1,2}(?![0-9])", token):
            found["day"] = token
        elif "month" not in found and token[:3].lower() in MONTHS:
            found["month"] = token
        elif "year" not in found and re.match(r"[0-9]{2,4}(?![0-9])", token):
            found["year"] = token
    if len(found) < 4:
        return None
    year, day, *clock = (int(one) for one in re.findall("[0-9]+", f"{found['year'][:4]} {found['day'][:2]}"))
    clock = [int(one) for one in re.findall("[0-9]+", found["time"])[:3]]
    year += 2000 if year <= 69 else 1900 if year <= 99 else 0
    try:
        moment = datetime(year, MONTHS.index(found["month"][:3].lower()) + 1, day, *clock)
    except ValueError:
        return None
    return moment if year >= 1601 else None


def is_plain_deletion(line: bytes) -> bool:
    """Whether the line deletes in a way that HTTP itself defines, and no reader could take otherwise."""
    if any(len(segment) > 1024 for segment in line.split(b";")[1:]):
        return False
    ages, dates = attributes(line, "max-age"), attributes(line, "expires")
    if ages:
        return bool(re.fullmatch("-[0-9]+|0+", ages[-1]))
    return bool(dates) and any(_is_over(dates[-1], shape) for shape in PLAIN_DATES)


def _is_over(text: str, shape: str) -> bool:
    try:
        return calendar.timegm(time.strptime(text, shape)) < time.time()
    except ValueError:
        return False
