"""The content of a Django response that a browser reads as a document, scrubbed: at once, or as it streams."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

from .. import _logs
from .._exchange import Exchange


def scrub_content(response: Any, exchange: Exchange) -> None:
    """Make *response* send what its exchange lets leave of its content."""
    if not response.streaming:
        is_coded = response.has_header("Content-Encoding")
        response.content = exchange.scrub(response.content, is_last=True)
        if is_coded:
            response.headers["Content-Length"] = str(len(response.content))
    elif response.is_async:
        response.streaming_content = _scrub_later(response.streaming_content, exchange)
    else:
        response.streaming_content = _scrub_each(response.streaming_content, exchange)


def _scrub_each(chunks: Iterable[bytes], exchange: Exchange) -> Iterator[bytes]:
    for chunk in chunks:
        yield _scrub(exchange, chunk)
    yield _scrub(exchange, b"", is_last=True)


async def _scrub_later(chunks: AsyncIterator[bytes], exchange: Exchange) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield _scrub(exchange, chunk)
    yield _scrub(exchange, b"", is_last=True)


def _scrub(exchange: Exchange, chunk: bytes, *, is_last: bool = False) -> bytes:
    try:
        return exchange.scrub(chunk, is_last=is_last)
    except Exception as error:  # the head is gone: the server ends the response where it is
        _logs.tell_failure(error)
        raise
