"""Tests of what counts as an image that nobody sees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard._markup import Tag, whole_tag
from privguard._styles import hides_by_style, style_urls
from privguard._visibility import Hiding, hides, is_tiny

HIDDEN = """
display:none|display:none!important|d\\69splay:none|DISPLAY:\\6eone|color:red;display : none|;;display:none
visibility:hidden|visibility:collapse|content-visibility:hidden|opacity:0|opacity:0%|opacity:.01|opacity:1e-9
opacity:calc(0 * 1)|opacity:var(--x)|opacity:-1|width:0|width:1px|width:.5pt|width:0%|width:0.01em|width:1e-3cm
height:calc(1px)|width:min(1px,100%)|width:max(0px,1px)|width:clamp(0px,1px,1px)|width:calc(100px - 99px)
max-width:0|max-height:1px|inline-size:0|max-block-size:0|left:-9999px|text-indent:-1000em|margin:-9999px 0 0
margin-left:-100vw|inset:-200px auto auto|inset-inline-start:-999px|left:calc(-1 * 9999px)|top:9999px
clip:rect(0 0 0 0)|clip:rect(1px,1px,1px,1px)|clip-path:inset(50%)|clip-path:inset(0 0 100% 0)|clip-path:circle(0)
clip-path:polygon(0 0,0 0,0 0)|-webkit-clip-path:inset(100%)|transform:scale(0)|transform:scale(0.001)
transform:scaleX(0)|transform:rotate(3deg) scale3d(1,0,1)|transform:matrix(0,0,0,0,0,0)|transform:rotateY(90deg)
transform:translateX(-9999px)|transform:translate(-200%)|-webkit-transform:scale(0)|transform:matrix(1,1,1,1,0,0)
transform:matrix3d(0,0,0,0,0,0,0,0,0,0,1,0,0,0,0,1)|scale:0|scale:0 1|zoom:0|zoom:1%|translate:-5000px
filter:opacity(0)|filter:blur(1px) opacity(0%)|object-position:-9999px 0|mask-size:0|-webkit-mask-size:1px
display/**/:none|x{};display:none|{display:none}"""

SHOWN = """
|display:block|display:inline-block|visibility:visible|opacity:1|opacity:.5|opacity:50%|width:2px|width:100px
width:100%|width:50%|width:auto|width:calc(100% - 2px)|max-width:min(100%,600px)|width:1em|width:calc(20px + 1em)
max-width:none|max-height:80vh|height:fit-content|left:-10px|margin:0 auto|margin:-1px|margin:0|top:100px|inset:0
text-indent:0|text-indent:2em|clip:auto|clip-path:none|clip-path:circle(50%)|clip-path:inset(5px)|clip-path:url(#a)
transform:none|transform:scale(1.1)|transform:rotate(90deg)|transform:matrix(0,1,-1,0,0,0)|transform:translate(-50%,-50%)
scale:1|zoom:1|filter:blur(2px)|filter:opacity(1)|transform:rotateY(20deg)|transform:skew(5deg)|filter:grayscale(100%)
border-left-width:0|line-height:0|font-size:0|letter-spacing:-1px|x-display:none|display|:none|content:"display none"
min-width:0|object-fit:cover|object-position:50% 50%|margin-left:calc(50% - 100px)|width:fit-content(50%)
transform:matrix(1,0,0,1,5,5)|transform:matrix(1)|background-position:-20px 0|color:#010001|width:"""


def listed(text: str) -> list[str]:
    return text.strip("\n").replace("\n", "|").split("|")


@pytest.mark.parametrize("style", listed(HIDDEN))
def test_style_that_hides(style):
    """No display, no area, no shade, or far outside of the screen."""
    assert hides_by_style(style)


@pytest.mark.parametrize("style", listed(SHOWN))
def test_style_that_shows(style):
    """Whoever looks at the page sees the picture."""
    assert not hides_by_style(style)


def test_part_of_a_table_is_as_wide_as_its_content():
    """A narrow column is a usual trick of layout; one without display is hidden all the same."""
    assert not hides_by_style("width: 1px", is_sized_by_content=True)
    assert hides_by_style("width: 1px; display: none", is_sized_by_content=True)


@pytest.mark.parametrize("length", ["0", "1", " +1", "0.5", "1px", "0%", "1.0", ".2", "1em", "1 cm"])
def test_length_of_a_pixel(length):
    """A dimension in an attribute."""
    assert is_tiny(length)


@pytest.mark.parametrize("length", [None, "", "2", "100", "100%", "x", "auto", ".", "20px", "-", "2em"])
def test_length_of_a_picture(length):
    """Two pixels and more, or none that is known."""
    assert not is_tiny(length)


def test_length_in_svg():
    """It has units, which HTML does not read."""
    assert not is_tiny("1em", has_unit=True)
    assert not is_tiny("1cm", has_unit=True)
    assert is_tiny("1", has_unit=True)
    assert is_tiny("0.1mm", has_unit=True)


def test_urls_of_a_style():
    """However they are written; text that is none is no harm."""
    style = r"background: u\72l('https://a.test/1') , URL(  //b.test/2  ); x: image-set(\"https://c.test/3\" 1x)"
    assert [url.strip() for url in style_urls(style)] == ["https://a.test/1", "//b.test/2", "https://c.test/3"]
    assert style_urls("color: red") == []


@given(st.text())
def test_any_style_is_judged(style):
    """No text makes the judgement fail."""
    assert hides_by_style(style) in (True, False)
    assert is_tiny(style) in (True, False)
    style_urls(style)


@given(st.text(alphabet="0123456789.-+e%px(),calmind/* #:;scale", max_size=60))
def test_any_number_is_judged(value):
    """Nor do numbers of any size."""
    for name in ("width", "left", "opacity", "transform", "clip-path", "filter"):
        assert hides_by_style(f"{name}:{value}") in (True, False)


def tag_of(text: str) -> Tag:
    tag = whole_tag(text.encode(), 0, len(text))
    assert tag is not None
    return tag


@pytest.mark.parametrize(
    "text",
    "<p hidden>|<p hidden=''>|<div popover>|<details>|<dialog>|<svg width=0>|<svg height=1px>|<g display=none>".split(
        "|"
    ),
)
def test_tag_that_hides(text):
    """By an attribute, or the lack of one."""
    assert hides(tag_of(text))


@pytest.mark.parametrize("text", "<p>|<details open>|<td width=1>|<svg width=100%>|<g display=inline>".split("|"))
def test_tag_that_shows(text):
    """What stands in it is to be seen."""
    assert not hides(tag_of(text))


def test_element_of_xml_may_be_empty():
    """There, the slash means that nothing is in it, and no end tag is left out."""
    hiding = Hiding(is_xml=True)
    hiding.open(tag_of("<p hidden=''/>"))
    assert not hiding.is_open
    hiding.open(tag_of("<li hidden=''>"))
    hiding.open(tag_of("<li>"))
    hiding.close(b"li")
    assert hiding.is_open
    hiding.close(b"li")
    assert not hiding.is_open


def test_document_in_something_hidden():
    """No end tag of its own shows it."""
    hiding = Hiding(is_open=True)
    hiding.open(tag_of("<p>"))
    hiding.close(b"p")
    hiding.close(b"div")
    assert hiding.is_open
