"""A Django project for the tests: a log-in behind privguard, and whatever view a test brings along."""

from __future__ import annotations

import atexit
import shutil
import tempfile

import django
from django.apps import apps
from django.conf import settings

PRIVGUARD_MIDDLEWARE = "privguard.django.PrivacyMiddleware"
MIDDLEWARE = [
    PRIVGUARD_MIDDLEWARE,
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
SYNC_ONLY = "integrations.django_project.middleware.SyncOnly"
LOGIN_FORM = "<form method=post>{% csrf_token %}{{ form }}</form>"


def _settings(folder: str) -> dict[str, object]:
    return {
        "ALLOWED_HOSTS": ["*"],
        "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/project.sqlite3"}},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "INSTALLED_APPS": [
            "privguard.django",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.messages",
            "django.contrib.sessions",
        ],
        "LOGIN_REDIRECT_URL": "/members/",
        "LOGOUT_REDIRECT_URL": "/",
        "MIDDLEWARE": MIDDLEWARE,
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],  # the fast one, for tests
        "ROOT_URLCONF": "integrations.django_project.urls",
        "SECRET_KEY": "of no worth",
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "privguard.django.context_processors.csp_nonce",
                    ],
                    "loaders": [
                        ("django.template.loaders.locmem.Loader", {"registration/login.html": LOGIN_FORM}),
                    ],
                },
            }
        ],
        "USE_TZ": True,
    }


def _configure() -> None:
    """Give this process these settings, also where another test module has configured Django for itself already."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    if not settings.configured:
        settings.configure()
    for name, value in _settings(folder).items():
        setattr(settings, name, value)
    if apps.ready:
        apps.set_installed_apps(settings.INSTALLED_APPS)
    else:
        django.setup()


_configure()
