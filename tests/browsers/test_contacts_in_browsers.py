"""Tests of the contacts that a page causes at third parties in real browsers: bare, each in its way; guarded, none."""

from __future__ import annotations

import pytest

from browsers.contact_vectors import GROUPS, SILENT_FOR, VECTORS
from browsers.contact_watch import Measured, measure_all
from browsers.leaks import PAGE, PlainSite

pytestmark = pytest.mark.timeout(400)  # seconds: the first test of each browser shows it all pages

EXEMPT = {vector.label for vector in VECTORS if vector.is_exempt}
LABELS = {vector.label for vector in VECTORS}


@pytest.fixture(scope="session")
def all_measured() -> dict[str, Measured]:
    """What was measured so far, by browser: once a session, in whatever order the tests come."""
    return {}


@pytest.fixture(params=list(SILENT_FOR))
def kind(request: pytest.FixtureRequest) -> str:
    """Each browser in its turn."""
    name: str = request.param
    return name


@pytest.fixture
def measured(all_measured: dict[str, Measured], kind: str) -> Measured:
    """All contacts that one browser has made."""
    if kind not in all_measured:
        (all_measured[kind],) = measure_all(PlainSite(), [kind])
    return all_measured[kind]


def test_bare_page_contacts_a_third_party(measured: Measured, kind: str) -> None:
    """Each way of contact works where nothing guards the page: or the other tests would prove nothing."""
    assert len(LABELS - SILENT_FOR[kind]) > 400
    assert LABELS - SILENT_FOR[kind] - measured.bare.keys() == set()


def test_guarded_page_contacts_nobody(measured: Measured) -> None:
    """Behind the middleware a page causes no request, no connection and no name look-up at a third party."""
    assert {label: contact for label, contact in measured.guarded.items() if label not in EXEMPT} == {}


def test_apps_own_decisions_and_clicks_are_left_alone(measured: Measured) -> None:
    """A redirect of the app's own, what its own script does and an image that users may show go where they lead."""
    assert EXEMPT - measured.guarded.keys() == set()


def test_every_vector_fires_in_some_browser() -> None:
    """No page is in the battery that would prove nothing in either browser."""
    assert frozenset.intersection(*SILENT_FOR.values()) == frozenset()
    assert len(LABELS) == len(VECTORS)


def test_docs_tell_of_every_vector() -> None:
    """The page in the docs names each of them, and was not written before the last one was added."""
    text = PAGE.read_text()
    assert [one.label for one in VECTORS if f"| `{one.label}` |" not in text] == []
    assert [title for title in GROUPS.values() if f"| {title} (" not in text] == []
