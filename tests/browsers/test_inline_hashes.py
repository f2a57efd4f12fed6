"""Tests of ``privguard hashes`` in real browsers: with the settings that it prints, a page's inline code runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from browsers.browser import Browser
from browsers.raw_server import RawServer, Request
from browsers.two_sites import wsgi_answer
from privguard.cli import main
from privguard.wsgi import PrivacyMiddleware

RAN = "(window.ran??=[]).push"

# What each leaves when it runs is its name in window.ran.
SCRIPTS = {
    "import-map": '<script type="importmap">{"imports": {"nowhere": "./x.js"}}</script>'
    f"<script type=module>if (import.meta.resolve('nowhere').endsWith('/x.js')) {RAN}('import-map')</script>",
    "srcdoc": "<iframe srcdoc=\"<script>'&amp;amp;'; (parent.ran ??= []).push('srcdoc')</script>\"></iframe>",
    "plain": f"<script>{RAN}('plain')</script>",
    "lines": f"<script>\r\n// one\r// two\n{RAN}('lines')\r\n</script>",
    "end-tag": f"<SCRIPT>{RAN}('end-tag') // </scripty>\n</SCRIPT\n x>",
    "escaped": f"<script><!--\n{RAN}('escaped'); '<script>'; '</script>'\n--></script>",
    "half-escaped": f"<script><!-->\n{RAN}('half-escaped'); '<script>'\n</script>",
    "reference": f"<script>if ('&amp;'.length == 5) {RAN}('reference')</script>",
    "characters": f"<script>'\u00fc \u65e5\u672c \U0001d4b3 \ufeff \ufffe'; {RAN}('characters')</script>",
    "nul": f"<script>/* \0 */ {RAN}('nul')</script>",
    "type": f"<script type=' TEXT/JavaScript\n'>{RAN}('type')</script>",
    "language": f"<script type='' language=none>{RAN}('language')</script>",
    "language-alone": f"<script language=JavaScript1.5>{RAN}('language-alone')</script>",
    "href": f"<script href=/x.js>{RAN}('href')</script>",
    "module": f"<script type=module>{RAN}('module')</script>",
    "in-a-template-tag": f"<template><script>{RAN}('in-a-template-tag')</script></template>"
    "<script>document.body.append(document.querySelector('template').content.cloneNode(true))</script>",
    "svg": f"<svg><script>if ('&lt;<![CDATA[&]]>' == '\\x3c\\x26') <!-- x -->{RAN}('svg')</script></svg>",
    "svg-html": f"<svg><foreignObject><p><script>'&amp;'; {RAN}('svg-html')</script></foreignObject></svg>",
    "behind-svg": f"<svg><desc>x</desc><circle/></svg><script>'&amp;'; {RAN}('behind-svg')</script>",
    "out-of-svg": f"<svg><g><p>x</p><script>'&amp;'; {RAN}('out-of-svg')</script>",
    "click": f'<p class=click onclick="{RAN}(&quot;click&quot;)">',
    "click-lines": f"<p class=click onclick='\r\n{RAN}(\r`click-lines`)\r\n'>",
    "click-references": '<p class=click onclick="`&#13;&nbsp;&notit;&copy=1&#128;&#0;&#xd800;`; '
    f"{RAN}('click-references')\">",
    "click-twice": f"<p class=click onclick={RAN}('click-twice') onclick={RAN}('never')>",
    "click-nul": f"<p class=click onclick='/*\0*/ {RAN}(`click-nul`)'>",
}
# What each leaves, when it holds, is a custom property of <body>, --NAME, or of its own element, of the class "styled".
STYLES = {
    "plain-style": "<style>body { --plain-style: 1 }</style>",
    "typed-style": "<style type='Text/CSS' media=all>\r\nbody { --typed-style: 1 }\r\n</style>",
    "empty-style": "<style id=empty></style><script>"
    "document.querySelector('#empty').sheet?.insertRule('body { --empty-style: 1 }')</script>",
    "style-text": "<style>body::after { content: '&amp;<!--' } body { --style-text: 1 }</style>",
    "svg-style": "<svg><style><![CDATA[ body { --svg-style: 1 } a>b {} ]]> a&gt;b {} </style></svg>",
    "style-attribute": "<p class=styled style='--style-attribute&colon; 1'>",
    "style-lines": "<p class=styled style='\r\n--style-lines: 1;\r\n'>",
    "svg-attribute": "<svg class=styled style='--svg-attribute: 1'></svg>",
}
NO_CODE = (
    '<script type="application/json">{"a": 1}</script><script type="text/template"><b onclick=x></script>'
    '<script type=" ">x</script><script></script><script language=none>x</script>'
    "<!-- <script>x</script> --><textarea><script>x</script></textarea><xmp><style>x</style></xmp><p on-click=x once>"
)
PAGE = "<!doctype html><meta charset=utf-8><body>" + "\n".join([*SCRIPTS.values(), *STYLES.values(), NO_CODE])
WHAT_RAN = """
    for (const one of document.querySelectorAll(".click")) one.click();
    const styles = [document.body, ...document.querySelectorAll(".styled")].map((one) => getComputedStyle(one));
    const applied = NAMES.filter((name) => styles.some((style) => style.getPropertyValue("--" + name).trim() == "1"));
    return [...(window.ran ?? []), ...applied];
""".replace("NAMES", str(list(STYLES)))


class Site:
    """A site of one page, guarded or not by what its owner has set."""

    def __init__(self) -> None:
        self.settings: dict[str, object] = {}
        self.server = RawServer(self._answer)

    @property
    def url(self) -> str:
        return f"http://site.localhost:{self.server.port}/"

    def _answer(self, request: Request) -> bytes:
        return wsgi_answer(PrivacyMiddleware(self._app, self.settings), request)

    @staticmethod
    def _app(environ, start_response):
        body = PAGE.encode() if environ["PATH_INFO"] == "/" else b""
        start_response("200 OK", [("Content-Type", "text/html")])
        return [body]


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    with site.server:
        yield site


def pasted(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    """The settings that the command prints."""
    assert main(["hashes", *arguments]) == 0
    output, errors = capsys.readouterr()
    assert errors == ""
    settings: dict[str, object] = ast.literal_eval(output.removeprefix("PRIVGUARD = "))
    return settings


def what_ran(browser: Browser, site: Site) -> list[str]:
    browser.open(site.url)
    return browser.run(WHAT_RAN)


def test_inline_code_without_hashes(browser: Browser, site: Site) -> None:
    """Under the strict default, none of it runs."""
    assert what_ran(browser, site) == []


@pytest.mark.parametrize("by", ["file", "address"])
def test_inline_code_with_the_hashes_of_the_page(browser: Browser, site: Site, tmp_path: Path, capsys, by: str) -> None:
    """With the settings pasted, all of it runs: no byte that a browser hashes differs from what was hashed."""
    (tmp_path / "page.html").write_bytes(PAGE.encode())
    site.settings = pasted(capsys, str(tmp_path) if by == "file" else site.url.replace("site.localhost", "127.0.0.1"))
    assert sorted(what_ran(browser, site)) == sorted([*SCRIPTS, *STYLES])
    assert browser.violations() == []
