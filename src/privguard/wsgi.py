"""WSGI (PEP 3333): moves headers and bodies between server and app, and asks the exchange about each header list."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import _context, _logs, _servers
from ._exchange import Exchange, prepare
from ._headers import TEXT
from ._intake import says_refused
from ._paths import wsgi_path
from ._policy import Policy
from ._streams import guarded_stream
from ._wsgi_request import is_submission, take_in
from ._wsgi_response import REFUSED, REFUSED_HEADERS, REFUSED_STATUS, GuardedResponse, StartResponse

Environ = dict[str, Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]

ENVIRON_KEY = "privguard.exchange"


class PrivacyMiddleware:
    """Wrap a WSGI app so that its server keeps the promises of the privacy policy.

    *settings* is the PRIVGUARD dict or a :class:`privguard.Policy`. Raises :class:`privguard.SettingsError`.
    """

    def __init__(self, app: App, settings: Mapping[str, Any] | Policy | None = None) -> None:
        self.app: App = app
        self.policy: Policy = Policy.of(settings)
        self._has_served = False
        prepare(self.policy)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        around = _context.current.get()
        try:
            if not self._has_served:
                self._has_served = True
                _servers.adapt()  # what was loaded after the app
            host = environ.get("HTTP_HOST", "")  # and not the environ, which will hold the exchange
            exchange = Exchange(self.policy, wsgi_path(environ), environ.get(ENVIRON_KEY), host=lambda: host)
            _context.enter(exchange)
            _servers.begin(environ, exchange)
            files = _guard_environ(environ, exchange)
            may_be_childs = is_submission(environ)
            if may_be_childs or exchange.muted:
                environ["wsgi.errors"] = guarded_stream(environ.get("wsgi.errors", sys.stderr))
        except Exception as error:
            _logs.tell_failure(error)
            start_response(REFUSED_STATUS, list(REFUSED_HEADERS))
            return [REFUSED]
        response = GuardedResponse(exchange, around, start_response)
        try:
            answer = take_in(exchange, environ) if may_be_childs else None
            body = self.app(environ, response.start) if answer is None else response.answer(answer, environ)
        except BaseException as error:
            exchange.raised = True
            if not exchange.swallows(error):
                exchange.end(raised=True)
                _context.leave(exchange, around)
                raise
            body = response.fail()
        _context.pause(exchange, around)
        return response.body(body, is_file=_is_file(body, files, environ))


def _guard_environ(environ: Environ, exchange: Exchange) -> list[object]:
    """Change *environ* into what the app may see; return the list of files for sendfile that it will have wrapped."""
    environ[ENVIRON_KEY] = exchange
    files: list[object] = []
    wrap_file = environ.get("wsgi.file_wrapper")
    if wrap_file is not None and not isinstance(wrap_file, type):

        def wrap(*arguments: Any) -> object:
            files.append(wrap_file(*arguments))
            return files[-1]

        environ["wsgi.file_wrapper"] = wrap  # what a function makes does not tell by its type
    if exchange.hides_cookies:
        exchange.was_refused = says_refused(environ.pop("HTTP_COOKIE", ""))
    accepted = environ.get("HTTP_ACCEPT_ENCODING")
    if accepted:
        environ["HTTP_ACCEPT_ENCODING"] = exchange.acceptable(accepted, environ.get("HTTP_SEC_FETCH_DEST", ""))
    send_hints = environ.get("wsgi.early_hints")
    if callable(send_hints):
        environ["wsgi.early_hints"] = lambda headers: send_hints(exchange.interim_headers(headers, TEXT))
    return files


def _is_file(body: object, files: list[object], environ: Environ) -> bool:
    file_wrapper = environ.get("wsgi.file_wrapper")
    if isinstance(file_wrapper, type):
        return isinstance(body, file_wrapper)
    return any(body is file for file in files) if files else False
