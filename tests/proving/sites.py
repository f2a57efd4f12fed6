"""Small apps that do with a submission what apps do."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

log = logging.getLogger("site")
REFUSED = [("Content-Type", "text/plain"), ("Cache-Control", "no-store")]


def forgets(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Reads everything and keeps nothing."""
    environ["wsgi.input"].read()
    log.info("somebody joined")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"Welcome"]


def refuses(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Turns everybody down, as the middleware does."""
    start_response("403 Forbidden", REFUSED)
    return [b"We do not take this."]


def refused(app: Any) -> Any:
    """Stands before an app, and lets nothing through to it."""
    return refuses


def echoes(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Sends everything back, in a header and a cookie too."""
    cookie = environ["HTTP_COOKIE"].partition(";")[0]
    headers = [("Content-Type", "text/plain"), ("Set-Cookie", cookie), ("X-Query", environ["QUERY_STRING"])]
    start_response("200 OK", headers)
    return [environ["wsgi.input"].read()]


def logs(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    log.info("from %s", environ["HTTP_REFERER"])
    return forgets(environ, start_response)


def fails(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    query = environ["QUERY_STRING"]
    raise RuntimeError(f"cannot read {len(query)} characters")


def is_nowhere(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("404 Not Found", [])
    return [b""]


def takes_no_post(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("405 Method Not Allowed", [("Allow", "GET")])
    return [b""]


async def forgets_later(scope: Any, receive: Any, send: Any) -> None:
    """The same as ASGI, without a lifespan."""
    assert scope["type"] == "http"
    await receive()
    await welcome(send)


async def welcome(send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"Wel", "more_body": True})
    await send({"type": "http.response.body", "body": b"come"})


async def logs_later(scope: Any, receive: Any, send: Any) -> None:
    """Logs what was sent behind the answer: in a task, in a thread, and in a task that fails and nobody waits for."""
    assert scope["type"] == "http"
    body = (await receive())["body"]
    await welcome(send)

    async def log_it() -> None:
        await asyncio.sleep(0.05)
        log.info("task: %s", body)

    async def fail() -> None:
        raise RuntimeError(f"unwanted: {body!r}")

    scope["state"]["tasks"] = asyncio.create_task(log_it())
    asyncio.create_task(fail())  # noqa: RUF006
    threading.Timer(0.3, log.info, ["thread: %s", body]).start()
