"""pytest: the fixture ``prove_forgetting``, which pytest finds by itself where privguard is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .proving import Report


@pytest.fixture
def prove_forgetting() -> Callable[..., Report]:
    """Submit marked fields to an app, and return a Report of what can be found of them.

    The function is :func:`privguard.proving.prove_forgetting`::

        def test_join_forgets(prove_forgetting):
            report = prove_forgetting(app, "/join", {"birthdate": "2018-05-05"})
            assert report.is_clean, str(report)
    """
    from .proving import prove_forgetting as prove  # a run without such tests does not pay for it

    return prove
