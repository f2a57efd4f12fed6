"""One careless site in every framework: it tells the log, Sentry and OpenTelemetry of its visitor, and fails."""

from __future__ import annotations

import logging

import flask
import sentry_sdk
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import override_settings
from fastapi import FastAPI
from sentry_sdk.integrations.asgi import SentryAsgiMiddleware
from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware
from starlette.requests import Request

import integrations.django_project  # noqa: F401  - the project that Django needs
import privguard
from integrations.django_project.doors import OneView
from privguard.asgi import PrivacyMiddleware as AsgiMiddleware
from privguard.flask import Privguard
from privguard.wsgi import PrivacyMiddleware as WsgiMiddleware
from sinks.calling import SETTINGS, Visitor, run_all, serve_asgi, serve_wsgi, told

log = logging.getLogger("site")


def tell(visitor: Visitor, body: bytes) -> None:
    """Say what was sent in every way that a request can be told of, and fail."""
    text = told(visitor, body)
    log.info("log: %s", text)
    sentry_sdk.add_breadcrumb(message=f"direct: {text}", data={"text": text})
    sentry_sdk.set_tag("told", text[:150])
    sentry_sdk.set_user({"username": text})
    log.warning("second log: %s", text)
    if visitor.who == "flagged":
        privguard.flag_child()
    raise ValueError(text)


class Site:
    """A site, guarded or not."""

    def __init__(self, *, guard: bool) -> None:
        self.guard = guard
        self.visitors: dict[str, Visitor] = {}

    def visitor(self, number: str) -> Visitor:
        return self.visitors[number]

    def serve(self, visitor: Visitor) -> None:
        """Serve one visitor, who is told from others by a header."""
        self.serve_all([visitor])

    def serve_all(self, visitors: list[Visitor]) -> None:
        for visitor in visitors:
            visitor.headers["X-Number"] = str(visitor.number)
            self.visitors[str(visitor.number)] = visitor
        self.run(visitors)

    def run(self, visitors: list[Visitor]) -> None:
        for visitor in visitors:
            try:
                serve_wsgi(self.app, visitor)
            except ValueError:
                pass  # the server would write it to its log


class PlainWsgi(Site):
    """Sentry around privguard."""

    def __init__(self, *, guard: bool) -> None:
        super().__init__(guard=guard)
        self.app = self.around(WsgiMiddleware(self.inside(self._app), SETTINGS) if guard else self.inside(self._app))

    def around(self, app):
        return SentryWsgiMiddleware(app)

    def inside(self, app):
        return app

    def _app(self, environ, start_response):
        tell(self.visitor(environ["HTTP_X_NUMBER"]), environ["wsgi.input"].read())


class PlainWsgiInside(PlainWsgi):
    """privguard around Sentry."""

    def around(self, app):
        return app

    def inside(self, app):
        return SentryWsgiMiddleware(app)


class Flask(Site):
    """Sentry's integration and privguard's extension."""

    def __init__(self, *, guard: bool) -> None:
        super().__init__(guard=guard)
        app = self.app = self.make()
        app.config["PRIVGUARD"] = SETTINGS
        app.logger = logging.getLogger("site.flask")

        @app.route("/favicon.ico")
        @app.route("/join", methods=["POST"])
        def join():
            tell(self.visitor(flask.request.headers["X-Number"]), flask.request.get_data())

        if guard:
            Privguard(app)

    def make(self):
        return flask.Flask("site")


class Django(Site):
    """Sentry's integration around privguard's middleware."""

    def run(self, visitors: list[Visitor]) -> None:
        def view(request):
            tell(self.visitor(request.headers["X-Number"]), request.body)
            return HttpResponse()

        with override_settings(ROOT_URLCONF=OneView(view), MIDDLEWARE=self.middleware(), PRIVGUARD=SETTINGS):
            self.app = WSGIHandler()
            super().run(visitors)

    def middleware(self) -> list[str]:
        return ["privguard.django.PrivacyMiddleware"] if self.guard else []


class DjangoAsgi(Django):
    """The same on ASGI, where the view runs in a thread."""

    def run(self, visitors: list[Visitor]) -> None:
        def view(request):
            tell(self.visitor(request.headers["X-Number"]), request.body)
            return HttpResponse()

        with override_settings(ROOT_URLCONF=OneView(view), MIDDLEWARE=self.middleware(), PRIVGUARD=SETTINGS):
            app = ASGIHandler()
            run_all(serve_asgi(app, one) for one in visitors)


class OnAsgi(Site):
    """Many at once."""

    def run(self, visitors: list[Visitor]) -> None:
        run_all(serve_asgi(self.app, one) for one in visitors)


class PlainAsgi(OnAsgi):
    """Sentry around privguard."""

    def __init__(self, *, guard: bool) -> None:
        super().__init__(guard=guard)

        async def app(scope, receive, send):
            number = dict(scope["headers"])[b"x-number"].decode()
            tell(self.visitor(number), (await receive())["body"])

        inner = self.inside(app)
        self.app = self.around(AsgiMiddleware(inner, SETTINGS) if guard else inner)

    def around(self, app):
        return SentryAsgiMiddleware(app)

    def inside(self, app):
        return app


class PlainAsgiInside(PlainAsgi):
    """privguard around Sentry."""

    def around(self, app):
        return app

    def inside(self, app):
        return SentryAsgiMiddleware(app)


class Fast(OnAsgi):
    """FastAPI, with privguard around it."""

    def __init__(self, *, guard: bool) -> None:
        super().__init__(guard=guard)
        app = self.app = FastAPI()

        @app.api_route("/favicon.ico", methods=["GET"])
        @app.post("/join")
        async def join(request: Request):
            tell(self.visitor(request.headers["X-Number"]), await request.body())

        if guard:
            self.wrap(app)

    def wrap(self, app) -> None:
        self.app = AsgiMiddleware(app, SETTINGS)


class FastInside(Fast):
    """FastAPI, with privguard among its middlewares."""

    def wrap(self, app) -> None:
        app.add_middleware(AsgiMiddleware, settings=SETTINGS)


SITES = [PlainWsgi, PlainWsgiInside, Flask, Django, DjangoAsgi, PlainAsgi, PlainAsgiInside, Fast, FastInside]
