"""Tests of the contacts that a secure page causes at third parties in real browsers: bare, its own; guarded, none."""

from __future__ import annotations

import pytest

from browsers.contact_watch import Measured, measure_all
from browsers.leaks import PAGE
from browsers.tls_site import TlsSite
from browsers.tls_vectors import GROUPS, SILENT_FOR, VECTORS

pytestmark = pytest.mark.timeout(300)  # seconds: the first test of each browser shows it all pages

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
        (all_measured[kind],) = measure_all(TlsSite(), [kind])
    return all_measured[kind]


def test_bare_secure_page_contacts_a_third_party(measured: Measured, kind: str) -> None:
    """Each way of contact works where nothing guards the page: or the other test would prove nothing."""
    assert LABELS - SILENT_FOR[kind] - measured.bare.keys() == set()


def test_guarded_secure_page_contacts_nobody(measured: Measured) -> None:
    """Behind the middleware a secure page causes no report, no hint and no other service at a third party."""
    assert measured.guarded == {}


def test_every_vector_fires_in_some_browser() -> None:
    """No page is in the battery that would prove nothing in either browser."""
    assert frozenset.intersection(*SILENT_FOR.values()) == frozenset()
    assert all(labels <= LABELS for labels in SILENT_FOR.values())
    assert len(LABELS) == len(VECTORS)


def test_docs_tell_of_every_vector() -> None:
    """The page in the docs names each of them, and was not written before the last one was added."""
    text = PAGE.read_text()
    assert [one.label for one in VECTORS if f"| `{one.label}` |" not in text] == []
    assert [title for title in GROUPS.values() if f"| {title} (" not in text] == []
