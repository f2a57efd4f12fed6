"""An ASGI request on its way to the app: a submission comes in whole before the app is called."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from typing import Any

from . import _logs
from ._answer import Answer, of_error
from ._asgi_response import Message, Send
from ._errors import SubmissionError
from ._exchange import Exchange
from ._intake import Intake
from ._policy import ChildAction

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

# What tells of a body, or what is in it.
_OF_THE_BODY = frozenset({b"content-type", b"content-encoding", b"content-length", b"transfer-encoding", b"expect"})
_WITHOUT_CONTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # as clients send them, whatever type they name
_POLICY_VIOLATION = 1008  # RFC 6455 §7.4.1


class _ReceiveError(Exception):
    """The server's own receive() has raised the cause of this."""


def has_body(scope: Mapping[str, Any]) -> bool:
    """Whether a body may come (RFC 9112 §6.3).

    Of header fields that contradict one another any counts, for servers differ in which one they heed. HTTP/2 needs
    none (RFC 9113 §8.1); and gateways that translate events into requests leave the length out, and keep the type.
    """
    is_empty = has_type = False
    for name, value in scope["headers"]:
        name = bytes(name).lower()
        if name == b"transfer-encoding" or (name == b"content-length" and bytes(value).strip() != b"0"):
            return True
        is_empty |= name == b"content-length"
        has_type |= name == b"content-type"
    if is_empty:
        return False
    return not scope.get("http_version", "1.1").startswith("1") or (
        has_type and scope.get("method") not in _WITHOUT_CONTENT
    )


async def take_in(
    exchange: Exchange, scope: Scope, receive: Receive, send: Send, *, may_have_body: bool
) -> tuple[Scope, Receive] | None:
    """Return what the app may read of a submission; None when it is not to be called.

    Then it has been answered, or the visitor left before all of it had come in. Raises what *receive* raises.
    """
    failed: BaseException | None = None
    try:
        taken, answer = await _take_in(exchange, scope, receive, may_have_body=may_have_body)
    except SubmissionError as error:
        taken, answer = None, exchange.fail(error)
    except _ReceiveError as error:
        taken, answer, failed = None, None, error.__cause__
    except Exception as error:
        _logs.tell_failure(error)
        taken, answer = None, of_error(500)
    if failed is not None:
        raise failed
    if answer is not None:
        await _give(answer, scope, receive, send)
    return taken


async def _take_in(
    exchange: Exchange, scope: Scope, receive: Receive, *, may_have_body: bool
) -> tuple[tuple[Scope, Receive] | None, Answer | None]:
    values = _values_of(scope)
    query: bytes = scope.get("query_string") or b""
    intake = exchange.take_in(query, values)
    if intake is None:
        return (scope, receive), None
    is_held = may_have_body and intake.wants_body
    try:
        is_whole = not is_held or await _receive_all(intake, receive)
        intake.finish()  # also of one that breaks off, what has come is judged
    except BaseException:
        intake.discard()
        raise
    finally:
        action = exchange.settle(intake)
    if not is_whole:
        intake.discard()
        return None, None
    if action is None and (scope["type"] == "websocket" or not (query or intake.has_body)):
        exchange.wait_no_more()
    if action is ChildAction.REFUSE:
        return None, exchange.refusal(",".join(values("accept")))
    if action is ChildAction.ERASE:
        return (erased(scope, query), _emptied(scope, receive, was_read=is_held)), None
    return (scope, _again(intake.pieces(), receive) if is_held else receive), None


def _values_of(scope: Scope) -> Callable[[str], list[str]]:
    headers = [
        (bytes(name).decode("latin-1").lower(), bytes(value).decode("latin-1")) for name, value in scope["headers"]
    ]
    return lambda wanted: [value for name, value in headers if name == wanted]


async def _receive_all(intake: Intake, receive: Receive) -> bool:
    """Take the whole body in; return False when the visitor left before its end."""
    while True:
        try:
            async with _timeout(intake.patience):
                message = await receive()
        except TimeoutError:
            raise intake.out_of_patience() from None
        except Exception as error:
            raise _ReceiveError from error
        if message["type"] != "http.request":
            return False
        chunk = message.get("body", b"")
        if chunk:
            intake.feed(bytes(chunk), time.monotonic())
        if not message.get("more_body", False):
            return True


def _timeout(seconds: float) -> contextlib.AbstractAsyncContextManager[Any]:
    try:
        asyncio: Any = sys.modules["asyncio"]
        asyncio.get_running_loop()
    except (KeyError, RuntimeError):  # another library's loop
        return contextlib.nullcontext()
    return asyncio.timeout(seconds)  # type: ignore[no-any-return]


async def _give(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()  # "websocket.connect"; a handshake that is closed before it is accepted is answered with a 403
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        return
    fields = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.fields]
    await send({"type": "http.response.start", "status": answer.status, "headers": fields})
    await send({"type": "http.response.body", "body": b"" if scope.get("method") == "HEAD" else answer.body})


def erased(scope: Scope, query: bytes) -> Scope:
    """Return a scope in which nothing is left of what was sent."""
    headers = [
        (name, _without(bytes(value), query))
        for name, value in scope["headers"]
        if bytes(name).lower() not in _OF_THE_BODY
    ]
    if scope["type"] != "websocket":
        headers.append((b"content-length", b"0"))
    erased = {**scope, "query_string": b"", "headers": headers}
    if "raw_path" in scope:  # some servers have the query in it
        erased["raw_path"] = _without(bytes(scope["raw_path"] or b""), query)
    return erased


def _without(value: bytes, query: bytes) -> bytes:
    """Return a URL without its query, where that is what was sent: a Referer may repeat it."""
    if not query or query not in value:
        return value
    return b"" if value == query else value.partition(b"?")[0]


def _again(pieces: Iterator[bytes], receive: Receive) -> Receive:
    """Return a receive that gives *pieces* as the body, and then what comes."""
    following: bytes | None = next(pieces, b"")

    async def receive_again() -> Message:
        nonlocal following
        if following is None:
            return await receive()
        piece, following = following, next(pieces, None)
        return {"type": "http.request", "body": piece, "more_body": following is not None}

    return receive_again


def _emptied(scope: Scope, receive: Receive, *, was_read: bool) -> Receive:
    """Return a receive that gives an empty body, and then what comes behind the one that was sent."""
    if scope["type"] == "websocket":
        return receive
    is_first, is_over = True, was_read

    async def receive_emptied() -> Message:
        nonlocal is_first, is_over
        if is_first:
            is_first = False
            return {"type": "http.request", "body": b"", "more_body": False}
        message = await receive()
        while not is_over and message["type"] == "http.request":
            is_over = not message.get("more_body", False)
            message = await receive()
        return message

    return receive_emptied
