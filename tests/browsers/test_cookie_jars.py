"""Tests of odd Set-Cookie lines against the jars of real browsers, bare and behind the middleware."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Iterable
from functools import cached_property

import pytest

import privguard.asgi
import privguard.wsgi
from browsers.browser import Browser
from browsers.cookie_corpus import clocks, corpus
from browsers.cookie_rules import is_persistent, is_plain_deletion
from browsers.cookie_table import PAST_IN_OTHER_WORDS, ROWS, Case
from browsers.jars import Jars, Outcome, Response
from browsers.raw_server import RawServer, Request, page

BROWSERS = ["chromium", "firefox"]
MODES = ["downgrade", "strip", "block", "allow"]
Headers = list[tuple[bytes, bytes]]
COUNT = {b"age", b"date", b"set-cookie"}  # the header fields by which a browser may judge a cookie

in_each_browser = pytest.mark.parametrize("name", BROWSERS)
in_each_mode = pytest.mark.parametrize("mode", MODES)


class Readings:
    """Every line, bare and as it leaves in each mode, and what each browser makes of it; read once, when asked for."""

    def __init__(self, browser_of: Callable[[str], Browser]) -> None:
        self._browser_of = browser_of
        self._jars: dict[str, Jars] = {}

    @cached_property
    def rows(self) -> dict[str, list[Case]]:
        return {row: cases() for row, cases in ROWS.items()}

    @cached_property
    def cases(self) -> list[Case]:
        generated = [Case(line, "any", "any") for line in corpus()]
        generated += [Case(line, "any", "any", others=tuple(others)) for others, line in clocks()]
        return [case for cases in self.rows.values() for case in cases] + generated

    @cached_property
    def responses(self) -> dict[tuple[Case, str], Response]:
        found = {(case, "bare"): Response.of(case.line, case.status, case.headers) for case in self.cases}
        for mode in MODES:
            for case, headers in zip(self.cases, guarded(mode, self.cases)):
                if case.chromium == "any":  # so that what has passed unchanged is read only once
                    headers = [one for one in headers if one[0].strip().lower() in COUNT]
                found[case, mode] = Response.of(case.line, case.status, headers)
        return found

    def __call__(self, name: str, case: Case, mode: str = "bare") -> Outcome:
        if name not in self._jars:
            jars = Jars(self._browser_of(name))
            jars.learn(self.responses.values())
            self._jars[name] = jars
        return self._jars[name][self.responses[case, mode]]

    def all_alike(self, case: Case, verdict: str) -> bool:
        """Whether each browser's verdict on the bare line is this one."""
        return all(self(name, case).verdict == verdict for name in BROWSERS)


def guarded(mode: str, cases: Iterable[Case]) -> list[Headers]:
    """Return the header fields of each response as they leave the middleware: the same from ASGI as from WSGI."""
    settings = {"cookies": {"elsewhere": mode}}
    answers = asyncio.run(through_asgi(settings, cases))
    assert [[(name.lower(), value) for name, value in one] for one in through_wsgi(settings, cases)] == [
        [(name.lower(), value) for name, value in one] for one in answers
    ]
    return answers


async def through_asgi(settings: dict, cases: Iterable[Case]) -> list[Headers]:
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": case.status, "headers": list(case.headers)})
        await send({"type": "http.response.body"})

    async def send(message):
        if message["type"] == "http.response.start":
            assert message["status"] == case.status
            answers.append(message["headers"])

    answers: list[Headers] = []
    guard = privguard.asgi.PrivacyMiddleware(app, settings)
    for case in cases:  # noqa: B007 - the app reads it
        scope = {"type": "http", "method": "GET", "path": "/", "root_path": "", "query_string": b"", "headers": []}
        await guard(scope, None, send)
    return answers


def through_wsgi(settings: dict, cases: Iterable[Case]) -> list[Headers]:
    def app(environ, start_response):
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in case.headers]
        start_response(f"{case.status} X", headers)
        return []

    def start_response(status, headers):
        assert status == f"{case.status} X"
        answers.append([(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers])

    answers: list[Headers] = []
    guard = privguard.wsgi.PrivacyMiddleware(app, settings)
    for case in cases:  # noqa: B007 - the app reads it
        guard({"PATH_INFO": "/", "SCRIPT_NAME": "", "REQUEST_METHOD": "GET"}, start_response)
    return answers


@pytest.fixture(scope="module")
def read(request: pytest.FixtureRequest) -> Readings:
    return Readings(lambda name: request.getfixturevalue(f"started_{name}"))


@in_each_browser
@pytest.mark.parametrize("row", ROWS)
def test_browser_reads_a_bare_line_as_was_measured(read: Readings, row: str, name: str) -> None:
    """What we say of browsers is so: bare, each line is kept, forgotten or refused just as the table says."""
    wanted = [(getattr(case, name), case) for case in read.rows[row]]
    assert [(read(name, case).verdict, case) for case in read.rows[row]] == wanted


@in_each_browser
@pytest.mark.parametrize("mode", ["downgrade", "strip", "block"])
def test_no_line_leaves_a_cookie_that_outlives_the_visit(read: Readings, mode: str, name: str) -> None:
    """However a cookie is spelled, it is gone once the browser is closed."""
    assert [case.line for case in read.cases if read(name, case, mode).verdict == "P"] == []


@in_each_browser
@pytest.mark.parametrize("mode", ["downgrade", "strip"])
def test_session_cookie_is_stored_as_before(read: Readings, mode: str, name: str) -> None:
    """A cookie that every reader keeps for the visit alone is kept for the visit, with the same value."""
    session = [case for case in read.cases if read.all_alike(case, "S") and case.is_one_header]
    # Both browsers make a session cookie of some lines that the RFC calls persistent; those may be stripped.
    session = [case for case in session if mode == "downgrade" or not is_persistent(case.line)]
    assert len(session) > 300
    assert [case.line for case in session if read(name, case, mode) != read(name, case)] == []


@in_each_browser
def test_persistent_cookie_is_downgraded_with_its_value(read: Readings, name: str) -> None:
    """Downgraded, a cookie is kept for the visit and says what it said."""
    lasting = [case for case in read.cases if read(name, case).verdict == "P" and case.is_one_header]
    assert len(lasting) > 150
    wanted = {case: read(name, case)._replace(verdict="S") for case in lasting}
    assert [case.line for case in lasting if read(name, case, "downgrade") != wanted[case]] == []


@in_each_browser
def test_plain_persistent_cookie_is_stripped(read: Readings, name: str) -> None:
    """Stripped, a cookie that both browsers and the RFC would keep is not even set."""
    lasting = [case for case in read.cases if read.all_alike(case, "P") and is_persistent(case.line)]
    assert len(lasting) > 100
    assert [case.line for case in lasting if read(name, case, "strip").kept] == []


@in_each_browser
@in_each_mode
def test_deletion_still_deletes(read: Readings, mode: str, name: str) -> None:
    """Whatever the mode, a visitor can log out."""
    deletions = [case for case in read.cases if is_plain_deletion(case.line) and read.all_alike(case, "D")]
    deletions += read.rows[PAST_IN_OTHER_WORDS]
    # An app that sends an odd Date of its own makes every date of its cookies doubtful.
    deletions = [case for case in deletions if not (case.chromium == "any" and case.others)]
    assert len(deletions) > 30
    assert [case.line for case in deletions if read(name, case, mode).verdict != "D"] == []


@in_each_browser
def test_block_leaves_no_cookie(read: Readings, name: str) -> None:
    """Blocked, no line of any spelling puts anything into the jar."""
    assert [case.line for case in read.cases if read(name, case, "block").kept] == []


@in_each_browser
def test_allow_changes_nothing(read: Readings, name: str) -> None:
    """Allowed, each line does what it does without us."""
    assert [case.line for case in read.cases if read(name, case, "allow") != read(name, case)] == []


@in_each_browser
def test_early_hints_store_nothing(request: pytest.FixtureRequest, name: str) -> None:
    """No browser takes a cookie from a 103: what matters is the response that follows."""
    jars = Jars(request.getfixturevalue(f"started_{name}"))
    line = b"a=b; Max-Age=3600"
    final = Response.of(line, 200, [])
    hinted = final._replace(head=b"HTTP/1.1 103 X\r\nSet-Cookie: %s\r\n\r\n" % line + final.head)
    jars.learn([hinted])
    assert jars[hinted].verdict == "X"


GOODBYE = b"\x88\x02\x03\xe8"  # a close frame: after an end without one Firefox makes the next socket wait
HANDSHAKE = """
    const socket = new WebSocket(`ws://${location.host}/MODE`);
    await new Promise((over) => socket.onopen = socket.onclose = over)"""


def test_handshake_of_a_web_socket(browser: Browser) -> None:
    """A cookie that comes with a WebSocket is one like any other: bare it stays, guarded it goes with the visit."""

    def answer(request: Request) -> bytes:
        key = request.headers.get("sec-websocket-key")
        if key is None:
            return page(b"<!doctype html>")
        accept = base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest())
        fields = [(b"Upgrade", b"websocket"), (b"Connection", b"Upgrade"), (b"Sec-WebSocket-Accept", accept)]
        fields += headers[request.path[1:]]
        return b"HTTP/1.1 101 X\r\n" + b"".join(b"%s: %s\r\n" % field for field in fields) + b"\r\n" + GOODBYE

    cookies = [(b"set-cookie", b"lasting=1; Max-Age=3600"), (b"Set-Cookie", b"short=1")]
    headers = {mode: asyncio.run(accepted(mode, cookies)) for mode in MODES} | {"bare": cookies}
    kept = {}
    with RawServer(answer) as server:
        for mode in headers:
            browser.start_over()
            browser.open(f"http://site.localhost:{server.port}/")
            browser.run(HANDSHAKE.replace("MODE", mode))
            kept[mode] = {cookie.name.decode(): cookie.is_persistent for cookie in browser.cookies()}
    assert kept == {
        "bare": {"lasting": True, "short": False},
        "allow": {"lasting": True, "short": False},
        "downgrade": {"lasting": False, "short": False},
        "strip": {"short": False},
        "block": {},
    }


async def accepted(mode: str, headers: Headers) -> Headers:
    """Return the header fields of a handshake as they leave the middleware."""

    async def app(scope, receive, send):
        await send({"type": "websocket.accept", "headers": headers})

    async def send(message):
        answers.append(message["headers"])

    answers: list[Headers] = []
    guard = privguard.asgi.PrivacyMiddleware(app, {"cookies": {"elsewhere": mode}})
    await guard({"type": "websocket", "path": "/", "root_path": "", "query_string": b"", "headers": []}, None, send)
    return answers[0]
