"""A whole HTML parser's opinion of which contacts with other servers are left in a page (html5lib)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping

import html5lib
from html5lib._tokenizer import HTMLTokenizer
from html5lib.constants import tokenTypes

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
STATES = {
    **dict.fromkeys(("title", "textarea"), "rcdataState"),
    **dict.fromkeys(("style", "xmp", "iframe", "noembed", "noframes", "noscript"), "rawtextState"),
    "script": "scriptDataState",
    "plaintext": "plaintextState",
}


def contacts(page: bytes, *, scripting: bool) -> list[str]:
    """Return what in *page* would contact a third party, by elements and attributes of HTML as they are parsed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of data loss: names that lxml or ElementTree could not hold
        tree = html5lib.parse(page, treebuilder="etree", scripting=scripting, override_encoding="utf-8")
    return list(_contacts(tree, scripting))


def contacts_by_names(page: str) -> list[str]:
    """Return what would contact a third party for a reader who knows tags and no tree, as preload scanners do."""
    tokenizer = HTMLTokenizer(page)
    found: list[str] = []
    for token in tokenizer:
        if token["type"] == tokenTypes["StartTag"]:
            found += _contacts_of(token["name"], {str(name): value for name, value in token["data"].items()}, False)
            tokenizer.state = getattr(tokenizer, STATES.get(token["name"], "dataState"))
    return found


def _contacts(tree, scripting: bool) -> Iterator[str]:
    for element in tree.iter():
        if isinstance(element.tag, str) and element.tag.startswith(XHTML):
            yield from _contacts_of(element.tag.removeprefix(XHTML), element.attrib, scripting)


def _contacts_of(name: str, attributes: Mapping[str, str], scripting: bool) -> Iterator[str]:
    for attribute in URLS.get(name, ()):
        if any(is_elsewhere(url) for url in attributes.get(attribute, "").split()):
            yield f"{name} {attribute}"
    is_hint = name == "link" and any(hint in attributes.get("rel", "").lower() for hint in HINTS)
    if is_hint and is_elsewhere(attributes.get("href", "")):
        yield "link"
    is_refresh = name == "meta" and attributes.get("http-equiv", "").lower() == "refresh"
    if is_refresh and is_elsewhere(attributes.get("content", "").partition("=")[2]):
        yield "meta refresh"
    if name == "script" and attributes.get("type", "").strip().lower() == "speculationrules":
        yield "speculation rules"
    if name == "iframe" and attributes.get("srcdoc"):
        yield from (f"srcdoc {one}" for one in contacts(attributes["srcdoc"].encode(), scripting=scripting))


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
