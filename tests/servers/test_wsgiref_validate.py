"""Tests of the two middlewares by the protocols' own judges: wsgiref.validate on both sides, asgiref's communicator."""

from __future__ import annotations

import asyncio
import io
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest
from asgiref.testing import ApplicationCommunicator

from privguard import csp_nonce
from privguard.asgi import PrivacyMiddleware as AsgiMiddleware
from privguard.wsgi import PrivacyMiddleware as WsgiMiddleware

TEXT = ("Content-Type", "text/plain")
COOKIES = [("Set-Cookie", "kept=1; Max-Age=3600"), ("Set-Cookie", "visit=1")]

# ── WSGI ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Closing:
    """An iterable that is no iterator, has no length, and counts how often it is closed."""

    def __init__(self, *chunks):
        self.chunks = chunks
        self.closed = 0

    def __iter__(self):
        return iter(self.chunks)

    def close(self):
        self.closed += 1


def a_list(environ, start_response):
    start_response("200 OK", [TEXT, *COOKIES])
    return [b"one", b"two"]


def a_tuple(environ, start_response):
    start_response("200 OK", [TEXT, *COOKIES])
    return (b"one", b"two")


def nothing(environ, start_response):
    start_response("200 OK", [TEXT, *COOKIES])
    return []


def a_generator(environ, start_response):
    start_response("200 OK", [TEXT, *COOKIES])
    yield b"one"
    yield b"two"


def starts_late(environ, start_response):
    def chunks():
        start_response("200 OK", [TEXT, *COOKIES])
        yield b"one"
        yield b"two"

    return chunks()


def an_iterator(environ, start_response):
    start_response("200 OK", [TEXT, *COOKIES])
    return iter([b"one", b"two"])


def an_iterable(environ, start_response):
    start_response("200 OK", [TEXT, *COOKIES])
    return Closing(b"one", b"two")


def empty_chunks(environ, start_response):
    start_response("200 OK", [TEXT, *COOKIES])
    return [b"", b"one", b"", b"two", b""]


def writes(environ, start_response):
    write = start_response("200 OK", [TEXT, *COOKIES])
    write(b"one")
    return [b"two"]


def starts_again(environ, start_response):
    start_response("200 OK", [TEXT, ("Content-Length", "3")])
    try:
        raise KeyError("x")
    except KeyError as error:
        start_response("503 Try Later", [TEXT, *COOKIES], (type(error), error, error.__traceback__))
    return [b"one", b"two"]


def a_file(environ, start_response):
    start_response("200 OK", [TEXT, *COOKIES, ("Content-Length", "6")])
    return environ["wsgi.file_wrapper"](io.BytesIO(b"onetwo"))


def no_content(environ, start_response):
    start_response("204 No Content", list(COOKIES))
    return []


def not_modified(environ, start_response):
    start_response("304 Not Modified", [("ETag", '"1"'), *COOKIES])
    return []


def redirects(environ, start_response):
    start_response("302 Found", [TEXT, ("Location", "/x"), *COOKIES])
    return [b"onetwo"]


def reads_the_body(environ, start_response):
    received = environ["wsgi.input"].read(6)
    start_response("200 OK", [TEXT, *COOKIES])
    return [received]


def has_a_nonce(environ, start_response):
    csp_nonce()
    start_response("200 OK", [TEXT, *COOKIES])
    return [b"onetwo"]


WITHOUT_BODY = [nothing, no_content, not_modified]
SHAPES = [
    a_list,
    a_tuple,
    a_generator,
    starts_late,
    an_iterator,
    an_iterable,
    empty_chunks,
    writes,
    starts_again,
    a_file,
]
SHAPES += [redirects, reads_the_body, has_a_nonce, *WITHOUT_BODY]


def serve(app, method="GET", path="/"):
    """Call *app* as a strict server would; return status, headers and body, and what was complained of."""
    complaints = io.StringIO()
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "wsgi.errors": complaints,
        "wsgi.input": io.BytesIO(b"onetwo"),
    }
    environ |= {"QUERY_STRING": "", "CONTENT_LENGTH": "6", "wsgi.file_wrapper": FileWrapper}
    setup_testing_defaults(environ)
    started, chunks = [], []

    def start_response(status, headers, exc_info=None):
        started.append((status, headers))
        return chunks.append

    body = app(environ, start_response)
    try:
        for chunk in body:
            assert started, "a chunk came before the header"
            chunks.append(chunk)
    finally:
        body.close()
    return *started[-1], b"".join(chunks), complaints.getvalue()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/", "/favicon.ico"])
@pytest.mark.parametrize("app", SHAPES, ids=lambda app: app.__name__)
def test_wsgiref_finds_nothing_wrong_on_either_side(app, path, method):
    """The server's side and the app's side both keep PEP 3333, for every way in which an app may answer."""
    status, headers, body, complaints = serve(validator(WsgiMiddleware(validator(app))), method, path)
    assert status[:3] in ("200", "204", "302", "304", "503")
    assert body == (b"" if app in WITHOUT_BODY else b"onetwo")
    assert [value for name, value in headers if name == "Set-Cookie"] == ["visit=1"]
    assert complaints == ""


@pytest.mark.parametrize("path", ["/", "/favicon.ico"])
def test_body_is_closed_once(path):
    """However the response is guarded, what the app gave is closed, and no more than once."""
    body = Closing(b"one", b"two")

    def app(environ, start_response):
        start_response("200 OK", [TEXT])
        return body

    assert serve(validator(WsgiMiddleware(app)), "GET", path)[2] == b"onetwo"
    assert body.closed == 1


class Failing(Closing):
    def __iter__(self):
        yield b"one"
        raise KeyError("the app's own")


def test_body_is_closed_when_it_fails():
    """An app's exception comes through as it is, and its body is closed."""
    body = Failing()

    def app(environ, start_response):
        start_response("200 OK", [TEXT])
        return body

    with pytest.raises(KeyError, match="the app's own"):
        serve(WsgiMiddleware(app), "GET", "/")
    assert body.closed == 1


def test_quiet_body_that_fails_ends_and_is_closed():
    """Nobody hears of the exception: each server would tell of it in its own way."""
    body = Failing()

    def app(environ, start_response):
        start_response("200 OK", [TEXT])
        return body

    assert serve(WsgiMiddleware(app), "GET", "/favicon.ico")[2] == b"one"
    assert body.closed == 1


def test_file_of_the_servers_wrapper_reaches_the_server_as_it_is():
    """A server sends by sendfile only what it recognises as its own."""
    given = FileWrapper(io.BytesIO(b"x"))

    def app(environ, start_response):
        start_response("200 OK", [TEXT])
        return given

    environ = {"PATH_INFO": "/", "wsgi.file_wrapper": FileWrapper}
    assert WsgiMiddleware(app)(environ, lambda status, headers: None) is given


# ── ASGI ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

HTTP = {"type": "http", "path": "/", "headers": [(b"host", b"x")], "extensions": {"http.response.pathsend": {}}}
START = {"type": "http.response.start", "status": 200, "headers": [(b"set-cookie", b"kept=1; Max-Age=3600")]}


def communicate(app, scope, *received, replies):
    """Return the first *replies* messages that *app* sends when it is given *received*."""

    async def run():
        communicator = ApplicationCommunicator(AsgiMiddleware(app), scope)
        for message in received:
            await communicator.send_input(message)
        answers = [await communicator.receive_output(timeout=10) for _ in range(replies)]
        await communicator.wait(timeout=10)
        return answers

    return asyncio.run(run())


PASSING = [
    {"type": "http.response.body", "body": b"x", "more_body": False},
    {"type": "http.response.pathsend", "path": "/srv/file"},
    {"type": "http.response.zerocopysend", "file": 7, "offset": 1, "count": 2, "more_body": True},
    {"type": "http.response.push", "path": "/x", "headers": [(b"a", b"b")]},
    {"type": "http.response.trailers", "headers": [(b"x-sum", b"7")], "more_trailers": False},
    {"type": "http.response.debug", "info": {"template": "x"}},
    {"type": "http.disconnect"},
    {"type": "x.of-tomorrow", "headers": [(b"set-cookie", b"not a header of ours")], "what": object()},
    {"what": "no type at all"},
]


@pytest.mark.parametrize("message", PASSING, ids=lambda message: message.get("type", "no type"))
def test_message_that_is_no_header_passes_as_it_is(message):
    """The server gets the very object: what it holds is between the app and its server."""
    sent = []

    async def app(scope, receive, send):
        await send({**START, "headers": [(b"content-type", b"text/plain")]})
        await send(message)

    async def send(one):
        sent.append(one)

    asyncio.run(AsgiMiddleware(app)(dict(HTTP), None, send))
    assert sent[1] is message and sent[1] == message


def test_start_keeps_every_key_but_the_headers():
    """What the server understands beside status and headers is still there."""

    async def app(scope, receive, send):
        await send({**START, "trailers": True, "reason": "Fine", "x.key": 7})

    (message,) = communicate(app, dict(HTTP), replies=1)
    assert {key: value for key, value in message.items() if key != "headers"} == {
        "type": "http.response.start",
        "status": 200,
        "trailers": True,
        "reason": "Fine",
        "x.key": 7,
    }
    assert b"set-cookie" not in dict(message["headers"])
    assert b"content-security-policy" in dict(message["headers"])


@pytest.mark.parametrize("scope", [{"type": "mqtt", "topic": "x"}, {"type": "lifespan", "asgi": {"version": "3.0"}}])
def test_scope_that_is_no_request_passes_as_it_is(scope):
    """The app gets the very objects of the server: scope, receive and send."""
    seen = []

    async def app(*arguments):
        seen.extend(arguments)

    async def receive():
        raise AssertionError("the app asked for nothing")

    async def send(message):
        raise AssertionError("the app said nothing")

    asyncio.run(AsgiMiddleware(app)(scope, receive, send))
    assert [id(one) for one in seen] == [id(scope), id(receive), id(send)]


def test_request_messages_reach_the_app_as_they_are():
    """Body parts, a disconnect and messages of tomorrow, in their order."""
    given = [
        {"type": "http.request", "body": b"x", "more_body": True},
        {"type": "http.request", "body": b"y"},
        {"type": "http.of-tomorrow", "what": 7},
        {"type": "http.disconnect"},
    ]
    seen = []

    async def app(scope, receive, send):
        for _ in given:
            seen.append(await receive())
        await send(START)

    communicate(app, dict(HTTP), *given, replies=1)
    assert seen == given


def test_scope_of_the_server_is_not_changed():
    """What an app puts into its scope is its own; the server's is left as it was."""
    scope = dict(HTTP)

    async def app(scope, receive, send):
        scope["state"] = "mine"
        await send(START)

    communicate(app, scope, replies=1)
    assert scope == HTTP


def test_early_hints_are_judged_and_the_message_is_kept():
    """A link that nobody could send is left out of a 103; the rest of the message is as it was."""

    async def app(scope, receive, send):
        links = [b"</site.css>; rel=preload; as=style", b"</x>\r\nSet-Cookie: kept=1; Max-Age=3600"]
        await send({"type": "http.response.early_hint", "links": links, "x.key": 7})

    (message,) = communicate(app, dict(HTTP), replies=1)
    assert message == {
        "type": "http.response.early_hint",
        "links": [b"</site.css>; rel=preload; as=style"],
        "x.key": 7,
    }


def test_websocket_messages_pass_as_they_are():
    """Only the handshake carries headers; everything behind it is between the two."""
    messages = [
        {"type": "websocket.accept", "subprotocol": "chat", "headers": []},
        {"type": "websocket.send", "text": "x"},
        {"type": "websocket.send", "bytes": b"x"},
        {"type": "websocket.close", "code": 4321, "reason": "enough"},
    ]
    sent = []

    async def app(scope, receive, send):
        for message in messages:
            await send(message)

    async def send(message):
        sent.append(message)

    asyncio.run(AsgiMiddleware(app)({"type": "websocket", "path": "/", "headers": []}, None, send))
    assert [id(one) for one in sent] == [id(one) for one in messages]
