"""Tests of the smallest apps, each run as its README says: log-in, log-out, and what stays of a visit."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from browsers.browser import Browser
from browsers.programs import wait_until

EXAMPLES = Path(__file__).parents[2] / "examples"
# Django's session cookie has another name than those of Starlette and Flask, and its form another field.
SESSION = {"flask_app": "session", "fastapi_app": "session", "django_site": "sessionid"}
NAME_FIELD = {"flask_app": "name", "fastapi_app": "name", "django_site": "username"}
LOGIN = {"flask_app": "/login", "fastapi_app": "/login", "django_site": "/accounts/login/"}
LOGOUT = {"flask_app": "/logout", "fastapi_app": "/logout", "django_site": "/accounts/logout/"}
MEMBERS = {"flask_app": "/members", "fastapi_app": "/members", "django_site": "/members/"}


class Visitor:
    """A client with a jar, and with every answer that it ever got."""

    def __init__(self, example) -> None:
        self.example = example
        self.seen: list[httpx.Response] = []
        self.client = httpx.Client(
            base_url=example.server.url,
            event_hooks={"response": [self.seen.append]},
            follow_redirects=True,
            trust_env=False,
        )

    def send(self, path: str, page: httpx.Response, **fields: str) -> httpx.Response:
        """Fill in the form of *page* and send it to *path*, as a browser would."""
        token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        if token:
            fields["csrfmiddlewaretoken"] = token[1]
        return self.client.post(path, data=fields)

    def log_in(self, password: str = "lovelace") -> httpx.Response:
        name = self.example.name
        page = self.client.get(LOGIN[name])
        return self.send(LOGIN[name], page, **{NAME_FIELD[name]: "ada", "password": password})

    def members(self) -> httpx.Response:
        return self.client.get(MEMBERS[self.example.name])

    def log_out(self) -> httpx.Response:
        return self.send(LOGOUT[self.example.name], self.members())

    def cookies(self) -> list[str]:
        """Every Set-Cookie of every answer."""
        return [cookie for response in self.seen for cookie in response.headers.get_list("set-cookie")]


@pytest.fixture
def visitor(example) -> Iterator[Visitor]:
    visitor = Visitor(example)
    with visitor.client:
        yield visitor


def test_logging_in_and_out(visitor):
    """The members' page is for those who log in, for as long as they are logged in."""
    assert visitor.members().url.path == LOGIN[visitor.example.name]
    assert "ada" in visitor.log_in().text
    assert "Hello ada" in visitor.members().text
    assert visitor.log_out().url.path == "/"
    assert visitor.members().url.path == LOGIN[visitor.example.name]


def test_logging_in_with_a_wrong_password(visitor):
    """A wrong password lets nobody in, and the form is there for another try."""
    answer = visitor.log_in("wrong")
    assert answer.status_code in (200, 403)
    assert 'type="password"' in answer.text
    assert visitor.members().url.path == LOGIN[visitor.example.name]
    assert "Hello ada" in visitor.log_in().text


def test_cookies_of_a_whole_visit(visitor):
    """Of a visit with a log-in no cookie stays in the jar, whatever lifetime the app has set."""
    visitor.log_in()
    name = SESSION[visitor.example.name]
    assert name in visitor.client.cookies
    assert [cookie.name for cookie in visitor.client.cookies.jar if not cookie.discard] == []
    visitor.log_out()
    with_lifetime = [cookie for cookie in visitor.cookies() if re.search("(?i); *(expires|max-age)=", cookie)]
    assert [cookie for cookie in with_lifetime if "1970" not in cookie] == []  # the others are deletions
    assert name not in visitor.client.cookies
    cut = f'cut the lifetime of the persistent cookie "{name}"'
    # FastAPI's has one as it is: its lifetime is also the server's own limit.
    is_cut = visitor.example.lasts or visitor.example.name == "fastapi_app"
    assert wait_until(lambda: cut in visitor.example.server.written(), 20 if is_cut else 0) == is_cut


def test_policy_on_every_answer(visitor):
    """Pages, redirects and errors all carry the policy that admits nothing from anybody else."""
    visitor.client.get("/")
    visitor.log_in("wrong")
    visitor.log_in()
    visitor.log_out()
    visitor.client.get("/nowhere")
    visitor.client.delete("/")
    visitor.client.get("/favicon.ico")
    assert {200, 300, 400} == {response.status_code // 100 * 100 for response in visitor.seen}
    for response in visitor.seen:
        policy, *_ = response.headers.get_list("content-security-policy", split_commas=True)
        assert policy.startswith("default-src 'none'; script-src 'self'")
        assert "://" not in policy


def test_nonce_of_each_page(visitor):
    """The front page's own script carries a nonce that is made anew for each answer and that its policy names."""
    nonces = set()
    for _ in range(3):
        answer = visitor.client.get("/")
        (nonce,) = set(re.findall('nonce="([^"]*)"', answer.text))
        assert f"'nonce-{nonce}'" in answer.headers["content-security-policy"]
        assert "private" in answer.headers["cache-control"]
        nonces.add(nonce)
    assert len(nonces) == 3


def test_favicon_and_the_log(visitor):
    """A request for the favicon leaves no line in the server's log, and all the others do."""
    for number in range(3):
        visitor.client.get(f"/favicon.ico?{number}")
        visitor.client.get(f"/?visit-{number}")
    assert wait_until(lambda: "visit-2" in visitor.example.server.written())
    written = visitor.example.server.written()
    assert [number for number in range(3) if f"visit-{number}" in written] == [0, 1, 2]
    assert "favicon" not in written


def test_visit_with_a_browser(example, chromium: Browser, contacts):
    """In Chromium the page's script runs, the log-in works, nobody else is contacted, and no cookie would stay."""
    chromium.open(f"{example.server.url}/")
    assert chromium.wait_until("/[0-9]:[0-9]/.test(document.querySelector('output').textContent)")
    with chromium.loading():
        chromium.click(f'a[href="{MEMBERS[example.name]}"]')
    chromium.fill(f'[name="{NAME_FIELD[example.name]}"]', "ada")
    chromium.fill('[name="password"]', "lovelace")
    with chromium.loading():
        chromium.click("button")
    assert "Hello ada" in chromium.text()
    assert contacts() == set()
    assert SESSION[example.name].encode() in {cookie.name for cookie in chromium.cookies()}
    assert [cookie for cookie in chromium.cookies() if cookie.is_persistent] == []
    with chromium.loading():
        chromium.click("button")
    assert SESSION[example.name].encode() not in {cookie.name for cookie in chromium.cookies()}
    assert chromium.violations() == []


def test_django_site_by_its_own_checks(database):
    """The Django site has nothing that `manage.py check` would warn of, and no migration that is missing."""
    for command in (["check", "--fail-level", "WARNING"], ["makemigrations", "--check", "--dry-run"]):
        done = subprocess.run(
            [sys.executable, "-W", "error", "manage.py", *command],
            cwd=EXAMPLES / "django_site",
            env={**os.environ, "DATABASE": database, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
