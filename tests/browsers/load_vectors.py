"""Ways in which a page loads something from another server.

Every page comes from the same table, as HTML, as XHTML and inside an SVG: so the markup is well-formed XML throughout.
In markup and files FAR is an address at the other server, NEAR one at the page's own, and NAME the vector's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Vector:
    """One way to load something."""

    name: str
    body: str
    head: str = ""
    prolog: str = ""
    """What stands before the root element, where the document is XML."""
    files: Mapping[str, str] = field(default_factory=dict)
    """The page's own files by their names; a name that ends in .redirect leads to FAR/x with that content's ending."""
    fields: tuple[tuple[str, str], ...] = ()
    """More header fields of the page."""


def script(name: str, code: str, body: str = "", **files: str) -> Vector:
    """A script file of the page's own, which the policy lets run, tries to load something."""
    named = {file.replace("_", "."): text for file, text in files.items()}
    return Vector(name, body + '<script src="NEAR/run.js"></script>', files={"run.js": code, **named})


def style(name: str, css: str, body: str = '<p class="NAME">text</p>', **files: str) -> Vector:
    """A style sheet of the page's own tries to load something."""
    named = {file.replace("_", "."): text for file, text in files.items()}
    return Vector(name, body, '<link rel="stylesheet" href="NEAR/own.css"/>', files={"own.css": css, **named})


SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="40" height="40">'

IMAGES = [
    Vector("img", '<img src="FAR/x.png" alt=""/>'),
    Vector("img-lazy", '<img src="FAR/x.png" alt="" loading="lazy"/>'),
    Vector("img-crossorigin", '<img src="FAR/x.png" alt="" crossorigin="anonymous"/>'),
    Vector("img-srcset", '<img srcset="FAR/x.png 1x" alt=""/>'),
    Vector("picture-source", '<picture><source srcset="FAR/x.png"/><img src="data:," alt=""/></picture>'),
    Vector("img-own-redirect", '<img src="NEAR/png.redirect" alt=""/>'),
    Vector("image-element", '<image src="FAR/x.png"/>'),
    Vector("input-image", '<input type="image" src="FAR/x.png" alt=""/>'),
    Vector("table-background", '<table background="FAR/x.png"><tr><td>x</td></tr></table>'),
    Vector("cell-background", '<table><tr><td background="FAR/x.png">x</td></tr></table>'),
    Vector("svg-image-href", SVG + '<image href="FAR/x.png" width="9" height="9"/></svg>'),
    Vector("svg-image-xlink", SVG + '<image xlink:href="FAR/x.png" width="9" height="9"/></svg>'),
    Vector(
        "svg-feimage",
        SVG + '<filter id="f"><feImage href="FAR/x.png"/></filter><rect width="9" height="9" filter="url(#f)"/></svg>',
    ),
    Vector(
        "svg-animated-href",
        SVG + '<image width="9" height="9"><set attributeName="href" to="FAR/x.png" begin="0s"/></image></svg>',
    ),
    Vector(
        "svg-style-inline",
        SVG + '<style>.NAME { fill: url(FAR/x.svg#x) }</style><rect class="NAME" width="9" height="9"/></svg>',
    ),
]

STYLES = [
    Vector("link-stylesheet", "", '<link rel="stylesheet" href="FAR/x.css"/>'),
    Vector("link-stylesheet-print", "", '<link rel="stylesheet" href="FAR/x.css" media="print"/>'),
    Vector("link-stylesheet-alternate", "", '<link rel="alternate stylesheet" title="x" href="FAR/x.css"/>'),
    Vector("link-stylesheet-in-body", '<link rel="stylesheet" href="FAR/x.css"/>'),
    Vector("link-stylesheet-own-redirect", "", '<link rel="stylesheet" href="NEAR/css.redirect"/>'),
    Vector("style-inline-background", '<p class="NAME">x</p>', "<style>.NAME { background: url(FAR/x.png) }</style>"),
    Vector("style-inline-import", "", '<style>@import "FAR/x.css";</style>'),
    Vector(
        "style-inline-font",
        '<p class="NAME">x</p>',
        "<style>@font-face { font-family: NAME; src: url(FAR/x.woff2) } .NAME { font-family: NAME }</style>",
    ),
    Vector("style-attribute", '<p style="background: url(FAR/x.png)">x</p>'),
    style("css-import", '@import "FAR/x.css";'),
    style("css-import-url", "@import url(FAR/x.css) layer(x) supports(display: block) screen;"),
    style("css-import-of-import", '@import "second.css";', second_css='@import "FAR/x.css";'),
    style("css-background", ".NAME { background: url(FAR/x.png) }"),
    style("css-background-own-redirect", ".NAME { background: url(png.redirect) }"),
    style("css-escaped", r".NAME { background: \75\72l(FAR/x.png) }"),
    style("css-image-set", '.NAME { background-image: image-set("FAR/x.png" 1x) }'),
    style("css-variable", ":root { --x: url(FAR/x.png) } .NAME { background: var(--x) }"),
    style("css-border-image", ".NAME { border: 9px solid; border-image: url(FAR/x.png) 30 }"),
    style("css-list-style", ".NAME { display: list-item; list-style: url(FAR/x.png) }"),
    style("css-cursor", ".NAME { cursor: url(FAR/x.png), auto }"),
    style("css-content", ".NAME::before { content: url(FAR/x.png) }"),
    style("css-mask", ".NAME { mask-image: url(FAR/x.png) }"),
    style("css-shape-outside", ".NAME { float: left; shape-outside: url(FAR/x.png) }"),
    style("css-font-face", "@font-face { font-family: NAME; src: url(FAR/x.woff2) } .NAME { font-family: NAME }"),
    style("css-clip-path", ".NAME { clip-path: url(FAR/x.svg#x) }"),
    style(
        "css-svg-fill", "rect.NAME { fill: url(FAR/x.svg#x) }", SVG + '<rect class="NAME" width="9" height="9"/></svg>'
    ),
]

SCRIPTS = [
    Vector("script", '<script src="FAR/x.js"></script>'),
    Vector("script-async", '<script src="FAR/x.js" async="async"></script>'),
    Vector("script-defer", "", '<script src="FAR/x.js" defer="defer"></script>'),
    Vector("script-module", '<script type="module" src="FAR/x.js"></script>'),
    Vector("script-own-redirect", '<script src="NEAR/js.redirect"></script>'),
    Vector("script-inline", '<script>new Image().src = "FAR/x.png"</script>'),
    Vector("script-data", """<script src="data:text/javascript,new Image().src='FAR/x.png'"></script>"""),
    Vector(
        "script-event-handler", """<img src="data:," alt="" onerror="this.onerror = null; this.src = 'FAR/x.png'"/>"""
    ),
    Vector("svg-script", SVG + '<script href="FAR/x.js"></script></svg>'),
    Vector("svg-script-xlink", SVG + '<script xlink:href="FAR/x.js"></script></svg>'),
    Vector(
        "module-own-imports",
        '<script type="module" src="NEAR/own.js"></script>',
        files={"own.js": 'import "FAR/x.js";'},
    ),
    Vector(
        "module-own-reexports",
        '<script type="module" src="NEAR/own.js"></script>',
        files={"own.js": 'export * from "./second.js";', "second.js": 'export * from "FAR/x.js";'},
    ),
    Vector(
        "module-imports-css",
        '<script type="module" src="NEAR/own.js"></script>',
        files={"own.js": 'import x from "FAR/x.css" with {type: "css"};'},
    ),
    Vector(
        "module-imports-json",
        '<script type="module" src="NEAR/own.js"></script>',
        files={"own.js": 'import x from "FAR/x.json" with {type: "json"};'},
    ),
    script("js-dynamic-import", 'import("FAR/x.js")'),
    script("js-script-element", 'document.documentElement.append(make("script", {src: "FAR/x.js"}))'),
    script("js-script-module-element", 'root.append(make("script", {type: "module", src: "FAR/x.js"}))'),
    script("js-document-write", "document.write('<img src=\"FAR/x.png\">')"),
]

NONCED = [
    Vector("nonce-script", '<script nonce="NONCE" src="FAR/x.js"></script>'),
    Vector("nonce-script-module", '<script nonce="NONCE" type="module" src="FAR/x.js"></script>'),
    Vector("nonce-script-own-redirect", '<script nonce="NONCE" src="NEAR/js.redirect"></script>'),
    Vector("nonce-svg-script", SVG + '<script nonce="NONCE" href="FAR/x.js"></script></svg>'),
    Vector("nonce-stylesheet", "", '<link nonce="NONCE" rel="stylesheet" href="FAR/x.css"/>'),
    Vector("nonce-style-import", "", '<style nonce="NONCE">@import "FAR/x.css";</style>'),
    Vector(
        "nonce-style-background",
        '<p class="NAME">x</p>',
        '<style nonce="NONCE">.NAME { background: url(FAR/x.png) }</style>',
    ),
    Vector("nonce-preload-script", "", '<link nonce="NONCE" rel="preload" as="script" href="FAR/x.js"/>'),
    Vector("nonce-modulepreload", "", '<link nonce="NONCE" rel="modulepreload" href="FAR/x.js"/>'),
    Vector("nonce-inline-image", '<script nonce="NONCE">new Image().src = "FAR/x.png"</script>'),
    Vector("nonce-inline-import", '<script nonce="NONCE">import("FAR/x.js")</script>'),
    Vector("nonce-inline-module", '<script nonce="NONCE" type="module">import "FAR/x.js";</script>'),
    Vector(
        "nonce-inline-inserts-script",
        '<script nonce="NONCE">const s = document.createElementNS("http://www.w3.org/1999/xhtml", "script"); '
        's.nonce = document.currentScript.nonce; s.src = "FAR/x.js"; document.documentElement.append(s)</script>',
    ),
]

CONNECTIONS = [
    script("js-fetch", 'fetch("FAR/x.json")'),
    script("js-fetch-no-cors", 'fetch("FAR/x.json", {mode: "no-cors", credentials: "include"})'),
    script("js-fetch-keepalive", 'fetch("FAR/x.json", {method: "POST", keepalive: true, body: "x"})'),
    script("js-fetch-own-redirect", 'fetch("NEAR/json.redirect")'),
    script("js-xhr", 'const x = new XMLHttpRequest(); x.open("GET", "FAR/x.json"); x.send()'),
    script("js-xhr-synchronous", 'const x = new XMLHttpRequest(); x.open("GET", "FAR/x.json", false); x.send()'),
    script("js-beacon", 'navigator.sendBeacon("FAR/x.json", "x")'),
    script("js-event-source", 'const s = new EventSource("FAR/x.json"); s.onerror = () => s.close()'),
    script("js-web-socket", 'new WebSocket("FAR/x.json".replace("http", "ws"))'),
    script("js-ping", 'root.append(make("a", {href: "#x", ping: "FAR/x.json"})); root.lastChild.click()'),
    script("js-worker-fetch", 'keep(new Worker("NEAR/w.js"))', w_js='fetch("FAR/x.json")'),
    script(
        "js-worker-xhr",
        'keep(new Worker("NEAR/w.js"))',
        w_js='const x = new XMLHttpRequest(); x.open("GET", "FAR/x.json", false); x.send()',
    ),
    script("js-worker-import-scripts", 'keep(new Worker("NEAR/w.js"))', w_js='importScripts("FAR/x.js")'),
    script("js-worker-module-import", 'keep(new Worker("NEAR/w.js", {type: "module"}))', w_js='import "FAR/x.js";'),
    script(
        "js-worker-web-socket",
        'keep(new Worker("NEAR/w.js"))',
        w_js='new WebSocket("FAR/x.json".replace("http", "ws"))',
    ),
    script(
        "js-worker-nested",
        'keep(new Worker("NEAR/w.js"))',
        w_js='self.kept = new Worker("v.js")',
        v_js='importScripts("FAR/x.js")',
    ),
    script("js-worker-blob", """keep(new Worker(URL.createObjectURL(new Blob(['importScripts("FAR/x.js")']))))"""),
    script("js-worker-data", """keep(new Worker('data:text/javascript,importScripts("FAR/x.js")'))"""),
    script("js-shared-worker", 'keep(new SharedWorker("NEAR/w.js"))', w_js='importScripts("FAR/x.js")'),
    script("js-service-worker", 'navigator.serviceWorker.register("NEAR/w.js")', w_js='importScripts("FAR/x.js")'),
    script("js-paint-worklet", 'CSS.paintWorklet.addModule("FAR/x.js")'),
    script("js-audio-worklet", 'keep(new OfflineAudioContext(1, 9, 8000)).audioWorklet.addModule("FAR/x.js")'),
    script(
        "js-audio-worklet-import",
        'keep(new OfflineAudioContext(1, 9, 8000)).audioWorklet.addModule("NEAR/w.js")',
        w_js='import "FAR/x.js";',
    ),
]

INSERTED = [
    script("js-image", 'new Image().src = "FAR/x.png"'),
    script("js-audio", 'new Audio("FAR/x.mp3").preload = "auto"'),
    script("js-video", 'root.append(make("video", {src: "FAR/x.mp4", preload: "auto"}))'),
    script("js-font-face", 'new FontFace("F", "url(FAR/x.woff2)").load()'),
    script("js-inner-html", """root.insertAdjacentHTML("beforeend", '<img src="FAR/x.png" />')"""),
    script(
        "js-range-fragment",
        """
        root.append(document.createRange().createContextualFragment('<img src="FAR/x.png" />'))""",
    ),
    script(
        "js-dom-parser",
        """
        const page = new DOMParser().parseFromString('<img src="FAR/x.png">', "text/html");
        root.append(document.adoptNode(page.querySelector("img")))""",
    ),
    script(
        "js-template",
        """
        const t = make("template", {innerHTML: '<img src="FAR/x.png" />'}); root.append(t.content.cloneNode(true))""",
    ),
    script(
        "js-shadow-root",
        """
        const host = make("div", {}); root.append(host);
        host.attachShadow({mode: "closed"}).innerHTML = '<img src="FAR/x.png" />'""",
    ),
    script("js-style-property", 'root.append(make("p", {})); root.lastChild.style.background = "url(FAR/x.png)"'),
    script(
        "js-insert-rule",
        """
        root.append(make("p", {className: "NAME"}));
        document.querySelector("link[href*=NAME]").sheet.insertRule(".NAME { background: url(FAR/x.png) }")""",
        '<link rel="stylesheet" href="NEAR/own.css"/>',
        own_css="p { color: red }",
    ),
    script(
        "js-adopted-style-sheet",
        """
        const sheet = new CSSStyleSheet(); sheet.replaceSync(".NAME { background: url(FAR/x.png) }");
        document.adoptedStyleSheets = [sheet]; root.append(make("p", {className: "NAME"}))""",
    ),
    script(
        "js-style-element",
        """
        root.append(make("p", {className: "NAME"}));
        root.append(make("style", {textContent: ".NAME { background: url(FAR/x.png) }"}))""",
    ),
    script("js-link-stylesheet", 'root.append(make("link", {rel: "stylesheet", href: "FAR/x.css"}))'),
    script("js-link-prefetch", 'root.append(make("link", {rel: "prefetch", href: "FAR/x.html"}))'),
    script(
        "js-svg-image",
        """
        const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
        const image = document.createElementNS("http://www.w3.org/2000/svg", "image");
        image.setAttribute("href", "FAR/x.png"); svg.append(image); root.append(svg)""",
    ),
]

MEDIA = [
    Vector("video-poster", '<video poster="FAR/x.png"></video>'),
    Vector("video", '<video src="FAR/x.mp4" preload="auto"></video>'),
    Vector("video-source", '<video preload="auto"><source src="FAR/x.mp4"/></video>'),
    Vector("audio", '<audio src="FAR/x.mp3" preload="auto"></audio>'),
    Vector(
        "audio-source-crossorigin", '<audio preload="auto" crossorigin="anonymous"><source src="FAR/x.mp3"/></audio>'
    ),
    Vector(
        "track",
        '<video src="NEAR/own.mp4" preload="auto" crossorigin="anonymous">'
        '<track default="default" kind="captions" src="FAR/x.vtt"/></video>',
        files={"own.mp4": "no film"},
    ),
]

EMBEDDED = [
    Vector("object-image", '<object data="FAR/x.png"></object>'),
    Vector("object-typed", '<object data="FAR/x.png" type="image/png"></object>'),
    Vector("object-page", '<object data="FAR/x.html" type="text/html"></object>'),
    Vector(
        "object-own-svg",
        '<object data="NEAR/own.svg"></object>',
        files={"own.svg": SVG + '<image href="FAR/x.png"/></svg>'},
    ),
    Vector("embed-image", '<embed src="FAR/x.png"/>'),
    Vector("embed-page", '<embed src="FAR/x.html" type="text/html"/>'),
    Vector("iframe", '<iframe src="FAR/x.html"></iframe>'),
    Vector("iframe-sandbox", '<iframe sandbox="" src="FAR/x.html"></iframe>'),
    Vector("iframe-credentialless", '<iframe credentialless="credentialless" src="FAR/x.html"></iframe>'),
    Vector("iframe-own-redirect", '<iframe src="NEAR/html.redirect"></iframe>'),
    Vector("iframe-srcdoc", '<iframe srcdoc="&lt;img src=FAR/x.png&gt;"></iframe>'),
    Vector("iframe-srcdoc-script", '<iframe srcdoc="&lt;script src=FAR/x.js&gt;&lt;/script&gt;"></iframe>'),
    Vector("iframe-srcdoc-sandbox", '<iframe sandbox="" srcdoc="&lt;img src=FAR/x.png&gt;"></iframe>'),
    Vector(
        "iframe-srcdoc-twice",
        '<iframe srcdoc="&lt;iframe srcdoc=&#39;&amp;lt;img src=FAR/x.png&amp;gt;&#39;&gt;&lt;/iframe&gt;"></iframe>',
    ),
    Vector(
        "iframe-srcdoc-meta-csp",
        """<iframe srcdoc="&lt;meta http-equiv=Content-Security-Policy content='img-src *'&gt;
        &lt;img src=FAR/x.png&gt;"></iframe>""",
    ),
    Vector("iframe-data", '<iframe src="data:text/html,&lt;img src=FAR/x.png&gt;"></iframe>'),
    Vector("iframe-javascript", """<iframe src="javascript:'&lt;img src=FAR/x.png&gt;'"></iframe>"""),
    Vector(
        "iframe-own-svg",
        '<iframe src="NEAR/own.svg"></iframe>',
        files={"own.svg": SVG + '<image href="FAR/x.png"/></svg>'},
    ),
    Vector(
        "iframe-own-unlabelled",
        '<iframe src="NEAR/own"></iframe>',
        files={"own": '<!doctype html><img src="FAR/x.png">'},
    ),
    Vector(
        "frameset",
        '<iframe src="NEAR/own.html"></iframe>',
        files={"own.html": '<!doctype html><frameset><frame src="FAR/x.html"></frameset>'},
    ),
    script("js-iframe", 'root.append(make("iframe", {src: "FAR/x.html"}))'),
    script("js-iframe-srcdoc", """root.append(make("iframe", {srcdoc: '<img src="FAR/x.png">'}))"""),
    script(
        "js-iframe-blob",
        """root.append(make("iframe", {
        src: URL.createObjectURL(new Blob(['<img src="FAR/x.png">'], {type: "text/html"}))}))""",
    ),
    script(
        "js-iframe-written",
        """
        const frame = make("iframe", {}); root.append(frame);
        frame.contentDocument.write('<img src="FAR/x.png">'); frame.contentDocument.close()""",
    ),
    script(
        "js-iframe-realm",
        'const frame = make("iframe", {}); root.append(frame); frame.contentWindow.fetch("FAR/x.json")',
    ),
]

HINTS = [
    Vector("link-preload-image", "", '<link rel="preload" as="image" href="FAR/x.png"/>'),
    Vector("link-preload-imagesrcset", "", '<link rel="preload" as="image" imagesrcset="FAR/x.png 1x"/>'),
    Vector("link-preload-script", "", '<link rel="preload" as="script" href="FAR/x.js"/>'),
    Vector("link-preload-style", "", '<link rel="preload" as="style" href="FAR/x.css"/>'),
    Vector("link-preload-font", "", '<link rel="preload" as="font" crossorigin="" href="FAR/x.woff2"/>'),
    Vector("link-preload-fetch", "", '<link rel="preload" as="fetch" crossorigin="" href="FAR/x.json"/>'),
    Vector("link-modulepreload", "", '<link rel="modulepreload" href="FAR/x.js"/>'),
    Vector("link-prefetch", "", '<link rel="prefetch" href="FAR/x.html"/>'),
    Vector("link-dictionary", "", '<link rel="compression-dictionary" href="FAR/x.json"/>'),
    Vector("header-preload", "", fields=(("Link", "<FAR/x.png>; rel=preload; as=image"),)),
    Vector("header-preload-font", "", fields=(("Link", "<FAR/x.woff2>; rel=preload; as=font; crossorigin"),)),
    Vector("header-modulepreload", "", fields=(("Link", "<FAR/x.js>; rel=modulepreload"),)),
    Vector("header-prefetch", "", fields=(("Link", "<FAR/x.html>; rel=prefetch"),)),
    Vector("header-stylesheet", "", fields=(("Link", "<FAR/x.css>; rel=stylesheet"),)),
    Vector("xml-stylesheet", "", prolog='<?xml-stylesheet type="text/css" href="FAR/x.css"?>'),
]

WEAKENED = [
    Vector("base-href", '<img src="x.png" alt=""/>', '<base href="FAR/"/>'),
    Vector("base-href-script", '<script src="x.js"></script>', '<base href="FAR/"/>'),
    Vector(
        "meta-csp",
        '<img src="FAR/x.png" alt=""/>',
        '<meta http-equiv="Content-Security-Policy" content="default-src * data:; img-src *"/>',
    ),
    Vector(
        "app-csp",
        '<img src="FAR/x.png" alt=""/>',
        fields=(("Content-Security-Policy", "default-src * 'unsafe-inline'"),),
    ),
    Vector(
        "app-csp-script",
        '<script src="FAR/x.js"></script>',
        fields=(("content-security-policy", "script-src * 'unsafe-inline' 'unsafe-eval'; default-src *"),),
    ),
    Vector(
        "app-csp-list",
        '<iframe src="FAR/x.html"></iframe>',
        fields=(("Content-Security-Policy", "frame-src *, default-src *; frame-src *"),),
    ),
    Vector(
        "app-csp-report-only",
        '<script src="FAR/x.js"></script>',
        fields=(("Content-Security-Policy-Report-Only", "default-src *"),),
    ),
]

FORMS = [
    script("form-post", "document.forms[0].submit()", '<form method="post" action="FAR/x.html"><p/></form>'),
    script("form-get", "document.forms[0].submit()", '<form action="FAR/x.html"><p/></form>'),
    script(
        "form-button",
        "document.forms[0].elements[0].click()",
        '<form action="FAR/x.html" method="post"><button>x</button></form>',
    ),
    script(
        "form-formaction",
        "document.forms[0].elements[0].click()",
        '<form action="/" method="post"><button formaction="FAR/x.html">x</button></form>',
    ),
]

# Each of these would change what else is on its page.
ALONE = [
    *WEAKENED,
    *FORMS,
    script("js-base", 'root.append(make("base", {href: "FAR/"})); new Image().src = "x.png"'),
    Vector(
        "nonce-importmap",
        '<script nonce="NONCE" type="importmap">{"imports": {"x": "FAR/x.js"}}</script>'
        '<script nonce="NONCE" type="module">import "x";</script>',
    ),
    Vector("xml-stylesheet-xsl", "", prolog='<?xml-stylesheet type="text/xsl" href="FAR/x.xsl"?>'),
]
# Those of one family may share a page.
FAMILIES = [IMAGES, STYLES, SCRIPTS, NONCED, CONNECTIONS, INSERTED, MEDIA, EMBEDDED, HINTS]
ON_A_PAGE = 12


def pages() -> list[list[Vector]]:
    """Return the vectors, page by page."""
    shared = [family[start : start + ON_A_PAGE] for family in FAMILIES for start in range(0, len(family), ON_A_PAGE)]
    return shared + [[vector] for vector in ALONE]
