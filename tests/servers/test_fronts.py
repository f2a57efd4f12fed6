"""Tests of servers in front of a guarded site, each with the configuration that privguard prints for it."""

from __future__ import annotations

import contextlib
import re
import socket
import tempfile
from pathlib import Path
from urllib.parse import quote

import pytest

from browsers.programs import require, wait_until
from privguard import Policy
from privguard._headers import IF_ABSENT
from servers.fronts import ADDRESS_HEADER, FRONTS, HEADER
from servers.harness import SECONDS, ask, free_port, parse, request_head

SETTINGS = {
    "logs": {"front_header": HEADER},
    "csp": {
        "paths": {
            "/admin/": {"style-src": ["'self'", "'unsafe-inline'"]},
            "/admin/deep/": {"report-uri": ["/reports"], "style-src": ["'none'"]},
            "/sealed/open/": {"img-src": ["*"]},
        }
    },
    "sealed_paths": ["/sealed/"],
}
FILES = ["style.css", "favicon.ico", "admin/a.html", "admin/deep/a.html", "adminother.html", "sealed/a.html"]
FILES += ["sealed/open/a.html", "with space.txt", ".hidden", ".git/config"]


@pytest.fixture(params=FRONTS)
def front(request, tmp_path):
    """Start a front with what these settings export, in front of a port."""
    running = []

    def started(upstream, settings=SETTINGS, files=None, **options):
        running.append(FRONTS[request.param](settings, upstream, files, **options))
        return running[-1].__enter__()

    yield started
    for one in running:
        one.__exit__()
        one.remove()


@pytest.fixture
def files(tmp_path_factory):
    """A folder of files that a front may serve, where every user can read it."""
    with tempfile.TemporaryDirectory(prefix="files-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for file in FILES:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(f"this is {file}")
        yield folder


def test_every_front_can_be_tried():
    """A front that is not installed fails here by its name, where nothing may be skipped."""
    for front in FRONTS.values():
        require(front.program)


def expected(path, settings=SETTINGS):
    rules = Policy(settings).rules_for(path)
    return {"content-security-policy": ", ".join(rules.policies), **{n: v for n, (_, v) in IF_ABSENT.items()}}


@pytest.mark.parametrize("name", ["uvicorn-h11", "gunicorn-sync"])
def test_the_front_leaves_out_what_privguard_marks(front, start, name):
    """The favicon and a child's submission are in nobody's log; the rest is, once; and no visitor sees the mark."""
    server = front(start(name, policy=SETTINGS).port)
    quiet = [
        ask(server, "GET", "/favicon.ico"),
        ask(server, "HEAD", "/favicon.ico?v=1"),
        ask(server, "GET", "//favicon.ico"),
        ask(server, "GET", "/%66avicon.ico"),
        ask(server, "GET", "/apple-touch-icon.png"),
        ask(server, "POST", "/join?name=canary", body=b"age=7"),
    ]
    ordinary = [
        ask(server, "GET", page) for page in ("/plain", "/no-content", "/raise-before", "/favicon.ico/x", "/page")
    ]
    assert [answer.status for answer in quiet] == [200, 200, 200, 200, 404, 403]
    assert [answer.status for answer in ordinary] == [200, 204, 500, 200, 200]
    assert not any(answer.every(HEADER.lower()) for answer in [*quiet, *ordinary])
    for answer in ordinary[:2]:
        assert answer.every("content-security-policy") == [", ".join(Policy(SETTINGS).rules_for("/").policies)]
    assert wait_until(lambda: len(server.logged()) >= len(ordinary))
    server.__exit__()
    assert server.logged() == ["/plain", "/no-content", "/raise-before", "/favicon.ico/x", "/page"]
    assert "canary" not in server.said() and "favicon" not in server.said()


def test_a_bare_site_is_logged(front, start):
    """The mark is what keeps a submission out: without it, the front logs as ever, but for the quiet paths."""
    server = front(start("gunicorn-sync", bare=True).port)
    ask(server, "GET", "/favicon.ico")
    ask(server, "POST", "/join?name=canary", body=b"age=7")
    ask(server, "GET", "/plain")
    assert wait_until(lambda: server.logged() == ["/join?name=canary", "/plain"])


def test_files_that_the_front_serves(front, start, files):
    """They get the headers of their path, once each; what is no file, or hidden, is the app's."""
    server = front(start("gunicorn-sync", policy=SETTINGS).port, files=files)
    for file in ("style.css", "admin/a.html", "admin/deep/a.html", "adminother.html", "with%20space.txt"):
        answer = ask(server, "GET", f"/{file}")
        assert answer.body.decode() == f"this is {file.replace('%20', ' ')}"
        for name, value in expected(f"/{file}").items():
            assert answer.every(name) == [value], (file, name)
        assert not answer.every("connection-allowlist") and not answer.cookies
    for file in ("sealed/a.html", "sealed/open/a.html"):
        answer = ask(server, "GET", f"/{file}")
        assert answer.every("content-security-policy") == [expected(f"/{file}")["content-security-policy"]]
        assert answer.every("connection-allowlist") == ["(response-origin);redirects=allow"]
    assert ask(server, "GET", "/favicon.ico").body == b"this is favicon.ico"
    answers = [ask(server, "GET", path) for path in ("/plain", "/.hidden", "/.git/config", "/admin/", "/no-such")]
    assert [answer.status for answer in answers] == [200] * 5
    for answer in answers:
        assert b"this is" not in answer.body and len(answer.every("content-security-policy")) == 1
    assert wait_until(lambda: "/no-such" in server.logged())
    assert not [target for target in server.logged() if "favicon" in target]


def test_a_site_that_is_down(front):
    """The front's own error page has the policy's headers, and its error log names neither path nor address."""
    server = front(free_port(), {"logs": {"front_header": HEADER, "ip": "none"}})
    answer = ask(server, "GET", "/join?name=canary")
    assert answer.status in (502, 503)
    if type(server).__name__ != "Caddy":  # its answer is empty
        assert len(answer.every("content-security-policy")) == 1
    assert wait_until(lambda: server.logged() == ["/join?name=canary"])
    assert "canary" not in server.said() and "127.0.0.1:5" not in server.said()


ADDRESSES = [
    ("203.0.113.77", "203.0.113.0"),
    ("2001:db8:1:2::5", "2001:db8:1::"),
    ("2001:db8:1::5", "2001:db8:1::"),
    ("2001:db8::5", "2001:db8::"),
    ("2001::5", "2001::"),
    ("::5", "::"),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
    ("::ffff:203.0.113.77", "203.0.113.0"),
]


@pytest.mark.parametrize(
    ("ip", "seen", "seen6"), [("full", "127.0.0.1", "::1"), ("truncate", "127.0.0.0", "::"), ("none", "-", "-")]
)
def test_addresses(front, start, ip, seen, seen6):
    """Whole, in part or not at all, also of a visitor with an IPv6 address."""
    server = front(start("gunicorn-sync", bare=True).port, {"logs": {"front_header": HEADER, "ip": ip}})
    ask(server, "GET", "/plain", X_Forwarded_For="203.0.113.99", X_Real_IP="203.0.113.99")
    with contextlib.closing(socket.create_connection(("::1", server.port), timeout=SECONDS)) as visitor:
        visitor.sendall(request_head("GET", "/plain", [("Connection", "close")]))
        assert parse(b"".join(iter(lambda: visitor.recv(65536), b""))).status == 200
    assert wait_until(lambda: server.addresses() == [seen, seen6])
    if ip != "full":
        assert "203.0.113.99" not in "".join(server.access_lines())
    if server.believes_addresses and ip == "truncate":
        for address, _ in ADDRESSES:
            ask(server, "GET", "/plain", **{ADDRESS_HEADER: address})
        assert wait_until(lambda: server.addresses()[2:] == [shown for _, shown in ADDRESSES]), server.addresses()


def test_queries_that_are_left_out(front, start):
    """Neither the address that was asked for nor the page that the visitor comes from brings its query into the log."""
    server = front(start("gunicorn-sync", bare=True).port, query=False)
    ask(server, "GET", "/plain?canary=1", Referer="http://localhost/page?canary=2")
    ask(server, "GET", "/plain")
    assert wait_until(lambda: server.logged() == ["/plain", "/plain"])
    assert "canary" not in "".join(server.access_lines()) and "http://localhost/page" in server.access_lines()[0]


HOSTILE = "/x\";}\n server { } #$y '\\ {z} %{q} ${PATH} <a> `b` é\u2028漢"
HOSTILE_CSP = {"report-uri": ["/a\"b$c${PATH}{d}%{e}%41'<f>`#"], "trusted-types": ["a%b#c=/@."]}


def test_values_do_not_break_out(front, start, files):
    """Whatever stands in the settings, the configuration means what it says: of one path, and of one header."""
    target = quote(HOSTILE)
    settings = {
        "logs": {"front_header": HEADER, "quiet_paths": [target]},
        "csp": {
            "paths": {f"{target}/below": HOSTILE_CSP},
            "directives": {"img-src": ["'self'", "https://a.example/$x"]},
        },
    }
    assert Policy(settings).quiet_paths == {HOSTILE}
    below = files / HOSTILE[1:].replace("/", "") / "below"
    below.mkdir(parents=True)
    (below / "a.txt").write_text("found")
    server = front(start("gunicorn-sync", bare=True).port, settings, files)
    ask(server, "GET", target)
    ask(server, "GET", target.replace("x", "%78", 1))
    ask(server, "GET", target.replace("x", "y", 1))
    answer = ask(server, "GET", f"{target}/below/a.txt")
    if type(server).__name__ != "Caddy":  # which finds no file of such a name, and asks the app
        assert answer.body == b"found"
    (policy,) = answer.every("content-security-policy")
    assert "img-src 'self' https://a.example/%24x;" in policy
    assert "trusted-types a%b#c=/@." in policy
    assert "report-uri /a%22b%24c%24%7BPATH%7D%7Bd%7D%%7Be%7D%41'%3Cf%3E%60#" in policy
    assert wait_until(lambda: len(server.logged()) == 2)
    assert [re.findall("below|/y", target) for target in server.logged()] == [["/y"], ["below"]]


def test_a_policy_that_is_very_long(front, start, files):
    """Hundreds of hashes fit into the configuration."""
    hashes = [f"'sha256-{number:042d}A='" for number in range(200)]
    settings = {"logs": {"front_header": HEADER}, "csp": {"paths": {"/admin/": {"script-src": hashes}}}}
    server = front(start("gunicorn-sync", policy=settings).port, settings, files)
    (policy,) = ask(server, "GET", "/admin/a.html").every("content-security-policy")
    assert policy == ", ".join(Policy(settings).rules_for("/admin/").policies) and policy.count("sha256") == 200


def test_a_policy_that_is_only_reported(front, start, files):
    """It has the name of its header."""
    settings = {"logs": {"front_header": HEADER}, "csp": {"report_only": True}}
    server = front(start("gunicorn-sync", policy=settings).port, settings, files)
    answer = ask(server, "GET", "/style.css")
    assert answer.every("content-security-policy-report-only") and not answer.every("content-security-policy")
