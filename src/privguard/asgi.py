"""ASGI: moves messages between the server and the app, and asks the exchange about each header list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

from . import _context, _logs
from ._exchange import Exchange
from ._headers import BYTES, as_list
from ._paths import asgi_path
from ._policy import Policy

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SCOPE_KEY = "privguard.exchange"

_REFUSED = b"Internal Server Error"
_REFUSED_HEADERS = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(_REFUSED))]
_REFUSALS: Mapping[str, tuple[Message, ...]] = {
    "http": (
        {"type": "http.response.start", "status": 500, "headers": _REFUSED_HEADERS},
        {"type": "http.response.body", "body": _REFUSED},
    ),
    "websocket": ({"type": "websocket.close", "code": 1011},),
}


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
        if kind not in _REFUSALS:
            await self.app(scope, receive, send)
            return
        around = _context.current.get()
        try:
            exchange = Exchange(self.policy, asgi_path(scope), scope.get(SCOPE_KEY))
            _context.enter(exchange)
            scope = {**scope, SCOPE_KEY: exchange}
            if exchange.hides_cookies:
                scope["headers"] = without_cookies(scope["headers"])
        except Exception as error:
            _logs.tell_failure(error)
            await _refuse(kind, send)
            return
        try:
            await self.app(scope, receive, _guarded_send(kind, exchange, send))
        except BaseException:
            exchange.raised = True
            raise
        finally:
            exchange.ended = True
            _context.leave(exchange, around)


def without_cookies(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return a scope's request headers without its Cookie headers."""
    return [pair for pair in headers if bytes(pair[0]).strip().lower() != b"cookie"]


def _guarded_send(kind: str, exchange: Exchange, send: Send) -> Send:
    has_failed = False

    # No coroutine of its own: what a response's body and a WebSocket's messages cost is this call alone.
    def guarded(message: Message) -> Awaitable[None]:
        nonlocal has_failed
        if has_failed:
            return _discard()
        guard = _GUARDS.get(message.get("type"))
        if guard is None:
            return send(message)
        headers = as_list(message.get("headers"))  # what an app's own iterator raises is the app's
        try:
            message = guard(message, headers, exchange)
        except Exception as error:
            has_failed = True
            _logs.tell_failure(error)
            return _refuse(kind, send)
        return send(message)

    return guarded


Headers = list[tuple[bytes, bytes]]


def _guard_response(message: Message, headers: Headers, exchange: Exchange) -> Message:
    return {**message, "headers": exchange.response_headers(message.get("status", 0), headers, BYTES)}


def _guard_handshake(message: Message, headers: Headers, exchange: Exchange) -> Message:
    return {**message, "headers": exchange.interim_headers(headers, BYTES)} if headers else message


def _guard_hints(message: Message, headers: Headers, exchange: Exchange) -> Message:
    links = [(b"link", link) for link in as_list(message.get("links"))]
    return {**message, "links": [link for _, link in exchange.interim_headers(links, BYTES)]}


_GUARDS: Mapping[Any, Callable[[Message, Headers, Exchange], Message]] = {
    "http.response.start": _guard_response,
    "websocket.http.response.start": _guard_response,
    "websocket.accept": _guard_handshake,
    "http.response.early_hint": _guard_hints,
}


async def _discard() -> None:
    """What an app sends after its response was refused goes nowhere."""


async def _refuse(kind: str, send: Send) -> None:
    for message in _REFUSALS[kind]:
        await send({**message})
