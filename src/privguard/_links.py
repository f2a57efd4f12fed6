"""The Link header field (RFC 8288 §3): which of its members lead elsewhere.

Read as browsers read it and no more exactly than needed: what is not well written leads elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urlsplit

_MEMBER = re.compile(r'[ \t]*<([^<>]*)>((?:[^,"<>]|"(?:[^"\\]|\\.)*")*)(?:,|\Z)')
_STRIPPED = "".join(map(chr, range(0x21)))  # C0 controls and space, which browsers strip from a URL (URL standard §4.4)
_REMOVED = str.maketrans("\\", "/", "\t\n\r")  # browsers drop these, and take a backslash for a slash


def own_members(value: str, first_party: Collection[str]) -> str:
    """Return the Link *value* without the members that lead to another origin than this page's or *first_party*.

    Whose host the page itself has is not known here: only a reference without a host is surely its own.

    >>> own_members('</a.css>; rel=preload, <https://third.example/>; rel=preconnect', ())
    '</a.css>; rel=preload'
    """
    members = list(_MEMBER.finditer(value))
    if "".join(member[0] for member in members) != value:
        return ""
    return ", ".join(one[0].strip(" \t,") for one in members if not leads_elsewhere(one[1], first_party))


def leads_elsewhere(reference: str, first_party: Collection[str]) -> bool:
    """Whether a URL reference names a host that is not in *first_party*, or anything that is no http URL."""
    plain = reference.strip(_STRIPPED).translate(_REMOVED)
    has_scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", plain) is not None
    if not has_scheme and not plain.startswith("//"):
        return False
    try:
        parts = urlsplit(plain)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return True
    origins = {origin if has_scheme else origin.partition(":")[2] for origin in first_party}
    own = f"{parts.scheme}://{parts.hostname}{port}" if has_scheme else f"//{parts.hostname}{port}"
    return parts.username is not None or own not in origins
