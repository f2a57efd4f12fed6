"""``privguard run``: serve somebody's app behind privguard, with uvicorn or waitress."""

from __future__ import annotations

import importlib
import socket
from typing import Any

from .._policy import Policy
from . import _interfaces, _named, _settings_file
from ._listening import address, free_port_near, listen
from ._stop import NotNow, until_told_to_stop

COMMAND = "privguard run"
SERVERS = {"asgi": "uvicorn", "wsgi": "waitress"}


def run(app_name: str, *, settings: str | None, kind: str | None, host: str, port: int) -> int:
    """Serve the app *app_name* until Ctrl-C; *kind* is ``"asgi"``, ``"wsgi"`` or, to find out, None."""
    policy = _settings_file.load(settings, command=f"{COMMAND} {app_name}")
    app = _named.find(app_name, command=COMMAND)
    kind = _interfaces.kind_of(app, app_name, kind, command=COMMAND)
    server = _server(SERVERS[kind])
    typed = f"{COMMAND} {_interfaces.quoted(app_name)}"
    listener = listen(host, port, instead=lambda: f"{typed} --port {free_port_near(host, port)}")
    where = address(host, listener.getsockname()[1])
    print(f"privguard guards {app_name} ({kind.upper()}) on {where}  Ctrl-C stops it.", flush=True)
    with listener, until_told_to_stop():
        (_serve_asgi if kind == "asgi" else _serve_wsgi)(server, app, policy, listener)
    return 0


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
