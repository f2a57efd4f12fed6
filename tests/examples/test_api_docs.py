"""Tests of the FastAPI example's docs: they render in a browser under the policy, and nobody else is contacted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from browsers.browser import Browser

EXAMPLE = Path(__file__).parents[2] / "examples" / "fastapi_app"
WITHOUT_THE_RECIPE = """
from fastapi import FastAPI
from privguard.asgi import PrivacyMiddleware

app = PrivacyMiddleware(FastAPI())
"""
STRICT = {
    "style-src": {"'self'"},
    "worker-src": {"'self'"},
    "script-src": {"'self'"},
    "img-src": {"'self'", "data:"},
    "connect-src": {"'self'"},
}


@pytest.fixture(scope="module")
def site(serve, tmp_path_factory) -> Iterator[str]:
    with serve(["uvicorn", "app:app"], tmp_path_factory.mktemp("docs"), EXAMPLE) as server:
        yield server.url


def policies(url: str) -> list[dict[str, set[str]]]:
    """Return the policies of a page, without their nonces."""
    response = httpx.get(url, trust_env=False)
    serialized = [re.sub(" 'nonce-[^']*'", "", one) for one in response.headers.get_list("content-security-policy")]
    directives = [[directive.split() for directive in one.split(";")] for one in serialized]
    return [{name: set(sources) for name, *sources in one} for one in directives]


def test_swagger_ui_in_a_browser(site, chromium: Browser, contacts):
    """/docs shows the API and calls it, and the policy has nothing to stop."""
    chromium.open(f"{site}/docs")
    assert chromium.wait_until("!!document.querySelector('.opblock-summary-control')")
    assert "/api/me" in chromium.text()
    chromium.click(".opblock-summary-control")
    assert chromium.wait_until("!!document.querySelector('.try-out__btn')")
    chromium.click(".try-out__btn")
    assert chromium.wait_until("!!document.querySelector('.execute')")
    chromium.click(".execute")
    assert chromium.wait_until("document.querySelector('.live-responses-table')?.innerText.includes('\"name\": null')")
    assert contacts() == set()
    assert chromium.violations() == []


def test_swagger_ui_and_its_style(site, chromium: Browser):
    """/docs looks as it should: the style sheet of Swagger UI is there."""
    chromium.open(f"{site}/docs")
    assert chromium.wait_until("!!document.querySelector('.opblock-summary-method')")
    color = chromium.run("return getComputedStyle(document.querySelector('.opblock-summary-method')).backgroundColor")
    assert color not in ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)")


def test_swagger_ui_and_its_policy(site):
    """/docs needs nothing that the other pages do not have: its policy is the strict default with a nonce."""
    first, second = policies(f"{site}/docs")
    assert STRICT.items() <= first.items()
    assert second == {"script-src": {"'self'", "'unsafe-inline'"}, "style-src": {"'self'", "'unsafe-inline'"}}


def test_redoc_in_a_browser(site, chromium: Browser, contacts):
    """/redoc shows the API and finds things in it; all that the policy stops is the logo of its makers."""
    chromium.open(f"{site}/redoc")
    assert chromium.wait_until("document.body.innerText.includes('Response samples')")
    assert "/api/me" in chromium.text()
    chromium.run("""
        const field = document.querySelector('[role=search] input');
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, 'logged');
        field.dispatchEvent(new Event('input', {bubbles: true}));
    """)
    assert chromium.wait_until("!!document.querySelector('[role=search] [role=menuitem]')")
    blocked = {tuple(line.split(" ")[:2]) for line in chromium.violations()}
    assert blocked <= {("img-src", "https://cdn.redoc.ly/redoc/logo-mini.svg")}
    assert {one.partition(":")[0] for one in contacts()} <= {"https"}


def test_redoc_and_its_policy(site):
    """/redoc has the two things more that it needs, which admit no file from anybody else."""
    (policy,) = policies(f"{site}/redoc")
    more = {"style-src": {"'self'", "'unsafe-inline'"}, "worker-src": {"'self'", "blob:"}}
    assert {**STRICT, **more}.items() <= policy.items()


def test_docs_that_load_from_a_cdn(serve, tmp_path, chromium: Browser):
    """Without the recipe FastAPI's own /docs stays blank: its files come from a CDN, and the policy stops them."""
    (tmp_path / "other.py").write_text(WITHOUT_THE_RECIPE)
    with serve(["uvicorn", "other:app"], tmp_path, tmp_path) as server:
        chromium.open(f"{server.url}/docs")
        assert chromium.text().strip() == ""
        blocked = [line.split(" ")[1] for line in chromium.violations()]
    assert any(url.startswith("https://cdn.jsdelivr.net/") for url in blocked)
