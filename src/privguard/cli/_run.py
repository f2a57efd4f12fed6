"""``privguard run``: serve somebody's app behind privguard, with uvicorn or waitress."""

from __future__ import annotations

import importlib
import inspect
import socket
from typing import Any

from .._policy import Policy
from . import _named, _settings_file
from ._listening import address, free_port_near, listen
from ._stop import NotNow, WrongUse, until_told_to_stop

COMMAND = "privguard run"
SERVERS = {"asgi": "uvicorn", "wsgi": "waitress"}


def run(app_name: str, *, settings: str | None, kind: str | None, host: str, port: int) -> int:
    """Serve the app *app_name* until Ctrl-C; *kind* is ``"asgi"``, ``"wsgi"`` or, to find out, None."""
    policy = _settings_file.load(settings, command=f"{COMMAND} {app_name}")
    app = _named.find(app_name, command=COMMAND)
    kind = _kind(app, app_name, kind)
    server = _server(SERVERS[kind])
    typed = f"{COMMAND} {_quoted(app_name)}"
    listener = listen(host, port, instead=lambda: f"{typed} --port {free_port_near(host, port)}")
    where = address(host, listener.getsockname()[1])
    print(f"privguard guards {app_name} ({kind.upper()}) on {where}  Ctrl-C stops it.", flush=True)
    with listener, until_told_to_stop():
        (_serve_asgi if kind == "asgi" else _serve_wsgi)(server, app, policy, listener)
    return 0


def _quoted(app_name: str) -> str:
    return f'"{app_name}"' if app_name.endswith("()") else app_name  # shells read parentheses


def _server(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise NotNow(f"{name} is not installed; type: pip install 'privguard[run]'") from None


def _serve_asgi(uvicorn: Any, app: Any, policy: Policy, listener: socket.socket) -> None:
    from ..asgi import PrivacyMiddleware

    server = uvicorn.Server(uvicorn.Config(PrivacyMiddleware(app, policy), interface="asgi3"))
    try:
        server.run(sockets=[listener])
    except SystemExit:
        pass  # an app that does not start: some versions exit by themselves, others return
    if not server.started:
        raise NotNow("the app did not start; what it says of it stands above; mend that, and type the same again")


def _serve_wsgi(waitress: Any, app: Any, policy: Policy, listener: socket.socket) -> None:
    from ..wsgi import PrivacyMiddleware

    server = waitress.create_server(PrivacyMiddleware(app, policy), sockets=[listener])
    try:
        server.run()  # takes a KeyboardInterrupt for the end of its work
    finally:
        server.close()


# ── ASGI or WSGI ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _kind(app: Any, app_name: str, given: str | None) -> str:
    if not callable(app):
        raise WrongUse(
            f"{app_name} is {_named.kind_of_thing(app)}, which no server can call; name the app itself, "
            f"for example: {COMMAND} {app_name.partition(':')[0]}:app"
        )
    kind = given or interface_of(app)
    if kind is not None:
        return kind
    if _required(app) == 0:
        raise WrongUse(f'{app_name} takes no request; if it makes the app, type: {COMMAND} "{app_name}()"')
    typed = f"{COMMAND} {_quoted(app_name)}"
    raise WrongUse(
        f"{app_name} may be ASGI or WSGI; type: {typed} --asgi (FastAPI, Starlette, Django's asgi.py) "
        f"or {typed} --wsgi (Flask, Django's wsgi.py)"
    )


def interface_of(app: Any) -> str | None:
    """Return ``"asgi"``, ``"wsgi"`` or, when its signature does not tell, None.

    ASGI 3.0 is awaited with (scope, receive, send); PEP 3333 is called with (environ, start_response).

    >>> interface_of(lambda environ, start_response: [])
    'wsgi'
    """
    if inspect.iscoroutinefunction(app) or (callable(app) and inspect.iscoroutinefunction(type(app).__call__)):
        return "asgi"
    return {2: "wsgi", 3: "asgi"}.get(_required(app))


def _required(app: Any) -> int:
    """Return how many positional arguments *app* must be called with; -1 when nobody can tell."""
    try:
        parameters = inspect.signature(app).parameters.values()
    except (TypeError, ValueError):
        return -1
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return -1
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(one.kind in positional and one.default is one.empty for one in parameters)
