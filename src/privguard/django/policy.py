"""The policy of a Django project: ``settings.PRIVGUARD``, and the cookie names that the project is configured with."""

from __future__ import annotations

from django.conf import settings

from .._policy import Policy


def project_policy() -> Policy:
    """Return the policy that the project's settings compile to. Raises :class:`privguard.SettingsError`."""
    policy = Policy.of(getattr(settings, "PRIVGUARD", None))
    return policy.with_visit([settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME])
