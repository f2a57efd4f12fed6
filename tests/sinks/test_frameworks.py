"""Tests of what frameworks write by themselves: error mail, debug page, tracebacks, answers that repeat the input."""

from __future__ import annotations

import logging

import flask
import pytest
from django.core.exceptions import SuspiciousOperation
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import override_settings
from django.utils.log import AdminEmailHandler
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel

import integrations.django_project  # noqa: F401  - the project that Django needs
import privguard
from integrations.django_project.doors import OneView
from privguard.asgi import PrivacyMiddleware
from privguard.flask import Privguard
from sinks.calling import SETTINGS, Visitor, run_all, serve_asgi, serve_wsgi

SILENT = ("child", "flagged", "quiet")


@pytest.fixture
def error_mail():
    """What Django's handler would mail to the owner."""
    sent = []

    class Mailing(AdminEmailHandler):
        def send_mail(self, subject, message, *arguments, html_message=None, **named):
            sent.append(f"{subject}{message}{html_message}")

    logger = logging.getLogger("django.request")
    logger.addHandler(handler := Mailing(include_html=True))
    handler.setLevel(logging.ERROR)
    yield sent
    logger.removeHandler(handler)


def django_visit(visitor, error=ValueError, *, guard=True, **settings):
    def view(request):
        text = f"{request.GET} {request.body!r}"
        if visitor.who == "flagged" and guard:
            privguard.flag_child()
        raise error(text)

    middleware = ["privguard.django.PrivacyMiddleware"] if guard else []
    with override_settings(ROOT_URLCONF=OneView(view), MIDDLEWARE=middleware, PRIVGUARD=SETTINGS, **settings):
        return serve_wsgi(WSGIHandler(), visitor)


@pytest.mark.parametrize("body", ["form", "multipart", "json"])
@pytest.mark.parametrize("who", ["ordinary", *SILENT])
def test_error_mail_of_django(error_mail, caplog, who, body):
    """Holds the whole submission: an ordinary visitor's is sent once, as ever, and a child's never."""
    django_visit(Visitor(who, body), guard=False)
    assert len(error_mail) == 1 and f"cookie-{who}-0-4711" in error_mail[0]
    bare_lines = caplog.messages
    error_mail.clear()
    caplog.clear()
    django_visit(Visitor(who, body))
    if who == "ordinary":
        assert len(error_mail) == 1 and "query-ordinary-0-4711" in error_mail[0]
        assert caplog.messages == bare_lines
    else:
        assert error_mail == [] and caplog.messages == []


@pytest.mark.parametrize("who", ["ordinary", *SILENT])
def test_debug_page_of_django(caplog, who):
    """Is the visitor's own, and shows its developer the submission; the log says nothing of a child's."""
    page = django_visit(Visitor(who), DEBUG=True, DEBUG_PROPAGATE_EXCEPTIONS=False)
    assert b"ValueError" in page
    assert ("Internal Server Error: /join" in caplog.messages) is (who == "ordinary")
    assert "4711" not in caplog.text or who == "ordinary"


@pytest.mark.parametrize("who", ["ordinary", *SILENT])
def test_security_log_of_django(caplog, who):
    """What Django finds suspicious, it repeats."""
    django_visit(Visitor(who), SuspiciousOperation)
    names = [record.name for record in caplog.records]
    assert ("django.security.SuspiciousOperation" in names) is (who == "ordinary")
    assert ("4711" in caplog.text) is (who == "ordinary")


@pytest.mark.parametrize("who", ["ordinary", *SILENT])
def test_exception_in_flask(caplog, who):
    """Flask writes its traceback: "Exception on /join [POST]"."""
    visitor = Visitor(who)
    app = flask.Flask("site")
    app.config["PRIVGUARD"] = SETTINGS
    app.logger.propagate = True

    @app.route("/favicon.ico")
    @app.route("/join", methods=["POST"])
    def join():
        if visitor.who == "flagged":
            privguard.flag_child()
        raise ValueError(f"{flask.request.args} {flask.request.form} {flask.request.cookies}")

    Privguard(app)
    assert b"Internal Server Error" in serve_wsgi(app, visitor)
    assert caplog.messages == (["Exception on /join [POST]"] if who == "ordinary" else [])
    assert ("4711" in caplog.text) is (who == "ordinary")


class Joining(BaseModel):
    name: int
    age: int


@pytest.mark.parametrize("who", ["ordinary", "child"])
def test_validation_error_in_fastapi(caplog, who):
    """It repeats body and input, and sites log it: of a child, to nobody."""
    app = FastAPI()
    log = logging.getLogger("site")

    @app.post("/join")
    async def join(joining: Joining):
        raise AssertionError

    @app.exception_handler(RequestValidationError)
    async def tell(request, error):
        log.warning("422 for %s: %s %s", request.url, error.body, error.errors())
        return JSONResponse({"detail": "no"}, status_code=422)

    run_all([serve_asgi(PrivacyMiddleware(app, SETTINGS), Visitor(who, "json"))])
    assert len(caplog.messages) == (1 if who == "ordinary" else 0)
    assert ("body-ordinary-0-4711" in caplog.text) is (who == "ordinary")


@pytest.mark.parametrize("who", ["ordinary", "child", "flagged"])
def test_background_task_of_starlette(caplog, who):
    """It runs when the answer is out, within the request."""
    from starlette.background import BackgroundTask
    from starlette.responses import PlainTextResponse

    log = logging.getLogger("site")
    visitor = Visitor(who)

    def write():  # Starlette runs it in a thread
        log.warning("wrote to %s", visitor.marks["body"])

    async def app(scope, receive, send):
        if who == "flagged":
            privguard.flag_child()
        await PlainTextResponse("x", background=BackgroundTask(write))(scope, receive, send)

    run_all([serve_asgi(PrivacyMiddleware(app, SETTINGS), visitor)])
    assert len(caplog.messages) == (1 if who == "ordinary" else 0)


@pytest.mark.parametrize("who", ["ordinary", "child", "flagged"])
def test_closing_callback_of_werkzeug(caplog, who):
    """``call_on_close`` is called by the server, when the app has long returned."""
    log = logging.getLogger("site")
    visitor = Visitor(who)
    app = flask.Flask("site")
    app.config["PRIVGUARD"] = SETTINGS

    @app.post("/join")
    def join():
        if who == "flagged":
            privguard.flag_child()
        response = flask.Response("x")
        response.call_on_close(lambda: log.warning("closed for %s", visitor.marks["body"]))
        return response

    Privguard(app)
    serve_wsgi(app, visitor)
    assert len(caplog.messages) == (1 if who == "ordinary" else 0)


def test_response_that_django_never_made(caplog):
    """Of a page that is not there, Django tells the log when its middlewares are done: of the favicon's, nothing."""
    with override_settings(
        ROOT_URLCONF=OneView(lambda request: HttpResponse(status=404)),
        MIDDLEWARE=["privguard.django.PrivacyMiddleware"],
        PRIVGUARD=SETTINGS,
    ):
        serve_wsgi(WSGIHandler(), Visitor("quiet"))
        assert caplog.messages == []
        serve_wsgi(WSGIHandler(), Visitor("ordinary"))
    assert caplog.messages == ["Not Found: /join"]
