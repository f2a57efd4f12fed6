"""Tests of Django's responses that a browser reads as documents."""

from __future__ import annotations

import asyncio
import gzip
import io

import pytest
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse
from django.middleware.gzip import GZipMiddleware
from django.test import AsyncRequestFactory, RequestFactory

import integrations.django_project  # noqa: F401  - the project that Django needs
from privguard import _codings
from privguard._errors import UnseenBodyError
from privguard.django import PrivacyMiddleware

PAGE = b"<!doctype html><title>x</title><link rel=preconnect href=//third.test><p>" + b"text " * 999
INERT = PAGE.replace(b"href", b"xref")


def serve(response, **request):
    return PrivacyMiddleware(lambda _: response)(RequestFactory().get("/", **request))


def test_page():
    """It keeps its length."""
    response = HttpResponse(PAGE, headers={"Content-Length": str(len(PAGE))})
    answer = serve(response)
    assert (answer.content, answer.headers["Content-Length"]) == (INERT, str(len(PAGE)))


def test_data_is_not_touched():
    """JSON is no document."""
    data = {"html": PAGE.decode()}
    assert serve(JsonResponse(data)).content == JsonResponse(data).content


def test_page_that_streams():
    """Chunk by chunk, also where the tag is cut."""
    chunks = [PAGE[at : at + 7] for at in range(0, len(PAGE), 7)]
    assert b"".join(serve(StreamingHttpResponse(iter(chunks)))) == INERT


def test_page_that_streams_asynchronously():
    """The same."""

    async def chunks():
        for at in range(0, len(PAGE), 7):
            yield PAGE[at : at + 7]

    async def view(request):
        return StreamingHttpResponse(chunks())

    async def answer():
        response = await PrivacyMiddleware(view)(AsyncRequestFactory().get("/"))
        return b"".join([chunk async for chunk in response])

    assert asyncio.run(answer()) == INERT


def test_page_from_a_file():
    """No server sends it past the middleware."""
    answer = serve(FileResponse(io.BytesIO(PAGE), content_type="text/html"))
    assert (b"".join(answer), answer.file_to_stream) == (INERT, None)
    download = serve(FileResponse(io.BytesIO(PAGE), content_type="text/html", as_attachment=True, filename="x.html"))
    assert download.file_to_stream is not None


@pytest.mark.parametrize(
    "make", [HttpResponse, lambda page: StreamingHttpResponse(iter([page]))], ids=["whole", "streams"]
)
def test_page_that_django_compresses(make):
    """By its own middleware, below this one."""
    compressing = GZipMiddleware(lambda request: make(PAGE))
    answer = PrivacyMiddleware(compressing)(RequestFactory().get("/", headers={"Accept-Encoding": "gzip"}))
    assert answer.headers["Content-Encoding"] == "gzip"
    body = b"".join(answer)
    assert gzip.decompress(body) == INERT
    assert answer.headers.get("Content-Length") in (None, str(len(body)))


def test_page_that_cannot_be_read():
    """It does not leave."""
    answer = serve(HttpResponse(PAGE, headers={"Content-Encoding": "dcz"}))
    assert (answer.status_code, answer.content) == (500, b"Internal Server Error")


def test_stream_that_is_not_compressed_as_it_says():
    """The server ends the response where it is."""
    answer = serve(StreamingHttpResponse(iter([b"\x1f\x8b broken"]), headers={"Content-Encoding": "gzip"}))
    with pytest.raises(UnseenBodyError, match="compressed"):
        b"".join(answer)


def test_own_host():
    """The host that was asked for is no third party."""
    page = b"<form action=https://site.test/x></form>"
    assert serve(HttpResponse(page), headers={"Host": "site.test"}).content == page
    assert serve(HttpResponse(page)).content != page


def test_view_that_returns_one_response_for_all():
    """Scrubbed twice is scrubbed once."""
    response = HttpResponse(PAGE)
    assert [serve(response).content for _ in range(2)] == [INERT, INERT]


def test_request_asks_for_no_coding_that_cannot_be_read(monkeypatch):
    """Whatever compresses below does not use it."""
    monkeypatch.setitem(_codings._LIBRARIES, "br", lambda: None)
    seen = []

    def view(request):
        seen.append((request.META["HTTP_ACCEPT_ENCODING"], request.headers["Accept-Encoding"]))
        return HttpResponse()

    request = RequestFactory().get("/", headers={"Accept-Encoding": "br, gzip"})
    assert request.headers["Accept-Encoding"] == "br, gzip"
    PrivacyMiddleware(view)(request)
    assert seen == [("gzip", "gzip")]
