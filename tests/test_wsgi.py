"""Tests of the WSGI adapter's own work: which object the server gets, and when a header list is settled."""

from __future__ import annotations

import gc
import logging
import sys
from wsgiref.util import FileWrapper, setup_testing_defaults

import pytest

import privguard
from privguard import OutsideRequestError, _context
from privguard.wsgi import PrivacyMiddleware

COOKIE = ("Set-Cookie", "visitor=1; Max-Age=3600")
PLAIN = [("Content-Type", "text/plain")]


class Server:
    """A server that keeps the header list it is given and reads it at the first chunk, as wsgiref does."""

    def __init__(self, app, settings=None, **environ):
        self.environ = environ
        setup_testing_defaults(self.environ)
        self.app = PrivacyMiddleware(app, settings)
        self.written: list[bytes] = []
        self.starts: list[tuple] = []
        self.sent: list[tuple[str, str]] | None = None

    def start_response(self, status, headers, exc_info=None):
        if exc_info is not None and self.sent is not None:
            raise exc_info[1]
        self.starts.append((status, headers, exc_info))
        return self.write

    def write(self, chunk):
        if chunk and self.sent is None:
            self.sent = list(self.starts[-1][1])
        self.written.append(chunk)

    def run(self):
        """Serve one request; return what the visitor gets for a body."""
        body = self.app(self.environ, self.start_response)
        try:
            for chunk in body:
                self.write(chunk)
        finally:
            if hasattr(body, "close"):
                body.close()
        self.sent = self.sent or list(self.starts[-1][1])
        return b"".join(self.written)

    def cookies(self):
        return [value for name, value in self.sent or [] if name.strip().lower() == "set-cookie"]


def answer(chunks, headers=(COOKIE,)):
    def app(environ, start_response):
        start_response("200 OK", [*PLAIN, *headers])
        return chunks

    return app


@pytest.mark.parametrize("body", [[b"a", b"b"], (b"a",), []], ids=repr)
def test_body_in_a_list_is_handed_on(body):
    """A server that counts a body's parts goes on doing so."""
    server = Server(answer(body))
    assert server.app(server.environ, server.start_response) is body


def test_file_is_handed_on(tmp_path):
    """What the server would send by sendfile, it sends by sendfile."""
    path = tmp_path / "file"
    path.write_bytes(b"x")
    with path.open("rb") as file:
        wrapped = FileWrapper(file)
        server = Server(answer(wrapped), **{"wsgi.file_wrapper": FileWrapper})
        assert server.app(server.environ, server.start_response) is wrapped


def test_file_of_a_server_whose_wrapper_is_a_function_is_handed_on():
    """Its type does not tell: it is a file because the app had it wrapped."""
    wrapped = iter([b"x"])

    def app(environ, start_response):
        return answer(environ["wsgi.file_wrapper"]("file", 4096))(environ, start_response)

    server = Server(app, **{"wsgi.file_wrapper": lambda file, size: wrapped})
    assert server.app(server.environ, server.start_response) is wrapped


def test_other_body_of_a_server_whose_wrapper_is_a_function_is_ended():
    """What is no file is read as anywhere else."""
    server = Server(answer(iter([b"x"])), **{"wsgi.file_wrapper": lambda file, size: file})
    assert server.run() == b"x" and _context.current.get().ended


def test_nonce_can_be_read_in_a_body_of_such_a_server():
    """The request is not over while its body is read."""

    class Body:
        def __iter__(self):
            yield privguard.csp_nonce().encode()

    def app(environ, start_response):
        privguard.csp_nonce()
        start_response("200 OK", list(PLAIN))
        return Body()

    server = Server(app, **{"wsgi.file_wrapper": lambda file, size=0: file})
    assert len(server.run()) == 22


def late_by_list(chunks):
    def app(environ, start_response):
        headers = list(PLAIN)
        start_response("200 OK", headers)
        for chunk in chunks:
            headers += [COOKIE, ("Set-Cookie", "cart=1"), ("X-Late", "1")]
            yield chunk

    return app


@pytest.mark.parametrize("chunks", [[b"a"], [b"", b"a"], [b"", b"", b"a", b"b"]], ids=repr)
def test_headers_that_come_after_start_response_are_judged(chunks):
    """Until the first chunk an app may add to its list: what it adds leaves under the policy."""
    server = Server(late_by_list(chunks))
    assert server.run() == b"".join(chunks)
    assert set(server.cookies()) == {"cart=1"}
    assert ("X-Late", "1") in server.sent


def test_headers_that_come_before_a_list_body_are_judged():
    """The app still holds the list when it returns."""

    def app(environ, start_response):
        headers = list(PLAIN)
        start_response("200 OK", headers)
        headers += [COOKIE, ("X-Late", "1")]
        return [b"x"]

    server = Server(app)
    server.run()
    assert server.cookies() == [] and ("X-Late", "1") in server.sent


def test_headers_that_come_before_write_are_judged():
    """write() sends the head with the first chunk."""

    def app(environ, start_response):
        headers = list(PLAIN)
        write = start_response("200 OK", headers)
        write(b"")
        headers += [COOKIE, ("X-Late", "1")]
        write(b"x")
        return []

    server = Server(app)
    assert server.run() == b"x"
    assert server.cookies() == [] and ("X-Late", "1") in server.sent


def test_failure_over_late_headers_keeps_what_was_judged(monkeypatch, caplog):
    """What cannot be judged does not leave; the rest does."""
    server = Server(late_by_list([b"a"]))
    judge = privguard._exchange.Exchange.response_headers

    def fail_late(exchange, status, headers, dialect):
        if len(headers) > len(PLAIN):
            raise RuntimeError
        return judge(exchange, status, headers, dialect)

    monkeypatch.setattr(privguard._exchange.Exchange, "response_headers", fail_late)
    assert server.run() == b"a"
    assert server.cookies() == [] and ("X-Late", "1") not in server.sent
    assert "please report" in caplog.text


@pytest.mark.parametrize("by_keyword", [True, False])
def test_second_start_response_is_judged_too(by_keyword):
    """An app may change its mind until the first chunk, by position or by keyword."""

    def app(environ, start_response):
        start_response("200 OK", list(PLAIN))
        try:
            raise KeyError
        except KeyError:
            if by_keyword:
                start_response("500 Oh", [*PLAIN, COOKIE], exc_info=sys.exc_info())
            else:
                start_response("500 Oh", [*PLAIN, COOKIE], sys.exc_info())
        return [b"x"]

    server = Server(app)
    server.run()
    assert [(status, exc_info is not None) for status, _, exc_info in server.starts] == [
        ("200 OK", False),
        ("500 Oh", True),
    ]
    assert server.cookies() == []


def test_second_start_response_after_the_first_chunk_raises_in_the_app():
    """As without privguard."""

    def app(environ, start_response):
        start_response("200 OK", list(PLAIN))
        yield b"x"
        try:
            raise KeyError("the app's")
        except KeyError:
            start_response("500 Oh", list(PLAIN), sys.exc_info())

    with pytest.raises(KeyError, match="the app's"):
        Server(app).run()


def test_start_response_may_come_with_the_first_chunk():
    """A generator does all of its work then."""

    def app(environ, start_response):
        yield b""
        start_response("200 OK", [*PLAIN, COOKIE])
        yield b"x"

    server = Server(app)
    assert server.run() == b"x" and server.cookies() == []


def fail(*args, **kwargs):
    raise RuntimeError("what a visitor sent")


REFUSED = ("500 Internal Server Error", b"Internal Server Error")


def generator(environ, start_response):
    start_response("200 OK", [*PLAIN, COOKIE])
    yield b"secret"


def writer(environ, start_response):
    start_response("200 OK", [*PLAIN, COOKIE])(b"secret")
    return []


@pytest.mark.parametrize("app", [answer([b"secret"]), answer([]), generator, writer])
def test_nothing_leaves_unguarded_when_the_response_cannot_be_judged(monkeypatch, caplog, app):
    """The visitor gets a bare 500, whatever shape the app's answer has."""
    monkeypatch.setattr(privguard._exchange.Exchange, "response_headers", fail)
    server = Server(app)
    assert (server.run(), server.starts[-1][0]) == (REFUSED[1], REFUSED[0])
    assert [name for name, _ in server.sent] == ["Content-Type", "Content-Length"]
    assert "please report" in caplog.text and "visitor" not in caplog.text


def test_nothing_is_asked_of_the_app_when_the_request_cannot_be_read(monkeypatch, caplog):
    """An app that nobody guards is not called."""
    monkeypatch.setattr(privguard.wsgi, "wsgi_path", fail)
    server = Server(lambda environ, start_response: pytest.fail("called"))
    assert (server.run(), server.starts[-1][0]) == (REFUSED[1], REFUSED[0])


def test_second_start_response_after_a_refusal_is_the_answer(monkeypatch):
    """An app's error page may succeed where its page failed."""
    judge = privguard._exchange.Exchange.response_headers
    monkeypatch.setattr(privguard._exchange.Exchange, "response_headers", fail)

    def app(environ, start_response):
        start_response("200 OK", list(PLAIN))
        monkeypatch.setattr(privguard._exchange.Exchange, "response_headers", judge)
        start_response("503 Oh", [*PLAIN, COOKIE], (RuntimeError, RuntimeError(), None))
        return [b"x"]

    server = Server(app)
    assert (server.run(), server.starts[-1][0], server.cookies()) == (b"x", "503 Oh", [])


def test_second_start_response_that_cannot_be_judged_leaves_nothing_of_the_app(monkeypatch):
    """Not its body under the first head either."""
    judge = privguard._exchange.Exchange.response_headers

    def app(environ, start_response):
        start_response("200 OK", list(PLAIN))
        monkeypatch.setattr(privguard._exchange.Exchange, "response_headers", fail)
        start_response("200 OK", [*PLAIN, COOKIE])
        monkeypatch.setattr(privguard._exchange.Exchange, "response_headers", judge)
        return [b"secret"]

    server = Server(app)
    assert server.run() == REFUSED[1] and server.cookies() == []


class _Broken:
    """What comes from a visitor who leaves after *chunk*, behind a server that says so by an exception."""

    def __init__(self, chunk):
        self._chunks = [chunk]

    def read(self, size):
        if not self._chunks:
            raise OSError("unexpected end of file while reading request")
        return self._chunks.pop()


@pytest.mark.parametrize(("chunk", "status"), [(b"name=x&", "400"), (b"age=7&name=", "403")])
def test_submission_that_breaks_off_is_not_given_to_the_app(chunk, status, caplog):
    """It is no failure of privguard's; and a child's, if what has come says so."""
    told = []
    environ = {"PATH_INFO": "/", "REQUEST_METHOD": "POST", "CONTENT_LENGTH": "100", "wsgi.input": _Broken(chunk)}
    environ["CONTENT_TYPE"] = "application/x-www-form-urlencoded"
    body = PrivacyMiddleware(fail, {"children": {}})(environ, lambda *start: told.append(start[0]))
    b"".join(body)
    body.close() if hasattr(body, "close") else None
    assert told[0].startswith(status)
    assert caplog.records == []


def test_exception_of_the_app_passes_through():
    """It is the server's to report."""

    def app(environ, start_response):
        raise KeyError("the app's")

    with pytest.raises(KeyError, match="the app's"):
        Server(app).run()


@pytest.mark.parametrize("path", ["/", "/favicon.ico"])
def test_close_is_called_once_and_ends_the_request(path):
    """The app's close() runs, within the request still."""
    closed = []

    class Body:
        def __iter__(self):
            yield b"x"

        def close(self):
            closed.append(_context.current.get().ended)

    server = Server(answer(Body()), PATH_INFO=path)
    server.run()
    assert closed == [False] and _context.current.get().ended


def test_guarded_app_that_calls_another_one_is_back_in_its_own_request():
    """What the other did leaves no trace: neither its nonce nor its silence."""
    inner = Server(lambda environ, start_response: answer([b"x"])(environ, start_response), PATH_INFO="/favicon.ico")

    def app(environ, start_response):
        nonce = privguard.csp_nonce()
        inner.run()
        assert privguard.csp_nonce() == nonce and not _context.current.get().muted
        start_response("200 OK", list(PLAIN))
        return [b"x"]

    assert Server(app).run() == b"x"


def test_stream_that_calls_another_guarded_app_is_back_in_its_own_request(caplog):
    """Also when what calls is quiet, and what is called is not."""
    inner = Server(answer(iter([b"x"])))

    def app(environ, start_response):
        nonce = privguard.csp_nonce()
        privguard.flag_child()
        start_response("200 OK", list(PLAIN))
        yield b"a"
        inner.run()
        assert privguard.csp_nonce() == nonce
        logging.getLogger("site").warning("of a child")

    assert Server(app).run() == b"a" and caplog.records == []


def test_bodies_that_are_read_in_turn_are_each_in_their_own_request():
    """As a test client may read them, or a server with one thread."""

    def app(environ, start_response):
        yield_first = privguard.csp_nonce()
        start_response("200 OK", list(PLAIN))
        yield yield_first.encode()
        yield privguard.csp_nonce().encode()

    bodies = [iter(server.app(server.environ, server.start_response)) for server in (Server(app), Server(app))]
    first, second = ([next(body)] for body in bodies)
    for read, body in zip((first, second), bodies):
        read.append(next(body))
    assert first[0] == first[1] != second[0] == second[1]


@pytest.mark.parametrize("status", ["1000 OK", "10000 X", "1001 X", "100x", "１００ OK", "100\n"])
def test_status_that_begins_like_a_1xx_and_is_none_gets_the_policy(status):
    """Browsers render what some servers make of it."""

    def app(environ, start_response):
        start_response(status, list(PLAIN))
        return [b"x"]

    server = Server(app)
    server.run()
    assert "Content-Security-Policy" in dict(server.sent)


def test_exception_of_an_apps_header_iterator_passes_through():
    """It is the app's, and privguard has no part in it."""

    def headers():
        yield PLAIN[0]
        raise KeyError("the app's")

    def app(environ, start_response):
        start_response("200 OK", headers())
        return []

    with pytest.raises(KeyError, match="the app's"):
        Server(app).run()


def test_requests_leave_nothing_for_the_garbage_collector():
    """Memory is free again when a request is over."""
    server = Server(answer(iter([b"x"])))
    server.run()
    gc.collect()
    gc.disable()
    try:
        for path in ("/", "/favicon.ico"):
            again = Server(answer(one for one in [b"x"]), PATH_INFO=path)
            again.run()
            del again
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_end_of_a_request_is_the_end_of_its_nonce():
    """A thread that a server keeps is in no request."""
    Server(answer([b"x"])).run()
    with pytest.raises(OutsideRequestError):
        privguard.csp_nonce()


def test_early_hints_carry_no_cookie():
    """gunicorn takes any header there."""
    hints = []

    def app(environ, start_response):
        third = "<https://third.example>; rel=preconnect"
        environ["wsgi.early_hints"]([("Link", f"</a.css>; rel=preload, {third}"), ("link", third), COOKIE, ("X-A", "")])
        return answer([b"x"])(environ, start_response)

    Server(app, **{"wsgi.early_hints": hints.extend}).run()
    assert hints == [("Link", "</a.css>; rel=preload"), ("X-A", "")]


def test_status_line_is_one_line():
    """What some server would send as two is cut down to its code."""

    def app(environ, start_response):
        start_response("200 OK\r\nSet-Cookie: a=b; Max-Age=9", list(PLAIN))
        return [b"x"]

    server = Server(app)
    server.run()
    assert server.starts[-1][0] == "200 "


def test_status_line_without_a_code_is_a_500():
    """A server would send what stands there."""

    def app(environ, start_response):
        start_response("\n\nX OK", list(PLAIN))
        return [b"x"]

    server = Server(app)
    server.run()
    assert server.starts[-1][0] == "500 Internal Server Error"
