"""One real browser of each kind for all tests."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from browsers.browser import Browser
from browsers.chromium import Chromium
from browsers.firefox import Firefox


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
