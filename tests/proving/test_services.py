"""Tests of what is seen of the real Sentry and the real OpenTelemetry."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SITE = """\
import flask, sentry_sdk
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

sentry_sdk.init({dsn}traces_sample_rate=1.0, send_default_pii=True)
trace.set_tracer_provider(TracerProvider())
app = flask.Flask(__name__)

@app.post("/join")
def join():
    with trace.get_tracer("site").start_as_current_span("join") as span:
        span.set_attribute("browser", flask.request.headers["User-Agent"])
        sentry_sdk.capture_message("joined")
    return "Welcome"
"""


@pytest.mark.parametrize("dsn", ['dsn="https://key@127.0.0.1:9/1", ', ""])
def test_what_services_are_told(tmp_path, dsn):
    """An error report carries the whole request, and a span what the app gives it; nothing is sent."""
    (tmp_path / "site_that_tells.py").write_text(SITE.format(dsn=dsn))
    ended = subprocess.run(
        [sys.executable, "-m", "privguard", "prove", "forgetting", "site_that_tells:app", "--path", "/join"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ended.returncode == 1, ended.stderr
    assert "span for OpenTelemetry\n  User-Agent (urlencoded, multipart, JSON): plain" in ended.stdout
    assert ("envelope for Sentry\n" in ended.stdout) == bool(dsn)
    assert ("field birthdate (urlencoded, multipart): plain" in ended.stdout) == bool(dsn)
    assert ("Sentry: it has no DSN here" in ended.stdout) == (not dsn)
