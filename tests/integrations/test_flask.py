"""Tests of the Flask extension."""

from __future__ import annotations

import flask
import pytest

import privguard
from privguard import Policy, SettingsError
from privguard.flask import Privguard


def make_app(**config):
    app = flask.Flask(__name__)
    app.config.update(SECRET_KEY="x", **config)

    @app.get("/")
    def front():
        flask.session.permanent = True
        flask.session["name"] = "ada"
        return flask.render_template_string('<script nonce="{{ csp_nonce() }}"></script>')

    @app.get("/fails")
    def fails():
        raise KeyError

    @app.get("/stream")
    def stream():
        nonce = privguard.csp_nonce()
        return flask.Response(flask.stream_with_context(iter([nonce, " ", privguard.csp_nonce()])))

    @app.get("/child")
    def child():
        privguard.flag_child()
        app.logger.warning("flagged")
        return ""

    return app


@pytest.mark.parametrize("at_once", [True, False])
def test_app_is_guarded_by_either_call(at_once):
    """In an app factory, too."""
    app = make_app()
    if at_once:
        Privguard(app)
    else:
        Privguard().init_app(app)
    response = app.test_client().get("/")
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert isinstance(app.extensions["privguard"], Policy)


def test_session_lasts_for_the_visit():
    """Whatever name the app gives its session cookie, a log-in works and ends with the browser."""
    app = make_app(SESSION_COOKIE_NAME="shop")
    Privguard(app)
    client = app.test_client()
    (cookie,) = client.get("/").headers.getlist("Set-Cookie")
    assert cookie.startswith("shop=") and "expires" not in cookie.lower()
    assert client.get_cookie("shop") is not None


def test_template_gets_the_nonce_of_its_response():
    """The header names it, and the next response another."""
    app = make_app()
    Privguard(app)
    nonces = set()
    for _ in range(2):
        response = app.test_client().get("/")
        nonce = response.text.partition('nonce="')[2].partition('"')[0]
        assert f"'nonce-{nonce}'" in response.headers["Content-Security-Policy"]
        nonces.add(nonce)
    assert len(nonces) == 2


def test_streaming_body_reads_the_nonce():
    """Within the body, as before it."""
    app = make_app()
    Privguard(app)
    first, second = app.test_client().get("/stream").text.split()
    assert first == second


@pytest.mark.parametrize(("path", "status"), [("/missing", 404), ("/fails", 500), ("/static/x.css", 404)])
def test_error_pages_are_guarded(path, status):
    """Flask's own answers leave under the policy as well."""
    app = make_app()
    Privguard(app)
    response = app.test_client().get(path)
    assert response.status_code == status and "Content-Security-Policy" in response.headers


def test_flagged_request_is_silent(caplog):
    """From the call on, the app's own logger says nothing of it."""
    app = make_app()
    Privguard(app)
    app.test_client().get("/child")
    assert "flagged" not in caplog.text


def test_two_apps_have_two_policies():
    """In one process, and neither knows of the other."""
    strict, loose = make_app(), make_app(PRIVGUARD={"cookies": {"elsewhere": "allow"}})
    guard = Privguard()
    guard.init_app(strict)
    guard.init_app(loose)
    assert "Expires" not in strict.test_client().get("/").headers["Set-Cookie"]
    assert "Expires" in loose.test_client().get("/").headers["Set-Cookie"]


def test_app_is_wrapped_once():
    """Twice would be a mistake in the code that sets it up."""
    app = make_app()
    Privguard(app)
    with pytest.raises(RuntimeError, match="call init_app once"):
        Privguard(app)


@pytest.mark.parametrize("is_made_already", [True, False])
def test_options_of_jinja_can_be_set_afterwards(is_made_already):
    """The extension takes its place in the templates and makes nothing sooner than Flask does."""
    app = make_app()
    if is_made_already:
        app.jinja_env.globals["mine"] = 1
    Privguard(app)
    if not is_made_already:
        app.jinja_options = {"trim_blocks": True}
        assert app.jinja_env.trim_blocks
    assert app.jinja_env.globals["csp_nonce"] is privguard.csp_nonce


def test_mistake_in_the_configuration_stops_the_start():
    """And names the key."""
    with pytest.raises(SettingsError, match=r'PRIVGUARD\["cookie"\]: no such key; did you mean "cookies"\?'):
        Privguard(make_app(PRIVGUARD={"cookie": {}}))
