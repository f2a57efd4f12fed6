"""Tests of ``privguard demo``: what a browser gets from one careless site, bare and guarded."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import struct
import sys
import threading
from wsgiref.validate import validator

import pytest

from cli_process import get, serving
from cli_process import privguard as run_privguard
from privguard.cli import _demo as demo
from privguard.cli import _sites as sites
from privguard.cli import main
from privguard.cli._listening import free_or_any
from privguard.cli._stop import NotNow
from privguard.cli._visit import TOUR, Visit, third_party_loads, visit

ADDRESS = re.compile(r"http://([\w.]+):(\d+)/")


def table(text: str) -> dict[str, tuple[int, ...]]:
    """The rows of the table that consist of a name and three counts."""
    rows = re.findall(r"^ +(bare|guarded) +(\d+) +(\d+) +(\d+)$", text, re.MULTILINE)
    return {name: tuple(map(int, counts)) for name, *counts in rows}


def ports(text: str) -> dict[str, int]:
    """The ports of the two sites."""
    lines = re.findall(r"^ +(bare|guarded) +http://[\w.]+:(\d+)/", text, re.MULTILINE)
    return {name: int(port) for name, port in lines}


@pytest.fixture
def run_site():
    """Serve a WSGI app as the demo does."""
    running = []

    def run(app, *, host="127.0.0.1"):
        site = sites.DemoServer("test", host, free_or_any(sites.LOOPBACK, 0))
        site.set_app(app)
        site.start()
        running.append(site)
        return site

    yield run
    for site in running:
        site.shutdown()
        site.server_close()


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_once_in_a_real_process(tmp_path):
    """``demo --once`` prints what it measured: the bare site leaves something of each, the guarded one nothing."""
    ended = run_privguard("demo", "--once", cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    rows = table(ended.stdout)
    assert all(count >= 1 for count in rows["bare"])
    assert rows["guarded"] == (0, 0, 0)
    assert list(ports(ended.stdout)) == ["bare", "guarded"]
    assert "visitor (Max-Age=31536000; Path=/)" in ended.stdout
    assert '"GET /favicon.ico HTTP/1.1" 200' in ended.stdout
    assert "\x1b" not in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) <= 80
    assert ended.stdout.isascii()


def test_once_in_this_process(capsys):
    """What is there of each site is listed below the table; the owner's log is as it was."""
    level = logging.getLogger("privguard").level
    assert main(["demo", "--once"]) == 0
    text = capsys.readouterr().out
    assert table(text)["guarded"] == (0, 0, 0)
    assert "elsewhere.localhost:" in text
    assert "What the bare site leaves behind:" in text
    assert "What the guarded site leaves behind:" not in text
    assert logging.getLogger("privguard").level == level


def test_report_of_a_guard_that_fails(run_site):
    """The counts are measured: were the guarded site to leave something, the table would say so."""
    site = run_site(lambda environ, start_response: [])
    seen = Visit({"id": "Max-Age=9"}, {}, [])
    text = demo.report(site, site, Visit({}, {}, []), seen, has_colour=False)
    assert table(text) == {"bare": (0, 0, 0), "guarded": (1, 0, 0)}
    assert "What the guarded site leaves behind:\n    cookie        id (Max-Age=9)" in text


@pytest.mark.parametrize(
    ("is_terminal", "variables", "has_colour"),
    [(True, {}, True), (False, {}, False), (True, {"NO_COLOR": "1"}, False), (True, {"TERM": "dumb"}, False)],
)
def test_colour_is_for_terminals(monkeypatch, run_site, is_terminal, variables, has_colour):
    """Colour goes to a terminal whose user has not said no, and changes no column."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal, raising=False)
    monkeypatch.setattr(os, "environ", variables)
    site = run_site(lambda environ, start_response: [])
    seen = Visit({}, {}, ["a line"])
    text = demo.report(site, site, seen, seen, has_colour=demo._has_colour())
    assert ("\x1b[31m" in text) == has_colour
    plain = demo.report(site, site, seen, seen, has_colour=False)
    assert re.sub(r"\x1b\[\d+m", "", text) == plain


# ── serving ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_demo_serves_until_ctrl_c(tmp_path):
    """Both sites and the third party are there, each on the port that was asked for, until Ctrl-C."""
    first = three_free_ports()
    with serving("demo", "--port", str(first), cwd=tmp_path) as server:
        text = server.read_until("Ctrl-C")
        assert ports(text) == {"bare": first, "guarded": first + 1}
        assert b"tracker.js" in get(first)[2]
        guarded = {name.lower(): value for name, value in get(first + 1)[1]}
        assert get(first + 2, "/tracker.js")[0] == 200
        for port in (first, first + 1):
            get(port, "/favicon.ico")
            get(port, "/join")
        code = server.stop()
    assert "content-security-policy" in guarded and "set-cookie" not in guarded
    assert code == 0
    assert server.said.endswith("Stopped.\n")
    log = server.errors
    assert "Traceback" not in log
    assert re.findall(r"(bare|guarded) +127.0.0.1 .GET (/[\w.]+) ", log) == [
        ("bare", "/favicon.ico"),
        ("bare", "/join"),
        ("guarded", "/join"),
    ]


def three_free_ports() -> int:
    """The first of three free ports in a row."""
    for first in range(20_000, 30_000, 7):
        try:
            listeners = [socket.create_server(("127.0.0.1", first + number)) for number in range(3)]
        except OSError:
            continue
        for listener in listeners:
            listener.close()
        return first
    raise AssertionError("no three free ports in a row")


def test_demo_serves_in_this_process(capsys):
    """What a process of its own does, this one does; port 0 takes what is free."""
    servers = []
    start = sites.DemoServer.__init__

    def noted(self, *arguments):
        start(self, *arguments)
        servers.append(self)

    def visit_and_stop():
        try:
            get(servers[2].server_port, "/pixel.gif")  # answers once the demo serves on
        finally:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    def measured(site):
        if site.name == "guarded":
            visitor.start()
        return visit(site)

    visitor = threading.Thread(target=visit_and_stop)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sites.DemoServer, "__init__", noted)
        patch.setattr(demo, "visit", measured)
        assert main(["demo", "--port", "0"]) == 0
    visitor.join()
    assert capsys.readouterr().out.endswith("Stopped.\n")
    assert not [one for site in servers for one in site.log.handlers if type(one) is logging.StreamHandler]


def test_demo_takes_other_ports_where_its_own_are_in_use(capsys):
    """Two demos at once do not disturb each other."""
    with free_or_any("127.0.0.1", demo.FIRST_PORT):
        assert main(["demo", "--once"]) == 0
    assert demo.FIRST_PORT not in ports(capsys.readouterr().out).values()


def test_sites_have_different_names():
    """A browser keeps cookies by host and not by port: neither site sees what the other has set."""
    assert len(set(demo.HOSTS.values())) == 3


def test_example_comes_from_the_wheel_where_there_is_one(monkeypatch):
    """An installed privguard brings the site along, and needs no checkout."""
    package = type(sys)("privguard._customchat")
    monkeypatch.setitem(sys.modules, "privguard._customchat", package)
    assert sites.example() is package


def test_example_that_is_missing(monkeypatch, tmp_path):
    """An installation without the site says how to mend it."""
    monkeypatch.delitem(sys.modules, "_privguard_customchat", raising=False)
    monkeypatch.setattr(sites, "__file__", str(tmp_path / "a" / "b" / "c" / "sites.py"))
    with pytest.raises(NotNow, match="pip install --force-reinstall privguard"):
        sites.example()


def test_example_that_lacks_something(monkeypatch):
    """What the example itself fails to import is not taken for a missing example."""

    def fail(name):
        raise ModuleNotFoundError("No module named 'werkzeug'", name="werkzeug")

    monkeypatch.setattr(sites.importlib, "import_module", fail)
    with pytest.raises(ModuleNotFoundError, match="werkzeug"):
        sites.example()


# ── the servers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


def test_server_keeps_to_the_standard(run_site):
    """The demo's server is a proper WSGI server."""
    site = run_site(validator(hello))
    assert get(site.server_port)[2] == b"hello"


def test_request_line_cannot_steer_the_terminal(run_site, caplog):
    """Control characters in a request are escaped in the log."""
    site = run_site(hello)
    site.log.addHandler(caplog.handler)
    with socket.create_connection(("127.0.0.1", site.server_port)) as client:
        client.sendall(b"GET /\x1b[31m HTTP/1.0\r\n\r\n")
        own = client.getsockname()
        while client.recv(4096):
            pass
    site.wait_for_end(own)
    site.log.removeHandler(caplog.handler)
    assert "\\x1b[31m" in caplog.text
    assert "\x1b" not in caplog.text


def test_browser_that_goes_away_or_never_asks(run_site, capsys, monkeypatch):
    """Connections that are reset, or opened beforehand and never used, leave no traceback."""
    monkeypatch.setattr(sites._Handler, "timeout", 0.05)
    site = run_site(hello)
    silent = socket.create_connection(("127.0.0.1", site.server_port))
    gone = socket.create_connection(("127.0.0.1", site.server_port))
    addresses = [silent.getsockname(), gone.getsockname()]
    gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    gone.close()
    for own in addresses:
        site.wait_for_end(own)
    silent.close()
    assert get(site.server_port)[2] == b"hello"
    assert capsys.readouterr().err == ""


def test_server_that_does_not_answer(run_site, monkeypatch):
    """Where no end of a request is seen, the demo says so instead of counting what is not there."""
    site = run_site(hello)
    monkeypatch.setattr(site._one_more, "wait_for", lambda predicate, timeout: predicate())
    with pytest.raises(NotNow, match="does not answer"):
        site.wait_for_end(("127.0.0.1", 1))


# ── the measuring ────────────────────────────────────────────────────────────────────────────────────────────────────

PAGE = "http://site.example/page"
LOADS = [
    ('<script src="//cdn.example/a.js">', "script-src-elem"),
    ('<img src="https://cdn.example/a.gif">', "img-src"),
    ('<link rel="stylesheet" href="https://cdn.example/a.css">', "style-src-elem"),
    ('<LINK REL="shortcut icon" HREF="https://cdn.example/a.ico">', "img-src"),
    ('<iframe src="https://cdn.example/">', "frame-src"),
    ('<video src="https://cdn.example/a.webm">', "media-src"),
    ('<video poster="https://cdn.example/a.png">', "img-src"),
    ('<object data="https://cdn.example/a">', "object-src"),
]


@pytest.mark.parametrize(("html", "directive"), LOADS, ids=lambda value: value[:30])
def test_third_party_load_and_the_directive_that_judges_it(html, directive):
    """What a page takes from elsewhere counts, unless any of its policies keeps the browser from loading it."""

    def loads(*policies):
        return [url for _, url in third_party_loads(PAGE, html, policies)]

    (found,) = loads()
    assert "//cdn.example/" in found
    assert loads({"default-src": ("*",)}) == [found]
    assert loads({directive: ("https://cdn.example", "http://cdn.example"), "default-src": ("'none'",)}) == [found]
    assert loads({"default-src": ("*",)}, {directive: ("'self'",)}) == []


@pytest.mark.parametrize("rel", ["preconnect", "dns-prefetch"])
def test_hints_that_no_policy_judges(rel):
    """A hint makes a contact whatever the policy says, and counts."""
    html = f'<link rel="{rel}" href="https://cdn.example">'
    assert list(third_party_loads(PAGE, html, [{"default-src": ("'none'",)}]))


@pytest.mark.parametrize(
    "html",
    [
        '<script src="/own.js">',
        '<script src="http://site.example/own.js">',
        "<script>1</script>",
        '<img src="data:image/gif;base64,AA">',
        '<link rel="stylesheet">',
        '<link rel="canonical" href="https://cdn.example/">',
        '<a href="https://cdn.example/">',
    ],
)
def test_what_is_no_third_party_load(html):
    """The site's own files, data in the page and links that somebody has to follow do not count."""
    assert list(third_party_loads(PAGE, html, [])) == []


def test_visit_counts_what_is_there_at_its_end(run_site):
    """A cookie that is deleted, or set anew for the visit, is not kept; each host counts once; each policy counts."""
    cookies = {
        "/": ["kept=1; Max-Age=9", "deleted=1; Max-Age=9", "shortened=1; Max-Age=9", "odd=1; Max-Age=+9"],
        "/privacy": ["deleted=; Max-Age=0", "shortened=1", "visit=1"],
    }
    body = (
        b'<img src="http://a.example/1"><img src="http://a.example/2"><script src="http://a.example/3"></script>'
        b'<img src="http://b.example/4">'
    )

    def app(environ, start_response):
        headers = [("Set-Cookie", one) for one in cookies.get(environ["PATH_INFO"], [])]
        policy = "img-src http://a.example http://b.example, img-src http://a.example"
        start_response("200 OK", [*headers, ("Content-Type", "text/html"), ("Content-Security-Policy", policy)])
        return [body]

    seen = visit(run_site(app))
    assert sorted(seen.cookies) == ["kept", "odd"]
    assert seen.hosts == {"a.example": ["image", "script"]}
    assert len(seen.log_lines) == 1
    assert seen.counts == (2, 1, 1)


def test_lines_of_other_clients_do_not_count(run_site):
    """Only the line of the icon's own request is counted, whatever else is going on."""

    def app(environ, start_response):
        if environ["PATH_INFO"] == "/favicon.ico":
            site.log.info("somebody else", extra={"client": ("127.0.0.1", 1)})
            site.log.info("nobody")
        return hello(environ, start_response)

    site = run_site(app)
    assert visit(site).counts == (0, 0, 1)


def test_tour_has_the_pages_of_the_example(run_site):
    """Each address of the tour is there."""
    site = run_site(sites.example().create_app())
    assert {path: get(site.server_port, path)[0] for path in TOUR} == dict.fromkeys(TOUR, 200)
