"""Tests of XML as it streams through: XHTML, SVG, and XHTML inside other vocabularies."""

from __future__ import annotations

import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard._xml import XmlScrubber
from scrubbing import BOARDS, CDN, STRICT, THIRD, in_every_way, scrubbed

HINT = f'<link rel="preconnect" href="{THIRD}"/>'
INERT = HINT.replace("href", "xref")
PREFIXED = HINT.replace("<link", "<h:link")


def xml(page: str, view=STRICT) -> str:
    return in_every_way(functools.partial(XmlScrubber, view), page.encode()).decode()


LIVE = [
    '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head>{}</head></html>',
    "<svg><foreignObject>{}</foreignObject></svg>",
    "<a><!-- x -->{}</a>",
    "<a><![CDATA[ x ]]>{}</a>",
    "<a><?php x ?>{}</a>",
    "<a><script>{}</script></a>",
    "<a><title>{}</title></a>",
    "<a b='>'>{}</a>",
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">{}',
    "<!DOCTYPE a [<!ELEMENT a ANY> <!-- ]> --> <?x ]> ?> <!ENTITY b ']>'> %c; ] >{}",
    "<!DOCTYPE a [ <!ENTITY b {}",
    "<a></a><é:b/>{}",
]
TEXT = [
    "<a><!-- {} --></a>",
    "<a><![CDATA[ {} ]]></a>",
    "<a><?x {} ?></a>",
    "<a><!-- {}",
    "<a><![CDATA[ {} ]>",
    "<a><? {} >",
]


@pytest.mark.parametrize("page", LIVE)
def test_tag_is_made_inert(page):
    """Wherever XML has one, with a prefix or without."""
    assert xml(page.replace("{}", HINT)).endswith(page.replace("{}", INERT)[-40:])
    assert "href" not in xml(page.replace("{}", PREFIXED))


@pytest.mark.parametrize("page", TEXT)
def test_text_is_never_changed(page):
    """Comments, CDATA sections and processing instructions are none."""
    assert xml(page.replace("{}", HINT)) == page.replace("{}", HINT)


BROKEN = [
    "<a b='<!--'/>{}<?p ?<a b='-->'/>{}",
    "<img b='<![CDATA[ \" ]]>' c=\"'/>{}<a b=''/>",
    "<a b='<!-- ' x=\" -->'/>{}\"",
    "<a b='<!--{}'/>",
]


@pytest.mark.parametrize("page", BROKEN)
def test_tag_behind_a_bracket_in_a_tag(page):
    """A document with one is not well-formed, but Chromium (156) reads on, past quotes in comments in quotes."""
    assert "href" not in xml(f"<r>{page}</r>".replace("{}", HINT))


@pytest.mark.parametrize("size", [1 << 20, 4096])
def test_long_tag(size):
    """A picture may be written out in it; one that is too long means nothing any more, but what is behind it does."""
    make = functools.partial(XmlScrubber, STRICT)
    for length, before, after in (
        (100_000, "<image xlink:href='data:,", "'/>"),
        (300_000, "<image b='", "' src=''/>"),
        (300_000, "<image b='", "<!-- ' -->'/>"),
    ):
        page = f"{before}{'x' * length}{after}{HINT}{HINT}<a>".encode()
        left = scrubbed(make, [page[at : at + size] for at in range(0, len(page), size)])
        assert len(left) == len(page)
        assert left.endswith(f"{INERT}{INERT}<a>".encode())
        assert b" src=" not in left
        assert length == 300_000 or left.startswith(page[:100_000])


def test_tag_with_a_bracket_in_it():
    """It is not known where its attributes end: it is no such element any more."""
    left = xml(f"<r><h:link b='<!--' --> ' rel='preconnect' href='{THIRD}'/></r>")
    assert left.startswith("<r><h:xink b")


def test_entity_that_stands_for_markup_is_emptied():
    """A tag could be put together from it, past every search for one."""
    page = (
        f"""<!DOCTYPE a [<!ENTITY b '{HINT}'><!ENTITY c "&#60;h:link"><!ENTITY % d "%e;"><!ENTITY f "&#169; 7 > 6">]>"""
    )
    left = xml(page + "<a>&b;&c;&f;</a>")
    assert "link" not in left and "%e;" not in left
    assert '<!ENTITY f "&#169; 7 > 6">' in left


def test_default_attributes_are_taken_out():
    """An element would have them unseen."""
    left = xml(f"<!DOCTYPE a [<!ATTLIST link rel CDATA 'preconnect' href CDATA '>{THIRD}'> <!ENTITY b 'c'>]><link/>")
    assert left.replace(" ", "") == "<!DOCTYPEa[<!ENTITYb'c'>]><link/>"


@pytest.mark.parametrize(
    "tag", ['<link rel="&p;" href="/x"/>', '<iframe src="&_p;/x"/>', '<h:form action="&é;"/>', '<a ping="&p;"/>']
)
def test_entity_of_the_documents_own_in_a_tag(tag):
    """It may stand for anything: what would make contact means nothing any more."""
    left = xml(tag)
    assert len(left) == len(tag)
    assert not any(name in left for name in (" href", " src", " action", " ping"))


def test_entity_in_the_type_of_a_script():
    """It may stand for rules of speculation: now it is data."""
    assert xml('<script type="&p;">{}</script>') == '<script type="x:;">{}</script>'


@pytest.mark.parametrize(
    "tag",
    [
        '<a href="/x?a&nbsp;b">',
        '<area href="/x" alt="&nbsp;"/>',
        '<img src="/x" alt="a&nbsp;b"/>',
        '<form action="/x" title="&p;"/>',
        '<meta name="description" content="a&nbsp;b"/>',
        '<script src="/x">a &amp;&amp; b</script>',
    ],
)
def test_entity_where_it_makes_no_contact(tag):
    """In what people read, and in links that people click, it stays."""
    assert xml(tag) == tag


def test_entities_that_xml_has_stay():
    """They stand for what everybody knows."""
    page = '<link rel="stylesheet" href="/a.css?b&amp;c&#x26;d"/>'
    assert xml(page) == page
    assert xml('<link rel="preconnect" href="http:&#47;&#x2f;third.test"/>').startswith('<link rel="preconnect" xref')


def test_document_in_an_attribute_is_html():
    """Also in XHTML, a srcdoc is."""
    page = f"<iframe srcdoc=\"&lt;link rel=preconnect href={THIRD}&gt;&lt;script&gt;'&lt;h:link'\"/>"
    assert xml(page) == page.replace("href", "xref")


def test_image_that_counts_its_visitors():
    """In SVG, too; a picture stays."""
    bug = f'<svg:image xlink:href="https:{THIRD}" width="1" height="1"/>'
    assert xml(bug, CDN) == bug.replace("xlink:href", "xlink:xref")
    picture = bug.replace('"1"', '"100"')
    assert xml(picture, CDN) == picture
    assert xml(picture.replace("xlink:", "l:"), BOARDS) == picture.replace("xlink:href", "l:xref")


HIDDEN_IN_XML = [
    "<svg:defs><svg:image xlink:href='{}'/></svg:defs>",
    "<h:div hidden=''><h:p/><h:div/><h:img src='{}'/></h:div>",
    "<g display='none'><image href='{}'/></g>",
    "<svg width='0'><image href='{}'/></svg>",
    "<é style='display:none'><img src='{}'/></é>",
]


@pytest.mark.parametrize("page", HIDDEN_IN_XML)
def test_image_in_something_hidden(page):
    """Whatever its prefix; and a picture behind it stays."""
    page = page.replace("{}", f"https:{THIRD}")
    name = "src" if "src" in page else "href"
    assert xml(page, CDN) == page.replace(name, "x" + name[1:])
    image = page[page.index("<", 1) : page.rindex("<")]
    behind = f"{page.replace(image, '')}<p hidden=''/>{image}"
    assert xml(behind, CDN) == behind


@pytest.mark.parametrize("length", [1, 70, 1500])
def test_prefix_of_any_length(length):
    """A name with it may be cut anywhere."""
    tag = HINT.replace("<", f"<{'é' * length}:").encode()
    make = functools.partial(XmlScrubber, STRICT)
    whole = scrubbed(make, [tag])
    assert whole == tag.replace(b"href", b"xref")
    for cut in (1, 2, 2 * length, 2 * length + 3, 2 * length + 6):
        assert scrubbed(make, [tag[:cut], tag[cut:]]) == whole


def test_name_that_never_ends():
    """It is held no longer than any name can be, and is none any more."""
    make = functools.partial(XmlScrubber, STRICT)
    left = scrubbed(make, [b"<a>", b"<" + b"b" * 9000, b":link href='//third.test'/>"])
    assert left.startswith(b"<a><-bbb") and len(left) == 9031


def test_many_declarations():
    """A document has one: most of these are none, and nobody waits for their ends."""
    page = (b"<!DOCTYPE a [" * 20_000) + HINT.encode()
    left = scrubbed(functools.partial(XmlScrubber, STRICT), [page])
    assert len(left) == len(page)
    assert HINT.encode() not in left


def test_declaration_that_never_ends():
    """Nobody could hold it: for a browser the document is broken there, and what follows is looked through."""
    page = f"<!DOCTYPE a [ {'<!-- --> ' * 40_000} {HINT}".encode()
    for size in (len(page), 5000):
        left = scrubbed(
            functools.partial(XmlScrubber, STRICT), [page[at : at + size] for at in range(0, len(page), size)]
        )
        assert len(left) == len(page)
        assert HINT.encode() not in left


FRAGMENTS = [
    "<",
    "<!DOCTYPE a ",
    "[",
    "]",
    ">",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?",
    "?>",
    "'",
    '"',
    "a",
    " ",
    HINT,
]
FRAGMENTS += ["<!ENTITY b ", "<!ATTLIST "]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join), st.integers(0, 99))
def test_any_fragments(page, cut):
    """Never raises, the same length, and cut anywhere the same."""
    data = page.encode()
    whole = scrubbed(functools.partial(XmlScrubber, STRICT), [data])
    assert len(whole) == len(data)
    assert scrubbed(functools.partial(XmlScrubber, STRICT), [data[:cut], data[cut:]]) == whole
