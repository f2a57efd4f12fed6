"""Tests of children's submissions behind real servers: refused, erased or muted, however the body comes in."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from browsers.programs import wait_until
from servers.harness import ASGI, request_head
from servers.records import new_token
from servers.submitting import (
    FORM,
    MULTIPART,
    NAMES,
    SubmissionServer,
    Visitor,
    assert_refused,
    chunk,
    digest,
    form,
    multipart,
    part,
    taken,
)

every_server = pytest.mark.parametrize("name", NAMES)
# wsgiref speaks HTTP/1.0, gunicorn's sync worker and Werkzeug's development server close each connection.
KEEP_ALIVE = [name for name in NAMES if name not in ("gunicorn-sync", "werkzeug", "wsgiref")]
WITHOUT_CHUNKED = ("wsgiref",)  # HTTP/1.0 has none
# Their access lines are written where privguard cannot reach; they tell the path and the query, and nothing else.
OWN_ACCESS_LINES = ("hypercorn", "daphne", "wsgiref")
HTTPTOOLS = ("uvicorn-httptools", "uvicorn-workers", "gunicorn-uvicorn")
# They close the connection in the middle of what the visitor sends.
CLOSES = ("gunicorn-sync", "gunicorn-gthread", "werkzeug")
MARK = "m4rk"
MEGABYTES = 24


@pytest.fixture(scope="module")
def sites(gate, tmp_path_factory):
    """Return the running server of a name."""
    running = {}

    def find(name):
        if name not in running:
            running[name] = SubmissionServer(name, tmp_path_factory.mktemp(name), gate).__enter__()
        return running[name]

    yield find
    for server in running.values():
        server.ask_to_stop()
    for server in running.values():
        server.__exit__()


def expect_ordinary(server, path="/refuse/join"):
    """An ordinary submission is taken and logged: the server goes on."""
    token, body = new_token(), form(name="Ann", age=36)
    with Visitor(server) as visitor:
        assert taken(visitor.post(path, token, body))["sha256"] == digest(body)
    expect_lines(server, token)


def marks(server):
    """The written lines that tell what a child has sent; access lines only where the server's own are kept quiet."""
    return [line for line in server.lines(MARK) if server.name not in OWN_ACCESS_LINES or "site.submissions" in line]


def expect_lines(server, token):
    lines = [f"line begin:{token}.", f"line end:{token}."]
    wait_until(lambda: all(line in server.written() for line in lines))
    assert [server.written().count(line) for line in lines] == [1, 1]


# ── ways of sending ──────────────────────────────────────────────────────────────────────────────────────────────────


def whole(visitor, path, token, body):
    return visitor.post(path, token, body)


def in_pieces(visitor, path, token, body):
    visitor.head(path, token, Content_Length=len(body))
    for at in range(0, len(body), 3):
        visitor.send(body[at : at + 3])
        time.sleep(0.002)  # so that they come in as pieces
    return visitor.answer()


def chunked(visitor, path, token, body):
    visitor.head(path, token, Transfer_Encoding="chunked")
    for at in range(0, len(body), 5):
        visitor.send(chunk(body[at : at + 5]))
        time.sleep(0.002)
    visitor.send(b"0\r\n\r\n")
    return visitor.answer()


def when_asked(visitor, path, token, body):
    visitor.head(path, token, Content_Length=len(body), Expect="100-continue")
    visitor.waits_for_100()
    visitor.send(body)
    return visitor.answer()


WAYS = [
    (name, way)
    for name in NAMES
    for way in (whole, in_pieces, chunked, when_asked)
    if way is not chunked or name not in WITHOUT_CHUNKED
]
every_way = pytest.mark.parametrize("name, send", WAYS, ids=lambda one: getattr(one, "__name__", one))


@every_way
def test_child_is_refused_and_adult_is_taken(name, send, sites):
    """Whichever way the form comes in; of the child the app hears nothing, of the adult each byte."""
    server, child, adult = sites(name), new_token(), new_token()
    with Visitor(server) as visitor:
        assert_refused(send(visitor, "/refuse/join", child, form(name=MARK, age=7)))
    body = form(name="Ann", age=36)
    with Visitor(server) as visitor:
        answer = send(visitor, "/refuse/join", adult, body)
    assert taken(answer)["sha256"] == digest(body)
    assert "set-cookie" in answer[1]
    expect_lines(server, adult)
    assert (server.seen(child), server.seen(adult)) == (0, 1)
    assert marks(server) == server.lines(child) == []


@every_way
def test_child_is_erased(name, send, sites):
    """The app is called with nothing."""
    server, child = sites(name), new_token()
    with Visitor(server) as visitor:
        answer = send(visitor, "/erase/join", child, form(name=MARK, age=7))
    told = taken(answer)
    assert (told["size"], told["length"]) == (0, "0") and not told["kind"]
    assert "set-cookie" not in answer[1] and answer[1]["cache-control"] == "no-store"
    expect_ordinary(server, "/erase/join")
    assert server.seen(child) == 1
    assert marks(server) == server.lines(child) == []


@every_way
def test_child_is_muted(name, send, sites):
    """The app gets every byte, and no log does."""
    server, child, body = sites(name), new_token(), form(name=MARK, age=7)
    with Visitor(server) as visitor:
        answer = send(visitor, "/mute/join", child, body)
    assert taken(answer)["sha256"] == digest(body)
    assert "set-cookie" not in answer[1] and answer[1]["cache-control"] == "no-store"
    expect_ordinary(server, "/mute/join")
    assert server.seen(child) == 1
    assert marks(server) == server.lines(child) == []


@pytest.mark.parametrize("name", KEEP_ALIVE)
def test_connection_goes_on_after_a_refusal(name, sites):
    """The next request on the connection is read as what it is, however the refused one came in."""
    server = sites(name)
    with Visitor(server) as visitor:
        for send in (whole, chunked, in_pieces):
            token, body = new_token(), form(name="Ann", age=36)
            assert_refused(send(visitor, "/refuse/join", new_token(), form(age=7, name="x" * 1000)))
            assert taken(visitor.post("/refuse/join", token, body))["sha256"] == digest(body)
            expect_lines(server, token)


@pytest.mark.parametrize("name", KEEP_ALIVE)
def test_submissions_that_come_at_once_are_told_apart(name, sites):
    """Children's and others', by body and by query, in one packet on one connection."""
    server, tokens = sites(name), [new_token() for _ in range(6)]
    requests = b""
    for number, token in enumerate(tokens):
        sent = form(name="Ann", age=36) if number % 2 else form(name=MARK, age=7)
        query = f"?{sent.decode()}" if number in (2, 3) else ""
        body = b"" if query else sent
        headers = [("X-Token", token), ("Content-Type", FORM), ("Content-Length", len(body))]
        requests += request_head("POST", f"/refuse/join{query}", headers) + body
    with Visitor(server) as visitor:
        visitor.send(requests)
        for number in range(6):
            answer = visitor.answer()
            if number % 2:
                assert answer[0] == 200
            else:
                assert_refused(answer)
    for token in tokens[1::2]:
        expect_lines(server, token)
    assert [server.seen(token) for token in tokens] == [0, 1] * 3
    assert marks(server) == []


@pytest.mark.parametrize("action", ["refuse", "erase", "mute"])
def test_http_2_without_a_length(action, sites):
    """A body may come without any header that says so (RFC 9113 §8.1)."""
    server = sites("hypercorn")

    def pieces(body):
        for at in range(0, len(body), 7):
            yield body[at : at + 7]

    with httpx.Client(http1=False, http2=True, base_url=f"http://127.0.0.1:{server.port}") as client:
        for age in (7, 36):
            token, body = new_token(), form(name=MARK if age == 7 else "Ann", age=age)
            headers = {"X-Token": token, "Content-Type": FORM}
            answer = client.post(
                f"/{action}/join", content=pieces(body), headers=headers
            )  # httpx leaves the coding out
            assert answer.http_version == "HTTP/2"
            if age == 7 and action == "refuse":
                assert_refused((answer.status_code, answer.headers, answer.content))
            else:
                told = taken((answer.status_code, answer.headers, answer.content))
                assert told["sha256"] == digest(b"" if (age, action) == (7, "erase") else body)
    expect_lines(server, token)
    assert marks(server) == []


# ── lengths that lie, and visitors who leave ─────────────────────────────────────────────────────────────────────────


def leave(server, token, *pieces, path="/refuse/join", kind=FORM, **headers):
    with Visitor(server) as visitor:
        visitor.head(path, token, kind, **headers)
        visitor.send(*pieces)
        time.sleep(0.1)


HALVES = {
    "child-with-length": ({"Content_Length": 1000}, [form(age=7, name=MARK)]),
    "adult-with-length": ({"Content_Length": 1000}, [form(age=36, name=MARK)]),
    "nobody-with-length": ({"Content_Length": 1000}, [form(name=MARK)]),
    "much-with-length": ({"Content_Length": 3_000_000}, [form(name=MARK) + b"x" * 1_500_000]),
    "child-chunked": ({"Transfer_Encoding": "chunked"}, [chunk(form(age=7, name=MARK))]),
    "nobody-chunked": ({"Transfer_Encoding": "chunked"}, [chunk(form(name=MARK))]),
    "nobody-within-a-chunk": ({"Transfer_Encoding": "chunked"}, [b"100\r\n" + form(name=MARK)]),
}


@pytest.mark.parametrize("half", HALVES)
@every_server
def test_visitor_who_leaves_half_way_leaves_nothing(name, half, sites):
    """The app is not called with half a submission, nothing of it is logged or held, and the server goes on."""
    if "chunk" in half and name in WITHOUT_CHUNKED:
        return
    server, token = sites(name), new_token()
    headers, pieces = HALVES[half]
    leave(server, token, *pieces, **headers)
    expect_ordinary(server)
    assert wait_until(lambda: not any("wgunicorn" not in one for one in server.open_files()))
    assert server.seen(token) == 0
    assert marks(server) == server.lines(token) == server.lines("Traceback") == server.lines("bug in privguard") == []


@every_server
def test_length_that_is_too_short(name, sites):
    """What lies behind the announced length is no part of the submission, for privguard as for the app."""
    server, token, body = sites(name), new_token(), form(name="Ann", age=36)
    with Visitor(server) as visitor:
        visitor.head("/refuse/join", token, Content_Length=len(body))
        visitor.send(body + b"&age=7")
        answer = visitor.answer()
    if name in HTTPTOOLS and answer[0] == 400:
        assert server.seen(token) <= 1  # httptools reads on at once, and what comes next is no request
    else:
        assert taken(answer)["sha256"] == digest(body)
    expect_ordinary(server)


# ── large ones ───────────────────────────────────────────────────────────────────────────────────────────────────────


def upload(age):
    picture = bytes(range(256)) * (MEGABYTES << 12)
    return multipart(part("picture", picture, '; filename="picture.jpg"'), part("age", str(age).encode()))


@pytest.fixture(scope="module")
def uploads():
    return {age: upload(age) for age in (7, 36)}


@pytest.mark.parametrize("way", ["length", "chunked"])
@every_server
def test_upload_with_an_age_behind_the_file(name, way, sites, uploads):
    """The child reads the page and meets no reset; the adult's file arrives as it was sent; no file has a name."""
    if way == "chunked" and name in WITHOUT_CHUNKED:
        return
    server = sites(name)
    for age, body in uploads.items():
        token = new_token()
        with Visitor(server) as visitor:
            if way == "length":
                answer = visitor.post("/refuse/join", token, body, MULTIPART)
            else:
                visitor.head("/refuse/join", token, MULTIPART, Transfer_Encoding="chunked")
                visitor.send(*(chunk(body[at : at + 100_000]) for at in range(0, len(body), 100_000)), b"0\r\n\r\n")
                answer = visitor.answer()
        if age == 7:
            assert_refused(answer)
            assert server.seen(token) == 0
        else:
            assert (taken(answer)["size"], taken(answer)["sha256"]) == (len(body), digest(body))
            assert server.seen(token) == 1
        assert list(server.temporary.iterdir()) == []


@every_server
def test_upload_by_httpx(name, sites, uploads):
    """A client that reads no answer before it has sent everything."""
    server = sites(name)
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=30) as client:
        for age, body in uploads.items():
            answer = client.post("/refuse/join", content=body, headers={"Content-Type": MULTIPART, "X-Token": "t"})
            if age == 7:
                assert_refused((answer.status_code, answer.headers, answer.content))
            else:
                assert answer.json()["sha256"] == digest(body)


@every_server
def test_held_file_has_no_name(name, sites):
    """While an upload comes in, the temporary folder is empty; afterwards nothing of it is open any more."""
    server, token = sites(name), new_token()
    body = multipart(part("picture", b"x" * 3_000_000, '; filename="x"'), part("age", b"36"))
    half = 2_000_000
    with Visitor(server) as visitor:
        visitor.head("/refuse/join", token, MULTIPART, Content_Length=len(body))
        visitor.send(body[:half])
        assert wait_until(lambda: own_files(server))
        assert all(one.endswith(" (deleted)") for one in own_files(server))
        assert list(server.temporary.iterdir()) == []
        visitor.send(body[half:])
        assert taken(visitor.answer())["sha256"] == digest(body)
    assert wait_until(lambda: not own_files(server))
    assert list(server.temporary.iterdir()) == []


def own_files(server):
    """Without those by which gunicorn's workers tell that they are alive."""
    return [one for one in server.open_files() if "wgunicorn" not in one]


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def send_without_end(server, piece, pause):
    """Send a chunked body until the server answers or has enough of it; return what it says."""
    token = new_token()
    with Visitor(server) as visitor:
        visitor.head("/small/join", token, Transfer_Encoding="chunked")
        visitor.send(chunk(form(name=MARK)))
        stop = threading.Event()

        def go_on():
            try:
                while not stop.wait(pause):
                    visitor.send(chunk(piece))
            except OSError:
                pass  # the server has closed the connection

        sending = threading.Thread(target=go_on)
        sending.start()
        try:
            answer = visitor.answer()
        except (AssertionError, OSError):
            answer = (None, {}, b"")
        finally:
            stop.set()
            sending.join()
    assert server.seen(token) == 0
    return answer[0]


# They give nothing on before all of it has come.
BUFFERS_BODIES = ("daphne", "waitress")
STREAMS = [name for name in NAMES if name not in (*BUFFERS_BODIES, *WITHOUT_CHUNKED)]
LIMITS = {"endless": (b"x" * 50_000, 0.001, 413, "body_bytes"), "slow": (b"x" * 500, 0.05, 408, "bytes_per_second")}
LIMITS["silent"] = (b"x", 3, 408, "seconds")
# Nobody can wait for a visitor who says nothing, and do something else, in a thread.
LIMITED = [(name, limit) for name in STREAMS for limit in LIMITS if name in ASGI or limit != "silent"]


@pytest.mark.parametrize("name, limit", LIMITED)
def test_body_without_an_end_runs_into_a_limit(name, limit, gate, tmp_path):
    """The visitor is told so, or finds the connection closed; the owner is told once which setting it was."""
    piece, pause, status, setting = LIMITS[limit]
    with SubmissionServer(name, tmp_path, gate) as server:
        answers = {send_without_end(server, piece, pause) for _ in range(2)}
        assert answers <= {status, None}
        assert answers == {status} or name in CLOSES
        expect_ordinary(server, "/small/join")
        (line, *more) = server.lines(f'PRIVGUARD["children"]["limits"]["{setting}"]')
        assert f"with a {status}" in line and len(more) < server.workers
        assert marks(server) == server.lines("Traceback") == []
        assert wait_until(lambda: not own_files(server))


@pytest.mark.parametrize("name", BUFFERS_BODIES)
def test_body_that_a_server_has_taken_in_whole_runs_into_a_limit(name, sites):
    """What is too large is turned down all the same, once it is there."""
    server, token = sites(name), new_token()
    with Visitor(server) as visitor:
        assert visitor.post("/small/join", token, form(name=MARK) + b"x" * (1 << 20))[0] == 413
    assert server.seen(token) == 0
    expect_ordinary(server, "/small/join")
    assert marks(server) == []


# ── a temporary folder that takes nothing ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", [name for name in NAMES if name not in BUFFERS_BODIES])  # whose own files fail first
def test_full_temporary_folder_is_told(name, gate, tmp_path):
    """The visitor gets a 500, the app is not called, the owner reads what to do; small submissions still pass."""
    with SubmissionServer(name, tmp_path, gate, SITE_FILE_BYTES="1000000") as server:
        token, body = new_token(), multipart(part("picture", b"x" * 2_000_000), part("age", b"36"))
        with Visitor(server) as visitor:
            status, _, _ = visitor.post("/refuse/join", token, body, MULTIPART)
        assert status == 500
        assert server.seen(token) == 0
        expect_ordinary(server)
        (line,) = server.lines("make room in the temporary folder")
        assert "File too large" in line and "TMPDIR" in line
        assert list(server.temporary.iterdir()) == []


# ── what is left of it ───────────────────────────────────────────────────────────────────────────────────────────────

PLACES = {
    "form": (FORM, form(name=MARK, age=7)),
    "multipart": (MULTIPART, multipart(part("name", MARK.encode()), part("age", b"7"))),
    "file-name": (MULTIPART, multipart(part("picture", b"x", f'; filename="{MARK}.jpg"'), part("age", b"7"))),
    "json": ("application/json", json.dumps({"person": {"name": MARK, "age": 7}}).encode()),
}
EVERYWHERE = {"Cookie": f"name={MARK}", "X_Name": MARK, "Referer": f"http://localhost/{MARK}", "User_Agent": MARK}
ACTIONS = ("refuse", "erase", "mute")
UNGUARDED = "b4re"  # in the mark's place, where it may be written


def submit(server, action, place, mark=MARK):
    """Send a submission that has the mark wherever one can be; return its token."""
    kind, body = PLACES[place]
    token = new_token()
    headers = {header: value.replace(MARK, mark) for header, value in EVERYWHERE.items()}
    with Visitor(server) as visitor:
        body = body.replace(MARK.encode(), mark.encode())
        status, _, _ = visitor.post(f"/{action}/join?name={mark}&token={token}", token, body, kind, **headers)
    assert status == (403 if action == "refuse" else 200)
    assert server.seen(token) == (action != "refuse")
    return token


def expect_access_line(server, name, token):
    if name != "waitress":  # which writes none
        assert wait_until(lambda: server.lines(f"token={token}"))


@pytest.mark.parametrize("place", PLACES)
@every_server
def test_nothing_of_a_childs_submission_is_written(name, place, sites):
    """Neither on stdout nor on stderr nor in an access log, wherever it stood; what others did is there."""
    server = sites(name)
    for action in ACTIONS:
        submit(server, action, place)
        token, body = new_token(), form(name="Ann", age=36)
        with Visitor(server) as visitor:
            assert visitor.post(f"/{action}/join?token={token}", token, body)[0] == 200
        expect_lines(server, token)
        expect_access_line(server, name, token)
    assert marks(server) == []


@pytest.mark.parametrize("place", PLACES)
@every_server
def test_everything_of_a_submission_is_written_without_privguard(name, place, sites):
    """Were the servers or the site quiet by themselves, the other tests would prove nothing."""
    server = sites(name)
    token = submit(server, "bare", place, UNGUARDED)
    expect_lines(server, token)
    expect_access_line(server, name, token)
    (asked,) = server.lines("asked for", token)
    assert asked.count(UNGUARDED) >= 1 + len(EVERYWHERE)
    assert server.lines("read b", UNGUARDED)


# ── many at once ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["uvicorn-h11", "gunicorn-gthread"])
def test_of_a_hundred_interleaved_submissions_exactly_the_childrens_vanish(name, gate, tmp_path):
    """Twenty connections at a time, each of which is kept and carries children's and others' in turn."""

    def visit(number):
        tokens = []
        with Visitor(server) as visitor:
            for turn in range(5):
                token, is_childs = new_token(), (number + turn) % 2 == 0
                action = ACTIONS[(number + turn) // 2 % 3]
                body = form(name=MARK if is_childs else "Ann", more="x" * 2000 * turn, age=7 if is_childs else 36)
                visitor.head(f"/{action}/join?token={token}", token, Content_Length=len(body))
                for at in range(0, len(body), 1500):
                    visitor.send(body[at : at + 1500])
                    time.sleep(0.001)
                assert visitor.answer()[0] == (403 if is_childs and action == "refuse" else 200)
                tokens.append((token, is_childs, action))
        return tokens

    with SubmissionServer(name, tmp_path, gate) as server:
        with ThreadPoolExecutor(20) as pool:
            sent = [one for tokens in pool.map(visit, range(20)) for one in tokens]
        server.__exit__()
        lines = server.written()
        for token, is_childs, action in sent:
            wanted = [f"line begin:{token}.", f"line end:{token}.", f"token={token} "]
            assert [lines.count(one) for one in wanted] == ([0, 0, 0] if is_childs else [1, 1, 2])
            assert server.seen(token) == (not is_childs or action != "refuse")
        assert marks(server) == []
