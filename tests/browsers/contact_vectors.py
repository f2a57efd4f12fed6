"""Ways in which a page makes a browser contact a third party although a strict policy forbids every load.

One vector is one page. In markup, header fields and files FAR is the address of a third party that no other vector
names, HOST its host and port alone, and NAME the vector's name.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Vector:
    """One way to make contact."""

    group: str
    name: str
    page: str
    kind: str | None = "text/html"
    """Its Content-Type; None for a page without one."""
    fields: Fields = ()
    """More header fields of the page."""
    early: str = ""
    """A Link field that is sent before the page (103 Early Hints)."""
    status: int = 200
    files: Mapping[str, tuple[str, str, Fields]] = field(default_factory=dict)
    """The page's own files: their type, their text, more header fields."""
    encode: Callable[[str], bytes] = str.encode
    is_streamed: bool = False
    """The app gives its bytes one by one."""
    is_in_tab: bool = False
    """It works only in a tab of its own, not in a frame."""
    is_exempt: bool = False
    """What the visitor, the app or its own script decides, and no middleware prevents."""

    @property
    def label(self) -> str:
        """Its name among all vectors, fit for a host name."""
        return f"{self.group}-{self.name}"


GROUPS = {
    "kind": "`<link>` hints: preconnect, dns-prefetch, prefetch, preload, modulepreload",
    "spell": "the same tag in every spelling that a browser understands",
    "place": "the same tag at odd places: after comments, scripts and text, inside tables, SVG, MathML, shadow roots",
    "base": "`<base href>`, which makes every address foreign",
    "srcdoc": "a page inside an attribute (`srcdoc`)",
    "doc": "XHTML, SVG, XML that holds a page, entities and default attributes",
    "type": "error pages, pages without or with an odd Content-Type",
    "code": "UTF-16 and other encodings, compressed pages, pages that arrive byte by byte",
    "frame": "frames, objects and embeds",
    "form": "forms that a script of the site's own sends",
    "go": "pages that lead on by themselves: meta refresh and the `Refresh` header",
    "look": "addresses of links, looked up before anybody clicks",
    "link": "`Link` header fields, on pages and on the files that they load",
    "report": "reports of what a policy blocked",
    "early": "103 Early Hints",
    "rules": "speculation rules, and other hints of scripts and headers",
    "bug": "hidden images on pages where users may link to images",
    "own": "**exempt**: redirects of the app's own, what its own script does, images that users may show",
}
HINT = '<link rel="preconnect" href="FAR/">'


def whole(head: str = "", body: str = "") -> str:
    """Return a page with something in it."""
    return f"<!doctype html><html><head><title>x</title>{head}</head><body><p>x</p>{body}</body></html>"


def in_head(group: str, tags: Mapping[str, str]) -> list[Vector]:
    return [Vector(group, name, whole(tag)) for name, tag in tags.items()]


def in_body(group: str, markup: Mapping[str, str]) -> list[Vector]:
    return [Vector(group, name, whole("", html)) for name, html in markup.items()]


def whole_pages(group: str, pages: Mapping[str, str]) -> list[Vector]:
    return [Vector(group, name, page.replace("HINT", HINT)) for name, page in pages.items()]


def own_script(code: str) -> Mapping[str, tuple[str, str, Fields]]:
    return {"run.js": ("text/javascript", code, ())}


RUN = '<script src="run.js"></script>'

KINDS = in_head(
    "kind",
    {
        "preconnect": HINT,
        "preconnect-https": '<link rel="preconnect" href="https://HOST/">',
        "preconnect-crossorigin": '<link rel="preconnect" href="FAR/" crossorigin>',
        "preconnect-credentials": '<link rel="preconnect" href="FAR/" crossorigin="use-credentials">',
        "dns-prefetch": '<link rel="dns-prefetch" href="FAR/">',
        "dns-prefetch-https": '<link rel="dns-prefetch" href="https://HOST/">',
        "dns-prefetch-scheme-less": '<link rel="dns-prefetch" href="//HOST/">',
        "dns-prefetch-preconnect": '<link rel="dns-prefetch preconnect" href="FAR/">',
        "preconnect-dns-prefetch": '<link rel="preconnect dns-prefetch" href="FAR/">',
        "preconnect-stylesheet": '<link rel="preconnect stylesheet" href="FAR/x.css">',
        "preconnect-icon": '<link rel="icon preconnect" href="FAR/x.png">',
        "preconnect-canonical": '<link rel="canonical preconnect" href="FAR/">',
        "preconnect-alternate": '<link rel="alternate preconnect" type="text/html" href="FAR/">',
        "prefetch": '<link rel="prefetch" href="FAR/x.html">',
        "prefetch-as": '<link rel="prefetch" as="script" href="FAR/x.js">',
        "preload-image": '<link rel="preload" as="image" href="FAR/x.png">',
        "preload-srcset": '<link rel="preload" as="image" imagesrcset="FAR/x.png 1x" href="/x.png">',
        "preload-script": '<link rel="preload" as="script" href="FAR/x.js">',
        "preload-style": '<link rel="preload" as="style" href="FAR/x.css">',
        "preload-font": '<link rel="preload" as="font" crossorigin href="FAR/x.woff2">',
        "preload-fetch": '<link rel="preload" as="fetch" crossorigin href="FAR/x.json">',
        "modulepreload": '<link rel="modulepreload" href="FAR/x.js">',
        "stylesheet": '<link rel="stylesheet" href="FAR/x.css">',
        "media": '<link rel="preconnect" media="print" href="FAR/">',
        "disabled": '<link rel="preconnect" disabled href="FAR/">',
    },
)

SPELLINGS = in_head(
    "spell",
    {
        "upper": '<LINK REL="PRECONNECT" HREF="FAR/">',
        "mixed": '<lInK rEl="PreConnect" hReF="FAR/">',
        "single-quotes": "<link rel='preconnect' href='FAR/'>",
        "unquoted": "<link rel=preconnect href=FAR>",
        "unquoted-slash": "<link rel=preconnect href=FAR/>",
        "self-closing": '<link rel="preconnect" href="FAR/"/>',
        "slashes-between": '<link/rel="preconnect"/href="FAR/">',
        "slashes-many": '<link///rel="preconnect"///href="FAR/"//>',
        "no-space-between": '<link rel="preconnect"href="FAR/">',
        "spaces-around": '<link rel = "preconnect" href\n=\n"FAR/" >',
        "newlines-between": '<link\nrel="preconnect"\nhref="FAR/"\n>',
        "tabs-between": '<link\trel="preconnect"\thref="FAR/"\t>',
        "form-feeds-between": '<link\frel="preconnect"\fhref="FAR/"\f>',
        "carriage-returns-between": '<link\rrel="preconnect"\rhref="FAR/"\r>',
        "tokens": '<link rel="x preconnect y" href="FAR/">',
        "tokens-tab": '<link rel="x\tpreconnect\ty" href="FAR/">',
        "tokens-newline": '<link rel="x\npreconnect\n" href="FAR/">',
        "tokens-form-feed": '<link rel="\fpreconnect\f" href="FAR/">',
        "href-first": '<link href="FAR/" rel="preconnect">',
        "first-of-two-rel": '<link rel="preconnect" rel="canonical" href="FAR/">',
        "first-of-two-href": '<link rel="preconnect" href="FAR/" href="/x">',
        "first-of-three-cases": '<link REL="preconnect" rel="canonical" HREF="FAR/" href="/x">',
        "equals-sign-name": '<link ="x" rel="preconnect" href="FAR/">',
        "quote-in-name": '<link a"b rel="preconnect" href="FAR/">',
        "quotes-as-names": '<link " \' rel="preconnect" href="FAR/">',
        "less-than-in-name": '<link <a rel="preconnect" href="FAR/">',
        "greater-than-in-value": '<link title=">" rel="preconnect" href="FAR/">',
        "greater-than-in-single": "<link title='a>b' rel='preconnect' href='FAR/'>",
        "empty-value": '<link title="" rel="preconnect" href="FAR/">',
        "unquoted-with-quote": '<link title=a"b rel="preconnect" href="FAR/">',
        "unquoted-with-less-than": '<link title=a<b rel="preconnect" href="FAR/">',
        "nul-in-value": '<link title="a\0b" rel="preconnect" href="FAR/">',
        "nul-in-name": '<link a\0b="x" rel="preconnect" href="FAR/">',
        "end-of-namesake": '</link><link rel="preconnect" href="FAR/"></link>',
        "reference-rel": '<link rel="&#112;reconnect" href="FAR/">',
        "reference-rel-hex": '<link rel="pre&#x63;onnect" href="FAR/">',
        "reference-rel-bare": '<link rel="pre&#99onnect" href="FAR/">',
        "reference-rel-tab": '<link rel="x&Tab;preconnect" href="FAR/">',
        "reference-rel-newline": '<link rel="x&NewLine;preconnect" href="FAR/">',
        "reference-rel-unquoted": "<link rel=&#x70;reconnect href=FAR>",
        "reference-scheme": '<link rel="preconnect" href="&#104;ttp://HOST/">',
        "reference-colon": '<link rel="preconnect" href="http&colon;//HOST/">',
        "reference-slashes": '<link rel="preconnect" href="http:&sol;&sol;HOST/">',
        "reference-zeros": '<link rel="preconnect" href="http&#0000058;//HOST/">',
        "reference-hex-bare": '<link rel="preconnect" href="http:&#x2f&#x2F;HOST/">',
        "reference-backslash": '<link rel="preconnect" href="http:&bsol;&bsol;HOST/">',
        "reference-tab": '<link rel="preconnect" href="ht&Tab;tp://HOST/">',
        "tab-in-scheme": '<link rel="preconnect" href="ht\ttp://HOST/">',
        "newline-in-slashes": '<link rel="preconnect" href="http:/\n/HOST/">',
        "blanks-before": '<link rel="preconnect" href="  \n FAR/ ">',
        "controls-before": '<link rel="preconnect" href="\x01\x1fFAR/">',
        "scheme-less": '<link rel="preconnect" href="//HOST/">',
        "scheme-less-backslashes": '<link rel="preconnect" href="\\\\HOST/">',
        "scheme-less-mixed": '<link rel="preconnect" href="/\\HOST/">',
        "scheme-less-tab": '<link rel="preconnect" href="/\t/HOST/">',
        "scheme-less-unquoted": "<link rel=preconnect href=//HOST>",
        "backslashes": '<link rel="preconnect" href="http:\\\\HOST\\">',
        "three-slashes": '<link rel="preconnect" href="http:///HOST/">',
        "no-slashes-https": '<link rel="preconnect" href="https:HOST/">',
        "one-slash-https": '<link rel="preconnect" href="https:/HOST/">',
        "scheme-upper": '<link rel="preconnect" href="HTTP://HOST/">',
        "userinfo": '<link rel="preconnect" href="http://user:secret@HOST/">',
        "userinfo-own-host": '<link rel="preconnect" href="http://site.localhost@HOST/">',
        "fragment": '<link rel="preconnect" href="http://HOST#site.localhost">',
        "query": '<link rel="preconnect" href="http://HOST?x=site.localhost">',
        "host-percent": '<link rel="preconnect" href="http://%HEXHOST/">',
    },
)

SVG = '<svg xmlns="http://www.w3.org/2000/svg">'
PLACES = [
    *whole_pages(
        "place",
        {
            "no-head": "<!doctype html>HINT",
            "nothing-else": "HINT",
            "before-doctype": "HINT<!doctype html>",
            "blanks-before": "\n\n \t HINT",
            "text-before": "text HINT",
            "after-body": whole() + "HINT",
            "after-html-comment": whole() + "<!-- x -->HINT",
            "doctype-odd": '<!doctype html [<!ENTITY x ">">]>HINT',
            "comment-empty": "<!doctype html><!-->HINT<!-- -->",
            "comment-dash": "<!doctype html><!--->HINT<!-- -->",
            "comment-bang": "<!doctype html><!-- x --!>HINT<!-- -->",
            "comment-nested": "<!doctype html><!-- <!-- -->HINT<!-- -->",
            "comment-nested-bang": "<!doctype html><!-- <!--!>HINT--><!-- -->HINT",
            "comment-dashes": "<!doctype html><!-- a -- b - c ---->HINT<!-- -->",
            "comment-bogus": "<!doctype html><! x >HINT",
            "comment-dash-alone": "<!doctype html><!-x>HINT<!-- -->",
            "comment-question": "<!doctype html><?x>HINT",
            "comment-php": '<!doctype html><?php echo ">HINT"; ?>',
            "comment-end-tag": "<!doctype html></ x>HINT",
            "comment-percent": "<!doctype html><%x>HINT",
            "comment-number": "<!doctype html><3>HINT",
            "end-tag-empty": "<!doctype html></>HINT",
            "end-tag-attributes": '<!doctype html></p title=">">HINT',
            "cdata-in-html": "<!doctype html><![CDATA[x>HINT]]>",
            "cdata-in-html-quoted": "<!doctype html><p><![CDATA[ ' > HINT ' ]]>",
            "nul-before": "<!doctype html>\0HINT",
            "quote-in-attribute": "<!doctype html><p title='\"'>HINT<p title='\"'>",
            "equals-sign-attribute": '<!doctype html><p ="\'>HINT<p title="\'">',
            "unquoted-attribute-quote": "<!doctype html><p title=a\"b>HINT<p title='\"'>",
            "greater-than-attribute": '<!doctype html><p title="a>b<!--">HINT<!-- -->',
            "slash-after-unquoted": "<!doctype html><p title=x/>HINT",
            "quote-in-tag-name": "<!doctype html><p\"'>HINT",
            "less-than-in-tag": "<!doctype html><p <b>HINT",
            "script": "<!doctype html><script>x < y</script>HINT",
            "script-comment": "<!doctype html><script><!-- x</script>HINT<!-- -->",
            "script-escaped": "<!doctype html><script><!-- <script> </script> --></script>HINT",
            "script-escaped-twice": "<!doctype html><script><!--<script></script></script>HINT<!-- --></script>",
            "script-escaped-odd": "<!doctype html><script><!--<scripty></script>HINT<!-- -->",
            "script-escaped-end": "<!doctype html><script><!--<script>--></script>HINT<!-- -->",
            "script-escaped-dash": "<!doctype html><script><!--><script></script>HINT<!-- -->",
            "script-end-blank": "<!doctype html><script>x</script >HINT",
            "script-end-slash": "<!doctype html><script>x</script/x>HINT",
            "script-end-upper": "<!doctype html><script>x</SCRIPT\n>HINT",
            "script-data": '<!doctype html><script type="text/plain"></scripty></script>HINT',
            "style": "<!doctype html><style><!-- </style>HINT<!-- -->",
            "style-end-quoted": '<!doctype html><style>a::before { content: "</style>HINT" }',
            "title": "<!doctype html><title><link></title>HINT",
            "title-comment": "<!doctype html><title><!--</title>HINT<!-- -->",
            "textarea": "<!doctype html><textarea><!-- <script></textarea>HINT<!-- -->",
            "textarea-end-slash": "<!doctype html><textarea></textareax></textarea/x>HINT",
            "xmp": "<!doctype html><xmp><!-- <textarea></xmp>HINT<!-- -->",
            "iframe": "<!doctype html><iframe><!-- <style></iframe>HINT<!-- -->",
            "noembed": "<!doctype html><noembed><!-- <xmp></noembed>HINT<!-- -->",
            "noframes": "<!doctype html><noframes><!-- <xmp></noframes>HINT<!-- -->",
            "noscript": "<!doctype html><body><noscript><!-- </noscript>HINT<!-- -->",
            "noscript-head": "<!doctype html><noscript><style></noscript>HINT<style></style>",
            "template-closed": "<!doctype html><template><p title='</template>'></template>HINT",
            "shadow-root": '<!doctype html><div><template shadowrootmode="open">HINT</template></div>',
            "shadow-root-closed": '<!doctype html><div><template shadowrootmode="closed"><p>HINT</template></div>',
            "shadow-root-nested": '<!doctype html><div><template shadowrootmode="open"><div>'
            '<template shadowrootmode="open">HINT</template></div></template></div>',
            "table": "<!doctype html><table>HINT<tr><td>x</table>",
            "table-cell": "<!doctype html><table><tr><td>HINT</table>",
            "select": "<!doctype html><select><option>x</select>HINT",
            "select-in": "<!doctype html><select><div>HINT</select>",
            "button": "<!doctype html><button>HINT</button>",
            "hidden": "<!doctype html><div hidden>HINT</div>",
            "details": "<!doctype html><details><summary>x</summary>HINT</details>",
            "video": "<!doctype html><video>HINT</video>",
            "object": "<!doctype html><object>HINT</object>",
            "marquee": "<!doctype html><marquee>HINT</marquee>",
            "anchor": '<!doctype html><a href="/x">HINT</a>',
            "foreign-object": "<!doctype html><svg><foreignObject>HINT</foreignObject></svg>",
            "svg-desc": "<!doctype html><svg><desc>HINT</desc></svg>",
            "svg-title": "<!doctype html><svg><title>HINT</title></svg>",
            "svg-title-style": "<!doctype html><svg><title><style></title></style>HINT</title></svg>",
            "svg-broken-out": "<!doctype html><svg><p>HINT",
            "svg-broken-out-end": "<!doctype html><svg></p>HINT",
            "svg-style": "<!doctype html><svg><style><p>HINT</style></svg>",
            "svg-style-comment": "<!doctype html><svg><style><!--</style>--><p>HINT",
            "svg-script": "<!doctype html><svg><script><p>HINT</script></svg>",
            "svg-textarea": "<!doctype html><svg><textarea><p>HINT</textarea></svg>",
            "svg-cdata": "<!doctype html><svg><![CDATA[ <!-- ]]></svg>HINT<!-- -->",
            "svg-cdata-greater": "<!doctype html><svg><![CDATA[ > <style> ]]><p>HINT",
            "svg-cdata-brackets": "<!doctype html><svg><![CDATA[ ]] ]]]]></svg>HINT",
            "svg-self-closing": "<!doctype html><svg/><style/>HINT</style>HINT",
            "svg-font": '<!doctype html><svg><font color="x">HINT',
            "math-mtext": "<!doctype html><math><mtext>HINT</mtext></math>",
            "math-mi-table": "<!doctype html><math><mi><table>HINT</table></mi></math>",
            "math-annotation": '<!doctype html><math><annotation-xml encoding="text/html">HINT</annotation-xml></math>',
            "math-annotation-xhtml": '<!doctype html><math><annotation-xml encoding="application/xhtml+xml">HINT',
            "math-style": "<!doctype html><math><style><p>HINT</style></math>",
            "math-cdata": "<!doctype html><math><![CDATA[ <p title=' ]]></math>HINT",
            "math-malignmark": "<!doctype html><math><mtext><malignmark><style></malignmark><p>HINT</style>",
            "frameset-noframes": "<!doctype html><head>HINT</head><frameset><noframes>x</noframes></frameset>",
        },
    ),
    Vector("place", "far-down", whole("", "<p>text</p>" * 20_000 + HINT)),
    Vector("place", "many-attributes", whole(HINT.replace(" rel", " a='x'" * 10_000 + " rel"))),
    Vector("place", "long-value", whole(HINT.replace(" rel", f' title="{"x" * 200_000}" rel'))),
    Vector("place", "long-comment", whole(f"<!--{'<!-' * 50_000}-->{HINT}")),
]

BASES = in_head(
    "base",
    {
        "hint": '<base href="FAR/"><link rel="preconnect" href="x">',
        "hint-empty": '<base href="FAR/"><link rel="preconnect" href="?">',
        "scheme-less": '<base href="//HOST/"><link rel="preconnect" href="/x">',
        "target-first": '<base target="_self"><base href="FAR/"><link rel="preconnect" href="x">',
        "after": '<link rel="canonical" href="/"><base href="FAR/"><link rel="dns-prefetch preconnect" href="x">',
        "reference": '<base href="http&colon;//HOST/"><link rel="preconnect" href="x">',
        "single": "<base href=FAR/><link rel=preconnect href=x>",
    },
) + in_body(
    "base",
    {
        "frame": '<base href="FAR/"><iframe src="x.html"></iframe>',
        "form": f'<form method="post" action="x"></form>{RUN}<base href="FAR/">',
        "image": '<base href="FAR/"><img src="x.png" alt="">',
    },
)
BASES = [
    replace(one, files=own_script("addEventListener('load', () => document.forms[0].submit())"))
    if one.name == "form"
    else one
    for one in BASES
]

SRCDOCS = in_body(
    "srcdoc",
    {
        "escaped": '<iframe srcdoc="&lt;link rel=preconnect href=FAR&gt;"></iframe>',
        "plain": '<iframe srcdoc="<link rel=preconnect href=FAR>"></iframe>',
        "single-quotes": '<iframe srcdoc=\'<link rel="preconnect" href="FAR/">\'></iframe>',
        "unquoted": "<iframe srcdoc=<link&#32;rel=preconnect&#32;href=FAR&gt;></iframe>",
        "quotes": '<iframe srcdoc="<link rel=&quot;preconnect&quot; href=&quot;FAR/&quot;>"></iframe>',
        "decimal": '<iframe srcdoc="&#60;link rel=preconnect href=FAR&#62;"></iframe>',
        "decimal-bare": '<iframe srcdoc="&#60link rel=preconnect href=FAR&#62"></iframe>',
        "hex": '<iframe srcdoc="&#x3c;link rel=&#x70;reconnect href=FAR&#x3e;"></iframe>',
        "references-in-it": '<iframe srcdoc="<link rel=&amp;#112;reconnect href=http&amp;colon;//HOST>"></iframe>',
        "twice": "<iframe srcdoc=\"<iframe srcdoc='&amp;lt;link rel=preconnect href=FAR&amp;gt;'></iframe>\"></iframe>",
        "three-times": '<iframe srcdoc="&lt;iframe srcdoc=&#39;&amp;lt;iframe srcdoc=&amp;quot;'
        '&amp;amp;lt;link rel=preconnect href=FAR&amp;amp;gt;&amp;quot;&amp;gt;&#39;&gt;"></iframe>',
        "sandboxed": '<iframe sandbox srcdoc="<link rel=preconnect href=FAR>"></iframe>',
        "noscript": '<iframe sandbox srcdoc="<noscript><link rel=preconnect href=FAR></noscript>"></iframe>',
        "comment": '<iframe srcdoc="<!--><link rel=preconnect href=FAR><!-- -->"></iframe>',
        "first-of-two": '<iframe srcdoc="<link rel=preconnect href=FAR>" srcdoc="x"></iframe>',
        "upper": '<IFRAME SRCDOC="<LINK REL=PRECONNECT HREF=FAR>"></IFRAME>',
        "beside-src": '<iframe src="/x" srcdoc="<link rel=preconnect href=FAR>"></iframe>',
        "base": '<iframe srcdoc="<base href=FAR/><link rel=preconnect href=x>"></iframe>',
        "frame": '<iframe srcdoc="<iframe src=FAR/x.html></iframe>"></iframe>',
        "meta-refresh": '<iframe srcdoc="<meta http-equiv=refresh content=&quot;0;url=FAR/&quot;>"></iframe>',
        "svg": '<svg><foreignObject><iframe srcdoc="<link rel=preconnect href=FAR>"></iframe></foreignObject></svg>',
    },
)

XMLNS = 'xmlns="http://www.w3.org/1999/xhtml"'
XHTML_HINT = '<link rel="preconnect" href="FAR/"/>'
XHTML = f'<?xml version="1.0"?><html {XMLNS}><head><title>x</title>HINT</head><body><p>x</p></body></html>'
XHTML_TYPE = "application/xhtml+xml"


def xml(name: str, page: str, kind: str = XHTML_TYPE, **more: object) -> Vector:
    return replace(Vector("doc", name, page.replace("HINT", XHTML_HINT), kind), **more)


DOCUMENTS = [
    xml("xhtml", XHTML),
    xml("xhtml-application", XHTML, "application/xml"),
    xml("xhtml-text", XHTML, "text/xml; charset=utf-8"),
    xml(
        "xhtml-prefix", '<h:html xmlns:h="http://www.w3.org/1999/xhtml"><h:link rel="preconnect" href="FAR/"/></h:html>'
    ),
    xml("xhtml-single-quotes", XHTML.replace("HINT", "<link rel='preconnect'\nhref='FAR/'></link>")),
    xml("xhtml-reference", XHTML.replace("HINT", '<link rel="&#x70;reconnect" href="&#104;ttp://HOST/"/>')),
    xml("xhtml-comment", XHTML.replace("HINT", "<!-- <x> -->HINT")),
    xml("xhtml-cdata", XHTML.replace("HINT", "<style><![CDATA[ <!-- ]]></style>HINT")),
    xml("xhtml-script", XHTML.replace("HINT", "<script><!-- x --></script>HINT")),
    xml("xhtml-style-element", XHTML.replace("HINT", "<style>HINT</style>")),
    xml("xhtml-textarea", XHTML.replace("HINT", "<textarea>HINT</textarea>")),
    xml("xhtml-instruction", XHTML.replace("HINT", "<?x > ?>HINT")),
    xml("xhtml-entity", f'<!DOCTYPE html [<!ENTITY u "http://HOST/">]>{XHTML[21:]}'.replace("FAR/", "&u;")),
    xml(
        "xhtml-entity-href",
        f'<!DOCTYPE html [<!ENTITY u "http://HOST/">]><html {XMLNS}><link rel="preconnect" href="&u;"/></html>',
    ),
    xml(
        "xhtml-entity-rel",
        f'<!DOCTYPE html [<!ENTITY u "preconnect">]><html {XMLNS}><link rel="&u;" href="FAR/"/></html>',
    ),
    xml(
        "xhtml-entity-element",
        f'<!DOCTYPE html [<!ENTITY u \'<link {XMLNS} rel="preconnect" href="FAR/"/>\'>]>'
        f"<html {XMLNS}><body>&u;</body></html>",
    ),
    xml(
        "xhtml-attlist",
        f'<!DOCTYPE html [<!ATTLIST link rel CDATA "preconnect">]><html {XMLNS}><link href="FAR/"/></html>',
    ),
    xml(
        "xhtml-attlist-href",
        f'<!DOCTYPE html [<!ATTLIST link href CDATA "FAR/">]><html {XMLNS}><link rel="preconnect"/></html>',
    ),
    xml(
        "xhtml-attlist-namespace",
        '<!DOCTYPE x [<!ATTLIST link xmlns CDATA "http://www.w3.org/1999/xhtml">]><x>HINT</x>',
        "application/xml",
    ),
    xml("xhtml-base", XHTML.replace("HINT", '<base href="FAR/"/><link rel="preconnect" href="x"/>')),
    xml("xhtml-not-found", XHTML, status=404),
    xml("xhtml-utf-16", XHTML, encode=lambda text: text.encode("utf-16")),
    xml("xhtml-gzip", XHTML, fields=(("Content-Encoding", "gzip"),), encode=lambda text: gzip.compress(text.encode())),
    xml("xhtml-srcdoc", XHTML.replace("HINT", '<iframe srcdoc="&lt;link rel=preconnect href=FAR&gt;"></iframe>')),
    xml("xhtml-broken", XHTML.replace("</body>", "")),
    xml("svg-foreign-object", f"{SVG}<foreignObject><body {XMLNS}>HINT</body></foreignObject></svg>", "image/svg+xml"),
    xml("svg-namespace", f"{SVG}<g><link {XMLNS} rel='preconnect' href='FAR/'/></g></svg>", "image/svg+xml"),
    xml(
        "svg-prefix",
        f"{SVG}<h:link xmlns:h='http://www.w3.org/1999/xhtml' rel='preconnect' href='FAR/'/></svg>",
        "image/svg+xml",
    ),
    xml(
        "svg-style",
        f"{SVG}<style><x/><!-- </style> --><link {XMLNS} rel='preconnect' href='FAR/'/></style></svg>",
        "image/svg+xml",
    ),
    xml("xml-embedded", f"<feed><entry><link {XMLNS} rel='preconnect' href='FAR/'/></entry></feed>", "text/xml"),
    xml("xml-deep", f"<a><b c='>'><div {XMLNS}><p>x</p>HINT</div></b></a>", "application/xml"),
    xml("svg-iframe", f"{SVG}<foreignObject><iframe {XMLNS} src='FAR/x.html'/></foreignObject></svg>", "image/svg+xml"),
]

TYPES = [
    Vector("type", "not-found", whole(HINT), status=404),
    Vector("type", "gone", whole(HINT), status=410),
    Vector("type", "forbidden", whole(HINT), status=403),
    Vector("type", "error", whole(HINT), status=500),
    Vector("type", "unavailable", whole(HINT), status=503),
    Vector("type", "created", whole(HINT), status=201),
    Vector("type", "none", whole(HINT), kind=None),
    Vector("type", "none-tag-alone", "<p>" + HINT, kind=None),
    Vector("type", "none-comment", "<!-- x -->" + HINT, kind=None),
    Vector("type", "none-script", "<script></script>" + HINT, kind=None),
    Vector("type", "none-blanks", "\n \t" + whole(HINT), kind=None),
    Vector("type", "none-xml", XHTML.replace("HINT", XHTML_HINT), kind=None),
    Vector("type", "none-not-found", whole(HINT), kind=None, status=404),
    Vector("type", "empty", whole(HINT), kind=""),
    Vector("type", "any", whole(HINT), kind="*/*"),
    Vector("type", "unknown", whole(HINT), kind="unknown/unknown"),
    Vector("type", "no-slash", whole(HINT), kind="html"),
    Vector("type", "upper", whole(HINT), kind="TEXT/HTML"),
    Vector("type", "parameters", whole(HINT), kind="text/html ; x=y; charset=utf-8"),
    Vector("type", "semicolons", whole(HINT), kind="text/html;;"),
    Vector("type", "two-in-one", whole(HINT), kind="text/plain, text/html"),
    Vector("type", "two-fields", whole(HINT), kind="text/plain", fields=(("Content-Type", "text/html"),)),
    Vector("type", "bad-charset", whole(HINT), kind="text/html; charset=no-such-thing"),
]


def coded(
    name: str, encode: Callable[[str], bytes], kind: str = "text/html", coding: str = "", **more: object
) -> Vector:
    fields = (("Content-Encoding", coding),) if coding else ()
    return replace(Vector("code", name, whole(HINT), kind, fields, encode=encode), **more)


def deflate(data: bytes, bits: int) -> bytes:
    packer = zlib.compressobj(wbits=bits)
    return packer.compress(data) + packer.flush()


CODES = [
    coded("utf-16-le-mark", lambda text: b"\xff\xfe" + text.encode("utf-16-le")),
    coded("utf-16-be-mark", lambda text: b"\xfe\xff" + text.encode("utf-16-be")),
    coded("utf-16-le-header", lambda text: text.encode("utf-16-le"), "text/html; charset=utf-16le"),
    coded("utf-16-be-header", lambda text: text.encode("utf-16-be"), "text/html; charset=utf-16be"),
    coded("utf-16-header", lambda text: text.encode("utf-16-le"), 'text/html; charset="UTF-16"'),
    coded("utf-16-mark-over-header", lambda text: b"\xff\xfe" + text.encode("utf-16-le"), "text/html; charset=utf-8"),
    coded("utf-16-gzip", lambda text: gzip.compress(b"\xff\xfe" + text.encode("utf-16-le")), coding="gzip"),
    coded("utf-16-streamed", lambda text: b"\xff\xfe" + text.encode("utf-16-le"), is_streamed=True),
    coded("utf-8-mark", lambda text: b"\xef\xbb\xbf" + text.encode()),
    coded("utf-8-over-utf-16", lambda text: b"\xef\xbb\xbf" + text.encode(), "text/html; charset=utf-16"),
    coded("windows-1252", lambda text: b"\xe4\xff" + text.encode(), "text/html; charset=windows-1252"),
    coded("shift-jis", lambda text: b"\x83\x5c" + text.encode(), "text/html; charset=shift_jis"),
    coded("gb18030", lambda text: b"\x81\x30\x81\x30" + text.encode(), "text/html; charset=gb18030"),
    coded("iso-2022-jp", lambda text: b'\x1b$B<!--\x1b(B"' + text.encode(), "text/html; charset=iso-2022-jp"),
    coded(
        "iso-2022-jp-text", lambda text: b"<p>\x1b$B$3$s\x1b(B</p>" + text.encode(), "text/html; charset=iso-2022-jp"
    ),
    coded("meta-charset", lambda text: b"<meta charset=utf-16>" + text.encode()),
    coded("bytes-invalid", lambda text: b"\xc0\x80\xff\xfe" + text.encode(), "text/html; charset=utf-8"),
    coded("gzip", lambda text: gzip.compress(text.encode()), coding="gzip"),
    coded("x-gzip", lambda text: gzip.compress(text.encode()), coding="x-gzip"),
    coded("gzip-upper", lambda text: gzip.compress(text.encode()), coding="GZIP"),
    coded("gzip-twice", lambda text: gzip.compress(gzip.compress(text.encode())), coding="gzip, gzip"),
    coded("gzip-members", lambda text: gzip.compress(text.encode()) + gzip.compress(b"x"), coding="gzip"),
    coded("gzip-streamed", lambda text: gzip.compress(text.encode()), coding="gzip", is_streamed=True),
    coded("gzip-not-found", lambda text: gzip.compress(text.encode()), coding="gzip", status=404),
    coded("gzip-no-type", lambda text: gzip.compress(text.encode()), None, "gzip"),
    coded("deflate", lambda text: deflate(text.encode(), 15), coding="deflate"),
    coded("deflate-raw", lambda text: deflate(text.encode(), -15), coding="deflate"),
    coded("deflate-gzip", lambda text: gzip.compress(deflate(text.encode(), 15)), coding="deflate, gzip"),
    coded("identity", str.encode, coding="identity"),
    coded("streamed", str.encode, is_streamed=True),
    coded("streamed-comment", lambda text: b"<!-->" + text.encode(), is_streamed=True),
    coded("streamed-no-type", str.encode, kind=None, is_streamed=True),
]

FRAMES = in_body(
    "frame",
    {
        "iframe": '<iframe src="FAR/x.html"></iframe>',
        "https": '<iframe src="https://HOST/x.html"></iframe>',
        "unquoted": "<iframe src=FAR/x.html></iframe>",
        "upper": '<IFRAME SRC="FAR/x.html"></IFRAME>',
        "scheme-less": '<iframe src="//HOST/x.html"></iframe>',
        "backslashes": '<iframe src="\\\\HOST/x.html"></iframe>',
        "reference": '<iframe src="http&colon;&sol;&sol;HOST/x.html"></iframe>',
        "newlines": '<iframe\nsrc\n=\n"ht\ntp://HOST/x.html"\n></iframe>',
        "first-of-two": '<iframe src="FAR/x.html" src="/x"></iframe>',
        "sandboxed": '<iframe sandbox src="FAR/x.html"></iframe>',
        "credentialless": '<iframe credentialless src="FAR/x.html"></iframe>',
        "hidden": '<iframe hidden src="FAR/x.html"></iframe>',
        "in-svg": '<svg width="99" height="99"><foreignObject><iframe src="FAR/x.html"></iframe></foreignObject></svg>',
        "in-table": '<table><iframe src="FAR/x.html"></iframe></table>',
        "in-shadow-root": '<div><template shadowrootmode="open"><iframe src="FAR/x.html"></iframe></template></div>',
        "embed": '<embed src="FAR/x.html" type="text/html">',
        "embed-plain": '<embed src="FAR/x.png">',
        "object": '<object data="FAR/x.html" type="text/html"></object>',
        "object-plain": '<object data="FAR/x"></object>',
    },
) + whole_pages(
    "frame",
    {
        "frameset": '<!doctype html><frameset><frame src="FAR/x.html"></frameset>',
        "frameset-unquoted": "<frameset><frame src=//HOST/x.html>",
    },
)
FRAMES.append(
    Vector("frame", "lazy", '<!doctype html><iframe loading="lazy" src="FAR/x.html"></iframe>', is_in_tab=True)
)


def form(name: str, html: str, code: str = "document.forms[0].submit()") -> Vector:
    return Vector("form", name, whole("", html + RUN), files=own_script(code))


CLICK = "document.querySelector('form [type]').click()"
FORMS = [
    form("post", '<form method="post" action="FAR/x"></form>'),
    form("get", '<form action="FAR/x"></form>'),
    form("https", '<form method="post" action="https://HOST/x"></form>'),
    form("scheme-less", '<form method="post" action="//HOST/x"></form>'),
    form("upper", '<FORM METHOD="POST" ACTION="FAR/x"></FORM>'),
    form("reference", '<form method="post" action="http&colon;//HOST/x"></form>'),
    form("multipart", '<form method="post" enctype="multipart/form-data" action="FAR/x"><input name="a"></form>'),
    form("requested", '<form method="post" action="FAR/x"></form>', "document.forms[0].requestSubmit()"),
    form("formaction", '<form method="post"><button type="submit" formaction="FAR/x">x</button></form>', CLICK),
    form("formaction-input", '<form><input type="submit" formaction="FAR/x"></form>', CLICK),
    form("formaction-image", '<form><input type="image" alt="x" formaction="FAR/x"></form>', CLICK),
    form(
        "outside",
        '<form id="a" method="post"></form><button form="a" formaction="FAR/x">x</button>',
        "document.querySelector('button').click()",
    ),
]

GOING = [
    *in_head(
        "go",
        {
            "meta": '<meta http-equiv="refresh" content="0; url=FAR/">',
            "meta-upper": '<META HTTP-EQUIV="REFRESH" CONTENT="0; URL=FAR/">',
            "meta-quoted": "<meta http-equiv=refresh content=\"0; url='FAR/'\">",
            "meta-no-url": '<meta http-equiv="refresh" content="0; FAR/">',
            "meta-comma": '<meta http-equiv="refresh" content="0, url = FAR/">',
            "meta-blank": '<meta http-equiv="refresh" content=" 0.5 FAR/">',
            "meta-reference": '<meta http-equiv="&#114;efresh" content="0; url=http&colon;//HOST/">',
            "meta-scheme-less": '<meta content="0;//HOST/" http-equiv="refresh">',
            "meta-backslashes": '<meta content="0;\\\\HOST/" http-equiv=refresh>',
            "meta-https": '<meta http-equiv="refresh" content="0; url=https://HOST/">',
            "meta-base": '<base href="FAR/"><meta http-equiv="refresh" content="0; url=x">',
            "meta-data": f"<meta http-equiv=\"refresh\" content='0; url=data:text/html,{HINT}'>",
            "meta-data-upper": f"<meta http-equiv=\"refresh\" content='0; DATA:text/html,{HINT}'>",
        },
    ),
    *in_body("go", {"meta-in-body": '<meta http-equiv="refresh" content="0; url=FAR/">'}),
    *(
        Vector("go", f"header-{name}", whole(), fields=(("Refresh", value),))
        for name, value in {
            "url": "0; url=FAR/",
            "upper": "0;URL=FAR/",
            "quoted": "0; url='FAR/'",
            "no-url": "0; FAR/",
            "comma": "0, FAR/",
            "blank": "0 FAR/",
            "scheme-less": "0; url=//HOST/",
            "fraction": ".5; url=FAR/",
            "data": f"0; url=data:text/html,{HINT}",
        }.items()
    ),
    Vector("go", "header-not-found", whole(), fields=(("Refresh", "0; url=FAR/"),), status=404),
]

ON = '<meta http-equiv="x-dns-prefetch-control" content="on">'
ON_FIELD = (("X-DNS-Prefetch-Control", "on"),)
LOOKING = [
    *in_body(
        "look",
        {
            "link": '<a href="FAR/">x</a>',
            "link-https": '<a href="https://HOST/">x</a>',
            "link-scheme-less": '<a href="//HOST/">x</a>',
            "link-on": f'{ON}<a href="FAR/">x</a>',
            "link-on-references": '<meta http-equiv="X-DNS-Prefetch-Contro&#108;" content=ON><a href="FAR/">x</a>',
            "link-no-referrer": '<a rel="noreferrer nofollow" href="FAR/">x</a>',
        },
    ),
    Vector("look", "link-header-on", whole("", '<a href="FAR/">x</a>'), fields=ON_FIELD),
    Vector("look", "hint-header-on", whole('<link rel="dns-prefetch" href="FAR/">'), fields=ON_FIELD),
    Vector("look", "link-not-found", whole("", '<a href="FAR/">x</a>'), status=404),
]


def linked(name: str, *values: str, field_name: str = "Link") -> Vector:
    return Vector("link", name, whole(), fields=tuple((field_name, value) for value in values))


def linked_file(name: str, tag: str, file: str, kind: str, text: str, value: str) -> Vector:
    return Vector("link", name, whole("", tag), files={file: (kind, text, (("Link", value),))})


PRECONNECT = "<FAR>; rel=preconnect"
LINKS = [
    linked("preconnect", PRECONNECT),
    linked("dns-prefetch", "<FAR>; rel=dns-prefetch"),
    linked("quoted", '<FAR/>; rel="preconnect"'),
    linked("upper", "<FAR>; REL=PRECONNECT", field_name="LINK"),
    linked("tokens", '<FAR>; rel="next preconnect"'),
    linked("no-space", "<FAR>;rel=preconnect"),
    linked("blanks", "  < FAR > ; rel = preconnect  "),
    linked("scheme-less", "<//HOST>; rel=preconnect"),
    linked("backslashes", "<\\\\HOST>; rel=preconnect"),
    linked("https", "<https://HOST>; rel=preconnect"),
    linked("userinfo", "<http://site.localhost@HOST/>; rel=preconnect"),
    linked("crossorigin", "<FAR>; rel=preconnect; crossorigin"),
    linked("later-parameter", '<FAR>; title="a; b, c"; rel=preconnect'),
    linked("quoted-quote", '<FAR>; title="a\\"b, <x>"; rel=preconnect'),
    linked("second", "</x>; rel=next, <FAR>; rel=preconnect"),
    linked("second-no-space", "</x>;rel=next,<FAR>;rel=preconnect"),
    linked("second-field", "</x>; rel=next", PRECONNECT),
    linked("comma-in-address", "</a,b>; rel=next, <FAR/a,b>; rel=preconnect"),
    linked("rel-twice", "<FAR>; rel=preconnect; rel=next"),
    linked("empty-members", ", ,<FAR>; rel=preconnect,"),
    linked("semicolons", "<FAR>;; rel=preconnect;"),
    linked("prefetch", "<FAR/x.html>; rel=prefetch"),
    linked("preload-image", "<FAR/x.png>; rel=preload; as=image"),
    linked("preload-font", "<FAR/x.woff2>; rel=preload; as=font; crossorigin"),
    linked("preload-srcset", '</x.png>; rel=preload; as=image; imagesrcset="FAR/x.png 1x"'),
    linked("modulepreload", "<FAR/x.js>; rel=modulepreload"),
    linked("stylesheet", "<FAR/x.css>; rel=stylesheet"),
    replace(linked("not-found", PRECONNECT), status=404),
    replace(linked("text", PRECONNECT), kind="text/plain"),
    replace(linked("image", PRECONNECT), kind="image/svg+xml", page=f"{SVG}</svg>"),
    linked_file("on-style", '<link rel="stylesheet" href="own.css">', "own.css", "text/css", "p {}", PRECONNECT),
    linked_file("on-script", '<script src="own.js"></script>', "own.js", "text/javascript", "1", PRECONNECT),
    linked_file("on-image", '<img src="own.svg" alt="">', "own.svg", "image/svg+xml", f"{SVG}</svg>", PRECONNECT),
    linked_file("on-frame", '<iframe src="own.txt"></iframe>', "own.txt", "text/plain", "x", PRECONNECT),
    linked_file(
        "on-style-names",
        '<link rel="stylesheet" href="own.css">',
        "own.css",
        "text/css",
        "p {}",
        "<FAR>; rel=dns-prefetch",
    ),
]

BLOCKED = whole("", "<img src='http://nobody.invalid/x.png' alt=''><script>1</script>")
CSP, ONLY = "Content-Security-Policy", "Content-Security-Policy-Report-Only"


def reported(name: str, *fields: tuple[str, str], page: str = BLOCKED) -> Vector:
    return Vector("report", name, page, fields=fields)


REPORTS = [
    reported("uri", (CSP, "img-src 'none'; report-uri FAR/x")),
    reported("uri-upper", (CSP.upper(), "IMG-SRC 'none'; REPORT-URI FAR/x")),
    reported("uri-only", (ONLY, "img-src 'none'; report-uri FAR/x")),
    reported("uri-scheme-less", (CSP, "img-src 'none'; report-uri //HOST/x")),
    reported("uri-https", (CSP, "img-src 'none'; report-uri https://HOST/x")),
    reported("uri-several", (CSP, "img-src 'none'; report-uri /x FAR/x")),
    reported("uri-first", (CSP, "report-uri FAR/x; report-uri /x; img-src 'none'")),
    reported("uri-second-policy", (CSP, "img-src *, img-src 'none'; report-uri FAR/x")),
    reported("uri-tab", (CSP, "img-src 'none';\treport-uri\tFAR/x")),
    reported("uri-script", (CSP, "script-src 'self'; report-uri FAR/x")),
]

EARLY = [
    Vector("early", name, whole(), early=value, is_in_tab=True)
    for name, value in {
        "preconnect": "<https://HOST>; rel=preconnect",
        "second": "</x>; rel=next, <https://HOST>; rel=preconnect",
        "preload-style": "<https://HOST/x.css>; rel=preload; as=style",
        "preload-script": "<https://HOST/x.js>; rel=preload; as=script",
        "modulepreload": "<https://HOST/x.js>; rel=modulepreload",
    }.items()
]

PREFETCH = '{"prefetch": [{"source": "list", "urls": ["https://HOST/x"]}]}'
PRERENDER = PREFETCH.replace("prefetch", "prerender")
EAGER = PREFETCH.replace("[{", '[{"eagerness": "immediate", ')
RULES = [
    Vector("rules", name, whole("", html), is_in_tab=True)
    for name, html in {
        "prefetch": f'<script nonce="NONCE" type="speculationrules">{PREFETCH}</script>',
        "upper": f'<script nonce="NONCE" type="SpeculationRules">{PREFETCH}</script>',
        "reference": f'<script nonce="NONCE" type="speculation&#114;ules">{PREFETCH}</script>',
        "unquoted": f"<SCRIPT nonce=NONCE type=speculationrules>{PREFETCH}</SCRIPT>",
        "prerender": f'<script nonce="NONCE" type="speculationrules">{PRERENDER}</script>',
        "eager": f'<script nonce="NONCE" type="speculationrules">{EAGER}</script>',
    }.items()
] + [
    Vector("rules", "header", whole(), fields=(("Speculation-Rules", '"FAR/rules.json"'),), is_in_tab=True),
    Vector(
        "rules",
        "ping",
        whole("", '<a href="#x" ping="FAR/x">x</a>' + RUN),
        files=own_script("document.querySelector('a').click()"),
    ),
]


def bug(name: str, html: str) -> Vector:
    return Vector("bug", name, whole("", html))


BUGS = [
    bug("one-pixel", '<img src="https://HOST/x.png" width="1" height="1" alt="">'),
    bug("no-pixel", '<img src="https://HOST/x.png" width="0" height="0" alt="">'),
    bug("one-side", '<img src="https://HOST/x.png" height=1 alt="">'),
    bug("unquoted", "<IMG SRC=https://HOST/x.png WIDTH=1 HEIGHT=1>"),
    bug("scheme-less", '<img src="https:\\\\HOST/x.png" width=" 1px" alt="">'),
    bug("hidden", '<img src="https://HOST/x.png" hidden alt="">'),
    bug("display-none", '<img src="https://HOST/x.png" style="display: none" alt="">'),
    bug("invisible", '<img src="https://HOST/x.png" style="visibility:hidden" alt="">'),
    bug("transparent", '<img src="https://HOST/x.png" style="opacity: 0" alt="">'),
    bug("style-size", '<img src="https://HOST/x.png" style="width:1px;height:1px" alt="">'),
    bug("hidden-parent", '<div style="display:none"><img src="https://HOST/x.png" alt=""></div>'),
    bug("hidden-parent-attribute", '<div hidden><p><img src="https://HOST/x.png" alt=""></p></div>'),
    bug("srcset", '<img srcset="https://HOST/x.png 1x" width="1" alt="">'),
    bug("input", '<input type="image" src="https://HOST/x.png" width="1" height="1" alt="">'),
    bug("svg-image", '<svg style="display:none"><image href="https://HOST/x.png" width="9" height="9"/></svg>'),
    bug("svg-tiny", '<svg><image href="https://HOST/x.png" width="1" height="1"/></svg>'),
    bug("details", '<details><summary>x</summary><img src="https://HOST/x.png" alt=""></details>'),
    bug("dialog", '<dialog><img src="https://HOST/x.png" alt=""></dialog>'),
    bug("popover", '<div popover><img src="https://HOST/x.png" alt=""></div>'),
    bug("fallback", '<video><img src="https://HOST/x.png" alt=""></video>'),
    bug("canvas", '<canvas><img src="https://HOST/x.png" alt=""></canvas>'),
    bug("datalist", '<datalist><option><img src="https://HOST/x.png" alt=""></datalist>'),
    bug("srcdoc-hidden", "<iframe hidden srcdoc='<img src=https://HOST/x.png>'></iframe>"),
    bug("srcdoc-tiny", "<iframe width=1 height=1 srcdoc='<img src=https://HOST/x.png>'></iframe>"),
    bug("svg-no-size", '<svg width="0" height="0"><image href="https://HOST/x.png" width="9" height="9"/></svg>'),
    bug("svg-definition", '<svg><defs><image href="https://HOST/x.png" width="9" height="9"/></defs></svg>'),
    bug("svg-attribute", '<svg><g opacity="0"><image href="https://HOST/x.png" width="9" height="9"/></g></svg>'),
    bug("style-escape", '<img src="https://HOST/x.png" style="d\\69splay: none" alt="">'),
    bug("style-function", '<img src="https://HOST/x.png" style="width: calc(1px)" alt="">'),
    bug("style-scale", '<img src="https://HOST/x.png" style="scale: 0" alt="">'),
    bug("style-far", '<img src="https://HOST/x.png" style="position: absolute; left: -9999px" alt="">'),
    bug("sizes", '<img srcset="https://HOST/x.png 100w" sizes="1px" alt="">'),
    replace(bug("link-field", ""), fields=(("Link", "<https://HOST/x.png>; rel=preload; as=image"),)),
    bug("references", '<img src="https&colon;//HOST/x.png" width="&#49;" alt="">'),
]

PREFIXED = '<h:html xmlns:h="http://www.w3.org/1999/xhtml"><h:link rel="preconnect" href="FAR/"/></h:html>'


def put(raw: bytes) -> Callable[[str], bytes]:
    """Return what encodes a page in which ZZ stands for *raw*."""
    return lambda text: text.encode().replace(b"ZZ", raw)


def utf_16(text: str) -> bytes:
    return text.encode("utf-16-le")


def exchange(url: str) -> bytes:
    """Return a signed exchange that nobody can verify: Chromium goes on to its fallback URL."""
    return b"sxg1-b3\0" + len(url).to_bytes(2, "big") + url.encode() + b"\0\0\1\0\0\1x\xa0x"


def mixed(kind: str, page: str) -> str:
    return f"--x\r\nContent-Type: {kind}\r\n\r\n{page}\r\n--x--\r\n"


MIXED = "multipart/x-mixed-replace;boundary=x"
TORN = "<![CDATA[ ZZ]]> <!-- ]]>"
ODDITIES = [
    Vector("type", "words-paren", "text " + whole(HINT), "text/html (x)"),
    Vector("type", "words-blank", "text " + whole(HINT), "text/html x"),
    Vector("type", "words-utf-16", whole(HINT), "text/html x;charset=utf-16le", encode=utf_16),
    Vector("type", "words-xhtml", PREFIXED, "application/xhtml+xml x"),
    Vector("type", "words-in-a-list", "text " + whole(HINT), "text/plain, text/html x"),
    Vector("type", "charset-empty", whole(HINT), 'text/html;charset="";charset=utf-16le'),
    Vector("type", "charset-form-feed", whole(HINT), "text/html;charset=utf-16le\x0c"),
    Vector("type", "charset-in-a-list", whole(HINT), 'text/html;charset=utf-16le, text/html;charset=""'),
    Vector("type", "exchange", "https://HOST/x", "application/signed-exchange;v=b3", encode=exchange),
    Vector("type", "exchange-no-version", "https://HOST/x", "application/signed-exchange", encode=exchange),
    Vector(
        "code",
        "torn-cdata-shift-jis",
        f"<!doctype html><svg>{TORN}</svg>{HINT}<!-- -->",
        "text/html;charset=shift_jis",
        encode=put(b"\x83"),
    ),
    *(
        Vector(
            "code",
            f"torn-cdata-{name}",
            f"{declaration}<html {XMLNS}><body>{TORN}{XHTML_HINT}<!-- --></body></html>",
            kind,
            encode=put(b"\x83"),
        )
        for name, declaration, kind in (
            ("gbk", "", "application/xhtml+xml;charset=gbk"),
            ("declared", '<?xml version="1.0" encoding="gb18030"?>', "application/xhtml+xml"),
        )
    ),
    Vector("code", "parts-prefix", mixed("application/xhtml+xml", PREFIXED), MIXED),
    Vector("code", "parts-svg", mixed("image/svg+xml", f"{SVG}{PREFIXED}</svg>"), MIXED),
    Vector(
        "code",
        "parts-utf-16",
        whole(HINT),
        MIXED,
        encode=lambda text: mixed("text/html", "ZZ").encode().replace(b"ZZ", b"\xff\xfe" + utf_16(text)),
    ),
    *in_body(
        "look",
        {
            "in-srcdoc": "<iframe srcdoc='<a href=\"FAR/\">x</a>'></iframe>",
            "in-srcdoc-sandboxed": "<iframe sandbox srcdoc='<a href=\"FAR/\">x</a>'></iframe>",
            "in-srcdoc-twice": "<iframe srcdoc=\"<iframe srcdoc='<a href=FAR>x</a>'></iframe>\"></iframe>",
        },
    ),
    bug("unclosed-in-span", '<span hidden><div></span><img src="https://HOST/x.png" alt="">'),
    bug("unclosed-in-table", '<div hidden><table><tr><td></div><img src="https://HOST/x.png" alt="">'),
    bug("unclosed-in-canvas", '<canvas><div></canvas><img src="https://HOST/x.png" alt="">'),
    bug("paragraph-in-button", '<p hidden><button><p>x</p><img src="https://HOST/x.png" alt="">'),
    bug("slash-in-html", '<g hidden/><img src="https://HOST/x.png" alt="">'),
    bug("density", '<img srcset="https://HOST/x.png 1000x" alt="">'),
    bug("picture", '<picture><source srcset="https://HOST/x.png 1x"><img width=1></picture>'),
    bug("background", '<table background="https://HOST/x.png"></table>'),
    bug("svg-outside", '<svg><image x="9999" href="https://HOST/x.png" width="9" height="9"/></svg>'),
    bug("svg-in-text", '<svg><text><image href="https://HOST/x.png" width="9" height="9"/></text></svg>'),
    bug("svg-foreign", '<svg><foreignObject><img src="https://HOST/x.png" alt=""></foreignObject></svg>'),
    bug(
        "svg-animated",
        '<svg><image width="1" height="1"><set attributeName="href" to="https://HOST/x.png"/></image></svg>',
    ),
    bug("not-slotted", '<div><template shadowrootmode=open></template><img src="https://HOST/x.png" alt=""></div>'),
    bug("ruby", '<ruby>x<rp><img src="https://HOST/x.png" alt=""></rp></ruby>'),
]

OWN = [
    replace(one, is_exempt=True)
    for one in (
        Vector("own", "location", "", status=302, fields=(("Location", "FAR/x"),)),
        Vector("own", "script-goes", whole("", RUN), files=own_script("location = 'FAR/x'")),
        Vector(
            "own",
            "script-clicks",
            whole("", '<a href="FAR/x">x</a>' + RUN),
            files=own_script("document.querySelector('a').click()"),
        ),
        Vector(
            "own",
            "script-inserts",
            whole("", RUN),
            files=own_script(
                "document.head.append(Object.assign(document.createElement('link'), {rel: 'preconnect', href: 'FAR/'}))"
            ),
        ),
        Vector("own", "users-image", whole("", '<img src="https://HOST/x.png" width="99" height="99" alt="">')),
    )
]

VECTORS = [
    *(*KINDS, *SPELLINGS, *PLACES, *BASES, *SRCDOCS, *DOCUMENTS, *TYPES, *CODES, *FRAMES, *FORMS, *GOING, *LOOKING),
    *(*LINKS, *REPORTS, *EARLY, *RULES, *BUGS, *ODDITIES, *OWN),
]

# What makes no contact in a browser even on a bare page, so that a guarded one proves nothing there.
SILENT_FOR: Mapping[str, frozenset[str]] = {
    # It looks no links up and takes no style sheet from a header; and it obeys Early Hints over HTTP/2 alone.
    "chromium": frozenset(
        """look-link look-link-https look-link-scheme-less look-link-on look-link-on-references look-link-no-referrer
        look-link-header-on look-link-not-found link-stylesheet early-preconnect early-second early-preload-style
        early-preload-script early-modulepreload code-parts-prefix code-parts-svg code-parts-utf-16 look-in-srcdoc
        look-in-srcdoc-sandboxed look-in-srcdoc-twice""".split()
    ),
    # No hints on files that a page loads, no speculation rules, no pings.
    "firefox": frozenset(
        """link-on-image link-on-script link-on-style link-on-style-names rules-eager rules-header rules-ping
        rules-prefetch rules-prerender rules-reference rules-unquoted rules-upper type-unknown type-words-in-a-list
        type-exchange type-exchange-no-version""".split()
    ),
}
