"""Tests of the way in: what the servers' framing says of a body, what they raise, and what is held how long."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import sys
import threading
import tracemalloc
import warnings
from pathlib import Path

import pytest

import privguard
from privguard import Policy
from privguard._asgi_request import erased
from privguard._errors import SubmissionError
from privguard._exchange import Exchange
from privguard._forms import FieldsReader
from privguard._refusal import Refusal
from privguard._silence import Waiting
from privguard._spool import Spool
from privguard._wsgi_request import erase
from privguard.asgi import PrivacyMiddleware as AsgiMiddleware
from privguard.wsgi import PrivacyMiddleware as WsgiMiddleware

FORM = "application/x-www-form-urlencoded"
CHILD = b"age=9"
ERASE = {"children": {"action": "erase"}}


class Asgi:
    """One request, message by message."""

    def __init__(self, *messages, app=None, settings=None, **scope):
        self.received = []
        self.sent = []
        self._left = list(messages)
        headers = [(b"content-type", FORM.encode()), (b"content-length", b"5")]
        start = {"type": "http", "http_version": "1.1", "method": "POST", "path": "/join", "headers": headers}
        self.coroutine = AsgiMiddleware(app or self._app, settings)({**start, **scope}, self._receive, self._send)

    def run(self):
        asyncio.run(self.coroutine)
        return self

    @property
    def status(self):
        return next((one["status"] for one in self.sent if one["type"] == "http.response.start"), None)

    async def _receive(self):
        message = self._left.pop(0) if self._left else {"type": "http.disconnect"}
        if isinstance(message, BaseException):
            raise message
        return message

    async def _send(self, message):
        self.sent.append(message)

    async def _app(self, scope, receive, send):
        while not self.received or not self.received[-1]["type"].endswith("disconnect"):
            self.received.append(await receive())
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"thanks"})


def body(content, *, more=False):
    return {"type": "http.request", "body": content, "more_body": more}


def asgi_status(headers, method="POST", version="1.1"):
    return Asgi(body(CHILD), headers=headers, method=method, http_version=version).run().status


def wsgi_answer(given, settings=None, **environ):
    """Return the status, and what the app has read."""
    read = []
    statuses = []

    def app(environ, start_response):
        length = None if environ.get("wsgi.input_terminated") else int(environ.get("CONTENT_LENGTH") or 0)
        read.append(environ["wsgi.input"].read() if length is None else environ["wsgi.input"].read(length))
        start_response("200 OK", [])
        return [b"thanks"]

    start = {"REQUEST_METHOD": "POST", "PATH_INFO": "/join", "SERVER_PROTOCOL": "HTTP/1.1", "CONTENT_TYPE": FORM}
    answer = WsgiMiddleware(app, settings)(
        {**start, "wsgi.input": given, **environ}, lambda status, headers, exc_info=None: statuses.append(status)
    )
    list(answer)
    getattr(answer, "close", list)()
    return int(statuses[0][:3]), read


# ── framing ──────────────────────────────────────────────────────────────────────────────────────────────────────────

TYPE = (b"content-type", FORM.encode())


@pytest.mark.parametrize(
    "framing",
    [
        [(b"content-length", b"5")],
        [(b"Content-Length", b"5")],
        [(b"transfer-encoding", b"chunked")],
        [(b"content-length", b"0"), (b"transfer-encoding", b"chunked")],
        [(b"content-length", b"0"), (b"content-length", b"5")],
        [],
    ],
    ids=str,
)
def test_body_is_seen_whatever_the_asgi_server_says_of_its_length(framing):
    """Header fields that contradict one another, or that a gateway left out, hide no child."""
    assert asgi_status([TYPE, *framing]) == 403


def test_nothing_is_received_where_no_body_can_come():
    """A request that says that it is empty, and one that is not to have a body, reach the app with the server's own."""
    for headers, method in (([(b"content-length", b"0"), TYPE], "POST"), ([TYPE], "GET"), ([], "POST")):
        first = body(b"")
        assert Asgi(first, headers=headers, method=method).run().received[0] is first


@pytest.mark.parametrize(
    "said",
    [
        {"CONTENT_LENGTH": "5"},
        {"CONTENT_LENGTH": " +5 "},
        {"CONTENT_LENGTH": "\N{FULLWIDTH DIGIT FIVE}"},
        {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True},
        {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, "CONTENT_LENGTH": "0"},
        {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, "CONTENT_LENGTH": "3"},
        {"wsgi.input_terminated": True, "CONTENT_LENGTH": "-1"},
        {"wsgi.input_terminated": True, "CONTENT_LENGTH": "five"},
        {"wsgi.input_terminated": True, "SERVER_PROTOCOL": "HTTP/2"},
    ],
    ids=str,
)
def test_body_is_seen_whatever_the_wsgi_server_says_of_its_length(said):
    """What the frameworks would read is what is looked at."""
    assert wsgi_answer(io.BytesIO(CHILD), **said) == (403, [])


@pytest.mark.parametrize("said", ["-1", "five", "9" * 5_000, ""])
def test_length_that_is_none_is_no_error(said):
    """Without an end of its own, such a body is none, and no bug of privguard's."""
    statuses = []

    def app(environ, start_response):
        start_response("200 OK", [])
        return [environ["CONTENT_LENGTH"].encode()]

    environ = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": FORM, "CONTENT_LENGTH": said, "wsgi.input": io.BytesIO(CHILD)}
    assert list(WsgiMiddleware(app)(environ, lambda status, *_: statuses.append(status))) == [said.encode()]
    assert statuses == ["200 OK"]


def test_query_that_no_server_gives_is_read():
    """Tests call apps with text that PEP 3333 does not allow."""
    assert wsgi_answer(io.BytesIO(), QUERY_STRING="age=\N{FULLWIDTH DIGIT NINE}") == (403, [])
    assert wsgi_answer(io.BytesIO(), QUERY_STRING="q=\udcff") == (200, [b""])


# ── errors that are not privguard's ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("begin", [[], [body(b"age", more=True)], [body(CHILD, more=True)]], ids=len)
def test_what_receive_raises_is_its_owners(begin, caplog):
    """An outer middleware stops a body by raising through the app, and catches that itself."""
    stopped = LookupError("too large")
    request = Asgi(*begin, stopped)
    with pytest.raises(LookupError) as caught:
        request.run()
    assert caught.value is stopped
    assert request.sent == [] and caplog.text == ""


def test_input_that_cannot_be_read_is_a_bad_request(caplog):
    """Servers raise where the visitor has left, or has sent chunks that are none."""

    class Broken:
        def read(self, size):
            raise OSError("reset by peer")

    assert wsgi_answer(Broken(), CONTENT_LENGTH="5") == (400, [])
    assert caplog.text == ""


# ── erased ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_erased_websocket_begins_as_every_other():
    """Its query is gone, and its first message is still "websocket.connect"."""
    connect = {"type": "websocket.connect"}
    request = Asgi(
        connect,
        {"type": "websocket.disconnect"},
        settings=ERASE,
        type="websocket",
        query_string=b"age=9",
        headers=[],
    ).run()
    assert request.received[0] is connect


@pytest.mark.parametrize(
    ("headers", "messages"),
    [
        ([], [body(b"")]),
        ([], [body(b"name=", more=True), body(b"Kim")]),
        ([TYPE, (b"content-length", b"8")], [body(b"name=", more=True), body(b"Kim")]),
    ],
    ids=["no body", "a body that nothing announced", "a body"],
)
def test_erased_body_comes_once(headers, messages):
    """The app receives one empty body and then what follows: some frameworks fall over a second one."""
    request = Asgi(*messages, settings=ERASE, query_string=b"age=9", headers=headers).run()
    assert request.received == [body(b""), {"type": "http.disconnect"}]


QUERY = "name=Kim&age=9"


def test_erased_query_is_left_nowhere_in_the_environ():
    """Proxies repeat it whole or behind a path, and libraries keep what they have parsed; the path stays as it is."""
    environ = {
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": QUERY,
        "PATH_INFO": f"/odd?{QUERY}",
        "RAW_URI": f"/odd%3F{QUERY}?{QUERY}",
        "HTTP_X_QUERY": QUERY,
        "HTTP_REFERER": f"http://site.test/join?{QUERY}",
        "HTTP_HOST": "site.test",
        "werkzeug.request": QUERY,
        "webob._parsed_query_vars": QUERY,
        "wsgi.input": io.BytesIO(),
    }
    erase(environ, QUERY)
    del environ["wsgi.input"]
    assert environ == {
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": "",
        "PATH_INFO": f"/odd?{QUERY}",
        "RAW_URI": f"/odd%3F{QUERY}",
        "HTTP_X_QUERY": "",
        "HTTP_REFERER": "http://site.test/join",
        "HTTP_HOST": "site.test",
        "CONTENT_LENGTH": "0",
    }


def test_erased_query_is_left_nowhere_in_the_scope():
    """A header field that is the query, or an address with it, tells no more of it."""
    query = QUERY.encode()
    headers = [(b"host", b"site.test"), (b"x-query", query), (b"referer", b"http://site.test/join?" + query)]
    scope = erased({"type": "http", "headers": headers, "query_string": query}, query)
    assert QUERY not in repr(scope) and (b"host", b"site.test") in scope["headers"]


# ── what waits ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Picky(logging.Handler):
    """A handler that raises, against logging's own rules."""

    def __init__(self):
        super().__init__()
        self.written = []

    def emit(self, record):
        if "bad" in record.getMessage():
            raise LookupError(record.getMessage())
        self.written.append(record.getMessage())


@pytest.fixture
def picky():
    handler = Picky()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def test_handler_that_raises_costs_its_record_and_no_other(picky):
    """What waited is written when the request has been answered: nobody is there to catch what a handler raises."""

    def app(environ, start_response):
        for message in ("first", "bad 1", "second", "bad 2", "third"):
            logging.getLogger("site").warning(message)
        start_response("200 OK", [])
        return [b"thanks"]

    answer = WsgiMiddleware(app)({"QUERY_STRING": "q=x", "REQUEST_METHOD": "GET"}, lambda *_: None)
    assert list(answer) == [b"thanks"]
    answer.close()
    assert picky.written[:3] == ["first", "second", "third"]
    (told,) = picky.written[3:]
    assert "LookupError" in told and "bad" not in told


def test_handler_that_raises_on_everything_stops_nothing(picky):
    """Nor does it when it raises on privguard's own line about it."""
    waiting = Waiting()
    waiting.add(lambda: logging.getLogger("site").warning("bad"))
    picky.emit = lambda record: 1 / 0
    waiting.release()


def test_thread_that_was_about_to_write_when_the_child_was_found():
    """Another thread's record comes between two steps: it is dropped all the same."""
    waiting = Waiting()
    written = []
    assert waiting.takes(logging.makeLogRecord({"name": "site"}))
    waiting.drop()
    waiting.add(lambda: written.append("late"))
    waiting.release()
    assert written == []


def test_child_that_is_found_while_records_are_written():
    """What has not left by then does not leave."""
    waiting = Waiting()
    written = []
    for number in range(3):
        waiting.add(lambda number=number: [written.append(number), waiting.drop()])
    waiting.release()
    assert written == [0]


def test_what_a_handler_logs_does_not_wait_behind_itself():
    """When the process ends, a handler that logs writes at once, or it would never end."""
    waiting = Waiting()
    written = []

    def write():
        if waiting.takes(logging.makeLogRecord({"name": "connections"})):
            waiting.add(write)
        written.append("record")

    waiting.add(write)
    waiting.release()
    waiting.add(lambda: written.append("late"))
    assert written == ["record", "late"]


# ── what is held ─────────────────────────────────────────────────────────────────────────────────────────────────────

LARGE = b"age=39&x=" + b"x" * 600_000


@pytest.fixture
def warned(monkeypatch):
    """What Python complains about, from destructors too."""
    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield told
        gc.collect()
        told += caught
    assert told == []


def open_files():
    """Return how many files are open; 0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


@pytest.mark.usefixtures("warned")
def test_file_that_held_a_body_is_closed_without_a_word():
    """Read or unread, taken or refused, or cut off: no warning tells of the file, and none is left open."""
    before = open_files()
    read = wsgi_answer(io.BytesIO(LARGE), CONTENT_LENGTH=str(len(LARGE)))
    assert read == (200, [LARGE])
    assert wsgi_answer(io.BytesIO(LARGE + b"&" + CHILD), CONTENT_LENGTH=str(len(LARGE) + 6)) == (403, [])

    async def deaf(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"thanks"})

    for app in (None, deaf):
        assert Asgi(body(LARGE), app=app).run().status == 200
    request = Asgi(body(LARGE, more=True), asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        request.run()
    del request
    gc.collect()
    assert open_files() == before


def test_body_in_small_chunks_is_held_as_one():
    """A body that comes byte by byte takes no more memory than one that comes at once, and is as it was."""
    sent = bytes(range(256)) * 1_000
    spool = Spool(1 << 20)
    tracemalloc.start()
    try:
        for at in range(0, len(sent), 2):
            spool.write(sent[at : at + 2])
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 2 * len(sent)
    assert b"".join(spool.pieces()) == sent


# ── how it is read ───────────────────────────────────────────────────────────────────────────────────────────────────


def taken_in(chunks, kind, **limits):
    """Return whether the chunks are a child's."""
    policy = Policy({"children": {"limits": limits}})
    values = {"content-type": [kind]}
    intake = policy.children.intake(b"", lambda name: values.get(name, []), 1_800_000_000.0, is_childs=False)
    for chunk in chunks:
        intake.feed(chunk, 0.0)
    intake.finish()
    return intake.is_childs


@pytest.mark.parametrize("size", [1, 2, 4_095, 4_096, 4_097, 10_000])
def test_child_is_found_in_chunks_of_any_size(size):
    """Small chunks are read together, and none is forgotten."""
    for padding in (0, 4_000, 4_090, 9_000):
        sent = b"x=" + b"y" * padding + b"&age=9"
        chunks = [sent[at : at + size] for at in range(0, len(sent), size)]
        assert taken_in(chunks, FORM)
        assert not taken_in([*chunks, b"9"], FORM)


def test_body_in_single_bytes_is_read_in_blocks(monkeypatch):
    """A string of ten thousand characters is not looked at again with each of them."""
    fed = []
    feed = FieldsReader.feed
    monkeypatch.setattr(FieldsReader, "feed", lambda self, chunk: fed.append(len(chunk)) or feed(self, chunk))
    sent = b'["' + b"\\u0061" * 10_000 + b'"]'
    assert not taken_in([sent[at : at + 1] for at in range(len(sent))], "application/json")
    assert sum(fed) == len(sent) and len(fed) < 20


# ── what an app has asked for ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("step", range(4))
def test_callback_is_called_once_whichever_thread_is_first(step):
    """Another thread finds the child at any step of asking to be told of it: what is stored goes, and once."""
    exchange = Exchange(Policy(), "/")
    called = []
    finding = threading.Thread(target=exchange.flag_child)
    lines = iter(range(100))

    def trace(frame, event, argument):
        if frame.f_code is Exchange.on_child.__code__ and event == "line" and next(lines) == step:
            finding.start()
            finding.join(0.1)  # seconds: it may have to wait for this one
        return trace

    exchange.on_child(lambda: called.append("first"))
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        exchange.on_child(lambda: called.append("second"))
    finally:
        sys.settrace(before)
    if finding.ident is None:
        finding.start()
    finding.join()
    assert sorted(called) == ["first", "second"]


# ── what the docs promise ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        ("application/json", True),
        ("application/json, text/plain, */*", True),
        ("application/problem+json", True),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("text/html, application/json;q=0.5", False),
        ("*/*", False),
        ("", False),
        ("application/json;q=0, */*", False),
    ],
)
def test_refusal_in_the_language_that_was_asked_for(accept, is_json):
    """JSON for who names it first; a page for browsers, and for who names nothing."""
    kind, body = Refusal(None).answer(accept)
    assert kind.startswith("application/json") is is_json
    assert (b"<h1>" in body) is not is_json


@pytest.mark.parametrize("wrong", [5, None, object()])
def test_function_that_returns_no_page(wrong, caplog):
    """The visitor gets privguard's own, and the owner a line."""
    _, body = Refusal(lambda wants_json: wrong).answer("")
    assert b"<h1>" in body
    assert 'PRIVGUARD["children"]["refusal"] failed with TypeError' in caplog.text


@pytest.mark.parametrize("mode", ["strip", "block"])
def test_back_button_where_cookies_are_hidden(mode):
    """The app sees none; that the visitor was refused is known all the same."""
    settings = {"children": {"back_button": True}, "cookies": {"elsewhere": mode}}
    for cookie, status in (("", "200"), ("a=b; privguard_refused=1", "403")):
        started: list[str] = []
        environ = {"PATH_INFO": "/", "QUERY_STRING": "age=36", "REQUEST_METHOD": "GET", "HTTP_COOKIE": cookie}
        body = WsgiMiddleware(lambda environ, start: (start("200 OK", []), [b"x"])[1], settings)(
            environ, lambda line, *given, kept=started: kept.append(line)
        )
        list(body)
        assert started[0].startswith(status)


def test_callback_that_nobody_could_await():
    """A coroutine function would do nothing, and nobody would be told."""

    async def later():
        pass

    with pytest.raises(TypeError, match="ordinary function"):
        privguard.on_child(later)


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_body_beyond_the_limit_is_not_taken(caplog):
    """It is a 413 on both ways in, and the line about it names the setting, once."""
    settings = {"children": {"limits": {"body_bytes": 8}}}
    request = Asgi(body(b"x=12345678"), settings=settings, path="/large").run()
    assert (request.status, request.received) == (413, [])
    assert wsgi_answer(io.BytesIO(b"x=12345678"), settings, CONTENT_LENGTH="10", PATH_INFO="/large") == (413, [])
    (line,) = caplog.messages
    assert "body_bytes" in line and "345" not in line


def test_body_that_trickles_is_given_up():
    """Who sends a byte a second holds nothing for ever."""
    policy = Policy({"children": {"limits": {"seconds": 10, "bytes_per_second": 5}}})
    intake = policy.children.intake(b"", lambda name: [], 1_800_000_000.0, is_childs=False)
    for second in range(11):
        intake.feed(b"x", float(second))
    with pytest.raises(SubmissionError) as caught:
        intake.feed(b"x", 11.0)
    assert caught.value.status == 408 and list(intake.pieces()) == []


def test_body_for_which_there_is_no_room(monkeypatch, caplog):
    """A full disk is a 500 that says what to do, and leaves nothing held."""

    def full(*arguments, **named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    assert wsgi_answer(io.BytesIO(LARGE), CONTENT_LENGTH=str(len(LARGE)), PATH_INFO="/full") == (500, [])
    (line,) = caplog.messages
    assert "No space left on device" in line and "TMPDIR" in line


def test_refused_websocket_is_closed_before_it_is_accepted():
    """The server answers its handshake with a 403."""
    connect = {"type": "websocket.connect"}
    request = Asgi(connect, type="websocket", query_string=b"age=9", headers=[]).run()
    assert request.sent == [{"type": "websocket.close", "code": 1008}] and request.received == []
