"""The same small site in every framework: it keeps what a submission brings, logs it, and sets a cookie."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import flask
import httpx
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import override_settings
from django.views.decorators.csrf import csrf_exempt
from fastapi import FastAPI, Request
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

import integrations.django_project  # noqa: F401  - the project that Django needs
from integrations.django_project.doors import OneView
from privguard.asgi import PrivacyMiddleware as AsgiMiddleware
from privguard.flask import Privguard
from privguard.wsgi import PrivacyMiddleware as WsgiMiddleware

ORIGIN = "http://site.test"
COOKIE = "visitor=1; Max-Age=3600; Path=/"
log = logging.getLogger("site")

Hook = Callable[[], object]


@dataclass
class Seen:
    """What the app was called with."""

    method: str
    query: str
    body: bytes
    length: str | None
    kind: str | None
    text: str
    """All that its framework tells of the request."""


@dataclass
class Recipient:
    """One site behind privguard."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    hook: Hook = lambda: None
    """Called in the middle of each request."""
    seen: list[Seen] = field(default_factory=list)

    def ask(self, method: str, path: str, content: Any = b"", **headers: str) -> httpx.Response:
        """Send a request."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send(httpx.Request(method, ORIGIN + path, content=content, headers=named))

    def send(self, request: httpx.Request) -> httpx.Response:
        raise NotImplementedError

    def take(self, *submitted: Any) -> None:
        """Do what careless sites do."""
        one = Seen(*submitted)
        self.seen.append(one)
        log.warning("%s ?%s %s", one.method, one.query, one.body)
        self.hook()
        log.warning("done with %s", one.body)


def by_wsgi(app: Any, request: httpx.Request) -> httpx.Response:
    with httpx.Client(transport=httpx.WSGITransport(app)) as client:
        return client.send(request)


def by_asgi(app: Any, request: httpx.Request) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            return await client.send(request)

    if not isinstance(request.stream, httpx.AsyncByteStream):
        request = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
    return asyncio.run(send())


class Wsgi(Recipient):
    def send(self, request: httpx.Request) -> httpx.Response:
        return by_wsgi(WsgiMiddleware(self._app, self.settings), request)

    def _app(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        told = repr({name: value for name, value in environ.items() if isinstance(value, str)})
        body = environ["wsgi.input"].read(length)
        self.take(
            environ["REQUEST_METHOD"],
            environ["QUERY_STRING"],
            body,
            environ.get("CONTENT_LENGTH"),
            environ.get("CONTENT_TYPE"),
            told,
        )
        start_response("200 OK", [("Set-Cookie", COOKIE), ("Content-Type", "text/plain")])
        return [b"thanks"]


class Asgi(Recipient):
    def send(self, request: httpx.Request) -> httpx.Response:
        return by_asgi(AsgiMiddleware(self._app, self.settings), request)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message["body"]
            if not message["more_body"]:
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        told = repr({name: value for name, value in scope.items() if not name.startswith("privguard")})
        query = scope["query_string"].decode()
        self.take(scope["method"], query, body, headers.get("content-length"), headers.get("content-type"), told)
        fields = [(b"set-cookie", COOKIE.encode()), (b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": b"thanks"})


class Flask(Recipient):
    def send(self, request: httpx.Request) -> httpx.Response:
        app = flask.Flask("recipient")
        app.config["PRIVGUARD"] = self.settings
        Privguard(app)
        app.before_request(self._answer)
        return by_wsgi(app, request)

    def _answer(self) -> flask.Response:
        request = flask.request
        body = request.get_data()
        told = repr([request.form, request.files, request.args, request.headers, request.url]) + request.full_path
        self.take(
            request.method,
            request.query_string.decode(),
            body,
            request.headers.get("Content-Length"),
            request.headers.get("Content-Type"),
            told,
        )
        answer = flask.Response("thanks", mimetype="text/plain")
        answer.headers["Set-Cookie"] = COOKIE
        return answer


class _Django(Recipient):
    handler: Any
    call: Any

    def send(self, request: httpx.Request) -> httpx.Response:
        urls = OneView(csrf_exempt(self._view))
        middleware = ["privguard.django.PrivacyMiddleware"]
        with override_settings(ROOT_URLCONF=urls, PRIVGUARD=self.settings, MIDDLEWARE=middleware):
            answer: httpx.Response = type(self).call(type(self).handler(), request)
        return answer

    def _view(self, request: Any) -> HttpResponse:
        body = request.body
        told = repr([request.POST, request.FILES, request.GET, request.headers, request.get_full_path()])
        told += repr({name: value for name, value in request.META.items() if isinstance(value, str)})
        told += repr({**getattr(request, "scope", {}), "privguard.exchange": 0})
        meta = request.META
        query = meta["QUERY_STRING"]
        self.take(request.method, query, body, meta.get("CONTENT_LENGTH"), meta.get("CONTENT_TYPE"), told)
        answer = HttpResponse("thanks", content_type="text/plain")
        answer.set_cookie("visitor", "1", max_age=3600)
        return answer


class DjangoWsgi(_Django):
    handler = WSGIHandler
    call = staticmethod(by_wsgi)


class DjangoAsgi(_Django):
    handler = ASGIHandler
    call = staticmethod(by_asgi)


class InStarlette(Recipient):
    def send(self, request: httpx.Request) -> httpx.Response:
        methods = ["GET", "HEAD", "POST", "PUT", "DELETE"]
        app = Starlette(routes=[Route("/{path:path}", self._answer, methods=methods)])
        return by_asgi(AsgiMiddleware(app, self.settings), request)

    async def _answer(self, request: Any) -> Response:
        body = await request.body()
        async with request.form() as form:
            told = repr([form, request.query_params, request.headers, str(request.url)])
        self.take(
            request.method,
            request.url.query,
            body,
            request.headers.get("content-length"),
            request.headers.get("content-type"),
            told,
        )
        answer = Response("thanks", media_type="text/plain")
        answer.headers["set-cookie"] = COOKIE
        return answer


class InFastApi(InStarlette):
    def send(self, request: httpx.Request) -> httpx.Response:
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

        async def answer(request: Request) -> Response:
            return await self._answer(request)

        app.add_api_route("/{path:path}", answer, methods=["GET", "HEAD", "POST", "PUT", "DELETE"])
        return by_asgi(AsgiMiddleware(app, self.settings), request)


RECIPIENTS: list[type[Recipient]] = [Wsgi, Asgi, Flask, DjangoWsgi, DjangoAsgi, InStarlette, InFastApi]
