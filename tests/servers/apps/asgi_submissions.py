"""An ASGI site that takes submissions, under as many policies as there are first parts of its paths."""

from __future__ import annotations

from site_parts import set_up_logging
from submission_parts import COOKIE, POLICIES, Taken, settings

from privguard.asgi import PrivacyMiddleware

HEADERS = [(b"content-type", b"application/json"), (COOKIE[0].lower().encode(), COOKIE[1].encode())]


async def site(scope, receive, send):
    if scope["type"] != "http":
        return
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    taken = Taken(headers.get("x-token"), f"{scope['path']}?{scope['query_string'].decode()}", headers)
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        taken.feed(message.get("body", b""))
        if not message.get("more_body"):
            break
    body = taken.finish(headers.get("content-length"), headers.get("content-type"))
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": body})


async def application(scope, receive, send):
    """The whole site: below /bare/ nobody guards it."""
    name = scope.get("path", "/").split("/")[1]
    await GUARDED.get(name, site)(scope, receive, send)


set_up_logging("before")
GUARDED = {name: PrivacyMiddleware(site, settings(name)) for name in POLICIES}
