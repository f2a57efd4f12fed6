"""A whole HTML parser's opinion of which contacts with other servers are left in a page (html5lib)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import html5lib

from privguard._references import server_of

XHTML = "{http://www.w3.org/1999/xhtml}"
HINTS = ("preconnect", "prefetch", "prerender", "preload", "stylesheet", "icon")
URLS = {
    "iframe": ("src",),
    "frame": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "form": ("action",),
    "base": ("href",),
    "button": ("formaction",),
    "input": ("formaction",),
    "a": ("ping",),
    "area": ("ping",),
}


def contacts(page: bytes, *, scripting: bool) -> list[str]:
    """Return what in *page* would contact a third party, by elements and attributes of HTML as they are parsed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of data loss: names that lxml or ElementTree could not hold
        tree = html5lib.parse(page, treebuilder="etree", scripting=scripting, override_encoding="utf-8")
    return list(_contacts(tree, scripting))


def _contacts(tree, scripting: bool) -> Iterator[str]:
    for element in tree.iter():
        if not isinstance(element.tag, str) or not element.tag.startswith(XHTML):
            continue
        name = element.tag.removeprefix(XHTML)
        for attribute in URLS.get(name, ()):
            if any(is_elsewhere(url) for url in element.get(attribute, "").split()):
                yield f"{name} {attribute}"
        is_hint = name == "link" and any(hint in element.get("rel", "").lower() for hint in HINTS)
        if is_hint and is_elsewhere(element.get("href", "")):
            yield "link"
        is_refresh = name == "meta" and element.get("http-equiv", "").lower() == "refresh"
        if is_refresh and is_elsewhere(element.get("content", "").partition("=")[2]):
            yield "meta refresh"
        if name == "script" and element.get("type", "").strip().lower() == "speculationrules":
            yield "speculation rules"
        if name == "iframe" and element.get("srcdoc"):
            yield from (f"srcdoc {one}" for one in contacts(element.get("srcdoc").encode(), scripting=scripting))


def is_elsewhere(reference: str) -> bool:
    server = server_of(reference)
    return server is not None and server.host != "site.test"


def texts(page: bytes) -> list[str]:
    """Return what stands in scripts, styles, comments and text areas, as it is parsed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = html5lib.parse(page, treebuilder="etree", scripting=True, override_encoding="utf-8")
    names = {XHTML + name for name in ("script", "style", "textarea", "title", "xmp")}
    return [one.text or "" for one in tree.iter() if not isinstance(one.tag, str) or one.tag in names]
