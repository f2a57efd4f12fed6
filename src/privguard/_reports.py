"""Header fields about reports (Reporting API, Network Error Logging, CSP3 §5): they go to the site itself or nowhere.

A report tells its receiver who was where, past every policy. Only an endpoint on a server of the site's own stays; and
only a name that this very response gives to such an endpoint is used, for Chromium remembers others from earlier ones.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ._references import Page

_STRING = r'"(?:[^"\\]|\\["\\])*+"'
# RFC 9651 §3.2, as far as Reporting-Endpoints uses it: a dictionary of strings.
_ENDPOINT = re.compile(
    rf"[ \t]*([a-z*][a-z0-9_.*-]*+)=({_STRING})"
    rf"(?:;[ ]*[a-z*][a-z0-9_.*-]*+(?:=(?:{_STRING}|[^\",; ]*+))?+)*+[ \t]*(?:,|\Z)"
)
_REPORT_TO = re.compile(r'[ \t]*;[ \t]*report-to[ \t]*=[ \t]*("(?:[^"\\]|\\.)*+"|[^";, \t]*+)', re.IGNORECASE)
_LONGEST_JSON = 1 << 16  # characters


class Groups:
    """The names of endpoints on the site's own servers, as far as the response has told them."""

    def __init__(self) -> None:
        self.endpoints: set[str] = set()
        self.groups: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self.endpoints or name in self.groups


Outcome = tuple["str | None", list[tuple[str, str]]]


def reporting_endpoints(value: str, page: Page, groups: Groups) -> Outcome:
    """Reporting-Endpoints: a dictionary of names and URLs."""
    members = list(_ENDPOINT.finditer(value))
    if not members or "".join(member[0] for member in members) != value:
        return None, [("", "")]
    hosts = [page.elsewhere(re.sub(r"\\(.)", r"\1", member[2][1:-1])) for member in members]
    groups.endpoints |= {member[1] for member, host in zip(members, hosts) if host is None}
    groups.endpoints -= {member[1] for member, host in zip(members, hosts) if host is not None}
    if not any(host is not None for host in hosts):
        return value, []
    kept = [member[0].strip(" \t,") for member, host in zip(members, hosts) if host is None]
    return ", ".join(kept) or None, [("", host) for host in hosts if host is not None]


def report_groups(value: str, page: Page, groups: Groups) -> Outcome:
    """Report-To: JSON objects, with a comma between them."""
    found = _read_json(f"[{value}]")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        return None, [("", "")]
    kept: list[dict[str, Any]] = []
    removed: list[tuple[str, str]] = []
    for group in found:
        hosts = _endpoint_hosts(group, page)
        if hosts:
            removed.append(("", hosts[0]))
        else:
            kept.append(group)
            groups.groups.add(str(group.get("group", "default")))
    if not removed:
        return value, []
    return ", ".join(map(json.dumps, kept)) or None, removed


def _endpoint_hosts(group: dict[str, Any], page: Page) -> list[str]:
    """Return the hosts elsewhere of a group's endpoints; an endpoint that cannot be read has an unknown one."""
    endpoints = group.get("endpoints", [])
    if not isinstance(endpoints, list):
        return [""]
    urls = [one.get("url") if isinstance(one, dict) else None for one in endpoints]
    hosts = [page.elsewhere(url) if isinstance(url, str) else "" for url in urls]
    return [host for host in hosts if host is not None]


def network_errors(value: str, page: Page, groups: Groups) -> Outcome:
    """NEL: what went wrong, and what did not, is told to a group; a lifetime of 0 ends that."""
    policy = _read_json(value)
    if not isinstance(policy, dict):
        return None, [("", "")]
    stays = policy.get("max_age") == 0 or policy.get("report_to") in groups.groups
    return (value, []) if stays else (None, [("", "")])


def _read_json(text: str) -> Any:
    """Return what JSON *text* says, or None: also where a name stands twice, for readers differ about that."""
    if len(text) > _LONGEST_JSON:
        return None
    try:
        return json.loads(text, object_pairs_hook=_without_twins)
    except (ValueError, RecursionError):
        return None


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) < len(pairs):
        raise ValueError
    return names


def cut_reports(value: str, page: Page, groups: Groups) -> Outcome:
    """The app's own policies: all that they demand stays, and they report to the site itself."""
    removed: list[tuple[str, str]] = []
    policies = [_cut_policy(policy, page, groups, removed) for policy in value.split(",")]
    if not removed:
        return value, []
    return ",".join(policies) if any(policy.strip() for policy in policies) else None, removed


def _cut_policy(policy: str, page: Page, groups: Groups, removed: list[tuple[str, str]]) -> str:
    kept: list[str] = []
    for directive in policy.split(";"):
        name, *tokens = directive.split() or [""]
        if name.lower() == "report-uri":
            hosts = [host for token in tokens if (host := page.elsewhere(token)) is not None]
            own = [token for token in tokens if page.elsewhere(token) is None]
            if hosts:
                removed.append((name, hosts[0]))
                directive = " ".join([" " * directive.startswith(" ") + name, *own]) if own else ""
        elif name.lower() == "report-to" and any(token not in groups for token in tokens):
            removed.append((name, ""))
            directive = ""
        if directive or not name:
            kept.append(directive)
    return ";".join(kept)


def endpoints_here(value: str, page: Page, groups: Groups) -> Outcome:
    """A policy with a parameter that names an endpoint."""
    removed: list[tuple[str, str]] = []

    def cut(match: re.Match[str]) -> str:
        name = match[1].strip('"')
        if name in groups:
            return match[0]
        removed.append(("report-to", ""))
        return ""

    left = _REPORT_TO.sub(cut, value)
    return (left or None, removed) if removed else (value, [])
