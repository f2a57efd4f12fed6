"""What every test stands on."""

from __future__ import annotations

import django
import pytest
from hypothesis import HealthCheck, settings

from privguard import _context

# How fast a machine is makes no test pass or fail: timings belong in benchmarks.
settings.register_profile("privguard", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("privguard")

# Tests of what a Django version does not have yet are no tests of it: they are left out by name, never skipped.
collect_ignore = ["integrations/test_django_own_csp.py"] if django.VERSION < (6, 1) else []


@pytest.fixture(autouse=True)
def no_request_before_this():
    """A test's thread is in no request that the test before it left behind."""
    _context.current.set(None)
