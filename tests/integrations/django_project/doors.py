"""The four ways into a Django project: its two handlers, as servers call them, and its two test clients."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpx
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.test import AsyncClient, Client, override_settings
from django.urls import re_path

ORIGIN = "http://testserver"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    """A response as it leaves; header names in lower case."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def every(self, name: str) -> list[str]:
        return [value for one, value in self.headers if one == name]

    def only(self, name: str) -> str:
        (value,) = self.every(name)
        return value

    @property
    def policies(self) -> list[dict[str, list[str]]]:
        """The enforced policies one by one: a header field's value is a list of them (CSP3 §3.1)."""
        serialized = ",".join(self.every("content-security-policy")).split(",")
        parsed = [[directive.split() for directive in one.split(";")] for one in serialized if one.strip()]
        return [{name: sources for name, *sources in one} for one in parsed]

    @property
    def nonces(self) -> set[str]:
        """Every nonce that some policy names."""
        sources = [one for policy in self.policies for sources in policy.values() for one in sources]
        return {one.removeprefix("'nonce-").removesuffix("'") for one in sources if one.startswith("'nonce-")}


class Door:
    """One visitor with one set of cookies."""

    def ask(self, method: str, path: str, form: str = "", **headers: str) -> Answer:
        """Send a request, with a filled-in form where there is one, and return the whole answer."""
        return self.send(method, path, form, {name.replace("_", "-"): value for name, value in headers.items()})

    def send(self, method: str, path: str, form: str, headers: dict[str, str]) -> Answer:
        raise NotImplementedError


class WsgiDoor(Door):
    """Django's WSGIHandler, or an application around it."""

    def __init__(self, wrap: Callable[[Any], Any] = lambda application: application) -> None:
        self.application = wrap(WSGIHandler())
        self.cookies = httpx.Cookies()

    def send(self, method: str, path: str, form: str, headers: dict[str, str]) -> Answer:
        transport = httpx.WSGITransport(self.application)
        with httpx.Client(transport=transport, cookies=self.cookies) as client:
            response = client.request(method, ORIGIN + path, content=form, headers={"Content-Type": FORM, **headers})
            self.cookies = client.cookies
        return _from_httpx(response)


class AsgiDoor(Door):
    """Django's ASGIHandler, or an application around it."""

    def __init__(self, wrap: Callable[[Any], Any] = lambda application: application) -> None:
        self.application = wrap(ASGIHandler())
        self.cookies = httpx.Cookies()

    def send(self, method: str, path: str, form: str, headers: dict[str, str]) -> Answer:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.application)
            async with httpx.AsyncClient(transport=transport, cookies=self.cookies) as client:
                headers_sent = {"Content-Type": FORM, **headers}
                response = await client.request(method, ORIGIN + path, content=form, headers=headers_sent)
                self.cookies = client.cookies
            return response

        return _from_httpx(asyncio.run(send()))


class ClientDoor(Door):
    """Django's test client."""

    def __init__(self) -> None:
        self.client = Client(enforce_csrf_checks=True, raise_request_exception=False)

    def send(self, method: str, path: str, form: str, headers: dict[str, str]) -> Answer:
        response = self.client.generic(method, path, form, FORM, headers=headers)
        chunks = response.streaming_content if response.streaming else [response.content]
        if hasattr(chunks, "__aiter__"):
            chunks = asyncio.run(_collected(chunks))
        return _from_django(response, b"".join(chunks))


class AsyncClientDoor(Door):
    """Django's asynchronous test client."""

    def __init__(self) -> None:
        self.client = AsyncClient(enforce_csrf_checks=True, raise_request_exception=False)

    def send(self, method: str, path: str, form: str, headers: dict[str, str]) -> Answer:
        async def send() -> Answer:
            response = await self.client.generic(method, path, form, FORM, headers=headers)
            chunks = response.streaming_content if response.streaming else [response.content]
            if hasattr(chunks, "__aiter__"):
                chunks = await _collected(chunks)
            # the thread that ran the synchronous half outlives the loop, and its connection would with it
            await sync_to_async(connections.close_all)()
            return _from_django(response, b"".join(chunks))

        return asyncio.run(send())


HANDLERS: list[type[Any]] = [WsgiDoor, AsgiDoor]
DOORS: list[type[Any]] = [*HANDLERS, ClientDoor, AsyncClientDoor]


class OneView:
    """A URLconf whose every address leads to one view."""

    def __init__(self, view: Callable[..., Any]) -> None:
        self.urlpatterns = [re_path("", view)]


def visit(door: type[Any], view: Callable[..., Any], path: str = "/", method: str = "GET", **settings: Any) -> Answer:
    """Return what *view* answers, as the only view of a project with these settings."""
    with override_settings(ROOT_URLCONF=OneView(view), **settings):
        answer: Answer = door().ask(method, path)
    return answer


async def _collected(chunks: Any) -> list[bytes]:
    return [chunk async for chunk in chunks]


def _from_httpx(response: httpx.Response) -> Answer:
    headers = [(name.decode().lower(), value.decode("latin-1").strip()) for name, value in response.headers.raw]
    return Answer(response.status_code, headers, response.content)


def _from_django(response: Any, body: bytes) -> Answer:
    cookies: Iterable[tuple[str, str]] = (("Set-Cookie", one.OutputString()) for one in response.cookies.values())
    headers = [(name.lower(), value) for name, value in (*response.items(), *cookies)]
    return Answer(response.status_code, headers, body)
