"""Tests of the example site in real browsers: what it does to its visitors bare, and that it works guarded."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from browsers.browser import Browser
from browsers.programs import wait_until
from customchat import SETTINGS, create_app
from customchat.elsewhere import Elsewhere
from privguard.wsgi import PrivacyMiddleware

PAGES = ["/", "/demo/chat", "/boards/", "/boards/window-seat", "/join", "/login", "/privacy", "/nowhere"]


@contextlib.contextmanager
def served(app) -> Iterator[str]:
    """Serve a WSGI app on loopback and yield its origin; by the name of a host, for names are what browsers go by."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://chat.localhost:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Street:
    """The same careless site twice, bare and guarded, and the third party that both of them call."""

    def __init__(self, bare: str, guarded: str, elsewhere: Elsewhere) -> None:
        self.bare = bare
        self.guarded = guarded
        self.elsewhere = elsewhere


@pytest.fixture
def street() -> Iterator[Street]:
    with contextlib.ExitStack() as closing:
        elsewhere = Elsewhere()
        far = closing.enter_context(served(elsewhere)).replace("chat.", "elsewhere.")
        bare = closing.enter_context(served(create_app(bare=True, elsewhere=far)))
        app = PrivacyMiddleware(create_app(bare=True, elsewhere=far), SETTINGS)
        yield Street(bare, closing.enter_context(served(app)), elsewhere)


def lasting(browser: Browser) -> list[bytes]:
    return [cookie.name for cookie in browser.cookies() if cookie.is_persistent]


def test_bare_site_tells_others_and_remembers(browser: Browser, street: Street) -> None:
    """Bare, each page sends for its font, its script and its pixel, and the visitor is known for a year."""
    for path in PAGES:
        street.elsewhere.hits.clear()
        browser.open(street.bare + path)
        assert wait_until(lambda: {"/fonts.css", "/tracker.js", "/pixel.gif"} <= set(street.elsewhere.hits))
        assert browser.run("return window.__tracked") is True
    assert lasting(browser) == [b"visitor"]


def test_guarded_site_tells_nobody_and_forgets(browser: Browser, street: Street) -> None:
    """Guarded, no page of the same site asks anybody else for anything, and no cookie outlives the visit."""
    for path in PAGES:
        browser.open(street.guarded + path)
        assert browser.run("return window.__tracked") is None
        assert browser.run("return document.styleSheets[0].cssRules.length") > 9
        assert browser.run("return document.querySelector('.brand img').naturalWidth") > 0
        assert [one for one in browser.violations() if "elsewhere.localhost" not in one] == []
    assert len(browser.violations()) >= len(PAGES)  # of what is not inert already
    assert lasting(browser) == []
    assert street.elsewhere.hits == []


def test_chat_by_its_script(browser: Browser, street: Street) -> None:
    """The demo chat says and hears without a reload, and knows the name again, for the visit."""
    browser.open(f"{street.guarded}/demo/chat")
    browser.run("window.stays = true")
    browser.fill("[name=name]", "Ada")
    browser.fill("[name=text]", "Is this thing on?")
    browser.click(".composer button")
    assert browser.wait_until("document.querySelector('.talk').innerText.includes('Is this thing on?')")
    assert browser.wait_until("document.querySelector('.talk').innerText.includes('Welcome, Ada')")
    assert browser.run("return window.stays") is True
    browser.open(f"{street.guarded}/demo/chat")
    assert browser.run("return document.querySelector('[name=name]').value") == "Ada"
    assert browser.run("return document.querySelector('.talk .own').innerText").endswith("Is this thing on?")
    assert [(cookie.name, cookie.is_persistent) for cookie in browser.cookies() if cookie.name == b"name"] == [
        (b"name", False)
    ]
    assert (lasting(browser), street.elsewhere.hits) == ([], [])


def test_chat_by_its_form(browser: Browser, street: Street) -> None:
    """The demo chat works without its script as well."""
    browser.open(f"{street.guarded}/demo/chat")
    browser.fill("[name=name]", "Bo")
    browser.fill("[name=text]", "The plain way.")
    with browser.loading():
        browser.run("document.querySelector('.composer').submit()")  # which asks no script
    assert "The plain way." in browser.text() and "Welcome, Bo" in browser.text()
    assert (lasting(browser), street.elsewhere.hits) == ([], [])


def test_log_in_post_and_log_out(browser: Browser, street: Street) -> None:
    """A member signs in, posts on a board under that name, and signs out; then the name has to be typed again."""
    browser.open(f"{street.guarded}/login")
    browser.fill("[name=name]", "Ines")
    with browser.loading():
        browser.click("form.card button")
    assert browser.run("return location.pathname") == "/boards/"
    assert "Ines" in browser.run("return document.querySelector('.account').innerText")
    with browser.loading():
        browser.click(".shelf a")
    browser.fill("[name=text]", "The heron is back.")
    with browser.loading():
        browser.click("form.card button")
    assert "The heron is back." in browser.text()
    assert b"session" in [cookie.name for cookie in browser.cookies()]
    with browser.loading():
        browser.click(".account button")
    assert "Sign in" in browser.run("return document.querySelector('.account').innerText")
    assert b"session" not in [cookie.name for cookie in browser.cookies()]
    assert (lasting(browser), street.elsewhere.hits) == ([], [])


def test_join(browser: Browser, street: Street) -> None:
    """A grown-up joins, and nothing is kept of it."""
    browser.open(f"{street.guarded}/join")
    for field, text in {"name": "Wren", "email": "wren@site.example", "age": "36"}.items():
        browser.fill(f"[name={field}]", text)
    browser.click("[name=newsletter]")
    with browser.loading():
        browser.click("form.card button")
    assert "Welcome, Wren" in browser.text() and "wren@site.example" in browser.text()
    assert (lasting(browser), street.elsewhere.hits) == ([], [])


def test_board_shows_an_image_that_a_user_links_to(browser: Browser, street: Street) -> None:
    """On the boards, and there alone, a page may ask another server: for an image, over TLS."""
    browser.open(f"{street.guarded}/boards/workbench")
    for field, text in {"name": "Ines", "text": "Look.", "image": "https://images.localhost:1/chair.jpg"}.items():
        browser.fill(f"[name={field}]", text)
    with browser.loading():
        browser.click("form.card button")
    assert browser.run("return document.querySelector('.posts img').src") == "https://images.localhost:1/chair.jpg"
    assert [one for one in browser.violations() if "images.localhost" in one] == []
    assert street.elsewhere.hits == []


def test_no_persistent_cookie_is_set_by_the_site_itself(browser: Browser, street: Street) -> None:
    """The demo pages may set cookies, and the ones of the bare site are for the visit there, too."""
    browser.open(f"{street.guarded}/demo/chat")
    assert [(cookie.name, cookie.is_persistent) for cookie in browser.cookies()] == [(b"visitor", False)]
    browser.start_over()
    browser.open(f"{street.guarded}/")
    assert browser.cookies() == []
