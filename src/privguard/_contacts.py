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
from ._reports import Groups, cut_reports, endpoints_here, network_errors, report_groups, reporting_endpoints

Removed = list[tuple[str, str]]
"""What was taken out, and where it would have led; empty where that cannot be said."""
Guard = Callable[[str, Page, Groups], tuple[str | None, Removed]]

# Client hints that tell no more than the User-Agent header does, or what a page is to look like (Client Hints
# Infrastructure §3.2, Media Queries 5).
_LOW_ENTROPY = frozenset(
    "sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform save-data sec-ch-prefers-color-scheme "
    "sec-ch-prefers-reduced-motion sec-ch-prefers-reduced-transparency".split()
)
_ALTERNATIVE = re.compile(
    r'[ \t]*([^ \t,;="]+)="([^"]*)"((?:[ \t]*;[ \t]*[^,;="]+=(?:"[^"]*"|[^",;]*))*)[ \t]*(?:,|\Z)'
)
_REFRESH = re.compile(
    r"[\t\n\f\r ]*(?:[0-9]+|(?=\.))[0-9.]*(?:[\t\n\f\r ]*[;,]|[\t\n\f\r ])[\t\n\f\r ]*(.*)", re.DOTALL
)
_REFRESH_URL = re.compile(r"(?:[uU][rR][lL][\t\n\f\r ]*=[\t\n\f\r ]*)?(?:\"([^\"]*)|'([^']*)|(.*))", re.DOTALL)
_REPORT_URL = re.compile(r"report(?:-uri)?[ \t]*=[ \t]*\"?([^\";, \t]*)", re.IGNORECASE)
_TRIAL_PAYLOAD = 69  # bytes before it: a version, a signature of 64, a length of 4 (Chromium's origin trials)


def _never(value: str, page: Page, groups: Groups) -> tuple[str | None, Removed]:
    return None, [("", "")]


def _link(value: str, page: Page, groups: Groups) -> tuple[str | None, Removed]:
    return guarded_links(value, page)


def refresh_url(value: str) -> str | None:
    """Return the URL in a Refresh *value* (HTML standard, "shared declarative refresh steps"), or None.

    >>> refresh_url("5; URL='/next'"), refresh_url("5")
    ('/next', None)
    """
    match = _REFRESH.fullmatch(value)
    if match is None or not match[1]:
        return None
    url = _REFRESH_URL.match(match[1])
    return url and next(one for one in (*url.groups(), "") if one is not None)


def _refresh(value: str, page: Page, groups: Groups) -> tuple[str | None, Removed]:
    host = page.elsewhere(refresh_url(value) or "")
    return (value, []) if host is None else (None, [("", host)])


def _alternatives(value: str, page: Page, groups: Groups) -> tuple[str | None, Removed]:
    """RFC 7838 §3: another host would be contacted instead of this one, for as long as it says."""
    if value.strip().lower() == "clear":
        return value, []
    members = list(_ALTERNATIVE.finditer(value))
    if "".join(member[0] for member in members) != value:
        return None, [("", "")]
    hosts = [page.elsewhere(f"//{member[2]}") if not member[2].startswith(":") else None for member in members]
    if not any(hosts):
        return value, []
    kept = [member[0].strip(" \t,") for member, host in zip(members, hosts) if host is None]
    return ", ".join(kept) or None, [("", host) for host in hosts if host]


def _hints(value: str, page: Page, groups: Groups) -> tuple[str | None, Removed]:
    hints = [one.strip(" \t") for one in value.split(",")]
    kept = [one for one in hints if one.lower() in _LOW_ENTROPY]
    if kept == [one for one in hints if one]:
        return value, []
    return ", ".join(kept) or None, [(one, "") for one in hints if one and one not in kept]


def _reference(value: str, page: Page, groups: Groups) -> tuple[str | None, Removed]:
    host = page.elsewhere(value)
    return (value, []) if host is None else (None, [("", host)])


def _report_url(value: str, page: Page, groups: Groups) -> tuple[str | None, Removed]:
    hosts = [host for match in _REPORT_URL.finditer(value) if (host := page.elsewhere(match[1])) is not None]
    return (None, [("", hosts[0])]) if hosts else (value, [])


def _lookups(value: str, page: Page, groups: Groups) -> tuple[str | None, Removed]:
    return (value, []) if value.strip().lower() == "off" else (None, [("", "")])


def _trials(value: str, page: Page, groups: Groups) -> tuple[str | None, Removed]:
    tokens = [one.strip(' \t"') for one in value.split(",")]
    if all(_is_own_trial(one, page) for one in tokens):
        return value, []
    return None, [("", "")]


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
    ("Connection-Allowlist Connection-Allowlist-Report-Only", endpoints_here),
    ("Expect-CT Public-Key-Pins Public-Key-Pins-Report-Only X-XSS-Protection", _report_url),
    # what tells visitors apart, or remembers them
    ("Accept-CH Critical-CH", _hints),
    ("Observe-Browsing-Topics Shared-Storage-Write Activate-Storage-Access", _never),
    ("Use-As-Dictionary", _never),
    ("Secure-Session-Registration Secure-Session-Challenge Secure-Session-Skipped", _never),
    ("Sec-Session-Registration Sec-Session-Challenge Sec-Session-Skipped", _never),
    ("P3P", _never),
)
PREFIXES: Mapping[str, Field] = _table(("Attribution-Reporting-", _never), ("Ad-Auction-", _never))
"""The same for all fields whose name begins so."""
_PREFIXES = tuple(PREFIXES)


def is_judged(name: str) -> bool:
    """Whether the table speaks of the field *name*, which is in lower case."""
    return name in TABLE or name.startswith(_PREFIXES)


def _field(name: str) -> Field:
    found = TABLE.get(name)
    return found or next(field for prefix, field in PREFIXES.items() if name.startswith(prefix))


def guarded(fields: Sequence[tuple[str, str]], page: Page) -> tuple[list[str | None], Removed]:
    """Return what may leave of each judged field of one response, in their order, and what was taken out.

    *fields* are names in lower case with their values. A value that may leave whole is the very object that was given.
    Where reports go is told by other fields of the same response: so all are judged together.
    """
    groups = Groups()
    values: dict[int, str | None] = {}
    removed: Removed = []
    # Those that name the endpoints first, then those that use them.
    for number in sorted(range(len(fields)), key=lambda number: _DEFINING.get(fields[number][0], len(_DEFINING))):
        name, value = fields[number]
        field = _field(name)
        values[number], gone = field.guard(value, page, groups)
        removed += [(f"{field.name} {what}".rstrip(), host) for what, host in gone]
    return [values[number] for number in range(len(fields))], removed


_DEFINING = {"reporting-endpoints": 0, "report-to": 1}
_CSP_META = frozenset({"content-security-policy", "content-security-policy-report-only"})


def guarded_meta(http_equiv: str, content: str, page: Page) -> bool:
    """Whether ``<meta http-equiv=… content=…>`` may stay: what a header field of that name would have to lose goes.

    A policy in a page stays: browsers do not read there where it reports to (HTML standard §4.2.5.3).
    """
    name = http_equiv.strip().lower()
    if name in ("set-cookie", "delegate-ch"):
        return False
    if name in _CSP_META or not is_judged(name):
        return True
    return guarded([(name, content)], page)[0] == [content]
