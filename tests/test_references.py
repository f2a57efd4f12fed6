"""Tests of which server a URL reference names, as browsers read it (URL standard §4.4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privguard._references import Page, plain_host, server_of

NOBODYS = ["", "/a", "a/b", "?q=//third.test", "#//third.test", "./a//b", "/a:b", "data:,x", "about:blank"]
NOBODYS += ["javascript:alert(1)", "blob:https://site.test/x", "MAILTO:a@third.test", "tel:1"]
THIRD = [
    "https://third.test",
    "HTTPS://THIRD.TEST/x",
    "http://third.test:80",
    "https://third.test:443/x?y#z",
    "//third.test",
    "///third.test/x",
    "/\\third.test",
    "\\\\third.test",
    "\\/third.test",
    " \x00\x1f//third.test",
    "/\t/third.test",
    "h\nt\rtps://third.test",
    "https:third.test",
    "https:/third.test",
    "https:\\third.test",
    "https://user:pass@third.test",
    "https://site.test@third.test",
    "https://a@b@third.test",
    "https://third%2etest/",
    "https://third.test./",
    "wss://third.test",
    "ftp://third.test",
]


@pytest.mark.parametrize("reference", NOBODYS)
def test_reference_that_names_no_server(reference):
    """It stays on the site, or asks nobody."""
    assert server_of(reference) is None


@pytest.mark.parametrize("reference", THIRD)
def test_reference_that_names_a_server(reference):
    """However it is written, browsers ask the same host."""
    server = server_of(reference)
    assert server is not None
    assert server.host == "third.test"


@pytest.mark.parametrize(
    ("reference", "host"),
    [
        ("https://third.test:8443", "third.test:8443"),
        ("http://third.test:443", "third.test:443"),
        ("//third.test:80", "third.test"),
        ("http://[2001:db8::1]:80/", "[2001:db8::1]"),
        ("http://[2001:db8::1]:8080/", "[2001:db8::1]:8080"),
        ("https://münchen.test/", "xn--mnchen-3ya.test"),
        ("https://ＴＨＩＲＤ.test/", "ＴＨＩＲＤ.test"),
        ("https://", ""),
        ("intent://scan/#Intent", "scan"),
        ("https://third.test:99999999", "third.test:99999999"),
        ("https://[x", "[x"),
        ("https://thirdé@site.test/", "thirdé@site.test"),  # as GBK the last two bytes may be one letter
        ("https://faß.test/", "faß.test"),  # for a browser another one than fass.test
        (f"https://{'é' * 70}.test", f"{'é' * 70}.test"),
    ],
)
def test_host_with_its_port(reference, host):
    """A port counts unless it is the scheme's own; what is no host stands for itself."""
    server = server_of(reference)
    assert server is not None
    assert server.host == host


PAGE = Page(frozenset({"site.test", "www.own.test"}), lambda directive, url: url.startswith("https://cdn.test/"))


@pytest.mark.parametrize("reference", ["/x", "https://site.test/", "http://SITE.test:80", "//www.own.test/x"])
def test_site_and_its_other_origins_are_no_third_party(reference):
    """Over http or https: the server's owner is the same."""
    assert PAGE.elsewhere(reference) is None


@pytest.mark.parametrize(
    "reference", ["https://a.site.test/", "https://site.test:8443/", "https://site.test.third.test"]
)
def test_every_other_host_is_a_third_party(reference):
    """A sub-domain and another port may be somebody else's."""
    assert PAGE.elsewhere(reference) is not None


def test_what_the_policy_admits_is_no_contact_without_leave():
    """Where the reference has no scheme, either of the page's may be its own."""
    assert PAGE.unadmitted("img-src", "https://cdn.test/x") is None
    assert PAGE.unadmitted("img-src", "//cdn.test/x") is None
    assert PAGE.unadmitted("img-src", "/x") is None
    assert PAGE.unadmitted("img-src", "http://cdn.test/x") == "cdn.test"
    assert PAGE.elsewhere("https://cdn.test/x") == "cdn.test"


@given(st.text(max_size=40))
def test_any_text_is_a_reference(text):
    """Never raises, with a scheme or without; and a host is plain already."""
    for reference in (text, f"//{text}", f"https:{text}"):
        server = server_of(reference)
        assert (
            server is None or isinstance(PAGE.elsewhere(reference), str) or server.host in ("site.test", "www.own.test")
        )
    assert isinstance(plain_host(text), str)
