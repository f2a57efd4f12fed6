"""One canonical path for one request, whatever the server: rules are written once and hold on ASGI and WSGI alike.

Percent-decoding is the server's work in both protocols (ASGI HTTP scope "path", PEP 3333 PATH_INFO) and is never done
twice: ``%2564`` is a literal ``%64``. What is left is RFC 3986 §5.2.4 (dot segments) and repeated slashes. Case stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Generic, TypeVar

Rules = TypeVar("Rules")

_AUTHORITY = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*://[^/]*")


def canonical_path(path: str) -> str:
    """Return *path* (percent-decoded already) without repeated slashes and dot segments, always with a leading slash.

    A slash at the end stays, for an app tells ``/x`` from ``/x/``. Some servers leave a request target in absolute form
    as it is (RFC 9112 §3.2.2): scheme and host go.

    >>> canonical_path("//demo/./a/../b/")
    '/demo/b/'
    >>> canonical_path("/demo/../x")
    '/x'
    >>> canonical_path("http://site.example/favicon.ico")
    '/favicon.ico'
    """
    if path.startswith("/") and "//" not in path and "/." not in path:
        return path
    kept: list[str] = []
    last = ""
    for last in _AUTHORITY.sub("", path).split("/"):
        if last == "..":
            if kept:
                kept.pop()
        elif last not in ("", "."):
            kept.append(last)
    ends_in_slash = kept and last in ("", ".", "..")
    return "/" + "/".join(kept) + ("/" if ends_in_slash else "")


def asgi_path(scope: Mapping[str, Any]) -> str:
    """Return the canonical path of an ASGI scope, mount prefix included.

    The specification has "path" begin with "root_path"; servers and mounts from before that leave the prefix out.
    """
    path: str = scope["path"]
    root: str = scope.get("root_path") or ""
    if root and root != "/":
        root = "/" + root.strip("/")
        if path != root and not path.startswith(root + "/"):
            path = f"{root}/{path}"
    return canonical_path(path)


def wsgi_path(environ: MutableMapping[str, Any]) -> str:
    """Return the canonical path of a WSGI environ: SCRIPT_NAME + PATH_INFO, read again as UTF-8 (PEP 3333).

    Octets that are no UTF-8 become U+FFFD, as they do in an ASGI server.
    """
    path: str = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    if not path.isascii():
        path = path.encode("latin-1", "replace").decode("utf-8", "replace")
    return canonical_path(path)


def asgi_host(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the host, with its port, that an ASGI request was sent to (RFC 9110 §7.2); empty where none is told."""
    return next((bytes(value).decode("latin-1") for name, value in headers if bytes(name).lower() == b"host"), "")


class PrefixTable(Generic[Rules]):
    """Rules by path prefix, in whole segments; the longest prefix wins.

    >>> table = PrefixTable({"/demo/": "demo"}, "elsewhere")
    >>> table.find("/demo"), table.find("/demo/chat"), table.find("/demolition")
    ('demo', 'demo', 'elsewhere')
    """

    __slots__ = ("_by_prefix", "_default", "_depth", "_starts")

    def __init__(self, by_prefix: Mapping[str, Rules], default: Rules) -> None:
        self._by_prefix = {prefix.rstrip("/"): rules for prefix, rules in by_prefix.items()}
        self._default = self._by_prefix.pop("", default)
        self._starts = tuple(self._by_prefix)
        self._depth = max((prefix.count("/") for prefix in self._by_prefix), default=0)

    def find(self, path: str) -> Rules:
        """Return the rules of the longest prefix of the canonical *path*, or the default."""
        if not path.startswith(self._starts):
            return self._default
        # Bounded by the deepest rule, so that a path of ten thousand segments costs no more than a short one.
        segments = path.split("/", self._depth + 1)[: self._depth + 1]
        for end in range(len(segments), 1, -1):
            rules = self._by_prefix.get("/".join(segments[:end]))
            if rules is not None:
                return rules
        return self._default
