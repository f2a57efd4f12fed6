"""Tests of what single tags would make a browser do, and how they are kept from it."""

from __future__ import annotations

import dataclasses
import functools
import re

import pytest

from privguard._html import HtmlScrubber
from scrubbing import BOARDS, CDN, LOOSE, STRICT, in_every_way, scrubbed

FAR = "https://third.test/x"


def html(page: str, view=STRICT) -> str:
    return in_every_way(functools.partial(HtmlScrubber, view), page.encode()).decode()


INERT = [
    ("<link rel=preconnect href={}>", "href"),
    ("<link rel=dns-prefetch href={}>", "href"),
    ("<link rel='alternate stylesheet' href={}>", "href"),
    ("<link rel='shortcut icon' href={}>", "href"),
    ("<link rel=manifest href={}>", "href"),
    ("<link rel=modulepreload href={}>", "href"),
    ("<link rel=preload as=image imagesrcset='/a 1x, {} 2x'>", "imagesrcset"),
    ("<iframe src={}></iframe>", "src"),
    ("<frameset><frame src={}>", "src"),
    ("<embed src={}>", "src"),
    ("<object data={}>", "data"),
    ("<object codebase={}>", "codebase"),
    ("<portal src={}>", "src"),
    ("<fencedframe src={}>", "src"),
    ("<base href={}>", "href"),
    ("<meta http-equiv=Refresh content='0; url={}'>", "http-equiv"),
    ("<meta http-equiv=refresh content='0;URL=\"{}\"'>", "http-equiv"),
    ("<meta http-equiv=refresh content='0,{}'>", "http-equiv"),
    ("<meta http-equiv=set-cookie content='a=b'>", "http-equiv"),
    ("<meta http-equiv=x-dns-prefetch-control content=on>", "http-equiv"),
    ("<meta http-equiv=delegate-ch content='sec-ch-ua {}'>", "http-equiv"),
    ("<meta http-equiv=accept-ch content=sec-ch-ua-model>", "http-equiv"),
    ("<meta http-equiv=origin-trial content=QUJD>", "http-equiv"),
    ("<meta http-equiv=link content='<{}>; rel=preconnect'>", "http-equiv"),
    ("<a href=/x ping={}>", "ping"),
    ("<area href=/x ping='/own {}'>", "ping"),
    ("<svg><a ping={}></a></svg>", "ping"),
    ("<a href=/x attributionsrc={}>", "attributionsrc"),
    ("<img src=/x attributionsrc=/y>", "attributionsrc"),
]
NOWHERE = [
    ("<form action={}>", "action"),
    ("<form method=post action=' {} '>", "action"),
    ("<button formaction={}>", "formaction"),
    ("<input type=image formaction={}>", "formaction"),
]
LEFT_ALONE = [
    "<a href={}>",
    "<area href={}>",
    "<link rel=canonical href={}>",
    "<link rel=license href={}>",
    "<link rel='alternate author' href={}>",
    "<link href={}>",
    "<link rel=preconnect>",
    "<link rel=preconnect href=/own>",
    "<link rel=preconnect href=https://www.own.test>",
    "<link rel=stylesheet href=/a.css>",
    "<iframe src=/own></iframe>",
    "<iframe></iframe>",
    "<iframe src=about:blank></iframe>",
    "<form action=/x method=post>",
    "<form>",
    "<base href=/x/>",
    "<base target=_blank>",
    "<meta charset=utf-8>",
    "<meta name=viewport content='width=device-width'>",
    "<meta name=referrer content=unsafe-url>",
    "<meta property=og:image content={}>",
    "<meta http-equiv=refresh content='5; url=/next'>",
    "<meta http-equiv=refresh content=5>",
    "<meta http-equiv=content-type content='text/html; charset=utf-8'>",
    "<meta http-equiv=content-security-policy content=\"default-src 'self'; report-uri /own\">",
    "<meta http-equiv=x-dns-prefetch-control content=off>",
    "<a href=/x ping=/own>",
    "<script src={}></script>",
    "<script type=module></script>",
    "<img src={} width=1>",
    "<img src=/x attributionsrc>",
    "<img src={}>",
    "<video src={}></video>",
]


@pytest.mark.parametrize(("tag", "attribute"), INERT)
def test_attribute_means_nothing_any_more(tag, attribute):
    """Its name has another first letter; all the rest is as it was."""
    page = tag.replace("{}", FAR)
    assert html(page) == page.replace(attribute, "x" + attribute[1:])


@pytest.mark.parametrize(("tag", "attribute"), NOWHERE)
def test_form_leads_nowhere(tag, attribute):
    """A form without its address would be sent to the page itself; with a scheme that nobody serves it is not sent."""
    assert html(tag.replace("{}", FAR)) == tag.replace("{}", "x:tps://third.test/x")
    assert html(tag.replace("{}", "//third.test")) == tag.replace("{}", "x:third.test")
    assert html(tag.replace("{}", "///third.test")) == tag.replace("{}", "x:_third.test")


@pytest.mark.parametrize("tag", LEFT_ALONE)
def test_tag_is_left_alone(tag):
    """It contacts nobody, or a Content-Security-Policy speaks of it, or a visitor has to click."""
    page = tag.replace("{}", FAR)
    assert html(page) == page


def test_speculation_rules_are_data():
    """Without a type they would be a script."""
    assert html("<script type=' SpeculationRules '>{}</script>") == "<script type=' x:eculationRules '>{}</script>"


@pytest.mark.parametrize(
    "tag", ["<iframe src={}></iframe>", "<form action={}>", "<link rel=icon href={}>", "<base href={}>"]
)
def test_what_the_policy_admits_is_left_alone(tag):
    """Its directive says so; a hint has none."""
    page = tag.replace("{}", "https://video.test/1")
    assert html(page, LOOSE) == page
    assert html(page) != page
    assert (
        html("<link rel=preconnect href=https://video.test>", LOOSE) == "<link rel=preconnect xref=https://video.test>"
    )


POLICY = "<meta http-equiv=Content-Security-Policy content=\"img-src 'self'; {}\">"


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("report-to a", "xeport-to a"),
        ("REPORT-TO a; report-to b", "xEPORT-TO a; xeport-to b"),
        ("&#114;&#x65;port-to a", "&#114;&#x65;xort-to a"),
    ],
)
def test_policy_in_a_page_reports_to_nobody(written, left):
    """All else that it says stays: a browser passes over a directive that it does not know."""
    assert html(POLICY.replace("{}", written)) == POLICY.replace("{}", left)


def test_policy_in_a_page_that_is_spelled_to_be_missed():
    """No letter of the directive is there to be changed: the tag goes."""
    page = POLICY.replace("{}", "".join(f"&#{ord(letter)};" for letter in "report-to") + " a")
    assert html(page) == page.replace("http-equiv", "xttp-equiv")


@pytest.mark.parametrize("tag", ["<iframe src='{}'></iframe>", "<embed src='{}'>", "<object data='{}'>"])
def test_document_in_a_url(tag):
    """Nobody can see what it refers to: even where the policy would admit it."""
    for document in ("data:text/html,x", " DA\tTA:image/svg+xml,x", "data:,x", "data:;base64,AA=="):
        page = tag.replace("{}", document)
        assert html(page, LOOSE) != page
        assert html(page, dataclasses.replace(LOOSE, blocks_nothing=True)) == page  # while a policy is tried out
    for picture in ("data:image/png;base64,AA==", "data:text/plain,x"):
        page = tag.replace("{}", picture)
        assert html(page, LOOSE) == page


FOCUSED = [
    "<a href={} autofocus>x</a>",
    "<a AUTOFOCUS href={}>x</a>",
    "<a href={} autoFocus=''>x</a>",
    "<p>x</p><area href={} autofocus>",
    "<svg><a xlink:href={} autofocus tabindex=0></a></svg>",
    "<math autofocus href={}><mi>x</mi></math>",
]


@pytest.mark.parametrize("tag", FOCUSED)
def test_link_that_takes_the_focus(tag):
    """Firefox would connect before anybody clicks: it takes none, and leads where it led."""
    page = tag.replace("{}", FAR)
    assert html(page) == re.sub("(?i)(?<![a-z])a(?=utofocus)", "x", page)
    for left in (tag.replace("{}", "/own"), f"<input autofocus><a href={FAR}>x</a>"):
        assert html(left) == left


HIDDEN = """
width=1|height=0|width=' +0.5 '|width=1px|hidden|hidden=until-found|style=display:none|style='DISPLAY : NONE'
style=visibility:hidden|style=opacity:0|style='opacity: .0'|style=width:1px|style='max-height:0;color:red'
style=left:-9999px|style='position:absolute;text-indent:-10000px'|style='clip:rect(0 0 0 0)'
style='clip-path: inset(50%)'|style='transform:scale(0)'|style='visi/**/bility:hid/* */den'
style=content-visibility:hidden"""
SHOWN = """
width=2|width=100|height=''|width=100%|width=x|style=opacity:0.5|style=opacity:1|style=width:10px|style=width:1em
style=width:100%|style=width:auto|style=border-left-width:0|style='left:-10px'|style='display:block'|alt=hidden"""


def listed(text: str) -> list[str]:
    return text.strip().replace("\n", "|").split("|")


@pytest.mark.parametrize("how", listed(HIDDEN))
def test_hidden_image_of_another_site(how):
    """It is there to count who looks at the page."""
    for tag, name in ((f"<img src={FAR} {how}>", "src"), (f"<input type=image src={FAR} {how}>", "src")):
        assert html(tag, BOARDS) == tag.replace(f" {name}=", f" x{name[1:]}=")
    assert html(f"<img src=/own {how}>", BOARDS) == f"<img src=/own {how}>"


@pytest.mark.parametrize("how", listed(SHOWN))
def test_picture_of_another_site(how):
    """Users may link to one."""
    assert html(f"<img src={FAR} {how}>", BOARDS) == f"<img src={FAR} {how}>"


BUGS = [
    ("<img srcset='/a 1x, {} 2x' src=/own width=1>", ("srcset", "src")),
    ("<picture hidden><source srcset={}><img src=/own></picture>", ("srcset",)),
    ("<div style=display:none><p><img src={}></p></div>", ("src",)),
    ("<div hidden><div></div><img src={}></div>", ("src",)),
    ("<noscript><img src={} height=1></noscript>", ("src",)),
    ("<div hidden><noscript><img src={}></noscript></div>", ("src",)),
    ("<div hidden><noscript></div></noscript><img src={}></div>", ("src",)),
    ("<p>x</p><div STYLE='display:none' title='>'><img src={}></div>", ("src",)),
    ("<p><img\nsrc={} width=1>", ("src",)),
    ("<template><img src={}></template>", ("src",)),
    ("<video poster={} width=1>", ("poster",)),
    ("<table><tr><td background={} width=1>", ("background",)),
    ("<svg><image href={} width=1 /></svg>", ("href",)),
    ("<svg style=display:none><image href={} width=9 /></svg>", ("href",)),
    ("<svg><g style=opacity:0><path/><image href={} width=9 /></g></svg>", ("href",)),
    ("<p hidden><b>x</b><img src={}>", ("src",)),
    ("<li hidden><img src={}>", ("src",)),
    ("<x-y hidden><img src={}></x-y>", ("src",)),
    ("<svg><image xlink:href={} height=1 /></svg>", ("xlink:href",)),
    ("<iframe hidden srcdoc='<img src={}>'></iframe>", ("src",)),
    ("<iframe width=1 srcdoc='<p>x</p><img src={}>'></iframe>", ("src",)),
    ("<div hidden><iframe srcdoc='</div><img src={}>'></iframe>", ("src",)),
    ("<details><summary>x</summary><img src={}></details>", ("src",)),
    ("<dialog><img src={}></dialog>", ("src",)),
    ("<div popover><img src={}></div>", ("src",)),
    ("<div POPOVER=manual><img src={}></div>", ("src",)),
    ("<video><img src={}></video>", ("src",)),
    ("<canvas><img src={}></canvas>", ("src",)),
    ("<datalist id=x><img src={}></datalist>", ("src",)),
    ("<svg width=0 height=0><image href={} width=9 height=9 /></svg>", ("href",)),
    ("<svg><defs><image href={} width=9 /></defs></svg>", ("href",)),
    ("<svg><symbol id=a><image href={} width=9 /></symbol></svg>", ("href",)),
    ("<svg><filter id=a><feImage href={} /></filter></svg>", ("href",)),
    ("<svg><g display=none><image href={} width=9 /></g></svg>", ("href",)),
    ("<svg><image href={} width=9 opacity=0 /></svg>", ("href",)),
    ("<svg><image href={} width=9 transform=scale(0) /></svg>", ("href",)),
    ("<math><mphantom><mtext><img src={}></mtext></mphantom></math>", ("src",)),
    ("<img srcset='{} 100w' sizes=1px>", ("srcset",)),
    ("<ul><li hidden><ul><li>x</ul><img src={}></ul>", ("src",)),
    ("<table><tr hidden><td><table><tr><td>x</table><img src={}></table>", ("src",)),
    ("<div style='background: url({}); width: 1px'>x</div>", ("style",)),
    ("<svg><script><b></script><g display=none><image href={} width=9 /></g></svg>", ("href",)),
]


@pytest.mark.parametrize(("page", "names"), BUGS)
def test_hidden_image_wherever_it_is(page, names):
    """In a hidden element, a source set, a poster, a background."""
    page = page.replace("{}", FAR)
    left = html(page, BOARDS)
    assert left != page
    for name in names:
        assert f" {name}=" not in left


def test_picture_behind_what_is_hidden():
    """The hidden element has ended."""
    page = f"<div hidden><div></div></div><ul><li hidden>x<li>y</ul><p hidden>x<p><br hidden><img src={FAR}>"
    assert html(page, BOARDS) == page


ENDED = [
    "<ul><li hidden>x</ul><img src={}>",
    "<ul><li hidden><ul><li>x</ul></ul><img src={}>",
    "<dl><dt hidden>x<dd><img src={}></dl>",
    "<table><tr><td hidden>x<td><img src={}></table>",
    "<table><tr><td hidden>x<tr><td><img src={}></table>",
    "<table><tr><td hidden><table><tr><td>x</table></table><img src={}>",
    "<details open><summary>x</summary><img src={}></details>",
    "<dialog open><img src={}></dialog>",
    "<details><summary>x</summary></details><img src={}>",
    "<svg width=20 height=20><defs><path/></defs><image href={} width=9 /></svg>",
    "<svg><defs/><image href={} width=9 /></svg>",
    "<table><tr><td width=1><img src={}></table>",
    "<table><tr><td style='width:1px'><img src={}></table>",
    "<div style='background: url({}); width: 100px'>x</div>",
    "<iframe srcdoc='<img src={}>'></iframe>",
    "<div hidden><ul><li>a<li>b</ul><p>x</div><img src={}>",
    "<x-y hidden><ul><li>a<li>b</ul></x-y><img src={}>",
    "<li hidden><p>x<li><img src={}>",
    "<p hidden>x</p><details open><img src={}></details>",
]


@pytest.mark.parametrize("page", ENDED)
def test_picture_beside_what_is_hidden(page):
    """What hides has ended before, or is open, or does not hide at all."""
    page = page.replace("{}", FAR)
    assert html(page, CDN) == page


STUCK = [
    "<span hidden><div></span><img src={}>",
    "<div hidden><table><tr><td></div><img src={}>",
    "<canvas><div></canvas><img src={}>",
    "<p hidden><button><p></p><img src={}>",
    "<li hidden><section><li></li><img src={}>",
    "<body hidden></body><img src={}>",
    "<html hidden></html><img src={}>",
    "<a hidden/><img src={}>",
    "<g hidden/><img src={}>",
    "<progress><p></progress><img src={}>",
    "<x-y hidden><p></x-y><img src={}>",
    "<div><template shadowrootmode=open></template><img src={}></div>",
    "<ul><li hidden>x</ol><div hidden><b></div></b><img src={}>",
    f"{'<b>' * 600}<div hidden>{'<i>' * 600}</div><img src={{}}>",
]


@pytest.mark.parametrize("page", STUCK)
def test_tags_that_are_not_nested_as_they_should_be(page):
    """What is hidden may go on for a browser: so it does."""
    page = page.replace("{}", FAR)
    assert scrubbed(functools.partial(HtmlScrubber, CDN), [page.encode()]).decode() == page.replace(
        "img src", "img xrc"
    )


NO_LINKED_PICTURES = [
    ("<svg width=20 height=20><image href={} width=9 height=9 /></svg>", "href"),
    ("<svg><feImage xlink:href={} /></svg>", "xlink:href"),
    ("<img srcset='{} 1000x' src=/own>", "srcset"),
    ("<picture><source srcset={}><img src=/own></picture>", "srcset"),
    ("<table background={}><tr><td>x</table>", "background"),
]


@pytest.mark.parametrize(("page", "name"), NO_LINKED_PICTURES)
def test_users_pictures_are_plain_ones(page, name):
    """An <img> with a src is what a user links to; where it is only the site that may show some, all stay."""
    page = page.replace("{}", FAR)
    assert html(page, BOARDS) == page.replace(f" {name}=", f" {name[:-4]}xref=" if "href" in name else f" x{name[1:]}=")
    assert html(page, CDN) == page


def test_animation_of_a_reference():
    """It would show another picture, in SVG; of a link it leads elsewhere, when somebody clicks."""
    page = f"<svg><set attributeName=xlink:href to={FAR} /><set attributeName=x to=3 /></svg>"
    assert html(page, CDN) == page.replace("attributeName=xlink", "xttributeName=xlink")
    assert html(page) == page


def test_users_images_get_no_referrer():
    """Whatever the page says; of its own images nothing is taken."""
    page = f"<img src={FAR} referrerpolicy=unsafe-url><img src=/own referrerpolicy=origin><meta name=Referrer>"
    left = page.replace(f"{FAR} referrerpolicy", f"{FAR} xeferrerpolicy").replace("name", "xame")
    assert html(page, BOARDS) == left


@pytest.mark.parametrize("tag", ["<link rel=icon href={}>", "<link rel=preload as=image href={}>"])
def test_users_images_are_images_alone(tag):
    """That they may come from anywhere admits no icon and no preload."""
    assert html(tag.replace("{}", FAR), BOARDS) == tag.replace("{}", FAR).replace("href", "xref")
