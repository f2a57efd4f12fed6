"""Tests of what ASGI servers hand over as a request's body, and of what becomes of it."""

from __future__ import annotations

import asyncio
from collections import deque

from privguard.asgi import PrivacyMiddleware

SCOPE = {
    "type": "http",
    "http_version": "1.1",
    "method": "POST",
    "path": "/join",
    "query_string": b"",
    "headers": [(b"content-type", b"application/x-www-form-urlencoded"), (b"transfer-encoding", b"chunked")],
}


def piece(body, *, more=True):
    return {"type": "http.request", "body": body, "more_body": more}


class Site:
    """An app behind the middleware that remembers the bodies it has read."""

    def __init__(self, **settings):
        self.read: list[bytes] = []
        self._guarded = PrivacyMiddleware(self._app, {"children": settings})

    async def _app(self, scope, receive, send):
        body = b""
        while True:
            message = await receive()
            body += message["body"]
            if not message["more_body"]:
                break
        self.read.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"thanks"})

    async def call(self, *messages):
        """Return the status of the answer to a form of these messages, behind which nothing comes any more."""
        sent, coming = [], deque(messages)

        async def send(message):
            sent.append(message)

        async def receive():
            if not coming:
                await asyncio.Event().wait()
            return coming.popleft()

        await self._guarded({**SCOPE}, receive, send)
        return sent[0]["status"] if sent else None


def test_visitor_who_falls_silent_is_given_up(caplog):
    """A body of which nothing comes any more is not held for ever; the owner is told which limit it ran into."""
    site = Site(limits={"seconds": 1})
    assert asyncio.run(site.call(piece(b"name=Ann"))) == 408
    assert site.read == []
    (record,) = caplog.records
    assert 'PRIVGUARD["children"]["limits"]["seconds"]' in record.getMessage()


def test_body_comes_in_under_another_librarys_loop():
    """Where asyncio does not run, there is no clock of its to ask: the body comes in all the same."""
    site = Site()
    calling = site.call(piece(b"age="), piece(b"36", more=False))
    try:
        calling.send(None)
    except StopIteration as stopped:
        assert stopped.value == 200
    assert site.read == [b"age=36"]


def test_body_that_nobody_has_read_is_forgotten_at_the_end():
    """A task that outlives its request reads no more of it than has been given to it."""
    site, kept = Site(limits={"memory_bytes": 10}), []

    async def app(scope, receive, send):
        kept.append(receive)
        kept.append(await receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"thanks"})

    async def call_and_read_on():
        body = b"name=Ann&age=36&text=" + b"x" * 300_000
        assert await site.call(piece(body, more=False)) == 200
        receive, first = kept
        message, size = first, len(first["body"])
        while message["more_body"]:
            message = await receive()
            size += len(message["body"])
        assert size < len(body)

    site._guarded.app = app
    asyncio.run(call_and_read_on())
