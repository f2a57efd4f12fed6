"""Tests of CustomChat behind privguard, in a browser and over HTTP: the site lives by what its policy says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from browsers.browser import Browser
from browsers.programs import wait_until

EXAMPLES = Path(__file__).parents[2] / "examples"
SERVED = """
import sys

from werkzeug.serving import run_simple

from customchat import SETTINGS, create_app
from privguard.wsgi import PrivacyMiddleware

run_simple("127.0.0.1", int(sys.argv[-1]), PrivacyMiddleware(create_app(), SETTINGS), threaded=True)
"""
PAGES = ["/", "/demo/chat", "/boards/", "/boards/window-seat", "/join", "/login", "/privacy", "/nowhere"]
PHONE = 390  # CSS pixels across


@pytest.fixture(scope="module")
def server(serve, tmp_path_factory):
    with serve(["python", "-c", SERVED], tmp_path_factory.mktemp("chat"), EXAMPLES) as server:
        yield server


@pytest.fixture
def client(server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, follow_redirects=True, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("path", PAGES)
def test_page_in_a_browser(server, chromium: Browser, contacts, path):
    """Each page contacts nobody else, needs nothing that the policy stops, leaves no cookie, and fits on a phone."""
    chromium.open(server.url + path)
    assert contacts() == set()
    assert chromium.violations() == []
    assert chromium.cookies() == []
    beyond_the_edge = f"""
        const frame = document.createElement("iframe");
        frame.width = {PHONE};
        frame.src = location.href;
        document.body.append(frame);
        await new Promise(go => frame.onload = go);
        const page = frame.contentDocument.documentElement;
        return page.scrollWidth - page.clientWidth;
    """
    assert chromium.run(beyond_the_edge) == 0


def test_chat_in_a_browser(server, chromium: Browser):
    """What a visitor says in the demo chat is there at once, with the time of their clock, and one cookie for now."""
    chromium.open(f"{server.url}/demo/chat")
    chromium.fill("#name", "Ada")
    chromium.fill("#text", "Is this on?")
    chromium.click("button")
    assert chromium.wait_until("!!document.querySelector('[data-messages] .own')")
    own = chromium.run("return document.querySelector('[data-messages] .own').innerText")
    clock = chromium.run("return new Date(document.querySelector('.own time').dateTime).toTimeString().slice(0, 5)")
    assert own.split() == ["Ada", clock, "Is", "this", "on?"]
    (cookie,) = chromium.cookies()
    assert (cookie.name, cookie.is_persistent) == (b"name", False)
    assert chromium.violations() == []


def test_board_and_its_image_in_a_browser(server, chromium: Browser):
    """On the boards the policy lets the image of a visitor's link pass, which is asked for where it is."""
    chromium.open(f"{server.url}/boards/workbench")
    chromium.fill("#name", "Ada")
    chromium.fill("#text", "My chair")
    chromium.fill("#image", "https://images.example/chair.png")
    with chromium.loading():
        chromium.click("form.card button")
    assert "My chair" in chromium.text()
    assert chromium.violations() == []


def test_signing_in_with_a_browser(server, chromium: Browser):
    """Signing in works for the visit, and signing out ends it."""
    chromium.open(f"{server.url}/login")
    chromium.fill("#name", "Ada")
    with chromium.loading():
        chromium.click("form.card button")
    assert "Sign out" in chromium.text()
    assert [(cookie.name, cookie.is_persistent) for cookie in chromium.cookies()] == [(b"session", False)]
    with chromium.loading():
        chromium.click(".account button")
    assert chromium.cookies() == []


def test_child_who_joins(server, client):
    """Of a child's form nothing is kept: no page repeats it, no cookie is set, and no line of the log is about it."""
    before = server.written().count("POST /join")
    child = client.post("/join", data={"name": "Unforgettable", "email": "kid@site.example", "age": "9"})
    adult = client.post("/join", data={"name": "Ada", "email": "ada@site.example", "age": "36"})
    assert (child.status_code, adult.status_code) == (403, 200)
    assert "Unforgettable" not in child.text
    assert len(client.cookies) == 0
    assert wait_until(lambda: server.written().count("POST /join") > before)
    client.get("/?marker")
    assert wait_until(lambda: "/?marker" in server.written())
    assert server.written().count("POST /join") == before + 1
    assert '" 403' not in server.written()


def test_favicon_and_the_log(server, client):
    """As the privacy page says, requests for the favicon are not tracked: they leave no line."""
    assert client.get("/favicon.ico").status_code == 200
    client.get("/privacy?after-the-icon")
    assert wait_until(lambda: "after-the-icon" in server.written())
    assert "favicon.ico" not in server.written()


def test_policy_on_every_answer(client):
    """Pages, files, redirects and errors carry the policy, which is wider on the boards, and for images alone."""
    for path in [*PAGES, "/boards", "/favicon.ico", "/static/site.css", "/static/site.js", "/static/logo.svg"]:
        answer = client.get(path)
        for response in [*answer.history, answer]:
            policy = response.headers["content-security-policy"]
            wider = response.url.path.startswith("/boards")
            assert ("img-src 'self' data: https:" if wider else "img-src 'self' data:;") in policy
            assert re.findall("https?:", policy) == (["https:"] if wider else [])
