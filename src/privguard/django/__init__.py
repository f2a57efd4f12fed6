"""Django: ``"privguard.django.PrivacyMiddleware"`` first in MIDDLEWARE, ``"privguard.django"`` in INSTALLED_APPS."""

from .middleware import PrivacyMiddleware

__all__ = ["PrivacyMiddleware"]
