"""Tests of the system checks: what a project's settings would make of the policy, said by ``manage.py check``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core import checks
from django.test import override_settings

from integrations.django_project import MIDDLEWARE, PRIVGUARD_MIDDLEWARE

SITE = Path(__file__).parents[2] / "examples" / "django_site"
CLEAN = {"SESSION_EXPIRE_AT_BROWSER_CLOSE": True, "CSRF_COOKIE_AGE": None}
BLOCK = {"PRIVGUARD": {"cookies": {"elsewhere": "block"}}}
ALLOW = {"PRIVGUARD": {"cookies": {"elsewhere": "allow"}}}
SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"


def without(*names):
    return [one for one in MIDDLEWARE if one not in names]


def told(**settings):
    """What Django's own check command would print of privguard."""
    with override_settings(**settings):
        messages = checks.run_checks(tags=[checks.Tags.security])
    return [one for one in messages if one.id.startswith("privguard.")]


CASES = {
    "clean": ([], CLEAN),
    "clean-by-the-long-name": (
        [],
        CLEAN | {"MIDDLEWARE": ["privguard.django.middleware.PrivacyMiddleware", *without(PRIVGUARD_MIDDLEWARE)]},
    ),
    "out-of-the-box": (["W003", "W004"], {}),
    "downgrade": (["W003", "W004"], {"PRIVGUARD": {"cookies": {"elsewhere": "downgrade"}}}),
    "allow": ([], ALLOW),
    "mistake": (["E001"], CLEAN | {"PRIVGUARD": {"cookies": {"elswhere": "strip"}}}),
    "no-dict": (["E001"], CLEAN | {"PRIVGUARD": "strict"}),
    "middleware-missing": (["W001"], CLEAN | {"MIDDLEWARE": without(PRIVGUARD_MIDDLEWARE)}),
    "middleware-not-first": (["W002"], CLEAN | {"MIDDLEWARE": [*without(PRIVGUARD_MIDDLEWARE), PRIVGUARD_MIDDLEWARE]}),
    "middleware-second": (["W002"], CLEAN | {"MIDDLEWARE": [MIDDLEWARE[1], PRIVGUARD_MIDDLEWARE, *MIDDLEWARE[2:]]}),
    "persistent-session": (["W003"], CLEAN | {"SESSION_EXPIRE_AT_BROWSER_CLOSE": False}),
    "persistent-csrf": (["W004"], CLEAN | {"CSRF_COOKIE_AGE": 60}),
    "csrf-in-session": (["W003"], {"CSRF_USE_SESSIONS": True}),
    "no-session": (["W004"], {"MIDDLEWARE": without(SESSION)}),
    "no-csrf": (["W003"], {"MIDDLEWARE": without(CSRF)}),
    "block": (["W005"], BLOCK),
    "block-csrf-alone": (["W005"], BLOCK | {"MIDDLEWARE": without(SESSION)}),
    "block-session-alone": (["W005"], BLOCK | {"MIDDLEWARE": without(CSRF)}),
    "block-without-log-ins": ([], BLOCK | {"MIDDLEWARE": without(SESSION, CSRF)}),
    "django-csp": (["W006"], CLEAN | {"MIDDLEWARE": [*MIDDLEWARE, "csp.middleware.CSPMiddleware"]}),
    "own-csp": (
        ["W006"],
        CLEAN | {"MIDDLEWARE": [*MIDDLEWARE, "django.middleware.csp.ContentSecurityPolicyMiddleware"]},
    ),
    "several": (["W002", "W003", "W004"], {"MIDDLEWARE": MIDDLEWARE[::-1]}),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_told(case):
    """What is wrong or worth knowing is said, each thing by its own number, and nothing else."""
    wanted, settings = CASES[case]
    assert [one.id for one in told(**settings)] == [f"privguard.{one}" for one in wanted]


@pytest.mark.parametrize("case", [case for case, (wanted, _) in CASES.items() if wanted])
def test_level_is_that_of_the_number(case):
    """An E stops the server from starting, a W does not; each says what to do about it."""
    for one in told(**CASES[case][1]):
        assert one.level == (checks.ERROR if "E" in one.id.removeprefix("privguard.") else checks.WARNING)
        assert one.hint


def test_mistake_names_the_key():
    """With its full path, and the nearest name that there is."""
    (message,) = told(**CASES["mistake"][1])
    assert message.msg == 'PRIVGUARD["cookies"]["elswhere"]: no such key; did you mean "elsewhere"?'


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("middleware-missing", [f'Put "{PRIVGUARD_MIDDLEWARE}" first in MIDDLEWARE']),
        ("middleware-not-first", [f"number {len(MIDDLEWARE)} ", f'Put "{PRIVGUARD_MIDDLEWARE}" first']),
        ("persistent-session", ['"sessionid"', "SESSION_EXPIRE_AT_BROWSER_CLOSE = True"]),
        ("persistent-csrf", ['"csrftoken"', "CSRF_COOKIE_AGE = None"]),
        ("block", ['"block"', 'PRIVGUARD["cookies"]["elsewhere"] to "strip"']),
        ("django-csp", ["django-csp", '"csp.middleware.CSPMiddleware"']),
        ("own-csp", ["Django's own", '"django.middleware.csp.ContentSecurityPolicyMiddleware"']),
    ],
)
def test_words_of_a_message(case, words):
    """It names what it found, and the line to write."""
    (message,) = told(**CASES[case][1])
    assert all(word in f"{message.msg} {message.hint}" for word in words)


def test_renamed_cookie_is_named():
    """The message speaks of the project's cookie, not of Django's."""
    session, csrf = told(SESSION_COOKIE_NAME="who", CSRF_COOKIE_NAME="form")
    assert ('"who"' in session.msg, '"form"' in csrf.msg) == (True, True)


# ── as it is typed ───────────────────────────────────────────────────────────────────────────────────────────────────


def manage(*arguments, folder, settings=""):
    """Run the example site's manage.py with more settings behind its own."""
    (folder / "more_settings.py").write_text(f"from mysite.settings import *\n{settings}\n")
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "more_settings", "DATABASE": str(folder / "site.sqlite3")}
    environment["PYTHONPATH"] = str(folder)
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=SITE, env=environment, capture_output=True, text=True, timeout=60)


def test_example_site_is_clean(tmp_path):
    """The example that users copy has nothing to be told."""
    check = manage("check", folder=tmp_path)
    assert (check.returncode, check.stdout) == (0, "System check identified no issues (0 silenced).\n")


def test_check_command_prints_a_warning(tmp_path):
    """``manage.py check`` says it, and ends well."""
    check = manage("check", folder=tmp_path, settings="SESSION_EXPIRE_AT_BROWSER_CLOSE = False")
    assert check.returncode == 0
    assert '?: (privguard.W003) The session cookie "sessionid" is persistent' in check.stderr
    assert "HINT: Set SESSION_EXPIRE_AT_BROWSER_CLOSE = True" in check.stderr


@pytest.mark.parametrize("command", [["check"], ["runserver", "--noreload", "127.0.0.1:0"]])
def test_server_with_a_mistake_in_its_settings_does_not_start(tmp_path, command):
    """It says which key it is, and that is all it does."""
    check = manage(*command, folder=tmp_path, settings='PRIVGUARD = {"cookies": {"elswhere": "strip"}}')
    assert check.returncode == 1
    assert '(privguard.E001) PRIVGUARD["cookies"]["elswhere"]: no such key; did you mean "elsewhere"?' in check.stderr
    assert "Starting development server" not in check.stdout
