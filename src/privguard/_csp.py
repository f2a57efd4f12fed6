"""Content-Security-Policy as CSP Level 3 defines it: directives, source lists, and what a source list admits.

A browser enforces every policy that a response carries, so a further policy can only tighten (CSP3 §3.1). A directive
is named once: of two, the first counts (CSP3 §2.2.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from ._errors import nearest
from ._sources import check_list_source, source_admits

Directives = Mapping[str, tuple[str, ...]]

SOURCE_LIST_DIRECTIVES = frozenset(
    "child-src connect-src default-src fenced-frame-src font-src frame-src img-src manifest-src media-src object-src "
    "script-src script-src-attr script-src-elem style-src style-src-attr style-src-elem worker-src "
    "base-uri form-action frame-ancestors".split()
)
_FLAGS = frozenset({"upgrade-insecure-requests"})
_TOKENS: Mapping[str, frozenset[str]] = {
    "sandbox": frozenset(
        "allow-downloads allow-forms allow-modals allow-orientation-lock allow-pointer-lock allow-popups "
        "allow-popups-to-escape-sandbox allow-presentation allow-same-origin allow-scripts "
        "allow-storage-access-by-user-activation allow-top-navigation allow-top-navigation-by-user-activation "
        "allow-top-navigation-to-custom-protocols".split()
    ),
    "require-trusted-types-for": frozenset({"'script'"}),
}
DIRECTIVES = SOURCE_LIST_DIRECTIVES | _FLAGS | _TOKENS.keys() | {"trusted-types", "report-uri", "report-to"}
_GONE = {
    "prefetch-src": "no browser knows it any more; prefetches are judged by default-src",
    "navigate-to": "no browser knows it any more",
    "block-all-mixed-content": "browsers do it without being asked",
    "plugin-types": "no browser knows it any more; object-src 'none' stops plug-ins",
    "reflected-xss": "no browser knows it any more",
    "referrer": "no browser knows it any more; the header Referrer-Policy replaced it",
}

_UNSAFE_IN_SOURCE = re.compile(r"[;,\s\x00-\x20\x7f]")
_TRUSTED_TYPES_KEYWORDS = frozenset({"'none'", "'allow-duplicates'", "*"})
_TRUSTED_TYPES_NAME = re.compile(r"[A-Za-z0-9\-#=_/@.%]+")
# Where a nonce or a hash admits a whole file, whatever server it comes from (CSP3 §6.7.1, "nonce retargeting").
NONCE_DIRECTIVES = ("script-src", "script-src-elem", "style-src", "style-src-elem")

NONCE_MARK = "'nonce-{}'"
"""Stands in a serialized policy where the nonce of a response goes."""


def strict_default() -> dict[str, tuple[str, ...]]:
    """Return the strict default policy: what a site's own pages need of the site itself, and nothing else."""
    own = ("'self'",)
    return {
        "default-src": ("'none'",),
        "script-src": own,
        "style-src": own,
        "img-src": ("'self'", "data:"),
        "font-src": own,
        "connect-src": own,
        "media-src": own,
        "manifest-src": own,
        "worker-src": own,
        "frame-src": own,
        "object-src": ("'none'",),
        "base-uri": ("'none'",),
        "form-action": own,
        "frame-ancestors": own,
    }


def check_directive_name(name: str) -> None:
    """Raise ValueError, with the nearest name, unless *name* is a directive that browsers know."""
    if name in DIRECTIVES:
        return
    if name in _GONE:
        raise ValueError(f"cannot be set: {_GONE[name]}")
    near = nearest(name, DIRECTIVES)
    raise ValueError("no such directive" + (f'; did you mean "{near}"?' if near else ""))


def check_source(directive: str, source: str) -> None:
    """Raise ValueError unless *source* may stand alone in the list of *directive* (CSP3 §2.3.1)."""
    if not source:
        raise ValueError("is empty")
    if _UNSAFE_IN_SOURCE.search(source):
        raise ValueError('must be one source: no ";", ",", white space or control character may stand inside it')
    if directive in _FLAGS:
        raise ValueError(f"cannot stand here: {directive} takes no value; write an empty list")
    if directive in _TOKENS:
        _check_token(source, _TOKENS[directive])
    elif directive == "trusted-types":
        if source not in _TRUSTED_TYPES_KEYWORDS and not _TRUSTED_TYPES_NAME.fullmatch(source):
            raise ValueError("is no name of a Trusted Types policy")
    elif directive == "report-uri":
        if not re.fullmatch(r"/(?!/)[!-\[\]-~]*", source):
            raise ValueError('must be a path on this site, for example "/csp-reports": reports tell who reads what')
    elif directive == "report-to":
        if not re.fullmatch(r"[A-Za-z0-9_-]+", source):
            raise ValueError("is no name of a reporting endpoint")
    else:
        check_list_source(source)


def _check_token(source: str, known: frozenset[str]) -> None:
    if source not in known:
        near = nearest(source, known)
        raise ValueError("is no value of it" + (f'; did you mean "{near}"?' if near else f"; known: {sorted(known)}"))


def with_first_party(directives: Directives, origins: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return *directives* with *origins* admitted wherever ``'self'`` is.

    ``'self'`` covers a page's own WebSockets (CSP3 §6.7.2.8) and ``https://host`` does not, so those are named too.
    """
    sockets = tuple("ws" + origin.removeprefix("http") for origin in origins)
    added: dict[str, tuple[str, ...]] = {}
    for name, sources in directives.items():
        if "'self'" in map(str.lower, sources):
            more = (*origins, *sockets) if name == "connect-src" else tuple(origins)
            sources = (*sources, *(one for one in more if one not in sources))
        added[name] = sources
    return added


def serialize(directives: Directives) -> str:
    """Return the serialized policy (CSP3 §2.2).

    >>> serialize({"default-src": ("'self'",), "upgrade-insecure-requests": (), "img-src": ()})
    "default-src 'self'; upgrade-insecure-requests; img-src 'none'"
    """
    return "; ".join(_serialize_directive(name, sources) for name, sources in directives.items())


def _serialize_directive(name: str, sources: Iterable[str]) -> str:
    value = " ".join(sources)
    if not value and name in SOURCE_LIST_DIRECTIVES:
        value = "'none'"  # what an empty list means, spelled out for the people who read it
    return f"{name} {value}" if value else name


def parse(policy: str) -> dict[str, tuple[str, ...]]:
    """Return the directives of one serialized policy (CSP3 §2.2.1): of a directive named twice, the first.

    >>> parse("default-src 'self' ; IMG-SRC *;; img-src x")
    {'default-src': ("'self'",), 'img-src': ('*',)}
    """
    directives: dict[str, tuple[str, ...]] = {}
    for token in policy.split(";"):
        name, *sources = token.strip("\t\n\f\r ").split() or [""]
        if name and token.isascii():
            directives.setdefault(name.lower(), tuple(sources))
    return directives


def nonced(directives: Directives) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Return the two policies that together let a nonce admit inline code and never a third party's file.

    The first names the nonce (as NONCE_MARK). The second knows no nonce, hash or ``'strict-dynamic'``, by which a file
    from anywhere would pass, and leaves inline code to the first. Both must admit a thing for it to load.
    """
    first = dict(directives)
    for name in NONCE_DIRECTIVES:
        sources = _effective(directives, name)
        if sources and _takes_nonce(sources) and (name in directives or not name.endswith("-elem")):
            first[name] = (*(one for one in sources if one.lower() != "'none'"), NONCE_MARK)
    return first, files_only(directives)


def files_only(directives: Directives) -> dict[str, tuple[str, ...]]:
    """Return the policy that admits script and style files by their origin alone, and leaves inline code to another."""
    limits: dict[str, tuple[str, ...]] = {}
    for name in NONCE_DIRECTIVES:
        sources = _effective(directives, name) if name in ("script-src", "style-src") else directives.get(name)
        if sources is not None:
            limits[name] = (*(one for one in sources if _limits_files(one)), "'unsafe-inline'")
    # Without a list of their own, workers would fall back to the one for scripts, here as nowhere else.
    own_list = next((directives[one] for one in ("worker-src", "child-src") if one in directives), None)
    if own_list is not None and own_list != limits.get("script-src", ())[:-1]:
        limits["worker-src"] = own_list
    return limits


def _limits_files(source: str) -> bool:
    return not _admits_any_file(source) and source.lower() not in ("'none'", "'unsafe-inline'")


def with_inline(directives: Directives) -> dict[str, tuple[str, ...]]:
    """Return *directives* with inline script and style admitted, and files from nowhere else than before."""
    return {**directives, **files_only(directives)}


def needs_files_only(directives: Directives) -> bool:
    """Whether some script or style source admits a file from any server that carries the right nonce or hash."""
    return any(_admits_any_file(one) for name in NONCE_DIRECTIVES for one in directives.get(name, ()))


def _takes_nonce(sources: Sequence[str]) -> bool:
    # A nonce switches 'unsafe-inline' off (CSP3 §6.7.3.2), which would break what the owner allows; and the owner who
    # wrote 'none' alone meant it.
    lower = [one.lower() for one in sources]
    return "'unsafe-inline'" not in lower and lower != ["'none'"]


def _admits_any_file(source: str) -> bool:
    lower = source.lower()
    return lower == "'strict-dynamic'" or lower.startswith(("'nonce-", "'sha256-", "'sha384-", "'sha512-"))


_FALLBACKS = {
    "script-src-elem": ("script-src", "default-src"),
    "script-src-attr": ("script-src", "default-src"),
    "style-src-elem": ("style-src", "default-src"),
    "style-src-attr": ("style-src", "default-src"),
    "worker-src": ("child-src", "script-src", "default-src"),
    "frame-src": ("child-src", "default-src"),
    "fenced-frame-src": ("frame-src", "child-src", "default-src"),
}
_NO_FALLBACK = frozenset({"base-uri", "form-action", "frame-ancestors", "default-src"})


def _effective(directives: Directives, name: str) -> tuple[str, ...] | None:
    fallbacks = () if name in _NO_FALLBACK else _FALLBACKS.get(name, ("default-src",))
    return next((directives[one] for one in (name, *fallbacks) if one in directives), None)


def admits(directives: Directives, directive: str, url: str, *, own_origin: str) -> bool:
    """Whether a policy lets *directive* load the absolute *url* on a page of *own_origin* (CSP3 §6.7.2).

    Nonces and hashes are not looked at: this is what the source list says of a file by its URL alone.
    """
    sources = _effective(directives, directive)
    if sources is None:
        return True
    target = urlsplit(url)
    return any(source_admits(one, target, urlsplit(own_origin)) for one in sources)
