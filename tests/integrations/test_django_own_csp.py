"""Tests of the nonce beside Django's own Content-Security-Policy (6.0) and its template tag (6.1)."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.template import RequestContext, Template
from django.test import override_settings

import privguard.asgi
import privguard.wsgi
from integrations.django_project import MIDDLEWARE
from integrations.django_project.doors import DOORS, AsgiDoor, OneView, WsgiDoor, visit
from integrations.test_django_nonce import NAMES, hello

every_door = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)

OWN_CSP = "django.middleware.csp.ContentSecurityPolicyMiddleware"
SECURE_CSP = {"script-src": ["'self'", "<CSP_NONCE_SENTINEL>"], "img-src": ["'none'"]}


def with_own_csp(door, view, **settings):
    return visit(door, view, SECURE_CSP=SECURE_CSP, **{"MIDDLEWARE": [*MIDDLEWARE, OWN_CSP], **settings})


def own_name(request):
    """By Django's own context processor."""
    from django.template.context_processors import csp

    return HttpResponse(Template("{{ csp_nonce }}").render(RequestContext(request, processors=[csp])))


def both_names(request):
    first, second = own_name(request).content, str(request.csp_nonce).encode()
    return HttpResponse(first if first == second else b"two nonces")


@every_door
@pytest.mark.parametrize("view", [own_name, NAMES["request"], NAMES["template"], both_names])
def test_nonce_is_shared_with_djangos_own_policy(door, view):
    """Whichever of the two makes the nonce: both policies are sent, and name the same one."""
    answer = with_own_csp(door, view)
    assert answer.nonces == {answer.body.decode()}
    assert answer.policies[0]["default-src"] == ["'none'"]
    assert answer.policies[-1] == {"script-src": ["'self'", f"'nonce-{answer.body.decode()}'"], "img-src": ["'none'"]}


@every_door
def test_nonce_that_nobody_read_beside_djangos_own_policy(door):
    """Both policies are sent, without one."""
    answer = with_own_csp(door, hello)
    assert (answer.nonces, len(answer.policies)) == (set(), 2)
    assert answer.policies[1] == {"script-src": ["'self'"], "img-src": ["'none'"]}


@every_door
def test_mode_never_beside_djangos_own_policy(door):
    """Django's nonce stays Django's; privguard's policy does not name it."""
    answer = with_own_csp(door, own_name, PRIVGUARD={"csp": {"nonce": "never"}})
    assert len(answer.policies) == 2
    assert "nonce" not in str(answer.policies[0])
    assert f"'nonce-{answer.body.decode()}'" in answer.policies[1]["script-src"]


@pytest.mark.parametrize(
    ("door", "guard"), [(WsgiDoor, privguard.wsgi.PrivacyMiddleware), (AsgiDoor, privguard.asgi.PrivacyMiddleware)]
)
@pytest.mark.parametrize("view", [own_name, NAMES["request"], NAMES["function"], both_names])
def test_nonce_is_shared_by_all_three(door, guard, view):
    """Django's own policy, privguard's in the project, and privguard's around the whole application."""
    settings = {"MIDDLEWARE": [*MIDDLEWARE, OWN_CSP], "SECURE_CSP": SECURE_CSP}
    with override_settings(ROOT_URLCONF=OneView(view), **settings):
        answer = door(guard).ask("GET", "/")
    assert answer.nonces == {answer.body.decode()}
    assert len([policy for policy in answer.policies if "nonce" in str(policy)]) == 3


@every_door
@pytest.mark.parametrize("media", ["", " media"])
def test_nonce_by_djangos_own_template_tag(door, media):
    """The tag that the admin's templates use takes privguard's nonce from privguard's context processor."""
    from django.forms import Media

    def view(request):
        context = RequestContext(request, {"media": Media(js=["/x.js"])})
        return HttpResponse(Template("{% csp_nonce_attr" + media + " %}").render(context))

    answer = visit(door, view)
    (nonce,) = answer.nonces
    assert f'nonce="{nonce}"' in answer.body.decode()
