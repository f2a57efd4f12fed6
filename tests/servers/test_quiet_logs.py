"""Tests of what real servers write: of some requests nothing at all, of every other request every line."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading

import pytest

from browsers.programs import wait_until
from servers.harness import GUNICORN, SERVERS, UVICORN, Connection, ask, request_head
from servers.records import QUIET_SERVERS, STAGES, access_lines, expect_written, new_token, records

CANARY = "canary"
QUIET = [
    ("GET", "/favicon.ico"),
    ("GET", f"/favicon.ico?v={CANARY}"),
    ("HEAD", "/favicon.ico"),
    ("HEAD", f"/favicon.ico?v={CANARY}"),
    ("GET", "//favicon.ico"),
    ("GET", f"//favicon.ico?v={CANARY}"),
    ("GET", "/%66avicon.ico"),
    ("GET", "/%2Ffavicon%2eico"),
    ("GET", "/a/../favicon.ico"),
    ("POST", "/favicon.ico"),
    ("GET", "/apple-touch-icon.png"),  # the framework of the site knows no such page
]
FAILS = ("GET", "/apple-touch-icon-precomposed.png")
TRACES = (CANARY, "avicon", "touch-icon")

ONE_OF_EACH = ("uvicorn-h11", "gunicorn-gthread", "flask-run")
# They close each connection behind its answer.
WITHOUT_KEEP_ALIVE = ("gunicorn-sync", "werkzeug", "flask-run", "wsgiref")


def quiet_headers(number):
    canary = f"{CANARY}-{number}"
    return {"X-Token": canary, "User-Agent": canary, "Referer": f"http://{canary}/", "Cookie": f"c={canary}"}


class Visitor:
    """Requests over one connection that is kept, quiet ones before and behind every ordinary one."""

    def __init__(self, server, tokens):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        self.tokens = tokens

    def ask(self, method, target, headers):
        self.connection.request(method, target, headers=headers)
        response = self.connection.getresponse()
        return response.status, response.read()

    def ask_quietly(self, method, target):
        status, _ = self.ask(method, target, quiet_headers(new_token()))
        assert status == (404 if "touch" in target else 200)

    def ask_ordinarily(self, page="/page"):
        token = new_token()
        self.tokens.append(token)
        assert self.ask("GET", f"{page}?token={token}", {"X-Token": token}) == (200, b"[1][2]")

    def browse(self):
        for method, target in QUIET:
            self.ask_quietly(method, target)
            self.ask_ordinarily()
        self.ask_quietly(*QUIET[0])


@contextlib.contextmanager
def browse_while_another_waits(server, gate):
    """Ask for quiet and ordinary pages while one ordinary request is in flight; yield the ordinary ones' tokens.

    The connections stay open until then: hypercorn sometimes writes of a visitor who leaves too early twice.
    """
    tokens = []
    waiting, browsing = Visitor(server, tokens), Visitor(server, tokens)
    thread = threading.Thread(target=waiting.ask_ordinarily, args=("/slow",))
    thread.start()
    try:
        wait_until(lambda: tokens)
        slow = tokens[0]
        gate.arrived(f"slow:{slow}")
        browsing.browse()
        gate.open(f"slow:{slow}")
        thread.join()
        yield tokens
    finally:
        waiting.connection.close()
        browsing.connection.close()


def traces(server):
    return [line for line in server.written().splitlines() if any(trace in line for trace in TRACES)]


@pytest.mark.parametrize("name", QUIET_SERVERS)
def test_quiet_paths_leave_no_trace_and_other_requests_lose_none(name, start, gate):
    """Favicons are asked for while a page is in flight, and over the very connection on which pages are."""
    server = start(name)
    with browse_while_another_waits(server, gate) as tokens:
        ask(server, *FAILS, **quiet_headers(new_token()))
        expect_written(server, records(tokens) | access_lines(tokens))
    server.__exit__()
    expect_written(server, records(tokens) | access_lines(tokens))
    assert traces(server) == []


def test_site_is_quiet_behind_a_server_without_access_lines(servers, gate):
    """Of the site's own records, none of a quiet request's is left, and none of another's is lost."""
    server = servers("waitress")
    with browse_while_another_waits(server, gate) as tokens:
        expect_written(server, records(tokens))
    assert traces(server) == []


@pytest.mark.parametrize("name", SERVERS)
def test_quiet_paths_are_logged_without_privguard(name, servers, gate):
    """Were the servers or the site quiet about favicons by themselves, the other tests would prove nothing."""
    server = servers(name, bare=True)
    has_access_lines = name != "waitress"
    with browse_while_another_waits(server, gate) as tokens:
        expect_written(server, records(tokens) | (access_lines(tokens) if has_access_lines else {}))
    talking = sum("touch" not in target for _, target in QUIET) + 1
    assert len(server.lines(f":{CANARY}")) == talking * len(STAGES)
    with_query = sum(CANARY in target for _, target in QUIET)
    assert len(server.lines(f"?v={CANARY}")) == with_query * has_access_lines


@pytest.mark.parametrize("name", [name for name in SERVERS if name not in WITHOUT_KEEP_ALIVE])
def test_pipelined_requests_are_told_apart(name, servers):
    """A browser that sends several requests at once gets quiet ones and ordinary ones logged as they should be."""
    server, tokens, canary = servers(name), [new_token() for _ in range(3)], f"{CANARY}-{new_token()}"
    quiet = request_head("GET", f"/favicon.ico?v={canary}", [("X-Token", canary)])
    last = request_head("HEAD", "/favicon.ico", [("X-Token", canary), ("Connection", "close")])
    pages = [request_head("GET", f"/page?token={token}", [("X-Token", token)]) for token in tokens]
    with Connection(server.port) as connection:
        connection.socket.sendall(quiet + quiet.join(pages) + last)
        assert connection.read_all().count(b"HTTP/1.1 200") == 2 * len(tokens) + 1
    expect_written(server, records(tokens) | ({} if name == "waitress" else access_lines(tokens)))
    assert server.lines(canary) == []


def submit(server, target):
    """Send a submission that only the app can tell for a child's; return its token and the answer."""
    token = new_token()
    return token, ask(server, "POST", f"{target}?token={token}", body=b"name=Ann", X_Token=token)


@pytest.mark.parametrize("target", ["/join", "/join-late"])
@pytest.mark.parametrize("name", QUIET_SERVERS)
def test_flagged_submission_leaves_no_line(name, target, servers):
    """No record, from no thread and no task, neither from before it was flagged nor from after, and no access line."""
    server = servers(name)
    token, answer = submit(server, target)
    assert (answer.status, answer.body) == (200, b"[1][2]")
    after, _ = submit(server, "/page")
    expect_written(server, records([after]) | access_lines([after]))
    assert server.lines(token) == []


@pytest.mark.parametrize("name", QUIET_SERVERS)
def test_traceback_of_a_flagged_submission_is_not_written(name, servers):
    """What the app was doing with a child's words when it failed stays unsaid, by whatever the server makes of it."""
    server = servers(name)
    token, _ = submit(server, "/join-and-fail")
    after, _ = submit(server, "/page")
    expect_written(server, records([after]) | access_lines([after]))
    assert server.lines("secret", token) == []


# ── however logging is set up ────────────────────────────────────────────────────────────────────────────────────────


SITES_OWN = [(name, logging, "after") for name in ONE_OF_EACH for logging in ("disable", "keep", "force", "queue")]
SITES_OWN += [("uvicorn-h11", logging, "before") for logging in ("disable", "keep", "force", "queue")]
SITES_OWN += [("gunicorn-gthread", "disable", "before"), ("flask-run", "queue", "before")]


@pytest.mark.parametrize("name, logging, when", SITES_OWN)
def test_logging_that_the_site_sets_up(name, logging, when, start):
    """dictConfig that disables loggers or keeps them, basicConfig by force, a queue: before or after the middleware."""
    expect_quiet_and_complete(start(name, logging=logging, when=when))


def expect_quiet_and_complete(server):
    tokens = []
    visitor = Visitor(server, tokens)
    for _ in range(2):
        visitor.ask_quietly("GET", f"/favicon.ico?v={CANARY}")
        visitor.ask_ordinarily()
    visitor.ask_quietly("HEAD", "/favicon.ico")
    visitor.connection.close()
    expect_written(server, records(tokens) | access_lines(tokens))
    server.__exit__()
    expect_written(server, records(tokens) | access_lines(tokens))
    assert traces(server) == []


LOG_CONFIG = {
    "version": 1,
    "disable_existing_loggers": True,
    "handlers": {"file": {"class": "logging.FileHandler", "filename": "own.log"}},
    "root": {"handlers": ["file"], "level": "INFO"},
    "loggers": {
        name: {"handlers": ["file"], "level": "INFO", "propagate": False}
        for name in ("uvicorn", "uvicorn.access", "gunicorn.access", "gunicorn.error")
    },
}
SERVERS_OWN = {
    "uvicorn-log-config": [*UVICORN, "--log-config", "own.json"],
    "gunicorn-log-config": [*GUNICORN, "--log-config-json", "own.json", "wsgi_site:application"],
    "gunicorn-files": [
        *GUNICORN,
        "--access-logfile",
        "access.log",
        "--error-logfile",
        "error.log",
        "wsgi_site:application",
    ],
    "gunicorn-own-format": [*GUNICORN, "--access-logformat", "%(m)s|%(U)s|%(q)s|%(a)s", "wsgi_site:application"],
}


@pytest.mark.parametrize("name", SERVERS_OWN)
def test_logging_that_the_server_sets_up(name, start, tmp_path):
    """uvicorn --log-config, gunicorn --log-config-json, --access-logfile and --access-logformat: into files."""
    (tmp_path / "own.json").write_text(json.dumps(LOG_CONFIG))
    logging = "basic" if name in ("gunicorn-files", "gunicorn-own-format") else "server's"
    expect_quiet_and_complete(start(SERVERS_OWN[name], logging=logging))


def test_app_that_is_loaded_before_the_workers_are_forked(start):
    """gunicorn --preload builds the middleware in the parent process."""
    expect_quiet_and_complete(start([*GUNICORN, "--preload", "wsgi_site:application"]))
