"""Tests of the nonce in a Django project: one for each response, by whatever name a view or a template asks for it."""

from __future__ import annotations

import gc
import re
import weakref
from concurrent.futures import ThreadPoolExecutor

import django
import pytest
from django import shortcuts
from django.core.handlers.wsgi import WSGIHandler
from django.forms import Media
from django.http import HttpResponse, StreamingHttpResponse
from django.template import Context, RequestContext, Template
from django.test import RequestFactory, override_settings
from django.utils.functional import SimpleLazyObject
from django.views.decorators.cache import cache_page

import privguard.asgi
import privguard.wsgi
from integrations.django_project import MIDDLEWARE
from integrations.django_project.doors import DOORS, HANDLERS, OneView, visit

every_door = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
both_handlers = pytest.mark.parametrize("door", HANDLERS, ids=lambda door: door.__name__)


def hello(request):
    return HttpResponse("<p>Hello")


def render(request, template):
    return HttpResponse(Template(template).render(RequestContext(request)))


NAMES = {
    "request": lambda request: HttpResponse(request.csp_nonce),
    "as-django-names-it": lambda request: HttpResponse(request._csp_nonce),
    "function": lambda request: HttpResponse(privguard.csp_nonce()),
    "template": lambda request: render(request, "{{ csp_nonce }}"),
    "template-as-django-csp": lambda request: render(request, "{{ CSP_NONCE }}"),
    "template-through-the-request": lambda request: render(request, "{{ request.csp_nonce }}"),
}


@every_door
@pytest.mark.parametrize("name", NAMES)
def test_nonce_by_each_name(door, name):
    """The page gets 128 bits in base64url, and the header names the same and no other."""
    answer = visit(door, NAMES[name])
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", answer.body.decode())
    assert answer.nonces == {answer.body.decode()}


@every_door
def test_nonce_is_one_for_a_response_and_new_for_the_next(door):
    """All names, in one page, again and again: one nonce; on the next page another."""

    def view(request):
        parts = [one(request).content for one in NAMES.values()]
        return HttpResponse(b" ".join(parts * 2))

    with override_settings(ROOT_URLCONF=OneView(view)):
        visitor = door()
        first, second = (set(visitor.ask("GET", "/").body.split()) for _ in range(2))
    assert len(first) == len(second) == 1
    assert first != second


@every_door
def test_nonce_that_nobody_read(door):
    """A page that needs none gets none, and may be cached as before; asking whether there is one does not make one."""

    def view(request):
        seen = [bool(request.csp_nonce), bool(request._csp_nonce)]
        page = render(request, "{% if csp_nonce %}made{% endif %}{% if CSP_NONCE %}made{% endif %}")
        return HttpResponse(f"{seen} {page.content.decode()}", headers={"Cache-Control": "public", "ETag": '"1"'})

    answer = visit(door, view)
    assert answer.body == b"[False, False] "
    assert (answer.nonces, len(answer.policies)) == (set(), 1)
    assert (answer.only("cache-control"), answer.only("etag")) == ("public", '"1"')


@every_door
def test_nonce_is_true_once_it_was_read(door):
    """As Django's own is: a library's template may ask whether the page uses nonces."""

    def view(request):
        return render(request, "{{ csp_nonce }} {% if csp_nonce and CSP_NONCE and request.csp_nonce %}made{% endif %}")

    assert visit(door, view).body.endswith(b" made")


@every_door
def test_page_with_a_nonce_is_for_one_visitor(door):
    """No cache may hand it to the next, and the browser may not pair it with the header of another day."""

    def view(request):
        headers = {"Cache-Control": "public, max-age=60", "ETag": '"1"', "Last-Modified": "yesterday"}
        return HttpResponse(request.csp_nonce, headers=headers)

    answer = visit(door, view)
    assert answer.only("cache-control") == "private, max-age=60"
    assert answer.every("etag") == answer.every("last-modified") == []


@every_door
def test_nonce_admits_no_third_party_file(door):
    """The nonce lets inline code in; a second policy admits files of the site itself alone, nonce or not."""
    policies = visit(door, NAMES["request"]).policies
    assert [policy["script-src"][0] for policy in policies] == ["'self'", "'self'"]
    own_files_and_inline = ["'self'", "'unsafe-inline'"]
    assert policies[1] == {"script-src": own_files_and_inline, "style-src": own_files_and_inline}


@every_door
def test_mode_never(door):
    """There is no nonce: templates get an empty one, and code that asks is told which setting to change."""

    def view(request):
        with pytest.raises(privguard.NonceError, match=re.escape('PRIVGUARD["csp"]["nonce"] to "auto"')):
            privguard.csp_nonce()
        assert request.csp_nonce == ""
        return render(request, "[{{ csp_nonce }}{{ CSP_NONCE }}{{ request.csp_nonce }}]")

    answer = visit(door, view, PRIVGUARD={"csp": {"nonce": "never"}})
    assert (answer.body, answer.nonces) == (b"[]", set())


@every_door
def test_mode_always(door):
    """The header names a nonce on every page, and on nothing that is no page."""
    settings = {"PRIVGUARD": {"csp": {"nonce": "always"}}}
    assert len(visit(door, hello, **settings).nonces) == 1
    answer = visit(door, lambda request: HttpResponse(b"{}", content_type="application/json"), **settings)
    assert (answer.status, answer.nonces) == (200, set())


# ── streams ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def streams(request, read):
    """Two chunks, the second read when the header has long left: the nonce, or why there is none."""

    def chunks():
        yield "<p>"
        try:
            yield str(read(request))
        except privguard.NonceError as error:
            yield str(error)

    async def async_chunks():
        for chunk in chunks():
            yield chunk

    return StreamingHttpResponse(async_chunks() if hasattr(request, "scope") else chunks())


READS = {"request": lambda request: request.csp_nonce, "function": lambda request: privguard.csp_nonce()}


@every_door
@pytest.mark.parametrize("read", READS)
def test_nonce_read_too_late(door, read):
    """A stream that asks for its first nonce after the header left gets an error that says what to do, not a page
    that the browser will not run."""
    answer = visit(door, lambda request: streams(request, READS[read]))
    assert answer.body.endswith(b'before the response starts, or set PRIVGUARD["csp"]["nonce"] to "always"')
    assert answer.nonces == set()


@every_door
@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("mode", ["auto", "always"])
def test_nonce_of_a_stream_that_is_in_time(door, read, mode):
    """What the error says helps: the nonce is read before the stream starts, or made for every page."""

    def view(request):
        if mode == "auto":
            READS[read](request)[:1]
        return streams(request, READS[read])

    answer = visit(door, view, PRIVGUARD={"csp": {"nonce": mode}})
    assert answer.nonces == {answer.body.decode().removeprefix("<p>")}


# ── what a view does to its response and its nonce ───────────────────────────────────────────────────────────────────


@every_door
@pytest.mark.parametrize("mode", ["auto", "always"])
def test_response_that_a_view_returns_again_and_again(door, mode):
    """Each time it leaves with the policies of that time, and with no others."""
    kept = HttpResponse("<p>Hello")
    kept.headers["Content-Security-Policy"] = "img-src 'none'"

    def view(request):
        str(request.csp_nonce)
        return kept

    with override_settings(ROOT_URLCONF=OneView(view), PRIVGUARD={"csp": {"nonce": mode}}):
        visitor = door()
        answers = [visitor.ask("GET", "/") for _ in range(3)]
    assert [len(answer.policies) for answer in answers] == [3, 3, 3]
    assert [len(answer.nonces) for answer in answers] == [1, 1, 1]
    assert len(set.union(*(answer.nonces for answer in answers))) == 3


@every_door
@pytest.mark.parametrize("theirs", ["x'; img-src *; a 'b", "日本", "short", ""])
def test_nonce_of_the_apps_that_is_none_does_not_get_into_the_policy(door, theirs):
    """An app shares its nonce with the policy; it does not write the policy."""

    def view(request):
        request._csp_nonce = theirs
        return HttpResponse(privguard.csp_nonce())

    answer = visit(door, view)
    assert answer.nonces == {answer.body.decode()} and theirs != answer.body.decode()
    assert answer.policies[0]["img-src"] == ["'self'", "data:"]


@every_door
def test_nonce_of_the_apps_that_asks_for_ours_in_turn(door):
    """Nobody waits for anybody."""

    def view(request):
        request._csp_nonce = SimpleLazyObject(privguard.csp_nonce)
        return HttpResponse(privguard.csp_nonce())

    answer = visit(door, view)
    assert answer.nonces == {answer.body.decode()}


@every_door
@pytest.mark.parametrize("reads", [True, False])
def test_page_with_a_nonce_is_not_for_djangos_cache(door, reads):
    """Nobody gets another visitor's nonce; a page without one is cached as ever."""
    made = []

    @cache_page(60)
    def view(request):
        made.append(request)
        return HttpResponse(request.csp_nonce if reads else "<p>Hello")

    caches = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": str(id(made))}}
    with override_settings(ROOT_URLCONF=OneView(view), CACHES=caches):
        answers = [door().ask("GET", "/") for _ in range(2)]
    assert len(made) == (2 if reads else 1)
    assert all(answer.nonces == ({answer.body.decode()} if reads else set()) for answer in answers)


@pytest.mark.parametrize("reads", [True, False])
def test_requests_leave_nothing_for_the_garbage_collector(reads):
    """What a request held, uploads included, is free when it is over."""
    requests = []

    def view(request):
        requests.append(weakref.ref(request))
        return HttpResponse(request.csp_nonce if reads else "<p>Hello")

    # alone: Django's middleware for messages, among others, leaves cycles of its own
    with override_settings(ROOT_URLCONF=OneView(view), MIDDLEWARE=MIDDLEWARE[:1]):
        handler = WSGIHandler()
        gc.disable()
        try:
            for _ in range(2):
                response = handler(RequestFactory()._base_environ(), lambda status, headers: None)
                b"".join(response)
                response.close()
                del response
            assert requests[0]() is None
        finally:
            gc.enable()


# ── the template tag ─────────────────────────────────────────────────────────────────────────────────────────────────

LOAD = "{% load privguard %}"
TAG = LOAD + "<script {% csp_nonce_attr %}></script>"
LOCMEM = "django.template.loaders.locmem.Loader"
PAGES = {
    "base.html": LOAD + "<style {% csp_nonce_attr %}></style>{% block content %}{% endblock %}",
    "page.html": "{% extends 'base.html' %}{% block content %}{% include 'part.html' only %}{% endblock %}",
    "part.html": TAG,
}


def templates(**options):
    """TEMPLATES without any context processor, and with what is asked for."""
    backend = "django.template.backends.django.DjangoTemplates"
    return [{"BACKEND": backend, "OPTIONS": {"loaders": [(LOCMEM, PAGES)], **options}}]


async def asynchronous(request):
    return render(request, TAG)


TAGS = {
    "with-the-request": lambda request: render(request, TAG),
    "without-the-request": lambda request: HttpResponse(Template(TAG).render(Context())),
    "with-the-request-by-name": lambda request: HttpResponse(Template(TAG).render(Context({"request": request}))),
    "unescaped": lambda request: render(
        request, LOAD + "{% autoescape off %}<b {% csp_nonce_attr %}>{% endautoescape %}"
    ),
    "as-a-variable": lambda request: render(request, LOAD + "{% csp_nonce_attr as nonce %}<b {{ nonce }}>"),
    "in-an-asynchronous-view": asynchronous,
}


@every_door
@pytest.mark.parametrize("view", TAGS)
def test_nonce_by_the_template_tag(door, view):
    """It writes the whole attribute, and needs no context processor."""
    with override_settings(TEMPLATES=templates()):
        answer = visit(door, TAGS[view])
    (nonce,) = answer.nonces
    assert answer.body.decode() in (f'<script nonce="{nonce}"></script>', f'<b nonce="{nonce}">')


@every_door
def test_template_tag_in_templates_that_include_others(door):
    """Base, page and part: one nonce."""
    with override_settings(TEMPLATES=templates()):
        answer = visit(door, lambda request: shortcuts.render(request, "page.html"))
    (nonce,) = answer.nonces
    assert answer.body.decode() == f'<style nonce="{nonce}"></style><script nonce="{nonce}"></script>'


@every_door
def test_template_tag_in_a_thread_of_the_apps_own(door):
    """A thread that does not know its request learns of it from the template's context."""

    def view(request):
        with ThreadPoolExecutor() as pool:
            return pool.submit(render, request, TAG).result()

    answer = visit(door, view)
    assert {f'<script nonce="{nonce}"></script>' for nonce in answer.nonces} == {answer.body.decode()}


@every_door
@pytest.mark.parametrize("view", ["with-the-request", "without-the-request"])
def test_template_tag_in_mode_never(door, view):
    """It writes nothing: no empty attribute, and no error."""
    answer = visit(door, TAGS[view], PRIVGUARD={"csp": {"nonce": "never"}})
    assert (answer.body, answer.nonces) == (b"<script ></script>", set())


@pytest.mark.parametrize("context", [Context(), Context({"request": None}), RequestContext(RequestFactory().get("/"))])
def test_template_tag_outside_of_a_request(context):
    """An e-mail or a page that a command makes has no nonce, and the tag writes nothing."""
    assert Template(TAG).render(context) == "<script ></script>"


def test_template_tag_when_the_request_is_over():
    """A nonce that no header names any more is not given out."""
    requests = []

    def view(request):
        requests.append(request)
        return HttpResponse(Template(TAG).render(Context()))

    assert visit(DOORS[0], view).nonces
    assert Template(TAG).render(RequestContext(requests[0])) == "<script ></script>"


@every_door
@pytest.mark.parametrize("mode", ["auto", "always"])
def test_template_tag_in_a_stream(door, mode):
    """When the header has left without a nonce it is an error that says what to do, and never an attribute in vain."""
    answer = visit(
        door,
        lambda request: streams(request, lambda one: render(one, TAG).content.decode()),
        PRIVGUARD={"csp": {"nonce": mode}},
    )
    if mode == "auto":
        assert answer.body.endswith(b'before the response starts, or set PRIVGUARD["csp"]["nonce"] to "always"')
    else:
        assert {f'<p><script nonce="{nonce}"></script>' for nonce in answer.nonces} == {answer.body.decode()}


@every_door
@pytest.mark.parametrize("mode", ["auto", "never"])
def test_template_tag_with_the_media_of_a_form(door, mode):
    """As Django's own tag of this name has it: for all templates at once, it can take that one's place."""

    def view(request):
        return HttpResponse(Template("{% csp_nonce_attr media %}").render(Context({"media": Media(js=["/x.js"])})))

    library = templates(builtins=["privguard.django.templatetags.privguard"])
    with override_settings(TEMPLATES=library):
        answer = visit(door, view, PRIVGUARD={"csp": {"nonce": mode}})
    nonces = [f' nonce="{nonce}"' for nonce in answer.nonces] if django.VERSION >= (6, 1) else []
    assert answer.body.decode() == f'<script src="/x.js"{"".join(nonces)}></script>'
    assert len(answer.nonces) == (mode == "auto")
