"""Tests of links that browsers follow by themselves, and of the Link header field."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard._links import Rel, guarded_links, own_members, read_links, rel_of, srcset_urls
from privguard._references import Page

OWN = frozenset({"site.test", "www.own.test"})


def page(*admitted):
    return Page(OWN, lambda directive, url: directive in admitted)


STRICT = page()
FAR = "https://third.test/x"
UNREADABLE = (None, [("that cannot be read", "")])


@pytest.mark.parametrize("rel", "preconnect DNS-Prefetch prefetch prerender next compression-dictionary search".split())
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
    ("apple-touch-startup-image", "", "img-src"),
    ("mask-icon", "", "img-src"),
    ("manifest", "", "manifest-src"),
    ("serviceworker", "", "worker-src"),
    ("modulepreload", "", "script-src"),
    ("modulepreload", "worker", "worker-src"),
    ("modulepreload", "json", "connect-src"),
    ("preload", "script", "script-src"),
    ("preload", "STYLE", "style-src"),
    ("preload", "image", "img-src"),
    ("preload", "font", "font-src"),
    ("preload", "track", "media-src"),
    ("preload", "fetch", "connect-src"),
    ("preload", "", "connect-src"),
    ("preload", "document", "frame-src"),
    ("preload", "object", "object-src"),
]


@pytest.mark.parametrize(("rel", "destination", "directive"), LOADS)
def test_load_is_governed_by_its_directive(rel, destination, directive):
    """What a link loads may come from where the policy lets that kind of file come from (CSP3 §6.8.1)."""
    assert rel_of(rel, destination) == directive
    value = f"<{FAR}>; rel={rel}" + (f"; as={destination}" if destination else "")
    assert guarded_links(value, page(directive)) == (value, [])
    assert guarded_links(value, page("child-src")) == (None, [(rel, "third.test")])


def test_preload_of_a_kind_that_nobody_knows_goes():
    """What no directive can be asked about is not admitted."""
    assert rel_of("preload", "hologram") is Rel.HINT


@pytest.mark.parametrize(
    "rel", "canonical license alternate author help me privacy-policy prev https://x.test/".split()
)
def test_link_that_only_says_something_stays(rel):
    """A browser asks nobody for it."""
    value = f"<{FAR}>; rel={rel}"
    assert guarded_links(value, STRICT) == (value, [])


SPELLINGS = [
    f"<{FAR}>;rel=preconnect",
    f"<{FAR}> ; REL = preconnect",
    f"<{FAR}>\t;\trel\t=\tpreconnect\t",
    f'<{FAR}>; rel="preconnect"',
    f'<{FAR}>; rel="license preconnect"',
    f'<{FAR}>; rel="license\tPRECONNECT"',
    f'<{FAR}>; rel="pre\\connect"',
    f"<{FAR}>; rel='preconnect'",
    f"<{FAR}>; rel=license/preconnect",
    f"<{FAR}>; crossorigin; rel=preconnect; rel=license",
    f'<{FAR}>; rel; rel=""; rel=" "; rel=preconnect',  # Firefox
    f'<{FAR}>; title="a, <b>; rel=license"; rel=preconnect',
    f"<{FAR}>; title*=UTF-8''%C3%A9; rel=preconnect",
    f"<{FAR}>;; rel=preconnect;",
    f", <{FAR}>; rel=preconnect ,",
    f"<{FAR},;y>; rel=preconnect",
    "<//third.test>; rel=preconnect",
    "< HTTPS:\\\\third.test >; rel=preconnect",
    "<https://www.own.test@third.test>; rel=preconnect",
    '</own>; rel=preload; as=image; imagesrcset="/own 1x, //third.test/x 2x"',
    '</own>; rel=preload; as=image; imagesrcset="/own"; IMAGESRCSET="/a,//third.test/x 2x"',
    "</own>; rel=preload; as=image; imagesrcset=//third.test/x",
]


@pytest.mark.parametrize("value", SPELLINGS)
def test_member_that_contacts_others_goes_however_it_is_spelled(value):
    """As RFC 8288 reads it, and as browsers do."""
    left, removed = guarded_links(value, STRICT)
    assert (left, [host for _, host in removed]) == (None, ["third.test"])


HARMLESS = [
    f"<{FAR}>; rel=license; rel=preconnect",
    f"<{FAR}>; rel*=UTF-8''preconnect",
    f"<{FAR}>; rev=preconnect",
    f'<{FAR}>; rel=license; title="; rel=preconnect"',
    f'<{FAR}>; rel=license; title="\\"; rel=preconnect; x=\\""',
    f"<{FAR}>",
    "</own>; rel=license; title=it's, </own>; title='",
    "",
    " , ,, ",
]


@pytest.mark.parametrize("value", HARMLESS)
def test_member_that_contacts_nobody_stays(value):
    """RFC 8288 §3.3: of two types, the later is ignored; and what is quoted is no parameter."""
    assert guarded_links(value, STRICT) == (value, [])


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (
            f'</a,b;c>; rel=preload; as=style,  <{FAR}>;rel=preconnect ,<{FAR}>; rel=canonical; title="a \\" , b"',
            f'</a,b;c>; rel=preload; as=style,<{FAR}>; rel=canonical; title="a \\" , b"',
        ),
        (f"<{FAR}>; rel=preconnect, </a>; rel = preload", "</a>; rel = preload"),
        (f"</a>; rel=preload ;, <{FAR}>; rel=preconnect", "</a>; rel=preload ;"),
        (f"</a> , <{FAR}>; rel=preconnect ,\t</b>", "</a> ,\t</b>"),
    ],
)
def test_members_that_stay_keep_their_bytes(value, left):
    """Only what goes is gone, with one comma."""
    assert guarded_links(value, STRICT) == (left, [("preconnect", "third.test")])


UNREADABLES = [
    "x",
    "/a; rel=preload",
    "</a>; rel=preload x",
    "</a",
    '</a>; title="x',
    '</a>; title="x\\',
    '</a>; title="x\\"',
    "</a> </b>",
    "</a></b>",
    "</a>; =x",
    "</a>; r el=x",
    "</a>; rel=preload\x0b",
    "</a>; rel=\x0cpreload",
    "</\x7f>; rel=preload",
    '</a>; title=x"y"',
    '</a>; title="x"y',
    # In the eyes of browsers a "<" begins a quote: here, one that hides the next member or shows one more.
    f'</a>; title=<; x=">, <{FAR}>; rel=preconnect; y="',
    f"</a>; title=a<, <{FAR}>; rel=preconnect",
    "</a>; title=a>b",
]


@pytest.mark.parametrize("value", UNREADABLES)
def test_field_that_cannot_be_parsed_goes(value):
    """Nobody knows what some browser makes of it."""
    assert guarded_links(value, STRICT) == UNREADABLE
    assert own_members(value, STRICT) == ""


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (
            f"</a.css>; rel=preload, <{FAR}>; rel=license, <https://www.own.test/x>; rel=preconnect",
            "</a.css>; rel=preload, <https://www.own.test/x>; rel=preconnect",
        ),
        ("</a>; rel=preload ,", "</a>; rel=preload ,"),
        ("</a>; rel=preload; as=image; imagesrcset=//third.test/x, </b>; rel=preload", "</b>; rel=preload"),
        ("<https://>; rel=preconnect", ""),
        ("", ""),
    ],
)
def test_early_hints_keep_only_links_to_the_site_itself(value, left):
    """Browsers act on those before a policy is there: even a harmless one to elsewhere is no hint."""
    assert own_members(value, page("img-src", "style-src")) == left


def test_words_of_a_srcset():
    """Browsers take some of them for URLs: a comma ends one, or stands in it."""
    assert srcset_urls(" /a 1x,/b 2x ,\n//c,") == ["/a", "1x", "/b", "2x", "//c"]


LONG = 1 << 18  # characters: what is not read in linear time would never end


@pytest.mark.parametrize(
    "value",
    [
        "<" * LONG,
        "</a>" + ";" * LONG + "<",
        "</a>" + " " * LONG + "x",
        "," * LONG + "x",
        "</a>; a=" + '"' * LONG,
        '</a>; a="' + "\\" * (LONG + 1),
        '</a>; a="' + '\\"' * LONG,
        "</a>; " + "a" * LONG + "<",
        "</a>; a=b" * (LONG // 9) + '"',
        "</a>; rel" + "\t" * LONG + "x",
    ],
    ids=range(10),
)
def test_long_value_that_is_not_well_written(value):
    """It is refused as quickly as a short one is."""
    assert read_links(value) is None


def test_long_list_of_links():
    """Each is judged once."""
    left, removed = guarded_links(f"</a>; rel=preload, <{FAR}>; rel=preconnect, " * 5000, STRICT)
    assert left == ",".join(["</a>; rel=preload"] + [" </a>; rel=preload"] * 4999)
    assert len(removed) == 5000


@given(st.text(alphabet='<>;,="\\ \trelpconct/:.x', max_size=60) | st.text(max_size=20))
def test_any_text_is_read_or_refused(value):
    """Never raises; what stays is part of what was there; and of what stays nothing goes."""
    left, removed = guarded_links(value, STRICT)
    assert left is None or re.sub(r"[ \t,]", "", left) in re.sub(r"[ \t,]", "", value)
    assert left is not None or removed
    for link in read_links(value) or []:
        assert link.text in value
    if left is not None:
        assert guarded_links(left, STRICT) == (left, [])
        assert own_members(own_members(left, STRICT), STRICT) == own_members(left, STRICT)


TOKENS = st.sampled_from(["license", "preconnect", "x", "stylesheet", "canonical"])
PARAMETERS = st.one_of(
    TOKENS.map(lambda rel: f"rel={rel}"),
    st.lists(TOKENS, min_size=1).map(lambda rels: f'rel="{" ".join(rels)}"'),
    st.text(alphabet='a<>;,\\" ').map(lambda text: 'title="' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'),
    st.sampled_from(["crossorigin", "as=style", "title=a", ""]),
)
MEMBERS = st.tuples(st.sampled_from(["/own", FAR, "//site.test/x,y;z"]), st.lists(PARAMETERS, max_size=4))


@given(st.lists(MEMBERS, max_size=4))
def test_links_that_are_written_by_the_standard(members):
    """What was written is what is read, and nothing but the members that may not stay is gone."""
    texts = ["; ".join([f"<{reference}>", *parameters]) for reference, parameters in members]
    links = read_links(", ".join(texts))
    assert links is not None
    assert [link.text.strip() for link in links] == [text.strip() for text in texts]
    assert [link.reference for link in links] == [reference for reference, _ in members]
    left, _ = guarded_links(", ".join(texts), STRICT)
    stays = [text for text, link in zip(texts, links) if link.reference != FAR or not _contacts(link)]
    assert (left or "").replace(" ", "") == ",".join(stays).replace(" ", "")


def _contacts(link):
    return any(token in ("preconnect", "stylesheet") for token in link.first("rel").split())
