"""ASGI: opens an exchange for each connection, and lets the app send only what it guards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from . import _context, _logs, _servers, _silence
from ._asgi_request import Receive, Scope, has_body, take_in
from ._asgi_response import REFUSALS, Send, fail, guarded_send, refuse
from ._exchange import Exchange, prepare
from ._intake import says_refused
from ._paths import asgi_host, asgi_path
from ._policy import Policy

App = Callable[[Scope, Receive, Send], Awaitable[None]]

SCOPE_KEY = "privguard.exchange"


class PrivacyMiddleware:
    """Wrap an ASGI app so that its server keeps the promises of the privacy policy.

    *settings* is the PRIVGUARD dict or a :class:`privguard.Policy`. Raises :class:`privguard.SettingsError`.
    """

    def __init__(self, app: App, settings: Mapping[str, Any] | Policy | None = None) -> None:
        self.app: App = app
        self.policy: Policy = Policy.of(settings)
        self._has_served = False
        prepare(self.policy)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI 3.0)."""
        kind = scope["type"]
        if kind not in REFUSALS:
            await self.app(scope, receive, send)
            return
        around = _context.current.get()
        try:
            if not self._has_served:
                self._has_served = True
                _servers.adapt()  # what was loaded after the app
            headers = scope["headers"]  # and not the scope, which will hold the exchange
            exchange = Exchange(self.policy, asgi_path(scope), scope.get(SCOPE_KEY), host=lambda: asgi_host(headers))
            _context.enter(exchange)
            _servers.begin(scope, exchange)
            scope = {**scope, SCOPE_KEY: exchange}
            if exchange.hides_cookies:
                exchange.was_refused = any(says_refused(bytes(one).decode("latin-1")) for _, one in scope["headers"])
                scope["headers"] = without_cookies(scope["headers"])
            if exchange.policy.scrubs_html and kind == "http":
                scope["headers"] = readable_codings(scope["headers"], exchange)
            may_have_body = kind == "http" and has_body(scope)
            is_submission = may_have_body or bool(scope.get("query_string"))
        except Exception as error:
            _logs.tell_failure(error)
            await refuse(kind, send)
            return
        send = guarded_send(kind, exchange, send)
        try:
            if not await self._is_served(exchange, scope, receive, send, is_submission, may_have_body):
                await fail(kind, exchange, send)
        finally:
            exchange.end(raised=exchange.raised)
            _context.leave(exchange, around)

    async def _is_served(
        self, exchange: Exchange, scope: Scope, receive: Receive, send: Send, is_submission: bool, may_have_body: bool
    ) -> bool:
        """Call the app; return False when it has failed and nobody else may know."""
        try:
            if is_submission:
                _silence.watch_tasks()
                taken = await take_in(exchange, scope, receive, send, may_have_body=may_have_body)
                if taken is None:
                    return True
                scope, receive = taken
            await self.app(scope, receive, send)
        except BaseException as error:
            exchange.raised = True
            if not exchange.swallows(error):
                raise
            return False
        return True


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
