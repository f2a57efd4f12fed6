"""What a visitor submits to a Django project: judged before any view or other middleware sees it."""

from __future__ import annotations

import io
import os
from typing import Any

from django.http import HttpResponse

from .._asgi_request import erased
from .._exchange import Exchange
from .._policy import ChildAction
from .._wsgi_request import is_submission, take_in

_PARSED = ("GET", "headers", "_body", "_post", "_files")  # what Django keeps of a request once it was looked at


def take_in_request(request: Any, exchange: Exchange) -> HttpResponse | None:
    """Leave in *request* what the views may read of a submission; return the answer, where none is to be called."""
    environ = _environ_of(request)
    if not is_submission(environ):
        return None
    answer = take_in(exchange, environ)
    if answer is not None:
        response = HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)
        for name, value in answer.beside_the_body:
            response[name] = value
        return response
    if exchange.action is ChildAction.ERASE:
        _erase(request, environ)
    if environ["wsgi.input"] is not request._stream:
        request._stream = environ["wsgi.input"]
        request._read_started = False
        vars(request).pop("_body", None)
    return None


def _environ_of(request: Any) -> dict[str, Any]:
    """Return the request as WSGI has it, with a body that can still be read, even by a middleware that is not first."""
    environ: dict[str, Any] = {**request.META, "wsgi.input": request._stream}
    if hasattr(request, "_body"):
        environ["wsgi.input"] = io.BytesIO(request._body)
    if hasattr(request, "scope"):
        environ["CONTENT_LENGTH"] = _length(environ["wsgi.input"], environ.get("CONTENT_LENGTH"))
    return environ


def _length(body: Any, said: str | None) -> str | None:
    """Return how long the body is that Django's ASGI handler has received: HTTP/2 need not say so."""
    try:
        body.seek(0, os.SEEK_END)
        length = str(body.tell())
        body.seek(0)
    except (AttributeError, OSError):  # a test client's
        return said
    return length


def _erase(request: Any, environ: dict[str, Any]) -> None:
    query = request.META.get("QUERY_STRING", "")
    body = environ["wsgi.input"]
    request.META.clear()
    request.META.update({**environ, "wsgi.input": body})
    for name in _PARSED:
        vars(request).pop(name, None)
    request.content_type, request.content_params = "", {}
    if hasattr(request, "scope"):
        request.scope = erased(request.scope, query.encode("latin-1"))
