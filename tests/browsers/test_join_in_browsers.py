"""Tests of children's submissions in real browsers: what a child sees who joins, and what is remembered of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from werkzeug import Request, Response

from browsers.browser import Browser
from browsers.test_customchat_browser import served
from customchat import SETTINGS, create_app
from privguard.wsgi import PrivacyMiddleware

WITH_BACK_BUTTON = {**SETTINGS, "children": {**SETTINGS["children"], "back_button": True}}
MEBIBYTES = 30
UPLOAD = """<!doctype html><meta charset="utf-8"><title>Upload</title>
<form method="post" enctype="multipart/form-data" action="/upload">
<input type="file" name="picture"><input name="age"><button>Send</button></form>"""


@pytest.fixture
def site() -> Iterator[str]:
    """The origin of the demo site, guarded; bare, it would set a cookie for a year on every page."""
    with served(PrivacyMiddleware(create_app(bare=True), SETTINGS)) as origin:
        yield origin


@pytest.fixture
def remembering_site() -> Iterator[str]:
    """The same with the setting for visitors who go back."""
    with served(PrivacyMiddleware(create_app(bare=True), WITH_BACK_BUTTON)) as origin:
        yield origin


@pytest.fixture
def upload_site() -> Iterator[tuple[str, list[int]]]:
    """The origin of a site with a form for a picture and an age behind it, and the sizes of what it was sent."""
    sizes: list[int] = []

    @Request.application
    def app(request: Request) -> Response:
        if request.method == "GET":
            return Response(UPLOAD, mimetype="text/html")
        sizes.append(len(request.files["picture"].read()))
        return Response(f"Thanks for {sizes[-1]} bytes.", mimetype="text/plain")

    with served(PrivacyMiddleware(app)) as origin:
        yield origin, sizes


def join(browser: Browser, age: str) -> None:
    """Type the form that is shown, and send it."""
    for field, text in {"name": "Wren", "email": "wren@site.example", "age": age}.items():
        browser.fill(f"[name={field}]", text)
    with browser.loading():
        browser.click("form.card button")


def go_back(browser: Browser) -> None:
    """Go back to the form, as a visitor does who wants to type another age."""
    browser.run("setTimeout(() => history.back()); return 0")
    with contextlib.suppress(RuntimeError):  # the page that was asked has just been left
        browser.wait_until("document.querySelector('[name=age]')")
    assert browser.wait_until("document.querySelector('[name=age]') !== null")


def assert_refused(browser: Browser) -> None:
    """The page is there in whole, names no age, and repeats nothing."""
    text = browser.text()
    assert ("Not from children" in text or "Not taken" in text) and "deleted." in text
    assert not any(sign.isdigit() for sign in text)
    assert "Wren" not in text and "site.example" not in text


def test_child_who_joins_is_refused(browser: Browser, site: str) -> None:
    """A child reads that nothing was taken, and is given no cookie with it."""
    browser.open(f"{site}/join")
    browser.clear_cookies()
    join(browser, "9")
    assert_refused(browser)
    assert browser.run("return document.title") == "Not from children · CustomChat"
    assert browser.cookies() == []


def test_adult_joins_as_before(browser: Browser, site: str) -> None:
    """Whoever is old enough is welcome."""
    browser.open(f"{site}/join")
    join(browser, "36")
    assert "Welcome, Wren" in browser.text() and "wren@site.example" not in browser.text()


def test_child_who_goes_back_and_types_another_age_is_taken(browser: Browser, site: str) -> None:
    """Nothing is remembered, so that nobody can tell the two apart."""
    browser.open(f"{site}/join")
    join(browser, "9")
    assert_refused(browser)
    go_back(browser)
    join(browser, "36")
    assert "Welcome, Wren" in browser.text()


def test_child_who_goes_back_is_refused_again_where_the_owner_wants_that(
    browser: Browser, remembering_site: str
) -> None:
    """A cookie for the visit says that, and no more; other pages are open as before."""
    browser.open(f"{remembering_site}/join")
    browser.clear_cookies()
    join(browser, "9")
    assert_refused(browser)
    assert [(one.name, one.value, one.is_persistent) for one in browser.cookies()] == [
        (b"privguard_refused", b"1", False)
    ]
    go_back(browser)
    join(browser, "36")
    assert_refused(browser)
    browser.open(f"{remembering_site}/boards/")
    assert "Boards" in browser.text()


@pytest.mark.parametrize("age", ["9", "36"])
def test_large_picture_with_an_age_behind_it(browser: Browser, upload_site: tuple[str, list[int]], age: str) -> None:
    """A child who sends a picture sees the page, and no broken connection; an adult's picture arrives in whole."""
    origin, sizes = upload_site
    browser.open(f"{origin}/upload")
    browser.run(f"""
        const chosen = new DataTransfer();
        chosen.items.add(new File([new Uint8Array({MEBIBYTES << 20})], "picture.jpg", {{type: "image/jpeg"}}));
        document.querySelector("[type=file]").files = chosen.files;
    """)
    browser.fill("[name=age]", age)
    with browser.loading():
        browser.click("button")
    if age == "9":
        assert_refused(browser)
        assert sizes == []
    else:
        assert browser.text() == f"Thanks for {MEBIBYTES << 20} bytes."
    assert browser.run("return location.pathname") == "/upload"
