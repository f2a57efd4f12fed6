"""Odd Set-Cookie lines from a grammar: the same lines in each run, and nobody's idea of what a site sends."""

from __future__ import annotations

import random

SEED = 20261123
LINES = 600

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_NAMES = "max-age MAX-AGE Max-Age mAX-aGE expires Expires EXPIRES eXPIRES".split()
_NOT_NAMES = "Max_Age MaxAge Max-Age-2 xexpires Expire \u0130expires expire\u017f max\u2010age".split()
_OTHERS = (
    "Path=/ Path= Secure HttpOnly SameSite=Lax SameSite=odd Domain= foo foo=bar foo=Max-Age=9 Version=1 =x".split()
)
_NUMBERS = "3600 1 0 -1 -0 00 +3600 +0 -3600 1e9 0x10 36.5 3600s - -- + 3600, ３６００ 60;60 1_000 NaN Infinity".split()
_ZONES = ["GMT", "UTC", "", "Z", "+0000", "-1200", "+1400", "PST", "gmt", "GMT+1", "CET"]
_WORDS = ["session", "now", "never", "0", "-1", "tomorrow", "null", "undefined", "[object Object]", "NaN", "%s"]
_ODD_BYTES = [bytes([code]) for code in (0x01, 0x08, 0x0B, 0x0C, 0x1F, 0x7F, 0x80, 0x85, 0xA0, 0xFF)]
_ODD_BYTES += [b"\t", b'"', b"'", b",", b"=", b" ", b"\\", b"\r", b"\n", b"\r\n", b"\0", "\u2028".encode(), b"%3B"]


def corpus() -> list[bytes]:
    """Return the lines."""
    dice = random.Random(SEED)
    lines: dict[bytes, None] = {}
    while len(lines) < LINES:
        lines[_line(dice)] = None
    return list(lines)


def clocks() -> list[tuple[list[tuple[bytes, bytes]], bytes]]:
    """Return lines that are over or not, each with the header fields that say what time it is at the server."""
    early = ["Thu, 01 Jan 1970 00:00:00 GMT", "Thursday, 01-Jan-70 00:00:00 GMT", "Thu Jan  1 00:00:00 1970"]
    early += [
        "Thu, 01 Jan 1970 00:00:00 +0000",
        "thu, 1 jan 1970 0:0:0",
        "01 Jan 0068 00:00:00 GMT",
        '"1 Jan 1970 0:0:0"',
    ]
    late = ["Fri, 09 Nov 2091 21:43:09 GMT", "Friday, 09-Nov-69 21:43:09 GMT"]
    unreadable = ["", "0", "-1", "now", "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970", "99:99:99"]
    shapes = [[("Date", one)] for one in early + late + unreadable]
    shapes += [[("DATE", early[0])], [("Date ", early[0])], [("Date", early[0]), ("Date", late[0])]]
    shapes += [[("Date", late[0]), ("Date", early[0])], [("Date", "now"), ("Date", early[0])]]
    shapes += [[("Date ", late[0]), ("Date", early[0])], [("Date", f"{early[0]}, {late[0]}")], [("Age", "99999999")]]
    lines = [b"a=b; Expires=Sat, 09 Nov 2024 21:43:09 GMT", b"a=b; Expires=09-Nov-24 21:43:09", b"a=b; Max-Age=0"]
    lines += [b"a=b; Expires=Sun Nov  9 21:43:09 1969", b"a=b; Expires=Sat, 09 Nov 2024 21:43:09 +0000"]
    return [([(name.encode(), value.encode()) for name, value in shape], line) for shape in shapes for line in lines]


def _line(dice: random.Random) -> bytes:
    name = dice.choice(["a"] * 12 + ["expires", "Max-Age", "b c", "__Host-a", "__Secure-a", "$a", "a[b]", ""])
    value = dice.choice(
        ["b"] * 8 + ["", '"b"', '"b; c"', "b=c", "b,c", "b c", "Max-Age=9", "é", "%00", "b" * 300, "{1:2}"]
    )
    line = f"{name}={value}" if dice.random() < 0.97 else dice.choice(["lonely", "", " ", "="])
    line += "".join(_segment(dice) for _ in range(dice.choice([0, 1, 1, 1, 2, 2, 3, 4])))
    octets = (line + dice.choice(["", "", "", "", ";", "; ", ";;"])).encode()
    return _smudge(octets, dice) if dice.random() < 0.12 else octets


def _segment(dice: random.Random) -> str:
    semicolon = dice.choice([";"] * 3 + ["; "] * 6 + [" ; ", ";\t", ";;", ";  ", ", "])
    kind = dice.random()
    if kind < 0.25:
        return semicolon + dice.choice(_OTHERS)
    if kind < 0.30:
        return semicolon + dice.choice(_NOT_NAMES) + "=" + dice.choice(["3600", _date(dice)])
    name = dice.choice(_NAMES)
    equals = dice.choice(["="] * 12 + [" =", "= ", "\t=\t", "==", ""])
    number_or_date = _number(dice) if name.lower().startswith("max") != (dice.random() < 0.05) else _date(dice)
    return semicolon + name + equals + _quoted(number_or_date, dice)


def _quoted(value: str, dice: random.Random) -> str:
    shape = dice.choice(["{}"] * 16 + ['"{}"', "'{}'", "({})", " {} ", '"{}', "{}, x", "x {}"])
    return shape.replace("{}", value)


def _number(dice: random.Random) -> str:
    kind = dice.random()
    if kind < 0.7:
        return dice.choice(_NUMBERS)
    if kind < 0.85:
        return str(dice.randint(-(10**6), 10**9))
    return dice.choice("0019") * dice.choice([5, 30, 1023, 1024, 1025, 1500])


def _date(dice: random.Random) -> str:
    if dice.random() < 0.12:
        return dice.choice(_WORDS)
    year = dice.choice([1601, 1970, 1999, 2020, 2091, 2091, 2091, 9999, 10000, 65535, 69, 70, 99, 5, 0])
    day, month = (
        dice.choice([0, 1, 9, 9, 9, 28, 31, 32, 99]),
        dice.choice([*_MONTHS, "November", "nov", "NOV", "Nove", "No"]),
    )
    clock = dice.choice(
        ["21:43:09"] * 6 + ["1:2:3", "21:43", "24:00:00", "21:43:60", "021:43:09", "21.43.09", "21:43:09.123"]
    )
    clock += dice.choice([""] * 8 + [" PM", " am", "x", ":1"])
    zone, weekday = (
        dice.choice(["GMT"] * 6 + _ZONES),
        dice.choice(["Fri, "] * 4 + ["", "", "Friday, ", "Fri ", "Xyz, "]),
    )
    short = f"{day:02}"
    shapes = [
        f"{weekday}{short} {month} {year} {clock} {zone}",
        f"{weekday}{short}-{month}-{year} {clock} {zone}",
        f"{weekday}{month} {day:2} {clock} {year} {zone}",
        f"{weekday}{month} {short}, {year} {clock}",
        f"{year}-11-{short}T{clock}Z",
        f"{day}/11/{year} {clock}",
        f"11/{day}/{year}",
        f"{clock} {short} {month} {year}",
        f"{month} {year}",
    ]
    date = shapes[min(int(dice.expovariate(0.5)), len(shapes) - 1)]
    if dice.random() < 0.1:
        date = date.replace(" ", dice.choice("./_-+,()"))
    return dice.choice([str, str, str, str.lower, str.upper])(date)


def _smudge(octets: bytes, dice: random.Random) -> bytes:
    place = dice.randint(0, len(octets))
    return octets[:place] + dice.choice(_ODD_BYTES) + octets[place:]
