"""Tests of Sentry in every framework, around privguard and within: ordinary events are what they are without it."""

from __future__ import annotations

import logging

import pytest
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.fastapi import FastApiIntegration
from sentry_sdk.integrations.flask import FlaskIntegration
from sentry_sdk.integrations.starlette import StarletteIntegration

from sinks.calling import Visitor
from sinks.outputs import sentry
from sinks.sites import SITES

# Sentry has Starlette parse forms with files, and nobody closes those: without privguard, too.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

SILENT = ("child", "flagged", "quiet")


@pytest.fixture
def envelopes():
    integrations = [DjangoIntegration(), FastApiIntegration(), FlaskIntegration(), StarletteIntegration()]
    with sentry(
        integrations=integrations,
        auto_enabling_integrations=False,
        traces_sample_rate=1.0,
        max_request_body_size="always",
        enable_logs=True,
    ) as transport:
        yield transport


@pytest.fixture(autouse=True)
def log_everything():
    log = logging.getLogger("site")
    log.setLevel(logging.INFO)
    yield
    log.setLevel(logging.NOTSET)


@pytest.fixture(params=SITES, ids=lambda one: one.__name__)
def site(request):
    return request.param


def seen(transport) -> list:
    """What of the events matters, without what is random."""
    told = []
    for kind in ("event", "transaction"):
        for event in transport.payloads(kind):
            crumbs = [crumb.get("message") for crumb in event.get("breadcrumbs", {}).get("values", ())]
            exceptions = [one["value"] for one in event.get("exception", {}).get("values", ())]
            keys = ("request", "tags", "user", "transaction", "level", "logentry")
            told.append((kind, crumbs, exceptions, [event.get(key) for key in keys]))
    return told


def sent_by(site, guard, visitors, transport):
    import sentry_sdk

    transport.sent.clear()
    site(guard=guard).serve_all(visitors)
    sentry_sdk.flush()
    return seen(transport), [one["body"] for batch in transport.payloads("log") for one in batch["items"]]


def test_ordinary_submission_that_fails(site, envelopes):
    """Has in Sentry what it has without privguard: its body, its headers, its breadcrumbs in their order."""
    bare = sent_by(site, False, [Visitor("ordinary")], envelopes)
    kinds = [kind for kind, *_ in bare[0]]
    assert kinds.count("transaction") == 1 and kinds.count("event") >= 1
    assert "log: query-ordinary" in str(bare) and "direct: query-ordinary" in str(bare)
    assert sent_by(site, True, [Visitor("ordinary")], envelopes) == bare


@pytest.mark.parametrize("body", ["form", "json", "multipart"])
@pytest.mark.parametrize("who", SILENT)
def test_silent_request_that_fails(site, envelopes, who, body):
    """Sends no event, no transaction, no log, nothing with a mark in it."""
    if who != "flagged":
        bare = sent_by(site, False, [Visitor(who, body)], envelopes)
        assert "4711" in str(bare)
    assert sent_by(site, True, [Visitor(who, body)], envelopes) == ([], [])
    assert not any("4711" in text for text in envelopes.texts())


def test_next_visitors(site, envelopes):
    """Of each child's request, nothing is in another's events, on either side of it and at the same time."""
    kinds = ("ordinary", "child", "ordinary", "flagged", "quiet")
    visitors = [Visitor(kinds[number % 5], "json", number) for number in range(50)]
    events, logs = sent_by(site, True, visitors, envelopes)
    assert not any(f"-{who}-" in text for text in envelopes.texts() for who in SILENT)
    for visitor in visitors:
        mine = [one for one in events if visitor.marks["header"] in str(one)]
        assert bool(mine) is (visitor.who == "ordinary")
    bare, bare_logs = sent_by(site, False, [one for one in visitors if one.who == "ordinary"], envelopes)
    assert sorted(map(str, events)) == sorted(map(str, bare))
    assert sorted(logs) == sorted(bare_logs)
