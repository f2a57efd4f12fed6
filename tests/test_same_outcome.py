"""One table of requests through ASGI, WSGI, Flask and Django: one policy has one outcome, whatever carries it."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

import django
import flask
import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.test import AsyncRequestFactory, RequestFactory, override_settings

import privguard
from privguard.asgi import PrivacyMiddleware as AsgiMiddleware
from privguard.flask import Privguard
from privguard.wsgi import PrivacyMiddleware as WsgiMiddleware

if not django_settings.configured:
    django_settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="x", ROOT_URLCONF=__name__)
    django.setup()

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Case:
    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    path: str = "/"
    root: str = ""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    cookie: str | None = None  # what the visitor sends
    reads_nonce: bool = False


# Attributes in the order in which Django writes them, so that all four carry the same bytes.
PERSISTENT = ("Set-Cookie", "visitor=1; Max-Age=3600; Path=/")
VISIT = ("Set-Cookie", "sessionid=1; HttpOnly; Max-Age=3600; Path=/")
DELETION = ("Set-Cookie", 'gone=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/')
SESSION = ("Set-Cookie", "cart=1; Path=/")
ALL = (PERSISTENT, VISIT, DELETION, SESSION)

CASES = [
    Case("default"),
    *(Case(f"mode-{mode}", {"cookies": {"elsewhere": mode}}, headers=ALL) for mode in privguard._settings.COOKIE_MODES),
    Case("demo", {"demo_paths": ["/demo/"]}, "/demo/chat", headers=ALL),
    Case("demo-below-a-mount", {"demo_paths": ["/app/demo/"]}, "/demo/chat", "/app", headers=ALL),
    Case("demolition", {"demo_paths": ["/demo/"]}, "/demolition", headers=ALL),
    Case("dot-segments", {"demo_paths": ["/demo/"]}, "/demo/../x", headers=ALL),
    Case("double-slash", {"demo_paths": ["/demo/"]}, "//demo//x", headers=ALL),
    Case("other-alphabet", {"demo_paths": ["/café/"]}, "/café/x", headers=ALL),
    Case("error", status=500, headers=ALL),
    Case("not-found", status=404),
    Case("redirect", status=302, headers=(("Location", "/x"), PERSISTENT)),
    Case("own-csp", headers=(("Content-Security-Policy", "default-src *; script-src 'nonce-x'"),)),
    Case("own-headers", headers=(("Referrer-Policy", "no-referrer"), ("X-Content-Type-Options", "x"), ("X-A", "é"))),
    Case("report-only", {"csp": {"report_only": True}}),
    Case("nonce", reads_nonce=True, headers=(("Cache-Control", "public, max-age=60"), ("ETag", '"1"'))),
    Case("nonce-always", {"csp": {"nonce": "always"}}),
    Case("user-images", {"user_image_paths": ["/boards/"]}, "/boards/1"),
    Case("first-party", {"first_party": ["https://b.example"]}, reads_nonce=True),
    Case("quiet", {"logs": {"front_header": "X-Quiet"}}, "/favicon.ico", headers=ALL),
    Case("cookie-is-seen", cookie="a=b"),
    Case("cookie-is-hidden", {"cookies": {"elsewhere": "block"}}, cookie="a=b"),
]


def through_asgi(case: Case) -> tuple[int, Headers]:
    sent: list[dict[str, Any]] = []

    async def app(scope, receive, send):
        given = [*case.headers, ("X-Nonce", privguard.csp_nonce() if case.reads_nonce else "-")]
        given.append(("X-Cookie", str(dict(scope["headers"]).get(b"cookie", b"-").decode())))
        given.append(("Content-Type", "text/html"))
        pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in given]
        await send({"type": "http.response.start", "status": case.status, "headers": pairs})
        await send({"type": "http.response.body", "body": b"x"})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": case.root + case.path, "root_path": case.root, "headers": request_headers(case)}
    asyncio.run(AsgiMiddleware(app, case.settings)(scope, None, send))
    return sent[0]["status"], [(name.decode(), value.decode("latin-1")) for name, value in sent[0]["headers"]]


def through_wsgi(case: Case) -> tuple[int, Headers]:
    def app(environ, start_response):
        given = [*case.headers, ("X-Nonce", privguard.csp_nonce() if case.reads_nonce else "-")]
        given += [("X-Cookie", environ.get("HTTP_COOKIE", "-")), ("Content-Type", "text/html")]
        start_response(f"{case.status} Whatever", given)
        return [b"x"]

    return call_wsgi(WsgiMiddleware(app, case.settings), case)


def through_flask(case: Case) -> tuple[int, Headers]:
    app = flask.Flask(__name__)
    app.config["PRIVGUARD"] = case.settings
    Privguard(app)

    def answer(error=None):
        response = flask.Response(b"x", case.status, list(case.headers), content_type="text/html")
        response.headers["X-Nonce"] = flask.render_template_string("{{ csp_nonce() }}") if case.reads_nonce else "-"
        response.headers["X-Cookie"] = flask.request.headers.get("Cookie", "-")
        response.automatically_set_content_length = False
        response.autocorrect_location_header = False
        return response

    app.before_request(answer)
    return call_wsgi(app, case)


def call_wsgi(app: Any, case: Case) -> tuple[int, Headers]:
    started: list[Any] = []

    def as_latin_1(text: str) -> str:
        return text.encode().decode("latin-1")

    environ = RequestFactory()._base_environ()
    environ |= {"SCRIPT_NAME": as_latin_1(case.root), "PATH_INFO": as_latin_1(case.path), "QUERY_STRING": "x=1"}
    environ.pop("HTTP_COOKIE")
    if case.cookie:
        environ["HTTP_COOKIE"] = case.cookie
    body = app(environ, lambda *given: started.append(given))
    b"".join(body)
    if hasattr(body, "close"):
        body.close()
    return int(started[-1][0][:3]), started[-1][1]


def django_response(request: Any, case: Case) -> HttpResponse:
    response = HttpResponse(b"x", status=case.status, content_type="text/html")
    for name, value in case.headers:
        if name == "Set-Cookie":
            key, _, rest = value.partition("=")
            response.cookies[key] = rest.partition(";")[0].strip('"')
            for attribute in rest.split("; ")[1:]:
                word, _, setting = attribute.partition("=")
                response.cookies[key][word] = setting or True
        else:
            response.headers[name] = value
    response.headers["X-Nonce"] = str(request.csp_nonce) if case.reads_nonce else "-"
    response.headers["X-Cookie"] = request.headers.get("Cookie", "-")
    return response


def django_headers(response: HttpResponse) -> Headers:
    return [*response.items(), *(("Set-Cookie", morsel.OutputString()) for morsel in response.cookies.values())]


def through_django(case: Case) -> tuple[int, Headers]:
    from privguard.django import PrivacyMiddleware

    with override_settings(PRIVGUARD=case.settings, FORCE_SCRIPT_NAME=None):
        middleware = PrivacyMiddleware(lambda request: django_response(request, case))
        extra = {"SCRIPT_NAME": case.root} | ({"HTTP_COOKIE": case.cookie} if case.cookie else {})
        request = RequestFactory().get("/x", **extra)
        # the test client would resolve the path by itself, as no server does
        request.environ["PATH_INFO"] = case.path.encode().decode("latin-1")
        if not case.cookie:
            request.environ.pop("HTTP_COOKIE", None)
        response = middleware(request)
    return response.status_code, django_headers(response)


def through_async_django(case: Case) -> tuple[int, Headers]:
    from privguard.django import PrivacyMiddleware

    async def get_response(request):
        return django_response(request, case)

    with override_settings(PRIVGUARD=case.settings):
        middleware = PrivacyMiddleware(get_response)
        request = AsyncRequestFactory().get("/x")
        request.META.pop("HTTP_COOKIE", None)
        if case.cookie:
            request.META["HTTP_COOKIE"] = case.cookie
        request.scope |= {"path": case.root + case.path, "root_path": case.root}
        response = asyncio.run(middleware(request))
    return response.status_code, django_headers(response)


def request_headers(case: Case) -> list[tuple[bytes, bytes]]:
    return [(b"cookie", case.cookie.encode())] if case.cookie else []


def in_one_form(status: int, headers: Headers) -> tuple[int, list[tuple[str, str]]]:
    """What a browser makes of it: names in one case, policies one by one, the nonce by its place."""
    nonce = {name.lower(): value for name, value in headers}["x-nonce"]
    flat: list[tuple[str, str]] = []
    for name, value in headers:
        name = name.lower()
        parts = value.split(", ") if name.startswith("content-security-policy") else [value]
        assert nonce == "-" or not re.search("'nonce-", value) or f"'nonce-{nonce}'" in value
        flat += [(name, re.sub("[A-Za-z0-9_-]{22}(?='|$)", "NONCE", part)) for part in parts]
    flat = [pair for pair in flat if pair[0] != "content-length"]  # Flask knows it without being told
    return status, sorted(flat)


CARRIERS = [through_wsgi, through_flask, through_django, through_async_django]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("carrier", CARRIERS, ids=lambda carrier: carrier.__name__)
def test_outcome_is_that_of_asgi(case, carrier):
    """The same request under the same policy leaves with the same headers, whatever framework carried it."""
    assert in_one_form(*carrier(case)) == in_one_form(*through_asgi(case))


def test_table_tells_its_cases_apart():
    """Were all outcomes one, the table would prove nothing."""
    outcomes = {str(in_one_form(*through_asgi(case))) for case in CASES}
    assert len(outcomes) >= 16


urlpatterns: list[Any] = []
