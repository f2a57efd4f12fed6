"""Tests that whatever an app and its server do with each other passes unharmed, and that each way out is guarded."""

from __future__ import annotations

import contextlib
import itertools
import re
import socket

import h2.connection
import h2.events
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from browsers.programs import wait_until
from servers.harness import APPS, ASGI, SERVERS, UVICORN, WSGI, Connection, ask
from servers.records import expect_written, new_token

# daphne takes everything at once, reads no headers of websocket.accept, and never ends an answer that broke off.
BUFFERS_ALL = ["daphne"]
# hypercorn writes to its own handler and to the site's.
TRACEBACKS = {"hypercorn": 2}
LIFESPAN = ["uvicorn-h11", "hypercorn", "gunicorn-uvicorn", "gunicorn-asgi"]
DENIAL = [name for name in ASGI if name not in ("daphne", "gunicorn-asgi")]
MEGABYTES = 64


def assert_guarded(answer):
    """The cookie for the visit is there, the one that would outlive it is not, and the policy is."""
    assert answer.cookies == ["visit=1; Path=/"]
    assert b"kept=" not in answer.raw
    assert answer.every("content-security-policy")


# ── bodies ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name, page", [*((name, "/plain") for name in ASGI), *itertools.product(WSGI, ["/plain", "/late", "/closing"])]
)
def test_answer_arrives_whole(name, page, servers, gate):
    """Lists, generators that start their response late, and bodies that want to be closed."""
    token = new_token()
    answer = ask(servers(name), "GET", page, X_Token=token)
    assert (answer.status, answer.body) == (200, b"plain" if page == "/plain" else b"[1][2]")
    assert_guarded(answer)
    if page == "/closing":
        gate.arrived(f"closed:{token}")
        ask(servers(name), "GET", "/plain")
        assert gate.count(f"closed:{token}") == 1


@pytest.mark.parametrize("name", SERVERS)
def test_without_privguard_the_cookie_would_have_been_kept(name, servers):
    """What the other tests do not see was really sent."""
    answer = ask(servers(name, bare=True), "GET", "/plain")
    assert answer.cookies == ["kept=1; Max-Age=3600; Path=/", "visit=1; Path=/"]


@pytest.mark.parametrize("name", SERVERS)
def test_request_body_arrives_whole(name, servers):
    """What a visitor sends is what the app reads."""
    sent = bytes(range(256)) * 1000
    answer = ask(servers(name), "POST", "/echo", body=sent)
    assert answer.body == sent
    assert_guarded(answer)


@pytest.mark.parametrize("name, page", [*((name, "/stream") for name in SERVERS), *((name, "/write") for name in WSGI)])
def test_first_chunk_arrives_before_the_second_is_made(name, page, servers, gate):
    """The app waits for the visitor to have the first chunk: were it held back, nobody would ever go on."""
    token = new_token()
    with Connection(servers(name).port) as connection:
        connection.send("GET", page, [("X-Token", token), ("Connection", "close")])
        connection.read_until(b"[1]")
        assert b"[2]" not in connection.received
        gate.open(f"stream:{token}")
        connection.read_until(b"[2]")
        assert b"kept=" not in connection.read_all()


@pytest.mark.parametrize("name", SERVERS)
def test_body_is_closed_once_when_the_visitor_leaves_midway(name, servers, gate):
    """Server-sent events have no end but the visitor's; then the app may clean up."""
    token = new_token()
    with Connection(servers(name).port) as connection:
        connection.send("GET", "/events", [("X-Token", token)])
        connection.read_until(b"data: x\n\n")
        assert b"text/event-stream" in connection.received and b"kept=" not in connection.received
    gate.arrived(f"closed:{token}")
    ask(servers(name), "GET", "/plain")
    assert gate.count(f"closed:{token}") == 1


@pytest.mark.parametrize("page", ["/big", "/quiet/big"])
@pytest.mark.parametrize("name", [name for name in SERVERS if name not in BUFFERS_ALL])
def test_large_answer_takes_no_memory(name, page, servers):
    """64 MiB pass through a process that does not grow by more than a few, on a quiet path as well."""
    with Connection(servers(name).port) as connection:
        connection.send("GET", page, [("X-Chunks", MEGABYTES * 16), ("Connection", "close")])
        count, end = connection.read_and_count()
    assert count > MEGABYTES * 1024 * 1024
    assert int(re.search(rb"grown by (\d+) KiB", end)[1]) < 12 * 1024


@pytest.mark.parametrize("name", WSGI)
def test_file_of_the_servers_wrapper_arrives_whole(name, servers):
    """wsgi.file_wrapper, by sendfile where the server does that."""
    answer = ask(servers(name), "GET", "/file")
    content = (APPS / "wsgi_site.py").read_bytes()
    assert (answer.every("content-length"), answer.body) == ([str(len(content))], content)
    assert_guarded(answer)


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize(
    "method, page, status", [("HEAD", "/head", 200), ("GET", "/no-content", 204), ("GET", "/not-modified", 304)]
)
def test_answer_without_a_body(name, method, page, status, servers):
    """HEAD, 204 and 304: no body, the connection is still good, and the length of a HEAD answer stays."""
    bare = ask(servers(name, bare=True), method, page)
    answer = ask(servers(name), method, page)
    assert answer.status == status and not answer.body
    assert answer.every("content-length") == bare.every("content-length")
    assert answer.every("transfer-encoding") == bare.every("transfer-encoding")
    assert_guarded(answer)


# ── what WSGI alone has ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", WSGI)
def test_second_start_response_replaces_the_first(name, servers):
    """An app that fails before anything has left may say so, and that answer is guarded too."""
    answer = ask(servers(name), "GET", "/again")
    assert (answer.status, answer.body) == (503, b"second")
    assert answer.every("x-second")
    assert set(answer.cookies) == {"visit=1; Path=/"}  # gunicorn sends the first answer's headers as well
    assert answer.every("content-security-policy")


@pytest.mark.parametrize("name", ["gunicorn-sync", "gunicorn-gthread"])
def test_early_hints_of_wsgi(name, servers):
    """gunicorn's wsgi.early_hints sends a 103 whose cookies are judged as everybody's."""
    answer = ask(servers(name), "GET", "/early-hints")
    assert answer.raw.startswith(b"HTTP/1.1 103 ") and b"/site.css" in answer.raw.partition(b"\r\n\r\n")[0]
    assert answer.body == b"plain"
    assert_guarded(answer)


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", SERVERS)
def test_exception_before_the_response_is_the_servers_to_answer(name, servers):
    """The server's own 500 and its own traceback, as without privguard."""
    token = new_token()
    answers = [ask(servers(name, bare=bare), "GET", "/raise-before", X_Token=token) for bare in (True, False)]
    assert [answer.status for answer in answers] == [500, 500]
    assert answers[0].body == answers[1].body
    for bare in (True, False):
        expect_written(servers(name, bare=bare), {f"RuntimeError: before {token}": TRACEBACKS.get(name, 1)})


@pytest.mark.parametrize("name", [name for name in SERVERS if name != "daphne"])
def test_exception_after_the_response_has_begun_is_the_servers_to_handle(name, servers):
    """What has left has left; the visitor sees a broken answer, and the owner the traceback."""
    token = new_token()
    received = {}
    for bare in (True, False):
        with Connection(servers(name, bare=bare).port) as connection:
            connection.send("GET", "/raise-after", [("X-Token", token), ("Connection", "close")])
            received[bare] = connection.read_all()
        expect_written(servers(name, bare=bare), {f"RuntimeError: after {token}": TRACEBACKS.get(name, 1)})
    bodies = [received[bare].partition(b"\r\n\r\n")[2] for bare in (True, False)]
    assert bodies[0] == bodies[1]
    assert b"kept=" not in received[False]


# ── what ASGI alone has ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", LIFESPAN)
def test_lifespan_begins_and_ends(name, start, gate):
    """The app opens what it needs at start, finds it in every request, and closes it at the end."""
    server = start(name)
    gate.arrived(f"startup:{server.folder}")
    assert ask(server, "GET", "/state").body == b"startup"
    assert gate.count(f"shutdown:{server.folder}") == 0
    server.__exit__()
    gate.arrived(f"shutdown:{server.folder}")


@pytest.mark.parametrize("name", ASGI)
def test_background_work_goes_on_behind_the_response(name, servers, gate):
    """The visitor has the whole answer while the app is still at work."""
    token = new_token()
    with Connection(servers(name).port) as connection:
        connection.send("GET", "/background", [("X-Token", token)])
        connection.read_until(b"plain")
        gate.open(f"background:{token}")
        gate.arrived(f"background-done:{token}")


@contextlib.contextmanager
def websocket(server, path, **options):
    with connect(f"ws://127.0.0.1:{server.port}{path}", open_timeout=20, close_timeout=20, **options) as socket:
        yield socket


@pytest.mark.parametrize("name", ASGI)
def test_websocket_speaks_both_ways(name, servers):
    """Text, bytes, a subprotocol and a close code; the handshake's answer sets no cookie that outlives the visit."""
    with websocket(
        servers(name), "/chat", subprotocols=["chat"], additional_headers={"X-Token": new_token()}
    ) as visitor:
        headers = visitor.response.headers
        assert headers.get_all("Set-Cookie") == ([] if name == "daphne" else ["visit=1; Path=/"])
        assert visitor.subprotocol == "chat"
        visitor.send("text")
        assert visitor.recv() == "text"
        visitor.send(b"\x00\xff")
        assert visitor.recv() == b"\x00\xff"
        visitor.send("close")
        with pytest.raises(ConnectionClosed):
            visitor.recv()
        assert visitor.close_code == 4321


@pytest.mark.parametrize("name", ASGI)
def test_websocket_that_the_app_refuses(name, servers):
    """An app that closes before it accepts makes the server answer 403."""
    with pytest.raises(InvalidStatus) as refused, websocket(servers(name), "/closed"):
        pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("name", DENIAL)
def test_websocket_that_the_app_denies_with_an_answer(name, servers):
    """A denial is a page like any other, and guarded like any other."""
    with pytest.raises(InvalidStatus) as denied, websocket(servers(name), "/denied"):
        pass
    response = denied.value.response
    assert response.status_code == 418
    assert response.headers.get_all("Set-Cookie") == ["visit=1; Path=/"]
    assert response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("implementation", ["wsproto", "websockets", "websockets-sansio"])
def test_websocket_behind_each_implementation_of_uvicorn(implementation, start):
    """The handshake is guarded, whoever speaks it."""
    with websocket(start([*UVICORN, "--ws", implementation]), "/chat") as visitor:
        assert visitor.response.headers.get_all("Set-Cookie") == ["visit=1; Path=/"]
        visitor.send("text")
        assert visitor.recv() == "text"


@pytest.mark.parametrize("name", ["uvicorn-h11", "uvicorn-httptools", "hypercorn", "gunicorn-asgi"])
def test_websocket_of_a_quiet_path_leaves_no_trace(name, servers):
    """Nobody should listen there, and whoever does is not written down."""
    canary = f"canary-{new_token()}"
    with websocket(servers(name), f"/favicon.ico?v={canary}", additional_headers={"X-Token": canary}) as visitor:
        visitor.send("close")
        with pytest.raises(ConnectionClosed):
            visitor.recv()
    ordinary = new_token()
    with websocket(servers(name), f"/chat?v={ordinary}", additional_headers={"X-Token": ordinary}) as visitor:
        visitor.send("close")
        with pytest.raises(ConnectionClosed):
            visitor.recv()
    assert wait_until(lambda: servers(name).lines(f"closed:{ordinary}"))
    assert servers(name).lines(canary) == []


# ── HTTP/2, where trailers and early hints are ───────────────────────────────────────────────────────────────────────


def ask_over_http2(server, path):
    """Send one request over HTTP/2 in the clear; return what came: each header block as a dict, and the body."""
    connection = h2.connection.H2Connection()
    connection.initiate_connection()
    fields = [(":method", "GET"), (":path", path), (":scheme", "http"), (":authority", "localhost"), ("te", "trailers")]
    connection.send_headers(1, fields, end_stream=True)
    blocks, body = [], b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as wire:
        wire.sendall(connection.data_to_send())
        while received := wire.recv(65536):
            for event in connection.receive_data(received):
                if isinstance(event, h2.events.StreamEnded):
                    return blocks, body
                if isinstance(event, h2.events.DataReceived):
                    body += event.data
                elif hasattr(event, "headers"):
                    blocks.append({name.decode(): value.decode() for name, value in event.headers})
            wire.sendall(connection.data_to_send())
    raise AssertionError(f"the answer has no end: {blocks}")


def test_trailers_follow_the_body(servers):
    """What an app sends behind its body arrives behind it."""
    (head, trailers), body = ask_over_http2(servers("hypercorn"), "/trailers")
    assert (head[":status"], body, trailers) == ("200", b"plain", {"x-sum": "7"})
    assert head["set-cookie"] == "visit=1; Path=/" and head["content-security-policy"]


def test_early_hints_come_before_the_answer(servers):
    """A 103 goes ahead; the answer behind it is guarded as any other."""
    (hints, head), body = ask_over_http2(servers("hypercorn"), "/early-hints")
    assert (hints[":status"], hints["link"]) == ("103", "</site.css>; rel=preload; as=style")
    assert (head[":status"], head["set-cookie"], body) == ("200", "visit=1; Path=/", b"plain")
