"""A WSGI site that takes submissions, under as many policies as there are first parts of its paths."""

from __future__ import annotations

from site_parts import set_up_logging
from submission_parts import COOKIE, POLICIES, Taken, settings

from privguard.wsgi import PrivacyMiddleware

PIECE = 1 << 16  # bytes


def chunks(environ):
    """Read a body as Werkzeug does."""
    body, left = environ["wsgi.input"], int(environ.get("CONTENT_LENGTH") or 0)
    is_terminated = environ.get("wsgi.input_terminated") and "CONTENT_LENGTH" not in environ
    while chunk := body.read(PIECE if is_terminated else min(left, PIECE)):
        left -= len(chunk)
        yield chunk


def site(environ, start_response):
    told = {name: value for name, value in environ.items() if isinstance(value, str)}
    taken = Taken(environ.get("HTTP_X_TOKEN"), f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING')}", told)
    for chunk in chunks(environ):
        taken.feed(chunk)
    body = taken.finish(environ.get("CONTENT_LENGTH"), environ.get("CONTENT_TYPE"))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body))), COOKIE])
    return [body]


def application(environ, start_response):
    """The whole site: below /bare/ nobody guards it."""
    name = environ["PATH_INFO"].split("/")[1]
    return GUARDED.get(name, site)(environ, start_response)


set_up_logging("before")
GUARDED = {name: PrivacyMiddleware(site, settings(name)) for name in POLICIES}
