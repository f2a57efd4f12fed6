"""Tests of a Django project behind privguard, through each way into it: what visitors get and what the project sees."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.management import call_command
from django.core.signals import got_request_exception, request_started
from django.db import connections
from django.http import FileResponse, Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http import StreamingHttpResponse as Streaming
from django.test import AsyncRequestFactory, Client, RequestFactory, override_settings
from django.views.decorators.http import require_POST

import privguard.asgi
import privguard.wsgi
from integrations.django_project import MIDDLEWARE, PRIVGUARD_MIDDLEWARE, SYNC_ONLY
from integrations.django_project.doors import DOORS, HANDLERS, AsgiDoor, OneView, WsgiDoor, visit
from privguard._exchange import Exchange
from privguard.django import PrivacyMiddleware

WITHOUT_PRIVGUARD = [one for one in MIDDLEWARE if one != PRIVGUARD_MIDDLEWARE]
EPOCH = "Thu, 01 Jan 1970 00:00:00 GMT"

every_door = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
both_handlers = pytest.mark.parametrize("door", HANDLERS, ids=lambda door: door.__name__)


@pytest.fixture(scope="module", autouse=True)
def database():
    """The project's tables, and a user who may log in."""
    call_command("migrate", verbosity=0)
    if not get_user_model().objects.exists():
        get_user_model().objects.create_user("ada", password="lovelace")
    yield
    connections.close_all()


def hello(request):
    return HttpResponse("<p>Hello")


def log_in(visitor):
    """Fill the form in and send it, as a browser would."""
    page = visitor.ask("GET", "/accounts/login/")
    token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page.body)[1].decode()
    return visitor.ask("POST", "/accounts/login/", f"csrfmiddlewaretoken={token}&username=ada&password=lovelace")


def log_out(visitor):
    page = visitor.ask("GET", "/accounts/login/")
    token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page.body)[1].decode()
    return visitor.ask("POST", "/accounts/logout/", f"csrfmiddlewaretoken={token}")


# ── log-ins ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@every_door
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"PRIVGUARD": {"cookies": {"elsewhere": "downgrade"}}},
        {"PRIVGUARD": {"demo_paths": ["/members/"]}},
        {"PRIVGUARD": {"cookies": {"visit": []}}},
        {"SESSION_COOKIE_NAME": "who", "CSRF_COOKIE_NAME": "form"},
        {"CSRF_USE_SESSIONS": True},
    ],
    ids=["default", "downgrade", "demo", "no-visit-names", "renamed", "csrf-in-session"],
)
def test_log_in_and_log_out(door, settings):
    """Who logs in is known on the next page, and who logs out no more."""
    with override_settings(**settings):
        visitor = door()
        assert visitor.ask("GET", "/members/").status == 302
        assert log_in(visitor).only("location") == "/members/"
        assert visitor.ask("GET", "/members/").body == b"<p>Hello ada"
        assert log_out(visitor).only("location") == "/"
        assert visitor.ask("GET", "/members/").status == 302


@every_door
def test_cookies_of_a_log_in_last_for_the_visit(door):
    """Django makes its own cookies last for two weeks and a year; here they say nothing of time, and all the rest."""
    csrf, session = log_in(door()).every("set-cookie")
    assert re.fullmatch(r"csrftoken=\w{32}; Path=/; SameSite=Lax", csrf)
    assert re.fullmatch(r"sessionid=\w{32}; HttpOnly; Path=/; SameSite=Lax", session)


@every_door
def test_cookies_of_a_log_in_without_privguard(door):
    """Were Django's own cookies no longer persistent, the test above would prove nothing."""
    with override_settings(MIDDLEWARE=WITHOUT_PRIVGUARD):
        assert all("Max-Age=" in cookie for cookie in log_in(door()).every("set-cookie"))


@every_door
def test_log_out_deletes_the_session_cookie(door):
    """The deletion leaves as Django wrote it."""
    visitor = door()
    log_in(visitor)
    deletions = [one for one in log_out(visitor).every("set-cookie") if one.startswith("sessionid=")]
    assert deletions == [f'sessionid=""; expires={EPOCH}; Max-Age=0; Path=/; SameSite=Lax']


# ── cookies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def sets_cookies(request):
    response = HttpResponse()
    response.set_cookie("visitor", "1", max_age=3600, httponly=True)
    response.set_cookie(
        "sessionid", 'a"b;c', max_age=60, expires=EPOCH, path="/x", domain="a.example", secure=True, samesite="Strict"
    )
    response.set_cookie("cart", "1", samesite="Lax")
    response.delete_cookie("gone")
    return response


VISIT_CUT = r'sessionid="a\"b\073c"; Domain=a.example; Path=/x; SameSite=Strict; Secure'
CART = "cart=1; Path=/; SameSite=Lax"
DELETION = f'gone=""; expires={EPOCH}; Max-Age=0; Path=/'
COOKIES = {
    "downgrade": ["visitor=1; HttpOnly; Path=/", VISIT_CUT, CART, DELETION],
    "strip": [VISIT_CUT, CART, DELETION],
    "block": [DELETION],
}


@every_door
@pytest.mark.parametrize("mode", COOKIES)
def test_cookies_in_each_mode(door, mode):
    """Lifetimes are cut out, or the cookie is dropped; every other byte is as Django wrote it."""
    answer = visit(door, sets_cookies, PRIVGUARD={"cookies": {"elsewhere": mode}})
    assert answer.every("set-cookie") == COOKIES[mode]


@every_door
def test_cookies_on_a_demo_page(door):
    """A demo page may keep what it likes; the page beside it may not."""
    settings = {"PRIVGUARD": {"demo_paths": ["/demo/"]}}
    bare = [one.partition("=")[0] for one in visit(door, sets_cookies, "/demo/x", **settings).every("set-cookie")]
    assert bare == ["visitor", "sessionid", "cart", "gone"]
    demo = visit(door, sets_cookies, "/demo/x", **settings).every("set-cookie")
    assert re.fullmatch(r"visitor=1; expires=[^;]+ GMT; HttpOnly; Max-Age=3600; Path=/", demo[0])
    assert visit(door, sets_cookies, "/demolition", **settings).every("set-cookie") == COOKIES["strip"]


@every_door
@pytest.mark.parametrize(
    ("given", "left"),
    [
        ("visitor=1; Max-Age=3600", []),
        ("sessionid=1;max-age=3600 ;Path=/", ["sessionid=1;Path=/"]),
        ("cart=1; path=/", ["cart=1; path=/"]),
        ("visitor=; max-age=0", ["visitor=; max-age=0"]),
    ],
    ids=["persistent", "visit", "session", "deletion"],
)
def test_cookie_set_as_a_plain_header(door, given, left):
    """A cookie that was written by hand, past Django's own, is judged like any other."""

    def view(request):
        response = HttpResponse(headers={"Set-Cookie": given})
        response.set_cookie("cart", "2")
        return response

    assert sorted(visit(door, view).every("set-cookie")) == sorted([*left, "cart=2; Path=/"])


@every_door
def test_lifetime_smuggled_into_an_attribute(door):
    """Python writes an attribute as it is given, with a semicolon and what follows: the lifetime in it is cut out."""

    def view(request):
        response = HttpResponse()
        for name in ("visitor", "sessionid"):
            response.set_cookie(name, "1", path="/; Max-Age=3600")
        return response

    assert visit(door, view).every("set-cookie") == ["sessionid=1; Path=/"]


@every_door
def test_cookie_that_no_server_can_send(door):
    """A cookie with letters beyond latin-1 would end in a failure of the server; without it the page arrives."""

    def view(request):
        response = HttpResponse("<p>Hello")
        response.set_cookie("price", "5\N{EURO SIGN}")
        return response

    answer = visit(door, view)
    assert (answer.status, answer.body, answer.every("set-cookie")) == (200, b"<p>Hello", [])


@every_door
def test_message_kept_in_a_cookie(door):
    """A message to the visitor is shown once: its cookie is for the visit, and its deletion passes."""

    def view(request):
        if request.path == "/save":
            messages.success(request, "Saved.")
        else:
            return HttpResponse(" ".join(map(str, messages.get_messages(request))))
        return HttpResponse()

    storage = "django.contrib.messages.storage.cookie.CookieStorage"
    with override_settings(ROOT_URLCONF=OneView(view), MESSAGE_STORAGE=storage):
        visitor = door()
        (cookie,) = visitor.ask("GET", "/save").every("set-cookie")
        assert "Max-Age" not in cookie
        shown = visitor.ask("GET", "/")
        assert shown.body == b"Saved."
        assert shown.only("set-cookie").startswith(f'messages=""; expires={EPOCH}; Max-Age=0;')
        assert visitor.ask("GET", "/").body == b""


def shows_what_it_sees(request):
    scope = getattr(request, "scope", {"headers": []})
    return JsonResponse(
        {
            "cookies": request.COOKIES,
            "meta": request.META.get("HTTP_COOKIE"),
            "headers": request.headers.get("Cookie"),
            "scope": [name.decode() for name, _ in scope["headers"] if name == b"cookie"],
            "agent": request.headers.get("User-Agent"),
        }
    )


@both_handlers
def test_no_cookie_is_seen_where_all_are_blocked(door):
    """Under "block" the project sees no cookie, by whatever name it looks; everything else of the request it does."""
    with override_settings(ROOT_URLCONF=OneView(shows_what_it_sees), PRIVGUARD={"cookies": {"elsewhere": "block"}}):
        seen = door().ask("GET", "/", Cookie="sessionid=1; a=b", User_Agent="x").body
    assert json.loads(seen) == {"cookies": {}, "meta": None, "headers": None, "scope": [], "agent": "x"}


@both_handlers
def test_cookies_are_seen_where_they_are_not_blocked(door):
    """Every other mode judges what is set, never what is sent."""
    with override_settings(ROOT_URLCONF=OneView(shows_what_it_sees)):
        assert b'{"cookies": {"a": "b"}, "meta": "a=b", "headers": "a=b"' in door().ask("GET", "/", Cookie="a=b").body


@pytest.mark.parametrize("request_class", [RequestFactory, AsyncRequestFactory])
def test_no_cookie_is_seen_that_was_read_before(request_class):
    """What a middleware before privguard has read, and the request keeps, is hidden as well."""
    request = request_class().get("/", headers={"Cookie": "a=b", "User-Agent": "x"})
    assert b"a=b" in shows_what_it_sees(request).content
    with override_settings(PRIVGUARD={"cookies": {"elsewhere": "block"}}):
        middleware = PrivacyMiddleware(shows_what_it_sees)
    seen = middleware(request).content
    assert json.loads(seen) == {"cookies": {}, "meta": None, "headers": None, "scope": [], "agent": "x"}


# ── the policy on every answer ───────────────────────────────────────────────────────────────────────────────────────


def missing(request):
    raise Http404


def fails(request):
    raise ZeroDivisionError


def denies(request):
    raise PermissionDenied


def suspects(request):
    raise SuspiciousOperation


async def streams_late(request):
    async def chunks():
        yield b"<p>"
        yield b"Hello"

    return Streaming(chunks())


def sends_a_file(request):
    return FileResponse(Path(__file__).open("rb"))  # the response closes it


ANSWERS = {
    "page": (hello, "GET", 200),
    "head": (hello, "HEAD", 200),
    "missing": (missing, "GET", 404),
    "fails": (fails, "GET", 500),
    "denies": (denies, "GET", 403),
    "suspects": (suspects, "GET", 400),
    "csrf-failure": (hello, "POST", 403),
    "wrong-method": (require_POST(hello), "GET", 405),
    "redirect": (lambda request: HttpResponseRedirect("/x"), "GET", 302),
    "file": (sends_a_file, "GET", 200),
    "stream": (lambda request: Streaming(iter([b"<p>", b"Hello"])), "GET", 200),
    "async-stream": (streams_late, "GET", 200),
}


@every_door
@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")  # Django on the other half's streams
def test_every_answer_carries_the_policy(door, kind):
    """Whatever Django answers, with whatever status and however it is sent, third parties stay out."""
    view, method, status = ANSWERS[kind]
    answer = visit(door, view, method=method)
    assert answer.status == status
    policy = answer.policies[0]
    assert policy["default-src"] == ["'none'"]
    sources = {one for sources in policy.values() for one in sources}
    assert {one for one in sources if not one.startswith("'nonce-")} == {"'none'", "'self'", "data:"}
    assert answer.only("x-content-type-options") == "nosniff"
    assert answer.only("referrer-policy") == "same-origin"
    if kind == "file":
        assert answer.body == Path(__file__).read_bytes()
    if kind.endswith("stream"):
        assert answer.body == b"<p>Hello"


@every_door
def test_answer_not_modified_carries_the_policy(door):
    """A 304 makes the browser take the page that it has, with the policy of today."""
    middleware = [*MIDDLEWARE, "django.middleware.http.ConditionalGetMiddleware"]
    with override_settings(ROOT_URLCONF=OneView(hello), MIDDLEWARE=middleware):
        visitor = door()
        etag = visitor.ask("GET", "/").only("etag")
        answer = visitor.ask("GET", "/", If_None_Match=etag)
    assert (answer.status, answer.body) == (304, b"")
    assert answer.policies[0]["default-src"] == ["'none'"]


@every_door
def test_everything_else_of_the_answer_is_the_projects(door):
    """privguard's own headers stand first; what follows is what leaves without it, in order and letter for letter."""

    def view(request):
        headers = {"X-B": " 1", "x-a": "2", "Vary": "Accept", "Cache-Control": "public", "ETag": '"x"'}
        return HttpResponse("é", status=203, reason="Why not", headers=headers)

    with override_settings(SECURE_CONTENT_TYPE_NOSNIFF=False, SECURE_REFERRER_POLICY=None):
        bare = visit(door, view, MIDDLEWARE=WITHOUT_PRIVGUARD)
        guarded = visit(door, view)
    assert (guarded.status, guarded.body) == (bare.status, bare.body)
    ours = len(guarded.headers) - len(bare.headers)
    assert guarded.headers[ours:] == bare.headers
    assert sorted(name for name, _ in guarded.headers[:ours]) == [
        "content-security-policy",
        "permissions-policy",
        "referrer-policy",
        "x-content-type-options",
        "x-dns-prefetch-control",
    ]


@every_door
@pytest.mark.parametrize("name", ["Content-Security-Policy", "content-security-policy"])
def test_policy_of_the_projects_own_stays_beside_ours(door, name):
    """A browser enforces both, so a view may tighten the policy and never widen it."""

    def view(request):
        return HttpResponse(headers={name: "default-src *; img-src 'none'"})

    ours, theirs = visit(door, view).policies
    assert ours["default-src"] == ["'none'"]
    assert theirs == {"default-src": ["*"], "img-src": ["'none'"]}


@every_door
def test_policy_of_the_projects_own_that_begins_like_ours(door):
    """Copied from ours and made wider at its end: ours still holds beside it."""
    copied = visit(door, hello).only("content-security-policy") + " https://other.example"
    answer = visit(door, lambda request: HttpResponse(headers={"Content-Security-Policy": copied}))
    assert [policy["frame-ancestors"] for policy in answer.policies] == [
        ["'self'"],
        ["'self'", "https://other.example"],
    ]


@every_door
@pytest.mark.parametrize("own", [{}, {"Content-Security-Policy": "img-src 'none'"}], ids=["ours", "theirs-too"])
def test_response_object_that_a_view_returns_again(door, own):
    """One object for every request, as a health check may have it, has the same headers each time."""
    response = HttpResponse(headers=own)
    with override_settings(ROOT_URLCONF=OneView(lambda request: response)):
        visitor = door()
        first, *more = (visitor.ask("GET", "/") for _ in range(3))
    assert len(first.policies) == 1 + len(own)
    assert [one.policies for one in more] == [first.policies] * 2


@every_door
def test_policy_that_only_reports(door):
    """A site that tries the policy out keeps its own in force."""

    def view(request):
        return HttpResponse(headers={"Content-Security-Policy": "img-src *"})

    answer = visit(door, view, PRIVGUARD={"csp": {"report_only": True}})
    assert answer.policies == [{"img-src": ["*"]}]
    assert "default-src 'none'" in answer.only("content-security-policy-report-only")


@both_handlers
def test_two_handlers_with_two_policies(door):
    """Two sites in one process keep to a policy each."""
    with override_settings(ROOT_URLCONF=OneView(sets_cookies)):
        with override_settings(PRIVGUARD={"cookies": {"elsewhere": "block"}, "csp": {"report_only": True}}):
            first = door()
        with override_settings(PRIVGUARD={"cookies": {"elsewhere": "downgrade"}}):
            second = door()
        for _ in range(2):
            blocked, downgraded = first.ask("GET", "/"), second.ask("GET", "/")
            assert (blocked.every("set-cookie"), blocked.policies) == (COOKIES["block"], [])
            assert (downgraded.every("set-cookie"), len(downgraded.policies)) == (COOKIES["downgrade"], 1)


# ── the pages that Django shows its developer ────────────────────────────────────────────────────────────────────────

DEBUG_PAGES = {
    "missing": (OneView(missing), "GET", "testserver", 404),
    "fails": (OneView(fails), "GET", "testserver", 500),
    "suspects": (OneView(suspects), "GET", "testserver", 400),
    "csrf-failure": (OneView(hello), "POST", "testserver", 403),
    "unknown-host": (OneView(hello), "GET", "elsewhere.example", 400),
    "no-urls": (type("NoUrls", (), {"urlpatterns": []}), "GET", "testserver", 200),
}


def debug_page(door, kind, debug):
    urlconf, method, host, _ = DEBUG_PAGES[kind]
    with override_settings(ROOT_URLCONF=urlconf, ALLOWED_HOSTS=["testserver"], DEBUG=debug):
        return door().ask(method, "/", Host=host)


@both_handlers
@pytest.mark.parametrize("kind", DEBUG_PAGES)
def test_debug_page_is_readable_and_contacts_nobody(door, kind):
    """Under DEBUG Django's own error pages keep their styles and scripts, and still no third party is admitted."""
    answer = debug_page(door, kind, debug=True)
    assert answer.status == DEBUG_PAGES[kind][-1]
    assert b"<style" in answer.body
    (policy,) = answer.policies
    assert policy["script-src"] == policy["style-src"] == ["'self'", "'unsafe-inline'"]
    assert {one for sources in policy.values() for one in sources} == {"'none'", "'self'", "'unsafe-inline'", "data:"}


@both_handlers
@pytest.mark.parametrize("kind", DEBUG_PAGES)
def test_error_page_without_debug_admits_no_inline_code(door, kind):
    """What a visitor sees keeps to the policy."""
    policy = debug_page(door, kind, debug=False).policies[0]
    assert "'unsafe-inline'" not in policy["script-src"] + policy["style-src"]


@every_door
def test_page_without_debug_that_looks_like_djangos_own(door):
    """Whatever a page says of itself, a visitor's is held to the policy."""
    answer = visit(door, lambda request: HttpResponse("<code>DEBUG = True</code>"))
    assert "unsafe-inline" not in answer.only("content-security-policy")


@every_door
def test_ordinary_page_under_debug_keeps_to_the_policy(door):
    """The developer sees on every page of the project what the visitors will."""
    assert "unsafe-inline" not in visit(door, hello, DEBUG=True).only("content-security-policy")


# ── when something fails ─────────────────────────────────────────────────────────────────────────────────────────────


@both_handlers
def test_settings_with_a_mistake(door):
    """The server does not start, and the message names the key."""
    names_it = pytest.raises(privguard.SettingsError, match=re.escape('PRIVGUARD["cookies"]["elswhere"]: no such key'))
    with override_settings(PRIVGUARD={"cookies": {"elswhere": "strip"}}), names_it:
        door()


@every_door
@pytest.mark.parametrize("where", ["__init__", "response_headers"])
def test_failure_of_privguard_itself(door, where, monkeypatch, caplog):
    """Nothing unguarded leaves: the answer is a bare 500, the line in the log says where, and names no visitor."""

    def fail(*args, **kwargs):
        raise LookupError("what the visitor sent")

    closed = []

    def view(request):
        response = sets_cookies(request)
        response._resource_closers.append(lambda: closed.append(True))
        return response

    monkeypatch.setattr(Exchange, where, fail)
    answer = visit(door, view)
    assert (answer.status, answer.body) == (500, b"Internal Server Error")
    assert answer.headers == [("content-type", "text/plain; charset=utf-8")]
    assert closed == ([] if where == "__init__" else [True])
    (record,) = [one for one in caplog.records if one.name == "privguard"]
    assert record.levelno == logging.ERROR
    assert "LookupError" in record.getMessage()
    assert "what the visitor sent" not in caplog.text


@every_door
def test_failure_of_the_project_itself(door, caplog):
    """The project's exceptions end in its own 500 page, its own log and its own signal, as they did."""
    heard = []

    def hear(sender, request, **kwargs):
        heard.append(request.path)

    got_request_exception.connect(hear)
    try:
        bare = visit(door, fails, "/x", MIDDLEWARE=WITHOUT_PRIVGUARD)
        guarded = visit(door, fails, "/x")
    finally:
        got_request_exception.disconnect(hear)
    assert (guarded.status, guarded.body) == (bare.status, bare.body)
    assert heard == ["/x", "/x"]
    lines = [(one.name, one.getMessage(), one.exc_info[0]) for one in caplog.records]
    assert lines == [("django.request", "Internal Server Error: /x", ZeroDivisionError)] * 2


def test_failure_of_the_project_in_its_own_tests():
    """Django's test client raises what the view raised."""
    with override_settings(ROOT_URLCONF=OneView(fails)), pytest.raises(ZeroDivisionError):
        Client().get("/")


# ── sync and async ───────────────────────────────────────────────────────────────────────────────────────────────────


def sync_view(request):
    return HttpResponse(privguard.csp_nonce())


async def async_view(request):
    return HttpResponse(privguard.csp_nonce())


@every_door
@pytest.mark.parametrize("view", [sync_view, async_view], ids=["sync", "async"])
@pytest.mark.parametrize("between", [[], [SYNC_ONLY]], ids=["direct", "through-sync-middleware"])
def test_view_knows_its_request_wherever_django_runs_it(door, view, between):
    """In a thread beside the loop or in a loop of its own, a view and its response have one nonce."""
    answer = visit(door, view, MIDDLEWARE=[PRIVGUARD_MIDDLEWARE, *between, *MIDDLEWARE[1:]])
    assert answer.nonces == {answer.body.decode()}


@both_handlers
def test_django_need_not_adapt_the_middleware(door, caplog):
    """It is of both kinds, so that under ASGI no request leaves the loop on its account."""
    caplog.set_level(logging.DEBUG, "django.request")
    with override_settings(MIDDLEWARE=[PRIVGUARD_MIDDLEWARE], DEBUG=True):
        door()
    assert [one.getMessage() for one in caplog.records if "adapted for middleware" in one.getMessage()] == []
    with override_settings(MIDDLEWARE=[SYNC_ONLY, PRIVGUARD_MIDDLEWARE], DEBUG=True):
        AsgiDoor()
    assert "adapted for middleware" in caplog.text


# ── logs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@every_door
def test_request_for_the_favicon_is_not_logged(door, caplog):
    """Browsers ask for it by themselves: neither Django nor the view writes a line about it."""

    def view(request):
        logging.getLogger("site").error("seen")
        return missing(request)

    assert visit(door, view, "/favicon.ico?x=1").status == 404
    assert caplog.records == []


@every_door
def test_ordinary_request_is_logged(door, caplog):
    """Also one that only looks like the favicon's."""
    visit(door, missing, "/favicon.ico-x")
    assert [one.getMessage() for one in caplog.records] == ["Not Found: /favicon.ico-x"]


@every_door
def test_nothing_is_logged_of_a_request_after_it_was_flagged(door, caplog):
    """Not even what went wrong with it, which Django would log with the whole request, and mail to the admins."""

    def view(request):
        logging.getLogger("site").error("before")
        privguard.flag_child()
        logging.getLogger("site").error("after")
        raise ZeroDivisionError

    assert visit(door, view).status == 500
    assert [one.getMessage() for one in caplog.records] == ["before"]


def test_static_file_after_the_favicon_is_logged(caplog):
    """A static file never gets to privguard; that the favicon came before it on a connection silences nothing."""
    visit(WsgiDoor, missing, "/favicon.ico")
    logging.getLogger("site.access").error("GET /favicon.ico")  # by a server that writes when all is done
    request_started.send(sender=None, environ={})
    logging.getLogger("site.access").error("GET /static/site.css")
    assert [one.getMessage() for one in caplog.records] == ["GET /static/site.css"]


def test_request_in_progress_is_not_forgotten():
    """Django says that a request has begun when a guard around the whole application has taken it up already."""

    def application(environ, start_response):
        request_started.send(sender=None, environ=environ)
        nonce = privguard.csp_nonce()
        start_response("200 OK", [])
        return [nonce.encode()]

    assert len(WsgiDoor(lambda _: privguard.wsgi.PrivacyMiddleware(application)).ask("GET", "/").body) == 22


# ── around the whole application ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("door", "guard"), [(WsgiDoor, privguard.wsgi.PrivacyMiddleware), (AsgiDoor, privguard.asgi.PrivacyMiddleware)]
)
def test_guard_around_the_whole_application_too(door, guard):
    """Both policies hold, with one nonce; a cookie passes that both let through."""

    def view(request):
        response = sets_cookies(request)
        response.content = request.csp_nonce
        return response

    outer = {"cookies": {"elsewhere": "downgrade"}, "csp": {"directives": {"img-src": ["'none'"]}}}
    with override_settings(ROOT_URLCONF=OneView(view)):
        answer = door(lambda application: guard(application, outer)).ask("GET", "/")
    images = [policy["img-src"] for policy in answer.policies if "img-src" in policy]
    assert images == [["'none'"], ["'self'", "data:"]]
    assert answer.nonces == {answer.body.decode()}
    assert len([policy for policy in answer.policies if "nonce" in str(policy)]) == 2
    assert answer.every("set-cookie") == COOKIES["strip"]


@every_door
def test_middleware_listed_twice(door):
    """By mistake, or by two settings files: the answer is guarded as it is with one, and has one nonce."""
    answer = visit(door, sync_view, MIDDLEWARE=[PRIVGUARD_MIDDLEWARE, *MIDDLEWARE])
    assert answer.nonces == {answer.body.decode()}
