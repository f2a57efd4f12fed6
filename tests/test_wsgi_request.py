"""Tests of what WSGI servers hand over as a request's body, and of what becomes of it."""

from __future__ import annotations

import io
from wsgiref.util import setup_testing_defaults

import pytest

from privguard.wsgi import PrivacyMiddleware

FORM = "application/x-www-form-urlencoded"


class Site:
    """An app behind the middleware that remembers the bodies it has read."""

    def __init__(self, **settings):
        self.read: list[bytes] = []
        self._guarded = PrivacyMiddleware(self._app, {"children": settings})

    def _app(self, environ, start_response):
        self.read.append(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or -1)))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"thanks"]

    def post(self, body, **environ):
        """Return the status of the answer to a form whose body is a server's object."""
        statuses: list[str] = []
        environ |= {"REQUEST_METHOD": "POST", "wsgi.input": body, "CONTENT_TYPE": FORM}
        setup_testing_defaults(environ)
        answer = self._guarded(environ, lambda status, headers, exc_info=None: statuses.append(status))
        b"".join(answer)
        getattr(answer, "close", int)()
        return int(statuses[-1][:3])


class Broken:
    """A body whose server raises an error of its own once the visitor has left."""

    def __init__(self, error):
        self._error = error
        self._left = [b"age="]

    def read(self, size):
        if self._left:
            return self._left.pop()
        raise self._error


@pytest.mark.parametrize("sent", [b"", b"name=Ann", b"name=Ann&age=36", b"age=7"])
def test_body_that_ends_too_early_is_given_to_nobody(sent, caplog):
    """Nobody knows what the rest would have said. A child's it is, where what has come says so."""
    site = Site()
    assert site.post(io.BytesIO(sent), CONTENT_LENGTH="100") == (403 if sent == b"age=7" else 400)
    assert site.read == [] and caplog.text == ""


@pytest.mark.parametrize("error", [ConnectionResetError("age=7"), ValueError("bad chunk")], ids=type)
def test_body_that_the_server_cannot_read_is_given_to_nobody(error, caplog):
    """Whatever a server raises of a visitor who has left, or of what is no chunk: no bug of privguard's is reported."""
    site = Site()
    assert site.post(Broken(error), CONTENT_LENGTH="100") == 400
    assert site.post(Broken(error), HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input_terminated": True}) == 400
    assert site.read == [] and caplog.text == ""


class Endless:
    """A connection: who reads behind the body waits for ever."""

    def read(self, size=-1):
        pytest.fail("waits for ever")


def test_chunks_whose_end_no_server_tells_are_given_to_nobody():
    """wsgiref hands over the connection itself; PEP 3333 lets nobody read from it without a Content-Length."""
    site = Site()
    assert site.post(Endless(), HTTP_TRANSFER_ENCODING="chunked") == 200
    assert site.read == [b""]


@pytest.mark.parametrize("is_read", [True, False])
def test_held_file_is_closed_when_the_answer_is(is_read, monkeypatch):
    """Whether the app has read it or not, and whoever still has the request."""
    kept = []

    def app(environ, start_response):
        kept.append(environ["wsgi.input"])
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["wsgi.input"].read() if is_read else b""]

    site = Site(limits={"memory_bytes": 10})
    site._guarded.app = app
    sent = b"name=somebody&age=36"
    assert site.post(io.BytesIO(sent), CONTENT_LENGTH=str(len(sent))) == 200
    assert kept[0].closed


class Patient:
    """A body that waits for every byte that it is asked for, as gunicorn's does."""

    def __init__(self, sent):
        self._sent = io.BytesIO(sent)
        self.asked = []

    def read(self, size):
        self.asked.append(size)
        return self._sent.read(size)


def test_little_is_asked_for_at_first():
    """A visitor who sends a few bytes a second is found out long before he has sent what is read at once later."""
    site, sent = Site(), b"text=" + b"x" * 300_000
    body = Patient(sent)
    assert site.post(body, CONTENT_LENGTH=str(len(sent))) == 200
    assert site.read == [sent]
    assert (body.asked[0], max(body.asked)) == (1024, 1 << 16)


def test_what_has_come_is_taken_where_the_server_can_tell():
    """wsgiref's and Werkzeug's connections tell: then nobody has to wait."""

    class Eager(io.BytesIO):
        def read(self, size=-1):
            pytest.fail("waits for all of it")

    site, sent = Site(), b"name=Ann&age=36"
    assert site.post(Eager(sent), CONTENT_LENGTH=str(len(sent))) == 200
    assert site.read == [sent]
