"""ASGI: opens an exchange for each connection, and lets the app send only what it guards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

from . import _context, _logs
from ._asgi_response import REFUSALS, Message, Send, guarded_send, refuse
from ._exchange import Exchange
from ._paths import asgi_host, asgi_path
from ._policy import Policy

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SCOPE_KEY = "privguard.exchange"


class PrivacyMiddleware:
    """Wrap an ASGI app so that its server keeps the promises of the privacy policy.

    *settings* is the PRIVGUARD dict or a :class:`privguard.Policy`. Raises :class:`privguard.SettingsError`.
    """

    def __init__(self, app: App, settings: Mapping[str, Any] | Policy | None = None) -> None:
        self.app: App = app
        self.policy: Policy = Policy.of(settings)
        _logs.install()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI 3.0)."""
        kind = scope["type"]
        if kind not in REFUSALS:
            await self.app(scope, receive, send)
            return
        around = _context.current.get()
        try:
            headers = scope["headers"]  # and not the scope, which will hold the exchange
            exchange = Exchange(self.policy, asgi_path(scope), scope.get(SCOPE_KEY), host=lambda: asgi_host(headers))
            _context.enter(exchange)
            scope = {**scope, SCOPE_KEY: exchange}
            if exchange.hides_cookies:
                scope["headers"] = without_cookies(scope["headers"])
            if exchange.policy.scrubs_html and kind == "http":
                scope["headers"] = readable_codings(scope["headers"], exchange)
        except Exception as error:
            _logs.tell_failure(error)
            await refuse(kind, send)
            return
        try:
            await self.app(scope, receive, guarded_send(kind, exchange, send))
        except BaseException:
            exchange.raised = True
            raise
        finally:
            exchange.ended = True
            _context.leave(exchange, around)


def readable_codings(headers: Iterable[tuple[bytes, bytes]], exchange: Exchange) -> list[tuple[bytes, bytes]]:
    """Return a scope's request headers, in which the browser asks for no coding that would leave unseen."""
    fields = list(headers)
    for number, (name, value) in enumerate(fields):
        if name == b"accept-encoding":
            destination = next((bytes(one) for name, one in fields if name == b"sec-fetch-dest"), b"").decode("latin-1")
            wanted = bytes(value).decode("latin-1")
            fields[number] = (name, exchange.acceptable(wanted, destination).encode("latin-1"))
    return fields


def without_cookies(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return a scope's request headers without its Cookie headers."""
    return [pair for pair in headers if bytes(pair[0]).strip().lower() != b"cookie"]
