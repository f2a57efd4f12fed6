"""What Chromium and Firefox do with a Set-Cookie line, as measured: the table that the cookie tests go by.

P: kept after the browser is closed; S: kept for the visit; D: deletes; X: not stored, and nothing deleted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

Header = tuple[bytes, bytes]


@dataclass(frozen=True)
class Case:
    """One Set-Cookie line in its response."""

    line: bytes
    chromium: str
    firefox: str
    name: bytes = b"Set-Cookie"
    others: tuple[Header, ...] = ()
    """The response's other header fields, before the line."""
    status: int = 200

    @property
    def headers(self) -> tuple[Header, ...]:
        return (*self.others, (self.name, self.line))

    @property
    def is_one_header(self) -> bool:
        """Whether no server would send the line as several, or lose the response over it."""
        return not set(self.line) & set(b"\r\n\0")


def both(verdict: str, *lines: bytes) -> list[Case]:
    return [Case(line, verdict, verdict) for line in lines]


def differ(chromium: str, firefox: str, *lines: bytes) -> list[Case]:
    return [Case(line, chromium, firefox) for line in lines]


def each(template: bytes, values: Iterable[bytes]) -> list[bytes]:
    return [template.replace(b"{}", value) for value in values]


def with_headers(cases: list[Case], *others: Header) -> list[Case]:
    return [replace(case, others=others) for case in cases]


def date(seconds_from_now: float, zone: str = "GMT", shape: str = "%a, %d %b %Y %H:%M:%S") -> bytes:
    return f"{time.strftime(shape, time.gmtime(time.time() + seconds_from_now))} {zone}".strip().encode()


HOUR = 3600
PAST_IN_OTHER_WORDS = "the past in other words"
MAX_AGE = b"a=b; Max-Age={}"
EXPIRES = b"a=b; Expires={}"
FUTURE = b"Fri, 09 Nov 2091 21:43:09 GMT"
PAST = b"Thu, 01 Jan 1970 00:00:00 GMT"
EPOCH = (b"Date", PAST)
CONTROLS = [bytes([code]) for code in (*range(1, 9), *range(0x0B, 0x20), 0x7F) if code != 0x0D]
NO_BREAK_SPACE, BYTE_ORDER_MARK, ZERO_WIDTH_SPACE = "\xa0".encode(), "\ufeff".encode(), "\u200b".encode()


def clock_of_the_response() -> list[Case]:
    soon_over, later_over = date(-HOUR), date(-2 * HOUR)
    return [
        *with_headers(both("P", b"a=b; Expires=Fri, 01 Jan 1971 00:00:00 GMT"), EPOCH),
        *with_headers(both("P", EXPIRES.replace(b"{}", soon_over)), (b"Date", later_over)),
        *with_headers(both("P", EXPIRES.replace(b"{}", soon_over)), (b"date", later_over), (b"Date", date(0))),
        *with_headers(both("D", EXPIRES.replace(b"{}", soon_over)), (b"Date", date(0)), (b"Date", later_over)),
        *with_headers(both("D", EXPIRES.replace(b"{}", later_over)), (b"Date", soon_over)),
        *with_headers(both("P", b"a=b; Max-Age=3600"), EPOCH),
        *with_headers(both("D", b"a=b; Max-Age=0"), EPOCH),
    ]


def past_in_other_words() -> list[Case]:
    """Dates as other software than a web server's spells them; in words, so that no two parsers swap their fields."""
    spelled = [
        b"Thu, 01 Jan 1970 00:00:00" + zone for zone in (b" -0000", b" +0000", b" EST", b" CET", b" +1400", b" -1200")
    ]
    spelled += [b"Thu, 1 Jan 1970 0:00:00 GMT", b"Thu 01 Jan 1970 00:00:00 GMT", b"Thu,01 Jan 1970 00:00:00 GMT"]
    spelled += [
        b"Thu, 01  Jan 1970 00:00:00 GMT",
        b"Thu, 01 Jan 1970  00:00:00 GMT",
        b"Thu, 01-January-1970 00:00:00 GMT",
    ]
    spelled += [
        b"01 January 1970 00:00:00 GMT",
        b'"Thu, 01 Jan 1970 00:00:00 GMT"',
        b"Thursday, 01 Jan 1970 00:00:00 GMT",
    ]
    spelled += [b"Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)", b"Thu Jan 1 1970 00:00:00 GMT"]
    spelled += [b"Thu Jan 01 1970 01:00:00 GMT+0100 (Central European Standard Time)", b"Thu, Jan 01 1970 00:00:00 GMT"]
    spelled += [b"Sat, 31 Dec 2011 23:59:59 PST", b"Sun, 02 Feb 2020 02:20:20 z", b"sun, 02 FEB 2020 02:20:20 gmt"]
    return both("D", *each(EXPIRES, spelled))


def nameless() -> list[Case]:
    return [*differ("S", "X", b"=b"), *differ("P", "X", b"=b; Max-Age=3600"), *both("S", b"b")]


def prefixed() -> list[Case]:
    rules = [b"; Secure; Path=/", b"; Secure", b"; HttpOnly; Secure", b"; Secure; Path=/; HttpOnly"]
    names = [b"__Host-a", b"__Secure-a", b"__Http-a", b"__Host-Http-a"]
    kept = [name + b"=b" + rule for name, rule in zip(names, rules)]
    broken = [b"__Host-a=b; Path=/", b"__Host-a=b; Secure; Path=/x", b"__secure-a=b", b"__http-a=b; Secure"]
    broken += [b"__HOST-HTTP-a=b; Secure; Path=/", b"a=b; Partitioned", b"a=b; SameSite=None"]
    cases = both("S", *kept, *(line.replace(b"__H", b"__h") for line in kept))
    cases += both("P", *(line + b"; Max-Age=3600" for line in kept))
    cases += both("X", *broken, *(line + b"; Max-Age=3600" for line in broken))
    return cases


def every_status() -> list[Case]:
    cases = both("P", b"a=b; Max-Age=3600", EXPIRES.replace(b"{}", FUTURE))
    return [
        replace(case, status=status, others=((b"Location", b"/done"),) if status == 302 else ())
        for case in cases
        for status in (204, 302, 304, 401, 404, 500)
    ]


def injected() -> list[Case]:
    one = b"a=b{}Set-Cookie: c=d; Max-Age=3600"
    return [
        *both("P", *each(one, [b"\n", b"\r\n"])),
        *both("P", *each(b"a=b;{}Max-Age=3600", [b"\r\n ", b"\n ", b"\r\n\t"])),
        *differ("P", "X", *each(one, [b"\r"])),
    ]


def near_midnight_zones() -> list[Case]:
    """Past and future by the letters, and the other way round by the zone: with margins, for the test takes time."""
    return [
        *differ("D", "P", *(EXPIRES.replace(b"{}", date(-ago, "-1200")) for ago in (HOUR / 4, 5 * HOUR, 11 * HOUR))),
        *differ("D", "P", EXPIRES.replace(b"{}", date(-HOUR, "PST"))),
        *differ("P", "D", *(EXPIRES.replace(b"{}", date(ahead, "+1400")) for ahead in (HOUR / 4, 5 * HOUR, 13 * HOUR))),
    ]


def deletions_of_frameworks() -> list[Case]:
    """As Django, Flask, Starlette, Express, Rails, PHP, Java, ASP.NET, Go and Perl take a cookie back."""
    now = date(-1)
    return both(
        "D",
        b'a=""; expires=%s; Max-Age=0; Path=/; SameSite=Lax' % PAST,
        b"a=; Expires=%s; Max-Age=0; HttpOnly; Path=/" % PAST,
        b'a=""; Max-Age=0; Path=/; SameSite=lax',
        b'a=""; expires=%s; Max-Age=0; Path=/; SameSite=lax' % now,
        b"a=; Path=/; Expires=%s" % PAST,
        b"a=; path=/; max-age=0; expires=%s" % PAST,
        b"a=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0; path=/",
        b"a=deleted; expires=Thursday, 01-Jan-1970 00:00:01 UTC; path=/",
        b"a=; Max-Age=0; Expires=Thu, 01-Jan-1970 00:00:10 GMT; Path=/",
        b"a=; expires=Tue, 12-Oct-1999 00:00:00 GMT; path=/",
        b"a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0",
        b"a=; path=/; expires=Thu, 01-Jan-1970 00:00:00 GMT",
        b"a=; MAX-AGE=-1; PATH=/",
        b"a=;expires=Thu Jan  1 00:00:00 1970;path=/",
    )


# A row of the table -> its examples. Functions, because some dates are measured from now.
ROWS: dict[str, Callable[[], list[Case]]] = {
    "plain": lambda: [
        *both("S", b"a=b", b"a=", b"a=b; Path=/; Secure; HttpOnly; SameSite=Lax"),
        *both("P", b"a=b; Max-Age=3600", EXPIRES.replace(b"{}", FUTURE), b"a=b; Max-Age=0100"),
        *both("D", b"a=; Max-Age=0", b"a=b; Max-Age=-1", EXPIRES.replace(b"{}", PAST)),
        *both("D", *each(EXPIRES, [date(-HOUR), date(-HOUR, "", "%a %b %d %H:%M:%S %Y")])),
        *both(
            "D", *each(EXPIRES, [date(-HOUR, shape="%A, %d-%b-%y %H:%M:%S"), date(-HOUR, "UTC", "%d %b %Y %H:%M:%S")])
        ),
    ],
    "deletions of frameworks": deletions_of_frameworks,
    PAST_IN_OTHER_WORDS: past_in_other_words,
    "the response's own date": clock_of_the_response,
    "the last attribute, even when invalid": lambda: both(
        "P", b"a=b; Max-Age=0; Expires=%s; Max-Age=abc" % FUTURE, b"a=b; Max-Age=abc; Max-Age=3600"
    ),
    "a valid Max-Age before an invalid one": lambda: both(
        "S", *each(b"a=b; Max-Age=3600; Max-Age={}", [b"abc", b"", b'"3600"', b"x3600"])
    ),
    "a value over 1024 bytes": lambda: [
        *both("D", b"a=b; Max-Age=0; Max-Age=" + b"9" * 1025),
        *both("P", b"a=b; Max-Age=3600; Max-Age=" + b"0" * 1025),
        *both("D", b"a=b; Max-Age=3600; Max-Age=" + b"0" * 1024),
        *both("D", b"a=b; Max-Age=3600; Max-Age=" + b" " * 600 + b"0" * 1024 + b" " * 600),
        *both("P", b"a=b; Max-Age=" + b"0" * 1020 + b"3600"),
    ],
    "a plus sign": lambda: [
        *differ("P", "S", b"a=b; Max-Age=+3600"),
        *differ("P", "D", b"a=b; Max-Age=+3600; Expires=" + PAST),
        *differ("D", "S", b"a=b; Max-Age=+0"),
    ],
    "a minus sign": lambda: differ("S", "D", *each(MAX_AGE, [b"-", b"--1", b"- 1", b"-0.5", b"-Infinity"])),
    "a Max-Age that is no number": lambda: both(
        "S",
        *each(
            MAX_AGE, [b'"3600"', b"3600abc", b"3600.0", b"3600,", b"1e9", b"0x10", "３６００".encode(), b"3_600", b""]
        ),
        *each(MAX_AGE, [b"3600\xa0", b"\xa03600", b"36\xa000", NO_BREAK_SPACE + b"3600"]),
        b"a=b; Max-Age",
    ),
    "a very long number": lambda: both("P", *each(MAX_AGE, [b"9" * 400, b"9" * 1024, b"9" * 30])),
    "quotes and junk around a date": lambda: both(
        "P",
        *(EXPIRES.replace(b"{}", junk % FUTURE) for junk in (b'"%s"', b"'%s'", b"(%s)", b"=%s", b"x %s", b"%s, c=d")),
    ),
    "what only Firefox takes for a date": lambda: differ(
        "S",
        "P",
        *each(EXPIRES, [b"09 Nov 2091", b"09 Nov 2091 21:43", b"09 Nov 2091 24:00:00", b"09 Nov 2091 21:43:60"]),
        *each(EXPIRES, [b"00 Nov 2091 21:43:09", b"31 Feb 2091 21:43:09", b"11/9/2091 21:43:09"]),
        *each(EXPIRES, [b"09 Nov 2091 99:99:99 21:43:09", b"09 Nov 2091 1a:33:44"]),
    ),
    "a year beyond the RFC": lambda: both(
        "P",
        *each(b"a=b; Expires=09 Nov {} 21:43:09 GMT", [b"10000", b"25000", b"30827", b"02091"]),
        b"a=b; Expires=09 Nov 2091 000:00:01 GMT",
    ),
    "a year that only Chromium takes": lambda: differ(
        "P", "S", *each(b"a=b; Expires=09 Nov {} 21:43:09 GMT", [b"65535", b"99999"])
    ),
    "separators that only Chromium takes": lambda: differ(
        "P",
        "S",
        *(b"a=b; Expires=" + b"09 Nov 2091 21:43:09".replace(b" ", bytes([one])) for one in b"./_+'\"%&*<=>?@\\^{|}~"),
    ),
    "separators that both take": lambda: both(
        "P", *(b"a=b; Expires=" + b"09 Nov 2091 21:43:09".replace(b" ", bytes([one])) for one in b" (),[]")
    ),
    "seconds with something behind them": lambda: differ(
        "S", "P", *each(EXPIRES, [b"09 Nov 2091 21:43:09x", b"09 Nov 2091 21:43:09:99"])
    ),
    "a day or a year with letters": lambda: both(
        "S", *each(EXPIRES, [b"9th Nov 2091 21:43:09", b"09 Nov 2091x 21:43:09"])
    ),
    "zones": near_midnight_zones,
    "short years": lambda: [
        *both("P", b"a=b; Expires=Wed, 09-Nov-69 21:43:09 GMT"),
        *differ("P", "D", b"a=b; Expires=09 Nov 0068 21:43:09 GMT"),
        *both("D", b"a=b; Expires=Mon, 09-Nov-70 21:43:09 GMT"),
    ],
    "what old code sends for no date": lambda: both(
        "S",
        *each(EXPIRES, [b"2091-11-09T21:43:09Z", b"3844537389", b"0", b"-1", b"now", b"Session", b"garbage", b""]),
        b"a=b; Expires",
    ),
    "Max-Age against Expires": lambda: [
        *both("P", b"a=b; Expires=%s; Max-Age=3600" % PAST, b"a=b; Max-Age=3600; Expires=%s" % PAST),
        *both("D", b"a=b; Expires=%s; Max-Age=0" % FUTURE, b"a=b; Max-Age=0; Expires=%s" % FUTURE),
    ],
    "a semicolon in quotes": lambda: [
        *both("P", b'a="b;Max-Age=3600;c"'),
        *both("S", b'a="b; Max-Age=3600"'),
    ],
    "a comma": lambda: [
        *both("P", b"a=b, c=d; Max-Age=3600"),
        *both("S", b"a=b; Path=/, Max-Age=3600"),
    ],
    "attribute names in any case, with blanks": lambda: both(
        "P",
        b"a=b; MAX-AGE=3600",
        b"a=b; Max-Age =3600",
        b"a=b;\tmax-age\t=\t3600",
        b"a=b;mAx-aGe=3600",
        b"a=b; EXPIRES=" + FUTURE,
        b"a=b ;\t expires \t=\t " + FUTURE,
    ),
    "what is not the attribute": lambda: both(
        "S",
        *each(
            b"a=b; {}=3600", [b'"Max-Age"', b"Max_Age", b"MaxAge", b"Max -Age", b"$Max-Age", b",Max-Age", b":Max-Age"]
        ),
        *each(b"a=b; {}Max-Age=3600", [b"\xa0", NO_BREAK_SPACE, BYTE_ORDER_MARK, ZERO_WIDTH_SPACE]),
        *each(b"a=b; Max-Age{}=3600", [b"\xa0", NO_BREAK_SPACE, BYTE_ORDER_MARK, ZERO_WIDTH_SPACE]),
        "a=b; Ｍax-Age=3600".encode(),
        "a=b; expireſ=".encode() + FUTURE,
    ),
    "lifetimes that are only text": lambda: both(
        "S",
        b"Expires=" + FUTURE,
        b"Max-Age=3600",
        b"a=expires=" + FUTURE,
        b"a=b; Path=/expires=" + FUTURE,
        b"a=b; foo=Max-Age=3600",
    ),
    "control bytes": lambda: both(
        "X",
        *each(b"a{}=b; Max-Age=3600", CONTROLS),
        *each(b"a=b{}c; Max-Age=3600", CONTROLS),
        *each(b"a=b; Path=/{}; Max-Age=3600", CONTROLS),
        *each(b"a=b{}c", CONTROLS),
    ),
    "a tab inside": lambda: [
        *differ("X", "P", *each(b"{}; Max-Age=3600", [b"a\tx=b", b"a=b\tc", b"a=b; foo=x\ty"])),
        *both("X", b"a=b; Path=/x\ty; Max-Age=3600"),  # the one attribute in which Firefox minds it
        *differ("X", "S", *each(b"{}; HttpOnly", [b"a\tx=b", b"a=b\tc", b"a=b; foo=x\ty"])),
        *both("P", b"\ta\t=\tb\t; Max-Age=3600"),
    ],
    "bytes above ASCII": lambda: both(
        "P",
        *each(b"a{}=b; Max-Age=3600", [b"\x80", b"\x85", b"\xa0", b"\xff", "é".encode()]),
        *each(b"a={}b; Max-Age=3600", [b"\x80", b"\x85", b"\xa0", b"\xff", "é".encode()]),
        *each(b"a=b{}; Max-Age=3600", [b"\x80", b"\x85", b"\xa0", b"\xff", "é".encode()]),
    ),
    "NUL": lambda: both("X", b"a=b\0; Max-Age=3600", b"a\0=b; Max-Age=3600", b"a=b; Max-Age=3600\0", b"a=b\0"),
    "line ends": injected,
    "a header name with a blank behind it": lambda: [
        replace(case, name=name)
        for case in differ("P", "X", b"a=b; Max-Age=3600", EXPIRES.replace(b"{}", FUTURE))
        for name in (b"Set-Cookie ", b"Set-Cookie\t", b"set-cookie \t ")
    ],
    "a header name in another case": lambda: [
        replace(case, name=name) for case in both("P", b"a=b; Max-Age=3600") for name in (b"SET-COOKIE", b"sEt-cOoKiE")
    ],
    "size": lambda: [
        *both("P", b"a=" + b"b" * 4095 + b"; Max-Age=3600"),
        *both("X", b"a=" + b"b" * 4096 + b"; Max-Age=3600"),
        *both("P", b"a=b" + b";" * 20_000 + b"Max-Age=3600", b"a=b" + b"; x" * 20_000 + b"; Max-Age=3600"),
    ],
    "nameless": nameless,
    "an empty first segment": lambda: both("X", b"; a=b; Max-Age=3600", b"", b";", b"=; Max-Age=3600"),
    "prefixes": prefixed,
    "over 400 days": lambda: both("P", b"a=b; Max-Age=99999999", b"a=b; Expires=Fri, 09 Nov 2099 21:43:09 GMT"),
    "every status": every_status,
}
