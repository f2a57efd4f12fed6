"""Header fields about reports (Reporting API, Network Error Logging, CSP3 §5): they go to the site itself or nowhere.

A report tells its receiver who was where, past every policy. Only an endpoint on a server of the site's own stays; and
only a name that this very response gives to such an endpoint is used, for Chromium remembers others from earlier ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ._references import Page

_KEY = r"[a-z*][a-z0-9_.*-]*+"
_STRING = r'"([^"\\]*+(?:\\["\\][^"\\]*+)*)"'
# RFC 9651 §3.2, as far as Reporting-Endpoints uses it: a dictionary of strings.
_ENDPOINT = re.compile(
    rf"[ \t]*+({_KEY})={_STRING}(?:;[ ]*+{_KEY}(?:=(?:{_STRING}|[^\",; \t]*+))?)*[ \t]*+(?:,|\Z)",
)
# The parameter of a structured field that names an endpoint, and Integrity-Policy's list of them; not in a string.
_NAMED = re.compile(
    r'"[^"\\]*+(?:\\.[^"\\]*+)*"?'
    r'|(;[ \t]*+report-to[ \t]*+=[ \t]*+)("[^"]*+"|[^",; \t]*+)'
    r'|(?<![a-z0-9_.*-])(endpoints=\()([^()"]*+(?:"[^"]*+"[^()"]*+)*)\)',
    re.DOTALL | re.IGNORECASE,
)
_BLANKS = re.compile(r"[\t\n\r ]*+")  # RFC 8259 §2
_CSP_BLANKS = "\t\n\f\r "  # CSP3 §2.2.1
_CSP_SPLIT = re.compile(f"[{_CSP_BLANKS}]+")
_LONGEST_JSON = 1 << 16  # characters; Chromium reads a quarter of it

Outcome = tuple["str | None", list[tuple[str, str]]]
"""What may leave of a value, and what was taken out of it: (what, host), each empty where nothing is to be said."""
UNREADABLE: Outcome = (None, [("that cannot be read", "")])


class Groups:
    """The names of endpoints on the site's own servers, as far as the response has told them."""

    def __init__(self) -> None:
        self.endpoints: set[str] = set()
        self.groups: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self.endpoints or name in self.groups


def list_members(pattern: re.Pattern[str], value: str) -> list[re.Match[str]] | None:
    """Return the members of a list, each of which *pattern* matches with its comma; None when one is none.

    Member by member, for a search would try every place at which none begins.
    """
    members: list[re.Match[str]] = []
    at = 0
    while at < len(value):
        member = pattern.match(value, at)
        if member is None:
            return None
        members.append(member)
        at = member.end()
    return members


# ── where reports go ─────────────────────────────────────────────────────────────────────────────────────────────────


def reporting_endpoints(value: str, page: Page, groups: Groups) -> Outcome:
    """Reporting-Endpoints: a dictionary of names and URLs."""
    members = list_members(_ENDPOINT, value)
    if not members:
        return UNREADABLE
    hosts = [page.elsewhere(re.sub(r"\\(.)", r"\1", member[2])) for member in members]
    groups.endpoints |= {member[1] for member, host in zip(members, hosts) if host is None}
    groups.endpoints -= {member[1] for member, host in zip(members, hosts) if host is not None}
    removed = [("", host) for host in hosts if host is not None]
    if not removed:
        return value, []
    kept = [member[0].removesuffix(",") for member, host in zip(members, hosts) if host is None]
    return ",".join(kept).strip(" \t") or None, removed


def report_groups(value: str, page: Page, groups: Groups) -> Outcome:
    """Report-To: JSON objects, with a comma between them."""
    found = _read_objects(value)
    if found is None:
        return UNREADABLE
    kept: list[str] = []
    removed: list[tuple[str, str]] = []
    for text, group in found:
        hosts = _hosts_elsewhere(group, page)
        if hosts:
            removed.append(("", hosts[0]))
            continue
        kept.append(text)
        # Chromium forgets a group whose lifetime is 0, and keeps the one that it had before where there is none.
        if group.get("endpoints") and _lifetime(group) > 0:
            groups.groups.add(group.get("group", "default"))
    return (", ".join(kept) or None, removed) if removed else (value, [])


def _hosts_elsewhere(group: dict[str, Any], page: Page) -> list[str]:
    """Return the hosts elsewhere of a group's endpoints; what cannot be read may be anywhere."""
    endpoints = group.get("endpoints", [])
    if not isinstance(endpoints, list) or not isinstance(group.get("group", "default"), str):
        return [""]
    urls = [one.get("url") if isinstance(one, dict) else None for one in endpoints]
    hosts = [page.elsewhere(url) if isinstance(url, str) else "" for url in urls]
    return [host for host in hosts if host is not None]


def network_errors(value: str, page: Page, groups: Groups) -> Outcome:
    """NEL: what went wrong, and what did not, is told to a group; a lifetime of 0 ends that."""
    found = _read_objects(value)
    if found is None or len(found) != 1:
        return UNREADABLE
    policy = found[0][1]
    group = policy.get("report_to")
    stays = _lifetime(policy) == 0 or (isinstance(group, str) and group in groups.groups)
    return (value, []) if stays else (None, [("", "")])


def _lifetime(found: dict[str, Any]) -> int:
    """Return max_age in seconds, or -1 where no browser would read one."""
    seconds = found.get("max_age")
    return seconds if type(seconds) is int else -1


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) < len(pairs):
        raise ValueError  # readers differ about which one counts
    return names


def _no_number(name: str) -> None:
    raise ValueError  # NaN and Infinity are Python's, and no JSON


_JSON = json.JSONDecoder(object_pairs_hook=_without_twins, parse_constant=_no_number)


def _read_objects(value: str) -> list[tuple[str, dict[str, Any]]] | None:
    """Return the JSON objects that stand in *value* with a comma between them, each with its text; else None."""
    if len(value) > _LONGEST_JSON:
        return None
    try:
        found = list(_each_object(value))
    except (ValueError, RecursionError):
        return None
    return found if all(isinstance(one, dict) for _, one in found) else None


def _each_object(value: str) -> Iterator[tuple[str, Any]]:
    """Raises ValueError or RecursionError for what is no list of JSON values."""
    at = -1
    while at < len(value):
        begin = _skip_blanks(value, at + 1)
        found, end = _JSON.raw_decode(value, begin)
        yield value[begin:end], found
        at = _skip_blanks(value, end)
        if at < len(value) and value[at] != ",":
            raise ValueError


def _skip_blanks(value: str, at: int) -> int:
    blanks = _BLANKS.match(value, at)
    return blanks.end() if blanks else at


# ── what is reported ─────────────────────────────────────────────────────────────────────────────────────────────────


def cut_reports(value: str, page: Page, groups: Groups) -> Outcome:
    """The app's own policies: all that they demand stays, and they report to the site itself."""
    removed: list[tuple[str, str]] = []
    policies = [_cut_policy(policy, page, groups, removed) for policy in value.split(",")]
    if not removed:
        return value, []
    left = [policy for policy in policies if policy.strip(_CSP_BLANKS)]
    return ",".join(left).strip(_CSP_BLANKS) or None, removed


def _cut_policy(policy: str, page: Page, groups: Groups, removed: list[tuple[str, str]]) -> str:
    kept: list[str] = []
    for directive in policy.split(";"):
        name, *tokens = _CSP_SPLIT.split(directive.strip(_CSP_BLANKS))
        gone: set[str] = set()
        if name.lower() == "report-uri":
            gone = {token for token in tokens if page.elsewhere(token) is not None}
        elif name.lower() == "report-to":
            gone = {token for token in tokens if token not in groups}
        if not gone:
            kept.append(directive)
            continue
        removed.append((name.lower(), page.elsewhere(min(gone)) or ""))
        left = [token for token in tokens if token not in gone]
        if left:
            kept.append(directive[: directive.index(name)] + " ".join([name, *left]))
    return ";".join(kept)


def endpoints_here(value: str, page: Page, groups: Groups) -> Outcome:
    """A structured field with a parameter, or a list, that names endpoints."""
    removed: list[tuple[str, str]] = []

    def cut(match: re.Match[str]) -> str:
        if match[1] is None and match[3] is None:
            return match[0]
        names = [match[2]] if match[1] else match[4].split()
        kept = [name for name in names if name.strip('"') in groups]
        if len(kept) == len(names):
            return match[0]
        removed.append(("report-to" if match[1] else "endpoints", ""))
        return "" if match[1] else f"{match[3]}{' '.join(kept)})"

    left = _NAMED.sub(cut, value)
    return (left.strip(" \t") or None, removed) if removed else (value, [])
