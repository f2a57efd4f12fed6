"""One test for each sentence that privguard publishes: the README's promises, each against a whole app."""

from __future__ import annotations

import logging
from http import cookiejar
from urllib.request import Request

import pytest
from werkzeug.test import Client, EnvironBuilder

import privguard
from privguard import _csp
from privguard.wsgi import PrivacyMiddleware

PAGE = b"""<!doctype html><link rel=stylesheet href="https://fonts.example/css"><script src="https://cdn.example/x.js">
</script><img src="https://pixel.example/1.gif"><iframe src="https://video.example/"></iframe>"""
KINDS = ["script-src", "style-src", "img-src", "font-src", "connect-src", "media-src", "object-src", "frame-src"]
KINDS += ["manifest-src", "worker-src", "child-src", "default-src", "base-uri", "form-action", "frame-ancestors"]


def site(environ, start_response):
    """A site that breaks every promise by itself."""
    path = environ["PATH_INFO"]
    headers = [("Content-Type", "text/html"), ("Set-Cookie", "visitor=1; Max-Age=31536000; Path=/")]
    if path == "/login":
        headers.append(("Set-Cookie", "session=me; Max-Age=31536000; Path=/; HttpOnly"))
    if path == "/logout":
        headers.append(("Set-Cookie", "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/"))
    if path == "/join":
        privguard.flag_child()
    logging.getLogger("site").warning("served %s to %s", path, environ.get("REMOTE_ADDR"))
    start_response("404 Not Found" if path == "/missing" else "200 OK", headers)
    return [PAGE]


def visit(path, settings=None):
    return Client(PrivacyMiddleware(site, {"demo_paths": ["/demo/"], **(settings or {})})).get(path)


def kept_after_the_visit(response):
    """The names of the cookies that a browser would keep, by the standard library's own jar."""

    class Answer:
        def info(self):
            import email.message

            message = email.message.Message()
            for name, value in response.headers:
                message[name] = value
            return message

    jar = cookiejar.CookieJar()
    jar.extract_cookies(Answer(), Request("http://site.example/"))
    return {cookie.name for cookie in jar if not cookie.discard}


@pytest.mark.parametrize("path", ["/", "/missing", "/login", "/demolition", "/demo/../x"])
def test_no_cookie_outlives_the_visit_outside_the_demo_pages(path):
    """ "No cookie outlives the visit outside the demo pages." """
    assert kept_after_the_visit(visit(path)) == set()


def test_demo_pages_may_keep_cookies():
    """ "Cookies are kept on the demo pages only." """
    assert kept_after_the_visit(visit("/demo/chat")) == {"visitor"}


def test_log_in_lasts_for_the_visit():
    """ "Log-ins work as before, for the visit." """
    assert visit("/login").headers.getlist("Set-Cookie") == ["session=me; Path=/; HttpOnly"]


@pytest.mark.parametrize("mode", ["allow", "downgrade", "strip", "block"])
def test_logout_is_never_broken(mode):
    """ "A deletion passes in every mode." """
    cookies = visit("/logout", {"cookies": {"elsewhere": mode}}).headers.getlist("Set-Cookie")
    assert "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/" in cookies


@pytest.mark.parametrize("path", ["/", "/missing", "/demo/chat"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_page_loads_anything_from_a_third_party(path, kind):
    """ "No page loads anything from a third party." """
    policies = [_csp.parse(value) for value in visit(path).headers.getlist("Content-Security-Policy")]
    for scheme in ("https", "http", "wss"):
        third = f"{scheme}://third.example/x"
        assert any(not _csp.admits(policy, kind, third, own_origin="https://site.example") for policy in policies)


def test_users_may_link_to_images_where_the_owner_says_so():
    """ "On pages where users link to images, images may come from any https server, and nothing else may." """
    (header,) = visit("/boards/1", {"user_image_paths": ["/boards/"]}).headers.getlist("Content-Security-Policy")
    admitted = [
        kind
        for kind in KINDS
        if _csp.admits(_csp.parse(header), kind, "https://third.example/x.png", own_origin="https://site.example")
    ]
    assert admitted == ["img-src"]


@pytest.mark.parametrize("path", ["/favicon.ico", "/favicon.ico?x=1", "//favicon.ico", "/apple-touch-icon.png"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_favicon_requests_leave_no_line_in_the_log(path, method, caplog):
    """ "Favicon requests are not tracked." """
    app = PrivacyMiddleware(site)
    plain_path, _, query = path.partition("?")
    environ = EnvironBuilder(method=method, query_string=query).get_environ() | {"PATH_INFO": plain_path}
    for chunk in app(environ, lambda status, headers, exc_info=None: None):
        assert chunk
    assert caplog.records == []


def test_other_requests_are_logged_as_before(caplog):
    """ "Every other line is written as before." """
    visit("/")
    assert "served / to" in caplog.text


def test_flagged_submission_leaves_no_line_in_the_log(caplog):
    """ "What a child sends reaches no log once the site has said that it is a child's." """
    visit("/join")
    assert caplog.records == []


def test_no_referrer_reaches_a_third_party():
    """ "A third party learns nothing from the address that a visitor comes from." """
    assert visit("/").headers["Referrer-Policy"] == "same-origin"


def test_page_keeps_its_length_and_loses_what_would_contact_others():
    """ "Contacts with third parties are made inert, and every byte keeps its place." """
    body = visit("/").data
    assert len(body) == len(PAGE)
    assert body == PAGE.replace(b"<link rel=stylesheet href", b"<link rel=stylesheet xref").replace(
        b"<iframe src", b"<iframe xrc"
    )


def test_page_without_third_parties_is_not_touched():
    """ "Your pages leave as your app wrote them, byte for byte." """
    own = (
        b'<!doctype html><link rel=stylesheet href=/a.css><form action=/x></form><a href="https://other.example">x</a>'
    )

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/html")])
        return [own]

    assert Client(PrivacyMiddleware(app)).get("/").data == own


def test_nothing_leaves_unguarded_when_privguard_fails(monkeypatch, caplog):
    """ "When privguard itself fails, it fails closed." """

    def fail(*args):
        raise RuntimeError("visitor=1")

    monkeypatch.setattr(privguard._exchange.Exchange, "set_cookie", fail)
    response = visit("/")
    assert (response.status_code, response.data) == (500, b"Internal Server Error")
    assert {name for name, _ in response.headers} == {"Content-Type", "Content-Length"}
    (record,) = [record for record in caplog.records if record.name == "privguard"]
    assert "please report" in record.getMessage() and "visitor=1" not in record.getMessage()
