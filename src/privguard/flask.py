"""Flask: wraps ``app.wsgi_app`` and adds what Flask's own configuration knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._context import csp_nonce
from ._policy import Policy
from .wsgi import PrivacyMiddleware

if TYPE_CHECKING:
    from flask import Flask
    from flask.templating import Environment


class Privguard:
    """Make a Flask app keep the promises of its privacy policy.

    ``Privguard(app)``, or ``Privguard()`` and later ``init_app(app)``. The policy is ``app.config["PRIVGUARD"]`` as it
    stands at that moment; the app's session cookie is kept for the visit. Raises :class:`privguard.SettingsError`.
    """

    def __init__(self, app: Flask | None = None) -> None:
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Wrap *app*, once, and give its templates ``csp_nonce()``."""
        if "privguard" in app.extensions:
            raise RuntimeError(f"privguard guards the Flask app {app.name!r} already; call init_app once")
        policy = Policy.of(app.config.get("PRIVGUARD")).with_visit([app.config["SESSION_COOKIE_NAME"]])
        app.wsgi_app = PrivacyMiddleware(app.wsgi_app, policy)  # type: ignore[method-assign]
        _add_to_templates(app)
        app.extensions["privguard"] = policy


def _add_to_templates(app: Flask) -> None:
    """Give Jinja the global csp_nonce, without making its environment: that would freeze the app's Jinja options."""
    make_environment = app.create_jinja_environment

    def make_with_nonce() -> Environment:
        environment = make_environment()
        environment.globals["csp_nonce"] = csp_nonce
        return environment

    if "jinja_env" in vars(app):
        app.jinja_env.globals["csp_nonce"] = csp_nonce
    else:
        app.create_jinja_environment = make_with_nonce  # type: ignore[method-assign]
