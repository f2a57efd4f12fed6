"""Whether the app that was named is ASGI or WSGI, or what to type when nobody can tell."""

from __future__ import annotations

from typing import Any

from .._interface import interface_of, required_arguments
from . import _named
from ._stop import WrongUse


def kind_of(app: Any, app_name: str, given: str | None, *, command: str) -> str:
    """Return ``"asgi"`` or ``"wsgi"``: what was *given*, or else what the signature tells. Raises WrongUse."""
    if not callable(app):
        raise WrongUse(
            f"{app_name} is {_named.kind_of_thing(app)}, which no server can call; name the app itself, "
            f"for example: {command} {app_name.partition(':')[0]}:app"
        )
    kind = given or interface_of(app)
    if kind is not None:
        return kind
    if required_arguments(app) == 0:
        raise WrongUse(f'{app_name} takes no request; if it makes the app, type: {command} "{app_name}()"')
    typed = f"{command} {quoted(app_name)}"
    raise WrongUse(
        f"{app_name} may be ASGI or WSGI; type: {typed} --asgi (FastAPI, Starlette, Django's asgi.py) "
        f"or {typed} --wsgi (Flask, Django's wsgi.py)"
    )


def quoted(app_name: str) -> str:
    """Return *app_name* as a shell takes it, which reads parentheses."""
    return f'"{app_name}"' if app_name.endswith("()") else app_name
