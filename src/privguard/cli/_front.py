"""What a server in front needs to know of a policy, and how its values are written so that none of them breaks out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .._headers import IF_ABSENT
from .._policy import PathRules, Policy
from ._show import prefixes

_PLAIN_IN_PATTERN = re.compile(rb"[A-Za-z0-9_-]")
# Each of these means something in the configuration of some front; browsers read them percent-encoded just as well
# where they can stand at all: in the path of a source or of a report's address (CSP3 §6.7.2.12, RFC 3986 §2.4).
_ENCODED = str.maketrans({char: f"%{ord(char):02X}" for char in '"$\\{}`<>'})


@dataclass(frozen=True, slots=True)
class Field:
    """A header field that the front adds to what it answers by itself."""

    name: str
    everywhere: str
    """Its value; empty when it is sent below some prefixes alone."""
    below: Mapping[str, str]
    """Path prefix → the value there, never empty, the longest first."""


@dataclass(frozen=True, slots=True)
class Front:
    """A policy as far as a server in front keeps it."""

    header: str
    """The response header that says "off" on what is not to be logged."""
    quiet_paths: tuple[str, ...]
    ip: str
    """"full", "truncate" or "none"."""
    query: bool
    """Whether access lines may hold query strings."""
    fields: tuple[Field, ...]
    folder: str | None
    """The folder with the files that the front serves by itself."""


def front_of(policy: Policy, header: str, folder: str | None) -> Front:
    """Return what a front needs to know of *policy*."""
    logs = policy.settings["logs"]
    others = [Field(name, value, {}) for name, value in IF_ABSENT.values()]
    return Front(
        header=header,
        quiet_paths=logs["quiet_paths"],
        ip=logs["ip"],
        query=logs.get("query", True),
        fields=(*_fields_by_path(policy), *others),
        folder=folder,
    )


def _fields_by_path(policy: Policy) -> Iterator[Field]:
    everywhere, *others = prefixes(policy)
    others.sort(key=len, reverse=True)
    for name in (policy.csp_header, "Connection-Allowlist"):
        values = {prefix: _value(name, policy, policy.rules_for(prefix)) for prefix in [*others, everywhere]}
        usual = values.pop(everywhere)
        changed = {prefix: value for prefix, value in values.items() if value != _above(prefix, values, usual)}
        if usual or changed:
            yield Field(name, usual, changed)


def _above(prefix: str, values: Mapping[str, str], usual: str) -> str:
    """Return what would hold below *prefix*, were it not for itself; *values* have the longest prefix first."""
    return next((value for one, value in values.items() if one != prefix and prefix.startswith(one)), usual)


def _value(name: str, policy: Policy, rules: PathRules) -> str:
    if name == policy.csp_header:
        return ", ".join(rules.policies).translate(_ENCODED)  # one field may carry several policies (CSP3 §2.2.2)
    return ", ".join(value for _, value in rules.connection_fields)


def pattern_of(path: str, slash: str = "/") -> str:
    r"""Return a regular expression of bytes (PCRE) that matches the text *path* and holds no character of any syntax.

    >>> pattern_of("/fav icon.ico")
    '/fav\\x20icon\\x2eico'
    """
    octets = (bytes([octet]) for octet in path.encode("utf-8", "replace"))
    return "".join(
        slash if one == b"/" else one.decode() if _PLAIN_IN_PATTERN.fullmatch(one) else f"\\x{one.hex()}"
        for one in octets
    )


def below(prefix: str) -> str:
    """Return a regular expression (PCRE) for the paths below *prefix*, on whole segments."""
    return f"^{pattern_of(prefix.rstrip('/'))}(?:/|\\z)"
