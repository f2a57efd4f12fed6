"""Tests of the nonce in Jinja templates: the one line that Starlette, FastAPI and plain Jinja need."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import fastapi
import httpx
import jinja2
import pytest
from fastapi.templating import Jinja2Templates
from starlette.applications import Starlette
from starlette.routing import Route

import privguard
import privguard.asgi
import privguard.wsgi

FILES = {
    "base.html": '<style nonce="{{ csp_nonce() }}"></style>{% block content %}{% endblock %}',
    "page.html": "{% extends 'base.html' %}{% block content %}{% include 'part.html' %}{{ macro() }}{% endblock %}"
    "{% from 'macro.html' import macro %}",
    "part.html": '<script nonce="{{ csp_nonce() }}"></script>',
    # without the context of the page that imports it
    "macro.html": '{% macro macro() %}<script nonce="{{ csp_nonce() }}"></script>{% endmacro %}',
}


@pytest.fixture
def templates(tmp_path: Path) -> Jinja2Templates:
    """Templates in a folder, with the line that the documentation asks for."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    templates = Jinja2Templates(directory=tmp_path)
    templates.env.globals["csp_nonce"] = privguard.csp_nonce
    return templates


def starlette_app(templates: Jinja2Templates) -> Starlette:
    def page(request):
        return templates.TemplateResponse(request, "page.html")

    async def async_page(request):
        return templates.TemplateResponse(request, "page.html")

    return Starlette(routes=[Route("/page", page), Route("/async-page", async_page)])


def fastapi_app(templates: Jinja2Templates) -> fastapi.FastAPI:
    app = fastapi.FastAPI()

    @app.get("/page")
    def page(request: fastapi.Request):
        return templates.TemplateResponse(request, "page.html")

    @app.get("/async-page")
    async def async_page(request: fastapi.Request):
        return templates.TemplateResponse(request, "page.html")

    return app


def nonces(response: httpx.Response) -> set[str]:
    """The nonces of the policies; each of a response's tags has to have one of them."""
    named = re.findall(r"'nonce-([^']+)'", response.headers["Content-Security-Policy"])
    assert re.findall('nonce="([^"]*)"', response.text) == [*dict.fromkeys(named)] * 3
    return set(named)


@pytest.mark.parametrize("path", ["/page", "/async-page"])
@pytest.mark.parametrize("make_app", [starlette_app, fastapi_app])
def test_templates_of_an_asgi_app(templates, make_app, path):
    """Base, page, included part and imported macro have the one nonce that the header names; the next page another."""

    async def ask_twice() -> list[httpx.Response]:
        app = privguard.asgi.PrivacyMiddleware(make_app(templates))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://site.example") as client:
            return [await client.get(path) for _ in range(2)]

    first, second = map(nonces, asyncio.run(ask_twice()))
    assert len(first) == len(second) == 1 and first != second


def test_templates_of_an_asgi_app_that_is_guarded_from_inside(templates):
    """``add_middleware`` does as well."""
    app = starlette_app(templates)
    app.add_middleware(privguard.asgi.PrivacyMiddleware)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://site.example") as client:
            return await client.get("/page")

    assert len(nonces(asyncio.run(ask()))) == 1


@pytest.mark.parametrize("is_async", [True, False])
def test_an_environment_of_the_apps_own(is_async):
    """Any Jinja environment takes the function as a global, one that renders asynchronously, too."""
    environment = jinja2.Environment(loader=jinja2.DictLoader(FILES), enable_async=is_async, autoescape=True)
    environment.globals["csp_nonce"] = privguard.csp_nonce

    def app(environ, start_response):
        page = environment.get_template("page.html").render().encode()
        start_response("200 OK", [("Content-Type", "text/html")])
        return [page]

    transport = httpx.WSGITransport(privguard.wsgi.PrivacyMiddleware(app))
    with httpx.Client(transport=transport, base_url="http://site.example") as client:
        assert len(nonces(client.get("/"))) == 1
