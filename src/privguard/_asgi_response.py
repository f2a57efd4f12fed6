"""An ASGI response on its way from the app to the server: every message that carries headers, links or a document."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any

from . import _logs
from ._exchange import Exchange
from ._headers import BYTES, as_list

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_INTERNAL_ERROR = 1011  # RFC 6455 §7.4.1
_REFUSED = b"Internal Server Error"
_REFUSED_HEADERS = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(_REFUSED))]
REFUSALS: Mapping[str, tuple[Message, ...]] = {
    "http": (
        {"type": "http.response.start", "status": 500, "headers": _REFUSED_HEADERS},
        {"type": "http.response.body", "body": _REFUSED},
    ),
    "websocket": ({"type": "websocket.close", "code": _INTERNAL_ERROR},),
}
_PIECE = 1 << 16  # bytes of a file that are read at once


async def fail(kind: str, exchange: Exchange, send: Send) -> None:
    """Say that the app has failed, and no more: by a 500, or by an end of what has begun.

    What cannot be ended, as what is shorter than its head says, is broken off by the server, once it is told.
    """
    has_begun = exchange.has_begun
    try:
        if not has_begun:
            await refuse(kind, send)
        elif kind == "http":
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            await send({"type": "websocket.close", "code": _INTERNAL_ERROR})
    except Exception:  # the visitor has left, or all was sent, or too little
        if kind == "http" and has_begun:
            raise


async def refuse(kind: str, send: Send) -> None:
    """Answer a request of this *kind* with a 500."""
    for message in REFUSALS[kind]:
        await send({**message})


def guarded_send(kind: str, exchange: Exchange, send: Send) -> Send:
    """Return the send that the app is given."""
    has_failed = False

    # No coroutine of its own: what most bodies and a WebSocket's messages cost is this call alone.
    def guarded(message: Message) -> Awaitable[None]:
        nonlocal has_failed
        if has_failed:
            return _discard()
        guard = _GUARDS.get(message.get("type"))
        if guard is None:
            return send(message) if exchange.body is None else guarded_document(message)
        headers = as_list(message.get("headers"))  # what an app's own iterator raises is the app's
        try:
            message = guard(message, headers, exchange)
        except Exception as error:
            has_failed = True
            _logs.tell_failure(error)
            return refuse(kind, send)
        return send(message)

    async def guarded_document(message: Message) -> None:
        nonlocal has_failed
        for piece, more in _document_pieces(message):
            try:
                body = exchange.scrub(piece, is_last=not more)
            except Exception as error:  # the head is gone: what is left of the response goes nowhere
                has_failed = True
                _logs.tell_failure(error)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            if body or not piece or not more:  # while all of a piece is held, there is nothing to send
                await send({"type": "http.response.body", "body": body, "more_body": more})
        if message.get("type") not in _DOCUMENT_PIECES:
            await send(message)

    return guarded


# ── messages with headers ────────────────────────────────────────────────────────────────────────────────────────────


def _guard_response(message: Message, headers: Headers, exchange: Exchange) -> Message:
    return {**message, "headers": exchange.response_headers(message.get("status", 0), headers, BYTES)}


def _guard_denial(message: Message, headers: Headers, exchange: Exchange) -> Message:
    guarded = _guard_response(message, headers, exchange)
    exchange.body = None  # nobody renders what a WebSocket is denied with
    return guarded


def _guard_headers(message: Message, headers: Headers, exchange: Exchange) -> Message:
    guarded = exchange.interim_headers(headers, BYTES) if headers else headers
    return message if guarded == headers else {**message, "headers": guarded}


def _guard_hints(message: Message, headers: Headers, exchange: Exchange) -> Message:
    links = [(b"link", link) for link in as_list(message.get("links"))]
    return {**message, "links": [link for _, link in exchange.interim_headers(links, BYTES)]}


_GUARDS: Mapping[Any, Callable[[Message, Headers, Exchange], Message]] = {
    "http.response.start": _guard_response,
    "websocket.http.response.start": _guard_denial,
    "websocket.accept": _guard_headers,
    "http.response.push": _guard_headers,
    "http.response.trailers": _guard_headers,
    "http.response.early_hint": _guard_hints,
}

# ── messages with a document ─────────────────────────────────────────────────────────────────────────────────────────


def _body_pieces(message: Message) -> Iterator[tuple[bytes, bool]]:
    yield bytes(message.get("body", b"")), bool(message.get("more_body", False))


def _path_pieces(message: Message) -> Iterator[tuple[bytes, bool]]:
    """The path send extension: the file is the whole body."""
    with open(message["path"], "rb") as file:
        yield from _with_last(iter(lambda: file.read(_PIECE), b""))


def _descriptor_pieces(message: Message) -> Iterator[tuple[bytes, bool]]:
    """The zero copy send extension: as many bytes as it says, from where it says or from where the file stands."""
    descriptor = message["file"].fileno()
    if message.get("offset") is not None:
        os.lseek(descriptor, message["offset"], os.SEEK_SET)
    left = message.get("count")
    more = bool(message.get("more_body", False))

    def read() -> bytes:
        nonlocal left
        piece = os.read(descriptor, _PIECE if left is None else min(left, _PIECE))
        left = None if left is None else left - len(piece)
        return piece

    for piece, follows in _with_last(iter(read, b"")):
        yield piece, follows or more


def _with_last(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield each of *pieces* and whether more will come; one empty piece where there are none."""
    last = b""
    for number, piece in enumerate(pieces):
        if number:
            yield last, True
        last = piece
    yield last, False


_DOCUMENT_PIECES: Mapping[Any, Callable[[Message], Iterator[tuple[bytes, bool]]]] = {
    "http.response.body": _body_pieces,
    "http.response.pathsend": _path_pieces,
    "http.response.zerocopysend": _descriptor_pieces,
}


def _document_pieces(message: Message) -> Iterator[tuple[bytes, bool]]:
    """Yield what a message brings of the document, and whether more will come, whichever way the app sends it."""
    read = _DOCUMENT_PIECES.get(message.get("type"))
    return read(message) if read else iter(())


async def _discard() -> None:
    """What an app sends after its response was refused goes nowhere."""
