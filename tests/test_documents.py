"""Tests of which responses are documents, in which language and encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard._documents import DocumentScrubber, Kind, kind_of
from scrubbing import STRICT, THIRD, in_every_way, scrubbed

HINT = f"<link rel=preconnect href={THIRD}>"
INERT = HINT.replace("href", "xref")

KINDS = {
    Kind.HTML: ["text/html", "TEXT/HTML;charset=x", " text/html ;", "text/plain, text/html", "text/html, nonsense"],
    Kind.XML: [
        "application/xhtml+xml",
        "image/svg+xml",
        "text/xml",
        "application/xml",
        "text/xsl",
        "application/rss+xml",
    ],
    Kind.PARTS: ["multipart/x-mixed-replace; boundary=a"],
    Kind.UNKNOWN: [
        "",
        "html",
        "*/*",
        "unknown/unknown",
        "application/unknown",
        "text/",
        "/html",
        "a/b/c",
    ],
    None: ["text/plain", "application/json", "text/css", "image/png", "text/html, text/plain", "application/pdf"],
}


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in KINDS.items() for value in values])
def test_kind_of_a_response(kind, value):
    """By its type; of several the last that is one counts."""
    assert kind_of([value]) is kind


def test_response_without_a_type():
    """How it begins tells."""
    assert kind_of([]) is Kind.UNKNOWN
    assert kind_of(["text/plain", "text/html"]) is Kind.HTML


def document(page: bytes, *types: str, kind: Kind | None = None) -> bytes:
    found = kind or kind_of(types)
    assert found is not None
    return in_every_way(lambda: DocumentScrubber(found, types, STRICT), page)


@pytest.mark.parametrize("before", ["", "\n \t", "<!doctype html>", "\ufeff", "\ufeff\n"])
def test_page_without_a_type(before):
    """What begins with a tag may be taken for a page."""
    assert document((before + HINT).encode()) == (before + INERT).encode()


@pytest.mark.parametrize("page", ["", "p", f"text {HINT}", "{", f"%PDF {HINT}", " " * 2000 + "x" + HINT])
def test_file_without_a_type(page):
    """What begins otherwise may not."""
    assert document(page.encode()) == page.encode()


def test_xml_without_a_type():
    """It is read as what it says that it is."""
    page = f"<?xml version='1.0'?><a><!-- --!>{HINT} --></a>"
    assert document(page.encode()) == page.encode()


ENCODINGS = [
    ("utf-16", "utf-16-le", "text/html"),
    ("utf-16", "utf-16-le", "text/html; charset=utf-8"),
    ("utf-16-le", "utf-16-le", "text/html; charset=UTF-16"),
    ("utf-16-le", "utf-16-le", 'text/html; charset="utf-16le"'),
    ("utf-16-be", "utf-16-be", "text/html;charset=utf-16be"),
    ("utf-8", "utf-8", "text/html"),
    ("utf-8-sig", "utf-8", "text/html; charset=utf-16"),
    ("utf-16-le", "utf-16-le", "text/html; charset=utf-16le; charset=utf-8"),
    ("utf-16-le", "utf-16-le", 'text/html; charset=" utf-16le", text/html'),
    ("utf-8", "utf-8", 'text/html; a=";charset=utf-16"'),
    ("gb18030", "gb18030", "text/html; charset=gbk"),
    ("shift_jis", "shift_jis", "text/html; charset=shift_jis"),
]


@pytest.mark.parametrize(("encoding", "letters", "value"), ENCODINGS)
def test_encodings(encoding, letters, value):
    """A byte order mark comes before what the header says; the page keeps its encoding."""
    page = f"<p title='ソ'>表</p>{HINT}<p>ソ".encode(encoding)
    assert document(page, value) == page.replace("href".encode(letters), "xref".encode(letters))


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_wide_xml_without_a_mark(order):
    """Its declaration tells."""
    page = f"<?xml version='1.0'?><link rel='preconnect' href='{THIRD}'/>".encode(order)
    assert document(page, "text/xml") == page.replace("href".encode(order), "xref".encode(order))


def test_declaration_of_wide_xml_before_html():
    """It tells where nothing else does; where the header does, it is text."""
    begin = "<?x".encode("utf-16-le")
    for rest in (HINT.encode(), f"?>{HINT}".encode("utf-16-le")):
        for value in ("text/html", "text/html; charset=utf-8"):
            assert document(begin + rest, value) != begin + rest


@pytest.mark.parametrize("cut", range(4))
def test_part_of_a_wide_page(cut):
    """It may begin in the middle of a letter."""
    page = f"é  {HINT}".encode("utf-16-le")[cut:]
    for value in ("text/html", "text/html; charset=utf-16"):
        scrubber = DocumentScrubber(Kind.HTML, [value], STRICT, is_part=True)
        left = scrubber.feed(page) + scrubber.finish()
        assert left == page.replace("href".encode("utf-16-le"), "xref".encode("utf-16-le"))


def test_part_of_an_xml_document():
    """It may begin in a comment."""
    page = f"<!-- --><?x?> <link rel='preconnect' href='{THIRD}'/>"
    scrubber = DocumentScrubber(Kind.XML, ["text/xml;charset=utf-8"], STRICT, is_part=True)
    assert scrubber.feed(page[3:].encode()) + scrubber.finish() == page[3:].replace("href", "xref").encode()


def test_wide_page_that_ends_in_half_a_unit():
    """The last byte leaves as well."""
    page = (HINT + "é").encode("utf-16") + b"x"
    assert document(page, "text/html").endswith("é".encode("utf-16-le") + b"x")


def test_letters_that_look_like_tags_in_two_bytes_do_not_hide_any():
    """U+3C00 has the byte of a bracket in it."""
    page = ("<!--㰀-->㴀㸀" + HINT).encode("utf-16")
    assert document(page, "text/html") != page


JP = "text/html; charset=iso-2022-jp"
ESCAPED = [
    b"<title>\x1b$B<!--\x1b(B</title>{}",
    b"<!--\x1b$B-->\x1b(B -->{}",
    b"\x1b(J{}",
    b"\x1b(I<!--\x1b(B{}",
    b"\x1b$@<!--\x1b$B<!--\x1b(B{}",
    b"<p>\x1b\x1b$\x1b(X</p>{}",
]
SPLIT = [
    (b"<li\x1b(Bnk rel=preconnect href=//third.test>", b"<li\x1b(Bnk rel=preconnect xref=//third.test>"),
    (b"<link rel=pre\x1b(Jconnect hr\x1b(Bef=//third.test>", b"<link rel=pre\x1b(Jconnect xr\x1b(Bef=//third.test>"),
    (
        b'<link title=\x1b$B0>0"\x1b(B rel=preconnect href=//third.test>',
        b'<link title=\x1b$B0>0"\x1b(B rel=preconnect xref=//third.test>',
    ),
]
ESCAPED_TEXT = [
    b"<script>'{}'</script>\x1b$BHTML\x1b(B",
    b"<!-- \x1b$B-->\x1b(B {} -->",
    # Of two sequences that follow one another the second is a letter.
    b"<!-- -\x1b(B\x1b(B-> {} -->",
    b"<script>\x1b$B</script>\x1b(B'{}'</script>",
]


@pytest.mark.parametrize("value", ["text/html", JP])
@pytest.mark.parametrize("page", ESCAPED)
def test_tag_among_letters_of_iso_2022_jp(page, value):
    """What looks like a comment may be a letter, and what looks like a letter the end of a comment."""
    found = document(page.replace(b"{}", HINT.encode()), value)
    assert found == page.replace(b"{}", INERT.encode())


@pytest.mark.parametrize("value", ["text/html", JP])
@pytest.mark.parametrize(("page", "left"), SPLIT)
def test_escape_sequences_within_a_tag(page, left, value):
    """They are nothing for a browser."""
    assert document(page, value) == left


def test_mark_of_utf_8_before_iso_2022_jp():
    """It comes before what the header says."""
    page = b"\xef\xbb\xbf\x1b$B" + HINT.encode()
    assert document(page, JP) == page.replace(b"href", b"xref")


def test_document_in_an_attribute_in_iso_2022_jp():
    """It has the same letters."""
    page = f"<iframe srcdoc='\x1b$B<!--\x1b(B{HINT}'>".encode()
    assert document(page, JP) == page.replace(b"href", b"xref")


@pytest.mark.parametrize("page", ESCAPED_TEXT)
def test_text_of_iso_2022_jp(page):
    """It is not changed where the header says what it is."""
    page = page.replace(b"{}", HINT.encode())
    assert document(page, JP) == page


@pytest.mark.parametrize("value", ["text/xml", "text/xml; charset=iso-2022-jp"])
def test_xml_in_iso_2022_jp(value):
    """Comments, sections and entities may begin in a letter."""
    hint = f'<link rel="preconnect" href="{THIRD}"/>'
    for before in (
        b"\x1b$B<!--\x1b(B",
        b"\x1b$B<!DOCTYPE a [<!--\x1b(B",
        b"<!DOCTYPE a [<!ENTITY b '<c/>'>]>\x1b$B<?\x1b(B",
    ):
        left = document(b"<?xml version='1.0' encoding='iso-2022-jp'?>" + before + hint.encode(), value)
        assert left.endswith(hint.replace("href", "xref").encode())
        assert b"<c/>" not in left


@pytest.mark.parametrize("value", ["text/html", "text/html; charset=iso-2022-jp"])
def test_escapes_of_iso_2022_jp(value):
    """From the first on, bytes that look like a comment may be letters."""
    page = b"<title>\x1b$B<!--\x1b(B</title>" + HINT.encode()
    make = lambda: DocumentScrubber(Kind.HTML, [value], STRICT)  # noqa: E731
    assert scrubbed(make, [page]).endswith(INERT.encode())
    utf8 = b"<!-- \x1b(B " + HINT.encode() + b"-->"
    assert document(utf8, "text/html; charset=utf-8") == utf8


def test_part_of_a_page():
    """Whatever looks like a contacting tag is one."""
    scrubber = DocumentScrubber(Kind.HTML, ["text/html"], STRICT, is_part=True)
    assert scrubber.feed(f"--> {HINT} ".encode()) + scrubber.finish() == f"--> {INERT} ".encode()
    parts = DocumentScrubber(Kind.PARTS, [], STRICT)
    page = f"--a\r\nContent-Type: text/html\r\n\r\n<!--\r\n--a\r\n\r\n{HINT}".encode()
    assert (parts.feed(page) + parts.finish()).endswith(INERT.encode())


def test_what_was_taken_out():
    """Is told by whichever scrubber it was."""
    for value, page in (("", HINT.encode()), ("", HINT.encode("utf-16")), (JP, HINT.encode())):
        scrubber = DocumentScrubber(Kind.HTML, [value], STRICT)
        assert scrubber.removed == []
        scrubber.feed(page)
        scrubber.finish()
        assert [one.what for one in scrubber.removed] == ["preconnect"]


@given(
    st.binary(max_size=60),
    st.sampled_from(["", "text/html", "text/html;charset=utf-16", "text/xml"]),
    st.integers(0, 60),
)
def test_any_bytes(page, value, cut):
    """Never raises, the same length, cut anywhere the same."""
    kind = kind_of([value])
    assert kind is not None
    whole = scrubbed(lambda: DocumentScrubber(kind, [value], STRICT), [page])
    assert len(whole) == len(page)
    assert scrubbed(lambda: DocumentScrubber(kind, [value], STRICT), [page[:cut], page[cut:]]) == whole


TORN = b"<![CDATA[ \x83]]> <!-- ]]>%b<!-- -->"
TORN_HINT = b'<link rel="preconnect" href="//third.test"/>'


@pytest.mark.parametrize(
    ("kind", "types", "page"),
    [
        (Kind.HTML, ["text/html;charset=shift_jis"], b"<svg>" + TORN),
        (Kind.HTML, ["text/html"], b"<svg>" + TORN),
        (Kind.XML, ["text/xml;charset=gbk"], b"<x>" + TORN),
        (Kind.XML, ["text/xml"], b'<?xml version="1.0" encoding="Big5"?><x>' + TORN),
    ],
)
def test_bracket_that_may_be_half_a_letter(kind, types, page):
    """A CDATA section may end there or later: whatever looks like a tag from there on is judged."""
    page = page % TORN_HINT
    assert in_every_way(lambda: DocumentScrubber(kind, types, STRICT), page) == page.replace(b"href", b"xref")


@pytest.mark.parametrize(
    ("kind", "types", "page"),
    [
        (Kind.HTML, ["text/html;charset=utf-8"], b"<svg>" + TORN),
        (Kind.XML, ["text/xml"], b"<x>" + TORN),
        (Kind.XML, ["text/xml"], b'<?xml version="1.0" encoding="UTF-8"?><x>' + TORN),
        (Kind.XML, ["text/xml"], b'<?xml version="1.0"' + b" " * 2000 + b"?><x>" + TORN),
    ],
)
def test_bracket_that_is_one(kind, types, page):
    """Text in a comment is text."""
    page = page % TORN_HINT
    assert in_every_way(lambda: DocumentScrubber(kind, types, STRICT), page) == page


PART = b"--x\r\nContent-Type: %b\r\n\r\n%b\r\n--x--"


@pytest.mark.parametrize("kind", [b"text/xml", b"IMAGE/SVG+XML", b"text/html; charset=utf-16", b"x"])
def test_part_of_another_kind(kind):
    """Is none that a browser knows; what is in it is scrubbed as the rest is."""
    page = PART % (kind, b'<?xml version="1.0"?><p>x</p>')
    left = PART % (b"-" + kind[1:], b'<?xxx version="1.0"?><p>x</p>')
    assert in_every_way(lambda: DocumentScrubber(Kind.PARTS, [], STRICT), page) == left


def test_part_in_utf_16():
    """Its mark goes, and with it all meaning."""
    page = PART % (b"text/html", b"\xff\xfe<\0p\0>\0")
    assert in_every_way(lambda: DocumentScrubber(Kind.PARTS, [], STRICT), page) == page.replace(b"\xff\xfe", b"  ")


@pytest.mark.parametrize("kind", [b"image/jpeg", b"image/png;x=y", b"text/html"])
def test_parts_that_are_shown(kind):
    """Cameras send pictures, and old chats pages."""
    page = PART % (kind, b"\xff\xd8\r\ncontent x")
    assert in_every_way(lambda: DocumentScrubber(Kind.PARTS, [], STRICT), page) == page
