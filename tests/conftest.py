"""What every test stands on, and one real browser of each kind for all that want one."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator

import django
import pytest
from hypothesis import HealthCheck, settings

from browsers.browser import Browser
from browsers.chromium import Chromium
from browsers.firefox import Firefox
from privguard import _context

# How fast a machine is makes no test pass or fail: timings belong in benchmarks.
settings.register_profile("privguard", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("privguard")

# Tests of what a Django version does not have yet are no tests of it: they are left out by name, never skipped.
collect_ignore = ["integrations/test_django_own_csp.py"] if django.VERSION < (6, 1) else []
# So are tests of services whose clients are not installed here; their stand-ins are tested everywhere.
if not all(map(importlib.util.find_spec, ("sentry_sdk", "opentelemetry", "opentelemetry.sdk"))):
    collect_ignore.append("proving/test_services.py")


@pytest.fixture(autouse=True)
def no_request_before_this():
    """A test's thread is in no request that the test before it left behind."""
    _context.current.set(None)


@pytest.fixture(scope="session")
def started_chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with contextlib.closing(Chromium(tmp_path_factory.mktemp("chromium"))) as browser:
        yield browser


@pytest.fixture(scope="session")
def started_firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with contextlib.closing(Firefox(tmp_path_factory.mktemp("firefox"))) as browser:
        yield browser


@pytest.fixture
def chromium(started_chromium: Chromium) -> Chromium:
    """Chromium, on an empty page and with an empty jar."""
    started_chromium.start_over()
    return started_chromium


@pytest.fixture
def firefox(started_firefox: Firefox) -> Firefox:
    """Firefox, on an empty page and with an empty jar."""
    started_firefox.start_over()
    return started_firefox


@pytest.fixture(params=["chromium", "firefox"])
def browser(request: pytest.FixtureRequest) -> Browser:
    """Each browser in its turn."""
    started: Browser = request.getfixturevalue(request.param)
    return started
