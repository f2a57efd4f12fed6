"""Links that browsers follow by themselves (RFC 8288, Resource Hints, HTML standard §4.6.7), in a Link header field.

What is not well written may lead anywhere, and does not leave.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ._references import Page

_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_NAME = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_PARAMETER = re.compile(rf'[ \t]*;[ \t]*(?:({_NAME})[ \t]*(?:=[ \t]*({_QUOTED}|[^";, \t]*+))?+)?+')
_MEMBER = re.compile(rf"[ \t]*(?:<([^>]*+)>((?:{_PARAMETER.pattern})*+)[ \t]*)?+(?:,|\Z)")
_ESCAPED = re.compile(r"\\(.)")
_SRCSET_SPLIT = re.compile(r"[\t\n\f\r ,]+")
_REL_SPLIT = re.compile(r"[\t\n\f\r ]+")


class Rel(enum.Enum):
    """What a browser does with a link of some type, where no directive of a policy speaks of it."""

    HARMLESS = "nothing, until it is clicked"
    HINT = "contacts its server beforehand, past every policy"


_HINTS = ("prefetch", "preconnect", "prerender", "dictionary", "subresource", "monetization")
_DIRECTIVES = {
    "stylesheet": "style-src",
    "manifest": "manifest-src",
    "import": "script-src",
    "serviceworker": "worker-src",
}
# What a preload is for (Fetch §2.2.7) -> the directive that governs it.
_DESTINATIONS = {
    **dict.fromkeys(("audio", "track", "video"), "media-src"),
    **dict.fromkeys(("audioworklet", "json", "paintworklet", "script"), "script-src"),
    **dict.fromkeys(("serviceworker", "sharedworker", "worker"), "worker-src"),
    **dict.fromkeys(("document", "frame", "iframe"), "frame-src"),
    **dict.fromkeys(("embed", "object"), "object-src"),
    **dict.fromkeys(("", "fetch"), "connect-src"),
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
    if rel == "next" or any(hint in rel for hint in _HINTS):  # Firefox fetches the next page, too
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
    reference: str
    parameters: dict[str, str]
    """By name in lower case; of two with one name, the first (RFC 8288 §3.3)."""

    @property
    def references(self) -> list[str]:
        """All that it may lead to."""
        return [self.reference, *srcset_urls(self.parameters.get("imagesrcset", ""))]


def read_links(value: str) -> list[Link] | None:
    """Return the members of a Link *value*, or None when it is not well written."""
    links: list[Link] = []
    at = 0
    while at < len(value):
        match = _MEMBER.match(value, at)
        if match is None:
            return None
        if match[1] is not None:
            parameters: dict[str, str] = {}
            for name, given in _read_parameters(match[2]):
                parameters.setdefault(name, given)
            links.append(Link(match[0].strip(" \t,"), match[1], parameters))
        at = match.end()
    return links


def _read_parameters(text: str) -> Iterator[tuple[str, str]]:
    for match in _PARAMETER.finditer(text):
        value = match[2] or ""
        if value.startswith('"'):
            value = _ESCAPED.sub(r"\1", value[1:-1])
        if match[1]:
            yield match[1].lower(), value


def own_members(value: str, page: Page) -> str:
    """Return the Link *value* without the members that lead elsewhere, whatever they are for.

    >>> page = Page((), lambda directive, url: False)
    >>> own_members('</a.css>; rel=preload, <https://third.example/>; rel=license', page)
    '</a.css>; rel=preload'
    """
    links = read_links(value) or []
    return ", ".join(link.text for link in links if not any(map(page.elsewhere, link.references)))


def guarded_links(value: str, page: Page) -> tuple[str | None, list[tuple[str, str]]]:
    """Return the Link *value* without the members for which a browser would contact others, and what those were."""
    links = read_links(value)
    if links is None:
        return None, [("unreadable link", "")]
    kept: list[str] = []
    removed: list[tuple[str, str]] = []
    for link in links:
        parameters = link.parameters
        contact = link_contact(parameters.get("rel", ""), parameters.get("as", ""), link.references, page)
        if contact is None:
            kept.append(link.text)
        else:
            removed.append(contact)
    if not removed:
        return value, []
    return ", ".join(kept) or None, removed
