"""Tests of links that browsers follow by themselves, and of the Link header field."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard._links import Rel, guarded_links, own_members, read_links, rel_of
from privguard._references import Page

OWN = frozenset({"site.test", "www.own.test"})


def page(*admitted):
    return Page(OWN, lambda directive, url: directive in admitted)


STRICT = page()
FAR = "https://third.test/x"


@pytest.mark.parametrize("rel", "preconnect DNS-Prefetch prefetch prerender next compression-dictionary".split())
def test_hint_is_a_contact_past_every_policy(rel):
    """No directive speaks of it alone, so that none can admit it."""
    assert rel_of(rel, "") is Rel.HINT
    everything = Page(OWN, lambda directive, url: True)
    assert guarded_links(f"<{FAR}>; rel={rel}", everything) == (None, [(rel.lower(), "third.test")])
    assert guarded_links(f"</own>; rel={rel}", everything) == (f"</own>; rel={rel}", [])


LOADS = [
    ("stylesheet", "", "style-src"),
    ("icon", "", "img-src"),
    ("apple-touch-icon-precomposed", "", "img-src"),
    ("mask-icon", "", "img-src"),
    ("manifest", "", "manifest-src"),
    ("modulepreload", "", "script-src"),
    ("modulepreload", "worker", "worker-src"),
    ("preload", "script", "script-src"),
    ("preload", "STYLE", "style-src"),
    ("preload", "image", "img-src"),
    ("preload", "font", "font-src"),
    ("preload", "track", "media-src"),
    ("preload", "fetch", "connect-src"),
    ("preload", "", "connect-src"),
    ("preload", "document", "frame-src"),
]


@pytest.mark.parametrize(("rel", "destination", "directive"), LOADS)
def test_load_is_governed_by_its_directive(rel, destination, directive):
    """What a link loads may come from where the policy lets that kind of file come from."""
    assert rel_of(rel, destination) == directive
    value = f"<{FAR}>; rel={rel}" + (f"; as={destination}" if destination else "")
    assert guarded_links(value, page(directive)) == (value, [])
    assert guarded_links(value, page("child-src")) == (None, [(rel, "third.test")])


def test_preload_of_a_kind_that_nobody_knows_goes():
    """What no directive can be asked about is not admitted."""
    assert rel_of("preload", "hologram") is Rel.HINT


@pytest.mark.parametrize(
    "rel", "canonical license alternate author help me privacy-policy search https://x.test/".split()
)
def test_link_that_only_says_something_stays(rel):
    """A browser asks nobody for it."""
    value = f"<{FAR}>; rel={rel}"
    assert guarded_links(value, STRICT) == (value, [])


SPELLINGS = [
    f"<{FAR}>;rel=preconnect",
    f"<{FAR}> ; REL = preconnect",
    f'<{FAR}>; rel="preconnect"',
    f'<{FAR}>; rel="license preconnect"',
    f'<{FAR}>; rel="license\tPRECONNECT"',
    f'<{FAR}>; rel="pre\\connect"',
    f"<{FAR}>; crossorigin; rel=preconnect; rel=license",
    f'<{FAR}>; title="a, <b>; rel=license"; rel=preconnect',
    f"<{FAR}>;; rel=preconnect;",
    f", <{FAR}>; rel=preconnect ,",
    "<//third.test>; rel=preconnect",
    "< HTTPS:\\\\third.test >; rel=preconnect",
    "<https://www.own.test@third.test>; rel=preconnect",
    '</own>; rel=preload; as=image; imagesrcset="/own 1x, //third.test/x 2x"',
]


@pytest.mark.parametrize("value", SPELLINGS)
def test_member_that_contacts_others_goes_however_it_is_spelled(value):
    """As RFC 8288 reads it, and as browsers do."""
    left, removed = guarded_links(value, STRICT)
    assert (left, [host for _, host in removed]) == (None, ["third.test"])


def test_first_rel_counts():
    """RFC 8288 §3.3: of two, the later is ignored."""
    value = f"<{FAR}>; rel=license; rel=preconnect"
    assert guarded_links(value, STRICT) == (value, [])


def test_members_that_stay_keep_their_bytes():
    """Only what goes is gone."""
    value = f'</a,b;c>; rel=preload; as=style,  <{FAR}>;rel=preconnect ,<{FAR}>; rel=canonical; title="a \\" , b"'
    left, removed = guarded_links(value, STRICT)
    assert left == f'</a,b;c>; rel=preload; as=style, <{FAR}>; rel=canonical; title="a \\" , b"'
    assert removed == [("preconnect", "third.test")]


@pytest.mark.parametrize("value", ["x", "</a>; rel=preload x", "</a", '</a>; title="x', "</a> </b>", "</a>; =x"])
def test_field_that_cannot_be_parsed_goes(value):
    """Nobody knows what some browser makes of it."""
    assert guarded_links(value, STRICT) == (None, [("unreadable link", "")])
    assert own_members(value, STRICT) == ""


def test_early_hints_keep_only_links_to_the_site_itself():
    """Browsers act on those before a policy is there: even a harmless one to elsewhere is no hint."""
    value = f"</a.css>; rel=preload, <{FAR}>; rel=license, <https://www.own.test/x>; rel=preconnect"
    assert own_members(value, STRICT) == "</a.css>; rel=preload, <https://www.own.test/x>; rel=preconnect"


@given(st.text(alphabet='<>;,="\\ \trelpconct/:.x', max_size=60))
def test_any_text_is_read_or_refused(value):
    """Never raises; and what stays is part of what was there."""
    left, _ = guarded_links(value, STRICT)
    assert left is None or re.sub(r"[ \t,]", "", left) in re.sub(r"[ \t,]", "", value)
    for link in read_links(value) or []:
        assert link.text in value
