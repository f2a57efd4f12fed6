"""ASGI: moves messages between the server and the app, and asks the exchange about each header list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

from . import _context, _logs
from ._exchange import Exchange
from ._headers import BYTES
from ._paths import asgi_path
from ._policy import Policy

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SCOPE_KEY = "privguard.exchange"

_REFUSED = b"Internal Server Error"
_REFUSED_HEAD = {
    "status": 500,
    "headers": [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(_REFUSED))],
}
_REFUSALS: Mapping[str, tuple[Message, ...]] = {
    "http": (
        {"type": "http.response.start", **_REFUSED_HEAD},
        {"type": "http.response.body", "body": _REFUSED},
    ),
    "websocket": ({"type": "websocket.close", "code": 1011},),
}
# Message type -> whether the answer is one that a browser may render.
_HEADS: Mapping[Any, bool] = {
    "http.response.start": True,
    "websocket.http.response.start": True,
    "websocket.accept": False,
}


class PrivacyMiddleware:
    """Wrap an ASGI app so that its server keeps the promises of the privacy policy.

    *settings* is the PRIVGUARD dict or a :class:`privguard.Policy`. Raises :class:`privguard.SettingsError`.
    """

    def __init__(self, app: App, settings: Mapping[str, Any] | Policy | None = None) -> None:
        self.app = app
        self.policy = Policy.of(settings)
        _logs.install()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI 3.0)."""
        if scope["type"] not in _REFUSALS:
            await self.app(scope, receive, send)
            return
        try:
            parent = scope.get(SCOPE_KEY)
            exchange = Exchange(self.policy, asgi_path(scope), parent=parent)
            _context.current.set(exchange)
            scope = _guarded_scope(scope, exchange)
        except Exception as error:
            _logs.tell_failure(error)
            await _refuse(scope["type"], send)
            return
        raised = True
        try:
            await self.app(scope, receive, _guarded_send(scope["type"], exchange, send))
            raised = False
        finally:
            exchange.end(raised=raised)
            if parent is not None:
                _context.current.set(parent)


def _guarded_scope(scope: Scope, exchange: Exchange) -> Scope:
    guarded = {**scope, SCOPE_KEY: exchange}
    if exchange.hides_cookies:
        guarded["headers"] = without_cookies(scope["headers"])
    return guarded


def without_cookies(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return a scope's request headers without its Cookie headers."""
    return [pair for pair in headers if bytes(pair[0]).strip().lower() != b"cookie"]


def _guarded_send(kind: str, exchange: Exchange, send: Send) -> Send:
    has_failed = False

    async def guarded(message: Message) -> None:
        nonlocal has_failed
        if has_failed:
            return  # what an app sends after its response was refused goes nowhere
        try:
            message = _guarded_message(message, exchange)
        except Exception as error:
            has_failed = True
            _logs.tell_failure(error)
            await _refuse(kind, send)
            return
        await send(message)

    return guarded


def _guarded_message(message: Message, exchange: Exchange) -> Message:
    message_type = message.get("type")
    renders = _HEADS.get(message_type)
    if renders is not None:
        headers = message.get("headers")
        if renders:
            return {**message, "headers": exchange.response_headers(message.get("status", 0), headers, BYTES)}
        return {**message, "headers": exchange.interim_headers(headers, BYTES)} if headers else message
    if message_type == "http.response.early_hint":
        hints = exchange.interim_headers([(b"link", link) for link in message["links"]], BYTES)
        return {**message, "links": [link for _, link in hints]}
    return message


async def _refuse(kind: str, send: Send) -> None:
    for message in _REFUSALS[kind]:
        await send({**message})
