"""What a tag would make a browser do with another server's help, and how it is kept from it.

A tag keeps its length: an attribute gets another first letter and means nothing any more, or a URL another scheme,
by which no server is asked. (HTML standard §4; Resource Hints; Attribution Reporting; Speculation Rules.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ._contacts import guarded_meta, report_directives
from ._links import link_contact, srcset_urls
from ._markup import Tag, decode_mapped, has_unknown_entity
from ._references import Page, holds_document
from ._styles import style_urls
from ._visibility import has_tiny_side, hides

_FRAMES: Mapping[bytes, tuple[tuple[bytes, str], ...]] = {
    b"iframe": ((b"src", "frame-src"),),
    b"frame": ((b"src", "frame-src"),),
    b"portal": ((b"src", "frame-src"),),
    b"fencedframe": ((b"src", "frame-src"),),
    b"embed": ((b"src", "object-src"),),
    b"object": ((b"data", "object-src"), (b"codebase", "object-src")),
}
# What makes contact, on whichever element: renamed where a tag cannot be judged.
CONTACTING = frozenset(
    b"action attributionsrc codebase data formaction href http-equiv imagesrcset ping poster src srcdoc srcset".split()
)
# What is read to judge a tag by.
_READ = CONTACTING | frozenset(b"as content height rel style type width".split())


@dataclass(frozen=True, slots=True)
class View:
    """What is known of the page whose tags are judged."""

    page: Page
    has_users_images: bool = False
    """Users may link to images on any server: those get no referrer."""
    watches_images: bool = False
    """Some image from elsewhere may load, so that a hidden one would count its visitors."""
    blocks_nothing: bool = False
    """The page's policy is only reported, while its owner tries it out."""
    is_in_attribute: bool = False
    """It is a document in an attribute (srcdoc), which no header field of the page's tells to look no names up."""
    is_xml: bool = False


@dataclass(slots=True)
class Verdict:
    """What is taken out of a tag: (what, host) each, and the bytes to write over it, by their offsets."""

    removed: list[tuple[str, str]] = field(default_factory=list)
    edits: list[tuple[int, bytes]] = field(default_factory=list)

    def rename(self, tag: Tag, name: bytes) -> None:
        """Make the attributes *name* mean nothing: all of that name, for the second would count after the first."""
        for one in tag.all:
            if one.name == name:
                self.edits.append((one.at + name.rfind(b":") + 1, b"x"))

    def lead_nowhere(self, tag: Tag, name: bytes) -> None:
        """Give the URL in the attribute *name* a scheme by which no server is asked, and leave the rest of it."""
        one = tag.attributes[name]
        raw = tag.raw(name) or b""
        blanks = len(raw) - len(raw.lstrip(_BLANK))
        self.edits.append((one.start + blanks, b"x:_" if raw[blanks + 2 : blanks + 3] in (b"/", b"\\") else b"x:"))


_BLANK = bytes(range(0x21))


def judge(tag: Tag, view: View, *, is_hidden: bool = False) -> Verdict:
    """Return what is to be taken out of *tag*, which may be nothing. *is_hidden*: it stands in something hidden."""
    verdict = Verdict()
    name = tag.name.rpartition(b":")[2] if view.is_xml else tag.name
    if view.is_xml and any(_is_filled_in(tag.raw(one) or b"") for one in _READ & tag.attributes.keys()):
        _take_all(tag, name, verdict)
        return verdict
    if name in _FRAMES:
        _judge_frame(tag, name, view, verdict)
    elif name in _ELEMENTS:
        _ELEMENTS[name](tag, view, verdict)
    if view.is_in_attribute and name in (b"a", b"area"):
        _judge_anchor(tag, view.page, verdict)
    if view.watches_images:
        _judge_image(tag, name, view, verdict, is_hidden)
    _judge_attributes(tag, view.page, verdict)
    return verdict


def _is_filled_in(raw: bytes) -> bool:
    """Whether an attribute's value in XML is only known when an entity, or what XSLT has in braces, is put in."""
    return b"{" in raw or has_unknown_entity(raw)


def _take_all(tag: Tag, name: bytes, verdict: Verdict) -> None:
    """An entity of the document's own may stand for anything: but for links, nothing that makes contact is left."""
    taken = CONTACTING & tag.attributes.keys()
    for attribute in taken - {b"href"} if name in (b"a", b"area") else taken:
        verdict.rename(tag, attribute)
    if name == b"script" and _is_filled_in(tag.raw(b"type") or b""):
        verdict.lead_nowhere(tag, b"type")
    verdict.removed += [("entity of the document's own", "")] if verdict.edits else []


def _judge_frame(tag: Tag, name: bytes, view: View, verdict: Verdict) -> None:
    for attribute, directive in _FRAMES[name]:
        reference = tag.value(attribute) or ""
        is_unseen = not view.blocks_nothing and holds_document(reference)
        host = "data:" if is_unseen else view.page.unadmitted(directive, reference)
        if host is not None:
            verdict.rename(tag, attribute)
            verdict.removed.append((f"<{name.decode()}>", host))


def _judge_link(tag: Tag, view: View, verdict: Verdict) -> None:
    href = tag.value(b"href") or ""
    candidates = [href, *srcset_urls(tag.value(b"imagesrcset") or "")]
    contact = link_contact(tag.value(b"rel") or "", tag.value(b"as") or "", candidates, view.page)
    if contact is not None:
        verdict.rename(tag, b"href")
        verdict.rename(tag, b"imagesrcset")
        verdict.removed.append(contact)


def _judge_anchor(tag: Tag, page: Page, verdict: Verdict) -> None:
    """Firefox looks up where the links of a document lead that nothing tells not to."""
    for attribute in (b"href", b"xlink:href"):
        host = page.elsewhere(tag.value(attribute) or "")
        if host is not None:
            verdict.rename(tag, attribute)
            verdict.removed.append(("link", host))


def _judge_form(tag: Tag, view: View, verdict: Verdict) -> None:
    _judge_target(tag, b"action", view.page, verdict)


def _judge_target(tag: Tag, name: bytes, page: Page, verdict: Verdict) -> None:
    """Judge where the attribute *name* would have a form sent."""
    host = page.unadmitted("form-action", tag.value(name) or "")
    if host is not None:
        verdict.lead_nowhere(tag, name)
        verdict.removed.append(("form action", host))


def _judge_meta(tag: Tag, view: View, verdict: Verdict) -> None:
    content = tag.value(b"content") or ""
    if view.has_users_images and (tag.value(b"name") or "").strip().lower() == "referrer":
        verdict.rename(tag, b"name")
        verdict.removed.append(("<meta name=referrer>", ""))
    equivalent = (tag.value(b"http-equiv") or "").strip()
    if equivalent and not guarded_meta(equivalent, content, view.page):
        verdict.rename(tag, b"http-equiv")
        verdict.removed.append((f"<meta http-equiv={equivalent.lower()[:40]}>", ""))
    _silence_policy(tag, equivalent, verdict)


def _silence_policy(tag: Tag, equivalent: str, verdict: Verdict) -> None:
    """Make the directives of a policy unknown by which it reports, letter by letter as they are written."""
    policy, written = decode_mapped(tag.raw(b"content") or b"")
    for at in report_directives(equivalent, policy):
        letter = next((offset for one in range(9) if (offset := written.find(at + one)) is not None), None)
        if letter is None:  # all of it in character references
            verdict.rename(tag, b"http-equiv")
        else:
            verdict.edits.append((tag.attributes[b"content"].start + letter, b"x"))
        verdict.removed.append(("report-to in <meta>", ""))


def _judge_base(tag: Tag, view: View, verdict: Verdict) -> None:
    host = view.page.unadmitted("base-uri", tag.value(b"href") or "")
    if host is not None:
        verdict.rename(tag, b"href")
        verdict.removed.append(("<base>", host))


def _judge_script(tag: Tag, view: View, verdict: Verdict) -> None:
    if (tag.value(b"type") or "").strip().lower() == "speculationrules":
        verdict.lead_nowhere(tag, b"type")  # a type that nobody knows is data, and no type would be a script
        verdict.removed.append(("set of speculation rules", ""))


_ELEMENTS: Mapping[bytes, Callable[[Tag, View, Verdict], None]] = {
    b"link": _judge_link,
    b"form": _judge_form,
    b"meta": _judge_meta,
    b"base": _judge_base,
    b"script": _judge_script,
}


def _judge_attributes(tag: Tag, page: Page, verdict: Verdict) -> None:
    """Judge what means the same on several elements."""
    if tag.raw(b"attributionsrc"):  # without a value, nobody is asked but whom the element leads to
        verdict.rename(tag, b"attributionsrc")
        verdict.removed.append(("attributionsrc", ""))
    for reference in (tag.value(b"ping") or "").split():
        host = page.elsewhere(reference)
        if host is not None:
            verdict.rename(tag, b"ping")
            verdict.removed.append(("ping", host))
            break
    _judge_target(tag, b"formaction", page, verdict)
    if b"autofocus" in tag.attributes:
        _judge_focus(tag, page, verdict)


def _judge_focus(tag: Tag, page: Page, verdict: Verdict) -> None:
    """Over plain HTTP, Firefox connects to where a link leads that has the focus."""
    for attribute in (b"href", b"xlink:href"):
        host = page.elsewhere(tag.value(attribute) or "")
        if host is not None:
            verdict.rename(tag, b"autofocus")
            verdict.removed.append(("autofocus", host))
            return


# ── images that count their visitors ─────────────────────────────────────────────────────────────────────────────────

_IMAGES: Mapping[bytes, tuple[bytes, ...]] = {
    b"img": (b"src", b"srcset"),
    b"source": (b"src", b"srcset"),
    b"input": (b"src",),
    b"image": (b"href", b"xlink:href", b"src", b"srcset"),
    b"feimage": (b"href", b"xlink:href"),
    b"video": (b"poster",),
}
_ANIMATIONS = frozenset(b"set animate animatetransform animatemotion".split())
_URLS: Mapping[bytes, Callable[[str], list[str]]] = {b"srcset": srcset_urls, b"style": style_urls}


# What users link to is a picture in an <img>: all else is for the site, which has its pictures where it likes.
_NO_PICTURES = frozenset((b"image", b"feimage"))
_NO_LINKS = frozenset((b"srcset", b"background"))


def _judge_image(tag: Tag, name: bytes, view: View, verdict: Verdict, is_hidden: bool) -> None:
    if name in _ANIMATIONS and (tag.value(b"attributename") or "").strip().lower().endswith("href"):
        verdict.rename(tag, b"attributename")
        verdict.removed.append(("animated reference", ""))
    found = {
        one: host for one in _image_attributes(tag, name) if (host := _image_host(tag, one, view.page)) is not None
    }
    if not found:
        return
    host = next(iter(found.values()))
    if is_hidden or hides(tag) or has_tiny_side(tag, (b"width", b"height", b"sizes")):
        for one in {*found, *(one for one in _IMAGES.get(name, ()) if one in tag.attributes)}:
            verdict.rename(tag, one)
        verdict.removed.append(("hidden image", host))
    elif view.has_users_images and (name in _NO_PICTURES or not _NO_LINKS.isdisjoint(found)):
        for one in found if name in _NO_PICTURES else _NO_LINKS & found.keys():
            verdict.rename(tag, one)
        verdict.removed.append((f"<{name.decode()}> that is no <img src>", host))
    elif view.has_users_images and b"referrerpolicy" in tag.attributes:
        verdict.rename(tag, b"referrerpolicy")
        verdict.removed.append(("referrer policy", host))


def _image_attributes(tag: Tag, name: bytes) -> list[bytes]:
    wanted = {*_IMAGES.get(name, ()), b"background", b"style"}
    found = [one for one in tag.attributes if one in wanted]
    if name in _NO_PICTURES:  # the prefix of XLink may be any
        found += [one for one in tag.attributes if one.endswith(b":href") and one not in wanted]
    return found


def _image_host(tag: Tag, attribute: bytes, page: Page) -> str | None:
    value = tag.value(attribute) or ""
    urls = _URLS[attribute](value) if attribute in _URLS else [value]
    return next(filter(None, map(page.elsewhere, urls)), None)
