"""Response header fields by which a browser is made to contact, to track or to fingerprint, in one table.

No Content-Security-Policy governs them. Each field leaves as it is, or without what leads to another site, or not at
all. What cannot be parsed as its standard says does not leave.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ._links import guarded_links
from ._references import Page
from ._reports import (
    UNREADABLE,
    Groups,
    Outcome,
    cut_reports,
    endpoints_here,
    list_members,
    network_errors,
    report_groups,
    reporting_endpoints,
)

Removed = list[tuple[str, str]]
"""What was taken out, and where it would have led; empty where that cannot be said."""
Guard = Callable[[str, Page, Groups], Outcome]

_GONE: Outcome = (None, [("", "")])
_MOST_SHOWN = 40  # characters of what was taken out

# Client hints that tell no more than the User-Agent header does, or what a page is to look like (Client Hints
# Infrastructure §3.2, Media Queries 5).
_LOW_ENTROPY = frozenset(
    "sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform save-data sec-ch-prefers-color-scheme "
    "sec-ch-prefers-reduced-motion sec-ch-prefers-reduced-transparency".split()
)
# RFC 7838 §3: a protocol, where it is spoken, and parameters.
_ALTERNATIVE = re.compile(
    r'[ \t]*+[^ \t,;="]++="([^"\\]*+)"(?:[ \t]*+;[ \t]*+[^ \t,;="]++=(?:"[^"\\]*+"|[^",; \t]*+))*[ \t]*+(?:,|\Z)'
)
# Without what some reader might take for a blank: no page is to be found behind one.
_REFRESH = re.compile(
    r"[\t\n\f\r ]*+[0-9.]++(?:(?:[\t\n\f\r ]*+[;,]|[\t\n\f\r ])[\t\n\f\r ]*+"
    r"([^\x00-\x08\x0b\x0e-\x1f\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]*+))?",
)
_REFRESH_URL = re.compile(
    r"(?:[uU][rR][lL][\t\n\f\r ]*+=[\t\n\f\r ]*+)?(?:([\"'])(?P<quoted>.*)|(?P<bare>.*))", re.DOTALL
)
_REPORT_URL = re.compile(r"report(?:-uri)?[ \t]*+=[ \t\"]*+([^\",; \t]*+)", re.IGNORECASE)
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*"?', re.DOTALL)
_PRIVATE_TOKEN = re.compile(r"(?:^|[ \t,])PrivateToken(?:$|[ \t,])", re.IGNORECASE)
_TRIAL_PAYLOAD = 69  # bytes before it: a version, a signature of 64, a length of 4 (Chromium's origin trials)


def _never(value: str, page: Page, groups: Groups) -> Outcome:
    return _GONE


def _link(value: str, page: Page, groups: Groups) -> Outcome:
    return guarded_links(value, page)


def refresh_urls(value: str) -> list[str] | None:
    """Return the URL of a Refresh *value* (HTML standard §4.2.5.3, "shared declarative refresh steps"), if it has one.

    Of a quoted one there are two: the standard's ends at the next quote, and Chromium's at the last. None for what is
    not well written.

    >>> refresh_urls("5; URL=/next"), refresh_urls("5"), refresh_urls("soon")
    (['/next'], [], None)
    """
    refresh = _REFRESH.fullmatch(value)
    if refresh is None:
        return None
    match = _REFRESH_URL.fullmatch(refresh[1] or "")
    if match is None or not refresh[1]:
        return []
    if match[1] is None:
        return [match["bare"]]
    url, _, more = match["quoted"].partition(match[1])
    return [url, f"{url}{match[1]}{more.rpartition(match[1])[0]}"] if match[1] in more else [url]


def _refresh(value: str, page: Page, groups: Groups) -> Outcome:
    """Only a page of the site itself may come next, for nobody has clicked."""
    urls = refresh_urls(value)
    if urls is None:
        return UNREADABLE
    ends = [end for url in urls if (end := page.away(url)) is not None]
    return (None, [("", ends[0])]) if ends else (value, [])


def _alternatives(value: str, page: Page, groups: Groups) -> Outcome:
    """RFC 7838 §3: another host would be contacted instead of this one, for as long as it says."""
    if value.strip(" \t").lower() == "clear":
        return value, []
    members = list_members(_ALTERNATIVE, value)
    if not members:
        return UNREADABLE
    hosts = [_alternative_host(member[1], page) for member in members]
    if all(host is None for host in hosts):
        return value, []
    kept = [member[0].removesuffix(",") for member, host in zip(members, hosts) if host is None]
    return ",".join(kept).strip(" \t") or None, [("", host) for host in hosts if host is not None]


def _alternative_host(authority: str, page: Page) -> str | None:
    """Return the host elsewhere that an alternative names; another port of this host is no other site."""
    host, colon, _ = authority.rpartition(":")
    return page.elsewhere(f"//{host if colon else authority}") if host or not colon else None


def _hints(value: str, page: Page, groups: Groups) -> Outcome:
    hints = [hint for one in value.split(",") if (hint := one.strip(" \t"))]
    kept = [hint for hint in hints if hint.lower() in _LOW_ENTROPY]
    if len(kept) == len(hints):
        return value, []
    return ", ".join(kept) or None, [(hint, "") for hint in hints if hint.lower() not in _LOW_ENTROPY]


def _reference(value: str, page: Page, groups: Groups) -> Outcome:
    host = page.elsewhere(value)
    return (value, []) if host is None else (None, [("", host)])


def _report_url(value: str, page: Page, groups: Groups) -> Outcome:
    hosts = [host for match in _REPORT_URL.finditer(value) if (host := page.elsewhere(match[1])) is not None]
    return (None, [("", hosts[0])]) if hosts else (value, [])


def _lookups(value: str, page: Page, groups: Groups) -> Outcome:
    return (value, []) if value.strip(" \t").lower() == "off" else _GONE


def _challenge(value: str, page: Page, groups: Groups) -> Outcome:
    """RFC 9577: the device would have a token made by the issuer whom the challenge names."""
    return _GONE if _PRIVATE_TOKEN.search(_STRING.sub("", value)) else (value, [])


def _trials(value: str, page: Page, groups: Groups) -> Outcome:
    tokens = [token for one in value.split(",") if (token := one.strip(" \t\"'"))]
    kept = [token for token in tokens if _is_own_trial(token, page)]
    if len(kept) == len(tokens):
        return value, []
    return ", ".join(kept) or None, [("", "")]


def _is_own_trial(token: str, page: Page) -> bool:
    try:
        payload = json.loads(base64.b64decode(token, validate=True)[_TRIAL_PAYLOAD:])
        return page.elsewhere(payload["origin"]) is None and not payload.get("isThirdParty", False)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the table."""

    name: str
    guard: Guard


def _table(*rows: tuple[str, Guard]) -> Mapping[str, Field]:
    return {name.lower(): Field(name, guard) for names, guard in rows for name in names.split()}


TABLE: Mapping[str, Field] = _table(
    # hints, loads and navigations that no directive stops
    ("Link", _link),
    ("Refresh", _refresh),
    ("Alt-Svc", _alternatives),
    ("SourceMap X-SourceMap", _reference),
    ("X-DNS-Prefetch-Control", _lookups),
    ("Speculation-Rules Supports-Loading-Mode", _never),
    ("Origin-Trial", _trials),
    ("WWW-Authenticate", _challenge),
    # reports, which tell of the visitor and of the page
    ("Reporting-Endpoints", reporting_endpoints),
    ("Report-To", report_groups),
    ("NEL", network_errors),
    ("Content-Security-Policy Content-Security-Policy-Report-Only", cut_reports),
    ("Cross-Origin-Opener-Policy Cross-Origin-Opener-Policy-Report-Only", endpoints_here),
    ("Cross-Origin-Embedder-Policy Cross-Origin-Embedder-Policy-Report-Only", endpoints_here),
    ("Document-Isolation-Policy Document-Isolation-Policy-Report-Only", endpoints_here),
    ("Document-Policy Document-Policy-Report-Only", endpoints_here),
    ("Permissions-Policy Permissions-Policy-Report-Only", endpoints_here),
    ("Integrity-Policy Integrity-Policy-Report-Only", endpoints_here),
    ("Connection-Allowlist Connection-Allowlist-Report-Only", endpoints_here),
    ("Expect-CT Public-Key-Pins Public-Key-Pins-Report-Only X-XSS-Protection", _report_url),
    # what tells visitors apart, or remembers them
    ("Accept-CH Critical-CH", _hints),
    ("Observe-Browsing-Topics Activate-Storage-Access", _never),
    ("Allow-Cross-Origin-Event-Reporting Allow-Fenced-Frame-Automatic-Beacons X-Allow-FLEDGE", _never),
    ("Use-As-Dictionary", _never),
    ("P3P", _never),
)
PREFIXES: Mapping[str, Field] = _table(
    ("Attribution-Reporting- Ad-Auction- Shared-Storage- X-FLEDGE-", _never),
    ("Secure-Session- Sec-Session- Sec-Private-State-Token", _never),
)
"""The same for all fields whose name begins so."""
_PREFIXES = tuple(PREFIXES)
_DEFINING = ("reporting-endpoints", "report-to")  # these name the endpoints that others use


def is_judged(name: str) -> bool:
    """Whether the table speaks of the field *name*, which is in lower case."""
    return name in TABLE or name.startswith(_PREFIXES)


def _field(name: str) -> Field:
    found = TABLE.get(name)
    return found or next(Field(name, field.guard) for start, field in PREFIXES.items() if name.startswith(start))


def guarded(fields: Sequence[tuple[str, str]], page: Page) -> tuple[list[str | None], Removed]:
    """Return what may leave of each judged field of one response, in their order, and what was taken out.

    *fields* are names in lower case with their values. A value that may leave whole is the very object that was given.
    Where reports go is told by other fields of the same response: so all are judged together.
    """
    groups = Groups()
    values: list[str | None] = [None] * len(fields)
    removed: Removed = []
    for number in sorted(range(len(fields)), key=lambda number: fields[number][0] not in _DEFINING):
        name, value = fields[number]
        field = _field(name)
        values[number], gone = field.guard(value, page, groups)
        removed += [(f"{field.name} {what[:_MOST_SHOWN]}".rstrip(), host) for what, host in gone]
    return values, removed


_CSP_META = frozenset({"content-security-policy", "content-security-policy-report-only"})


def guarded_meta(http_equiv: str, content: str, page: Page) -> bool:
    """Whether ``<meta http-equiv=… content=…>`` may stay: what a header field of that name would have to lose goes.

    A policy in a page stays, for it protects: ``report-uri`` is not read there (HTML standard §4.2.5.3), and see
    report_directives().
    """
    name = http_equiv.strip().lower()
    if name in ("set-cookie", "delegate-ch"):
        return False
    if name in _CSP_META or not is_judged(name):
        return True
    return guarded([(name, content)], page)[0] == [content]


_REPORT_TO = re.compile(rb"(?:^|[;,])[\t\n\f\r ]*+(?=report-to(?:[\t\n\f\r ;,]|$))", re.IGNORECASE)


def report_directives(http_equiv: str, policy: bytes) -> list[int]:
    """Return where in the *policy* of a ``<meta>`` tag the directives begin by which Chromium would report.

    They name endpoints that it may remember from an answer before privguard was there.

    >>> report_directives("Content-Security-Policy", b"img-src 'self'; report-to x")
    [16]
    """
    if http_equiv.strip().lower() not in _CSP_META:
        return []
    return [match.end() for match in _REPORT_TO.finditer(policy)]
