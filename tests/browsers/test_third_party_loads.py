"""Tests of what pages load from another server: bare, in every way there is; behind the middleware, in none.

Both behind all of it and behind the policy alone, which must hold without the scrubber's help.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from browsers.browser import Browser
from browsers.chromium import Chromium
from browsers.programs import wait_until
from browsers.two_sites import KINDS, TwoSites
from privguard.wsgi import PrivacyMiddleware

# What does nothing, even bare: in one kind of page, and in one browser.
SILENT_IN = {
    "html": {"xml-stylesheet", "xml-stylesheet-xsl"},
    "errors": {"xml-stylesheet", "xml-stylesheet-xsl"},
    "xhtml": {"image-element", "js-document-write", "js-range-fragment"},
    "svg": {"image-element", "js-document-write", "js-range-fragment"},
}
SILENT_FOR = {
    # Neither style sheets from a header nor transformations from elsewhere.
    "chromium": {"header-stylesheet", "xml-stylesheet-xsl"},
    # No pings, paint worklets, dictionaries, nor what SVG refers to elsewhere; and it prefetches when it has time.
    "firefox": {"svg-style-inline", "css-clip-path", "css-svg-fill", "js-ping", "js-paint-worklet"}
    | {"js-link-prefetch", "link-prefetch", "header-prefetch", "link-dictionary"},
}
# What a page loads only when it is nobody's frame, and the directive that forbids it.
ON_ITS_OWN = {
    "icon": ('<link rel="icon" href="FAR/x.png">', "img-src"),
    "frameset": ('<frameset><frame src="FAR/x.html"></frameset>', "frame-src"),
    "form-post": ('<form method="post" action="FAR/x.html"></form>', "form-action"),
    "form-get": ('<form action="FAR/x.html"></form>', "form-action"),
    "form-formaction": ('<form method="post"><button formaction="FAR/x.html">x</button></form>', "form-action"),
}
SENT = """<script nonce="NONCE">onload = () => {
    const form = document.forms[0];
    if (form) setTimeout(() => (form.elements[0] ? form.elements[0].click() : form.submit()));
}</script>"""
# No frame: Chromium says hello to the server of a frame that it then does not load.
FILES = """<link rel="stylesheet" href="FAR/x.css"><script src="FAR/x.js"></script>
<video src="FAR/x.mp4" preload="auto"></video><object data="FAR/x.svg"></object>"""
QUIET = 0.5  # seconds without a request after which no more is expected: each guarded page has a bare one behind it


@pytest.fixture
def sites(all_sites: TwoSites) -> TwoSites:
    """Both servers, and nobody has asked the other one for anything yet."""
    all_sites.forget()
    return all_sites


@pytest.fixture(scope="module")
def all_sites() -> Iterator[TwoSites]:
    with TwoSites() as sites:
        sites.guard("default", PrivacyMiddleware)
        sites.guard("policy", lambda app: PrivacyMiddleware(app, {"scrub_html": False}))
        sites.guard("report-only", lambda app: PrivacyMiddleware(app, {"csp": {"report_only": True}}))
        sites.guard("first-party", lambda app: PrivacyMiddleware(app, {"first_party": [sites.far]}))
        sites.guard("boards", lambda app: PrivacyMiddleware(app, {"user_image_paths": ["/boards/"]}))
        maps = {"/paths/maps/": {"img-src": ["'self'", sites.far]}, "/paths/maps/dark/": {"img-src": ["'none'"]}}
        sites.guard("paths", lambda app: PrivacyMiddleware(app, {"csp": {"paths": maps}}))
        yield sites


def wait_until_quiet(sites: TwoSites) -> None:
    """Wait until the other server has not been asked for anything new for a while."""
    while wait_until(lambda count=sites.contacts: sites.contacts > count, QUIET):
        pass


def visit_until(browser: Browser, url: str, is_so: Callable[[], bool]) -> None:
    """Show the page at *url*, up to three times: on a busy machine a worker may not have come to its turn in one."""
    for _ in range(3):
        browser.open(url)
        if wait_until(is_so):
            return


def speaking(sites: TwoSites, browser: Browser, kind: str) -> set[str]:
    return sites.names - SILENT_IN[kind] - SILENT_FOR[browser.name]


@pytest.mark.parametrize("kind", KINDS)
def test_page_loads_nothing_from_elsewhere(browser: Browser, sites: TwoSites, kind: str) -> None:
    """Each way of loading something from another server works on a bare page, and none on a guarded one."""
    wanted = speaking(sites, browser, kind)
    assert len(wanted) > 150
    url = sites.show(kind, "default", "policy", "bare")
    visit_until(browser, url, lambda: wanted <= sites.reached("bare", kind))
    wait_until_quiet(sites)
    assert wanted - sites.reached("bare", kind) == set()
    assert sites.reached("policy", kind) == set()
    assert sites.reached("default", kind) == set()


@pytest.mark.parametrize("name", ON_ITS_OWN)
def test_page_in_a_tab_of_its_own(browser: Browser, sites: TwoSites, name: str) -> None:
    """What a page does only as a whole, like showing its icon or sending a form, stays on this site as well."""
    html, directive = ON_ITS_OWN[name]
    browser.open(sites.put(f"/policy/{name}", SENT + html))
    assert wait_until(lambda: any(one.startswith(directive) for one in browser.violations()))
    for guard in ("default", "bare"):
        browser.open(sites.put(f"/{guard}/{name}", SENT + html))
    assert wait_until(lambda: sites.reached("bare", name))
    assert sites.reached("policy", name) | sites.reached("default", name) == set()


def test_manifest(chromium: Chromium, sites: TwoSites) -> None:
    """A page that is about to be installed takes its manifest from nobody else."""
    for guard in ("default", "bare"):
        chromium.open(sites.put(f"/{guard}/manifest", '<link rel="manifest" href="FAR/x.json">'))
        chromium.load_manifest()
    assert sites.reached("bare", "manifest")
    assert sites.reached("default", "manifest") == set()


def test_speculation_rules_of_a_header(chromium: Chromium, sites: TwoSites) -> None:
    """No policy stops Chromium from fetching the rules that a header names: the header does not leave."""
    for guard in ("default", "bare"):
        path = f"/{guard}/speculation"
        rules = f'"{sites.far}{path}/rules.json"'
        chromium.open(sites.put(path, "<p>x", ("Speculation-Rules", rules)))
    assert wait_until(lambda: sites.reached("bare", "speculation"))
    assert sites.reached("default", "speculation") == set()


# An answer without a type is not taken for a page any more, and hints that no directive governs are taken out.
NO_MATTERS_OF_THE_POLICY = {"iframe-own-unlabelled", "link-dictionary", "link-prefetch", "header-prefetch"}


def test_report_only_blocks_nothing(browser: Browser, sites: TwoSites) -> None:
    """While a site is only trying its policy out, its pages load what they did before, and the console tells of it."""
    wanted = speaking(sites, browser, "html") - NO_MATTERS_OF_THE_POLICY
    url = sites.show("html", "report-only")
    visit_until(browser, url, lambda: wanted <= sites.reached("report-only", "html"))
    assert wanted - sites.reached("report-only", "html") == set()
    assert wait_until(lambda: len(browser.violations()) > 30)
    assert [one for one in browser.violations() if " report " not in one] == []


FIRST_PARTY = """img img-srcset link-stylesheet css-import css-background css-font-face script script-module js-fetch
    js-beacon js-web-socket js-event-source js-worker-import-scripts video audio iframe link-preload-image
    form-post""".split()
NOBODYS = """object-image embed-image base-href base-href-script script-inline style-attribute iframe-data
    iframe-javascript js-worker-blob""".split()


def test_first_party_is_admitted(browser: Browser, sites: TwoSites) -> None:
    """Another origin of the same owner may give a page whatever the site itself may, and nothing more."""
    url = sites.show("html", "first-party")
    visit_until(browser, url, lambda: set(FIRST_PARTY) <= sites.reached("first-party", "html"))
    wait_until_quiet(sites)
    assert set(FIRST_PARTY) - sites.reached("first-party", "html") == set()
    assert set(NOBODYS) & sites.reached("first-party", "html") == set()


def test_users_images_come_over_tls_and_nothing_else_does(browser: Browser, sites: TwoSites) -> None:
    """Where users may link to images, those come from any server that encrypts, and no other file comes."""
    far = sites.far.replace("http:", "https:")
    browser.open(sites.put("/boards/files", FILES.replace("FAR", far)))
    browser.open(sites.put("/boards/plain", FILES + '<img src="FAR/x.png">'))
    browser.open(sites.put("/default/image", f'<img src="{far}/x.png">'))
    wait_until_quiet(sites)
    assert (sites.handshakes, sites.reached("boards", "plain")) == (0, set())
    browser.open(sites.put("/boards/image", f'<img src="{far}/x.png">'))
    assert wait_until(lambda: sites.handshakes)
    wait_until_quiet(sites)  # the browser tries again, which is no matter for the next test


def test_policy_for_some_paths(browser: Browser, sites: TwoSites) -> None:
    """What is admitted below one path is admitted there, for that kind of file, and nowhere else."""
    for path in ("/paths/maps/dark/x", "/paths/x", "/paths/maps-and-more", "/paths/maps/x"):
        browser.open(sites.put(path, FILES + '<img src="FAR/x.png">'))
    assert wait_until(lambda: ("paths", "maps", "x") in sites.hits)
    wait_until_quiet(sites)
    assert {hit for hit in sites.hits if hit[0] == "paths"} == {("paths", "maps", "x")}


def test_app_can_still_tighten(browser: Browser, sites: TwoSites) -> None:
    """A policy that the app sends beside ours holds as well."""
    image = '<img src="/default/own.svg" alt="">'
    sites.put(
        "/default/own.svg", '<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"/>', kind="image/svg+xml"
    )
    browser.open(sites.put("/default/as-it-is", image))
    assert browser.run("return document.images[0].naturalWidth") == 7
    browser.open(sites.put("/default/tightened", image, ("Content-Security-Policy", "img-src 'none'")))
    assert browser.run("return document.images[0].naturalWidth") == 0


NONCED = """
<style nonce="NONCE">p { width: 111px }</style>
<style>p { height: 222px }</style>
<p onclick="this.title = 'clicked'">x</p>
<script nonce="NONCE">document.querySelector("p").dataset.nonced = "ran"</script>
<script>document.querySelector("p").dataset.bare = "ran"</script>
<script nonce="d3Jvbmc">document.querySelector("p").dataset.wrong = "ran"</script>
<script src="/default/own.js"></script>
<script nonce="NONCE" src="FAR/x.js"></script>
<link nonce="NONCE" rel="stylesheet" href="FAR/x.css">
"""


def test_nonce_lets_inline_code_run_and_no_file_in(browser: Browser, sites: TwoSites) -> None:
    """With csp_nonce() a page's own inline code runs, other inline code does not, and nothing comes from elsewhere."""
    sites.put("/default/own.js", 'document.querySelector("p").dataset.own = "ran"', kind="text/javascript")
    browser.open(sites.put("/default/nonced", NONCED))
    browser.click("p")
    ran, title, width, height = browser.run("""
        const p = document.querySelector("p");
        return [{...p.dataset}, p.title, p.offsetWidth, p.offsetHeight]""")
    assert ran == {"nonced": "ran", "own": "ran"}
    assert (title, width) == ("", 111)
    assert height != 222
    assert sites.reached("default", "nonced") == set()


def test_nonce_is_another_one_each_time(browser: Browser, sites: TwoSites) -> None:
    """What a page learnt from one response is of no use in the next."""
    url = sites.put("/default/fresh", '<script nonce="NONCE"></script>')
    nonces = set()
    for _ in range(3):
        browser.open(url)
        nonces.add(browser.run("return document.scripts[0].nonce"))
    assert len(nonces) == 3
