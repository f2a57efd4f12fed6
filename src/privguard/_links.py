"""Links that browsers follow by themselves (RFC 8288, Resource Hints, HTML standard §4.6.7), in a Link header field.

What is not well written may lead anywhere, and does not leave.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ._references import Page

# RFC 8288 §3. An unquoted value is more than a token, as browsers take it, but without what opens a quote in one.
_BEGIN = re.compile(r"[ \t]*+(?:<([^>]*+)>)?")
_PARAMETER = re.compile(
    r"[ \t]*+;[ \t]*+"
    r"(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]++)[ \t]*+"
    r'(?:=[ \t]*+(?:"([^"\\]*+(?:\\.[^"\\]*+)*)"|([^"<>;, \t]*+)))?)?'
)
_END = re.compile(r"[ \t]*+(?:,|\Z)")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # RFC 9110 §5.5: in no field; browsers differ about some
_ESCAPED = re.compile(r"\\(.)")
_SRCSET_SPLIT = re.compile(r"[\t\n\f\r ,]+")
_REL_SPLIT = re.compile(r"[\t\n\f\r ]+")


class Rel(enum.Enum):
    """What a browser does with a link of some type, where no directive of a policy speaks of it."""

    HARMLESS = "nothing, until it is clicked"
    HINT = "contacts its server beforehand, past every policy"


_HINTS = ("prefetch", "preconnect", "prerender", "dictionary", "subresource", "monetization")
# Firefox fetches the next page, too; Chromium, from a site's front page, the description of a search engine.
_HINT_NAMES = frozenset({"next", "search"})
_DIRECTIVES = {
    "stylesheet": "style-src",
    "manifest": "manifest-src",
    "import": "script-src",
    "serviceworker": "worker-src",
}
# What a preload is for (Fetch §2.2.5) -> the directive that governs it (CSP3 §6.8.1).
_DESTINATIONS = {
    **dict.fromkeys(("audio", "track", "video"), "media-src"),
    **dict.fromkeys(("audioworklet", "paintworklet", "script", "xslt"), "script-src"),
    **dict.fromkeys(("serviceworker", "sharedworker", "worker"), "worker-src"),
    **dict.fromkeys(("document", "frame", "iframe"), "frame-src"),
    **dict.fromkeys(("embed", "object"), "object-src"),
    **dict.fromkeys(("", "fetch", "json"), "connect-src"),
    "font": "font-src",
    "image": "img-src",
    "manifest": "manifest-src",
    "style": "style-src",
}


def rel_of(rel: str, destination: str) -> Rel | str:
    """Return what a browser does with a link of the type *rel*: a Rel, or the directive that governs its load.

    *destination* is the value of ``as``, empty where there is none.

    >>> rel_of("DNS-Prefetch", "") is Rel.HINT, rel_of("preload", "font"), rel_of("canonical", "") is Rel.HARMLESS
    (True, 'font-src', True)
    """
    rel = rel.lower()
    destination = destination.strip().lower()
    if rel == "preload":
        return _DESTINATIONS.get(destination, Rel.HINT)
    if rel == "modulepreload":
        return _DESTINATIONS.get(destination or "script", Rel.HINT)
    if rel in _HINT_NAMES or any(hint in rel for hint in _HINTS):
        return Rel.HINT
    if "icon" in rel or "startup-image" in rel:
        return "img-src"
    return _DIRECTIVES.get(rel, Rel.HARMLESS)


def link_contact(rel: str, destination: str, references: list[str], page: Page) -> tuple[str, str] | None:
    """Return the first type of *rel*, and the host elsewhere, for which a browser would contact it without leave."""
    for token in _REL_SPLIT.split(rel):
        kind = rel_of(token, destination)
        for reference in references if kind is not Rel.HARMLESS else ():
            host = page.unadmitted(kind, reference) if isinstance(kind, str) else page.elsewhere(reference)
            if host is not None:
                return token.lower(), host
    return None


def srcset_urls(value: str) -> list[str]:
    """Return what may be a URL in a srcset (HTML standard §4.8.4.2.1), which are more words than there are images."""
    return [word for word in _SRCSET_SPLIT.split(value) if word]


@dataclass(frozen=True, slots=True)
class Link:
    """One member of a Link header field."""

    text: str
    """As it is written, with the blanks around it."""
    reference: str
    parameters: tuple[tuple[str, str], ...]
    """In their order, by name in lower case."""

    def first(self, name: str) -> str:
        """Return the first value of a parameter (RFC 8288 §3.3), as Firefox looks for it: blank ones do not count."""
        return next((value for one, value in self.parameters if one == name and value.strip()), "")

    @property
    def references(self) -> list[str]:
        """All that it may lead to."""
        srcsets = [value for name, value in self.parameters if name == "imagesrcset"]
        return [self.reference, *srcset_urls(" ".join(srcsets))]


def read_links(value: str) -> list[Link] | None:
    """Return the members of a Link *value*, or None when it is not well written."""
    if _CONTROL.search(value):
        return None
    links: list[Link] = []
    at = 0
    while at < len(value):
        reference, parameters, end = _read_member(value, at)
        stop = _END.match(value, end)
        if stop is None:
            return None
        if reference is not None:
            links.append(Link(value[at : stop.end()].removesuffix(","), reference, tuple(parameters)))
        at = stop.end()
    return links


def _read_member(value: str, at: int) -> tuple[str | None, list[tuple[str, str]], int]:
    """Return the reference of the member at *at*, or None where it is empty, its parameters, and where they end."""
    begin = _BEGIN.match(value, at)
    reference, at = (begin[1], begin.end()) if begin else (None, at)
    parameters: list[tuple[str, str]] = []
    while reference is not None and (match := _PARAMETER.match(value, at)):
        if match[1]:
            quoted = match[2]
            given = (match[3] or "") if quoted is None else _ESCAPED.sub(r"\1", quoted)
            parameters.append((match[1].lower(), given))
        at = match.end()
    return reference, parameters, at


def _joined(links: Iterable[Link]) -> str:
    return ",".join(link.text for link in links).strip(" \t")


def own_members(value: str, page: Page) -> str:
    """Return the Link *value* without the members that lead elsewhere, whatever they are for.

    >>> page = Page((), lambda directive, url: False)
    >>> own_members('</a.css>; rel=preload, <https://third.example/>; rel=license', page)
    '</a.css>; rel=preload'
    """
    links = read_links(value) or []
    own = [link for link in links if all(page.elsewhere(reference) is None for reference in link.references)]
    return value if len(own) == len(links) and links else _joined(own)


def guarded_links(value: str, page: Page) -> tuple[str | None, list[tuple[str, str]]]:
    """Return the Link *value* without the members for which a browser would contact others, and what those were."""
    links = read_links(value)
    if links is None:
        return None, [("that cannot be read", "")]
    kept: list[Link] = []
    removed: list[tuple[str, str]] = []
    for link in links:
        contact = link_contact(link.first("rel"), link.first("as"), link.references, page)
        if contact is None:
            kept.append(link)
        else:
            removed.append(contact)
    if not removed:
        return value, []
    return _joined(kept) or None, removed
