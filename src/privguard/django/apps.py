"""The Django app, which brings the system checks."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks

from .checks import check_privguard


class PrivguardConfig(AppConfig):
    """``"privguard.django"`` in INSTALLED_APPS."""

    name = "privguard.django"
    label = "privguard"  # the default, "django", would be anybody's
    verbose_name: str = "privguard"

    def ready(self) -> None:
        """Register the system checks."""
        checks.register(check_privguard, checks.Tags.security)
