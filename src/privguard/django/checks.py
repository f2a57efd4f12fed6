"""System checks: what a project's settings would make of the policy, said before the first visitor comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from .._errors import SettingsError
from .._policy import CookieMode, Policy
from .policy import project_policy

_MIDDLEWARE = ("privguard.django.PrivacyMiddleware", "privguard.django.middleware.PrivacyMiddleware")
_SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
_CSRF = "django.middleware.csrf.CsrfViewMiddleware"
_OTHER_CSP = {
    "csp.middleware.CSPMiddleware": "django-csp",
    "django.middleware.csp.ContentSecurityPolicyMiddleware": "Django's own",
}


def check_privguard(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Return what is wrong (E) or worth knowing (W) about the project's settings."""
    try:
        policy = project_policy()
    except SettingsError as error:
        return [Error(str(error), id="privguard.E001", hint="The settings reference lists every key of PRIVGUARD.")]
    return [*_check_order(), *_check_cookies(policy), *_check_other_csp()]


def _check_order() -> Iterator[CheckMessage]:
    places = [index for index, name in enumerate(settings.MIDDLEWARE) if name in _MIDDLEWARE]
    if not places:
        yield Warning(
            "privguard.django is installed and its middleware is not, so nothing is enforced here.",
            hint=f'Put "{_MIDDLEWARE[0]}" first in MIDDLEWARE, unless you wrap the WSGI or ASGI application.',
            id="privguard.W001",
        )
    elif places[0] != 0:
        yield Warning(
            f"privguard's middleware is number {places[0] + 1} in MIDDLEWARE; those before it answer unguarded.",
            hint=f'Put "{_MIDDLEWARE[0]}" first in MIDDLEWARE.',
            id="privguard.W002",
        )


def _check_cookies(policy: Policy) -> Iterator[CheckMessage]:
    mode = policy.rules_for("/").cookies
    has_session = _SESSION in settings.MIDDLEWARE
    has_csrf = _CSRF in settings.MIDDLEWARE and not settings.CSRF_USE_SESSIONS
    if mode is CookieMode.BLOCK and (has_session or has_csrf):
        yield Warning(
            'The cookie mode "block" stops log-ins and forms: sessions and CSRF protection need their cookies.',
            hint='Set PRIVGUARD["cookies"]["elsewhere"] to "strip", or take their middleware out.',
            id="privguard.W005",
        )
    elif mode is not CookieMode.ALLOW:
        yield from _check_lifetimes(has_session, has_csrf)


def _check_lifetimes(has_session: bool, has_csrf: bool) -> Iterator[CheckMessage]:
    if has_session and not settings.SESSION_EXPIRE_AT_BROWSER_CLOSE:
        yield Warning(
            f'The session cookie "{settings.SESSION_COOKIE_NAME}" is persistent; privguard keeps it for the visit.',
            hint="Set SESSION_EXPIRE_AT_BROWSER_CLOSE = True, so that Django says the same.",
            id="privguard.W003",
        )
    if has_csrf and settings.CSRF_COOKIE_AGE is not None:
        yield Warning(
            f'The CSRF cookie "{settings.CSRF_COOKIE_NAME}" is persistent; privguard keeps it for the visit.',
            hint="Set CSRF_COOKIE_AGE = None, so that Django says the same.",
            id="privguard.W004",
        )


def _check_other_csp() -> Iterator[CheckMessage]:
    for name, whose in _OTHER_CSP.items():
        if name in settings.MIDDLEWARE:
            yield Warning(
                f"{whose} Content-Security-Policy is sent beside privguard's; browsers enforce both, so it can only "
                "tighten what a page may load.",
                hint=f'Take "{name}" out of MIDDLEWARE, or keep it for what should be stricter.',
                id="privguard.W006",
            )
