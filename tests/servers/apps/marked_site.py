"""A site that writes down whatever is sent to it, by every way that there is: as ASGI, as WSGI and within Flask.

Below /refuse/, /erase/ and /mute/ guards do with a child's submission what their name says; below /flag/ the app says
of each that it is a child's; /page/ is for everybody else.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
import warnings

from flask import Flask
from site_parts import BARE

from privguard import flag_child
from privguard.asgi import PrivacyMiddleware as AsgiMiddleware
from privguard.wsgi import PrivacyMiddleware as WsgiMiddleware

ACTIONS = ("refuse", "erase", "mute")

logging.basicConfig(level="INFO", format="%(name)s|%(message)s")
warnings.simplefilter("always")


class Answer:
    """What a page has read, and how it goes on."""

    def __init__(self, path, everything):
        _, self.action, self.way, self.token = [*path.split("/"), "", "", ""][:4]
        self.everything = everything
        self.say("begin")
        if self.action == "flag" and not BARE:
            flag_child()
        self.say("known")
        if self.way == "raise":
            raise RuntimeError(f"raised {self.token} {everything}")

    def say(self, stage):
        text = f"{stage} [{self.token}] {self.everything}"
        logging.getLogger(f"site.{stage}").warning("%s", text)
        sys.stdout.write(f"print {text}\n")
        sys.stdout.flush()
        sys.stderr.write(f"stderr {text}\n")

    def fail_in_the_middle(self):
        if self.way == "break":
            raise RuntimeError(f"broken {self.token} {self.everything}")


# ── ASGI ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def asgi_site(scope, receive, send):
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            logging.getLogger("site.gone").warning("gone %s", scope["headers"])
            break
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    answer = Answer(scope["path"], f"{scope['query_string']} {scope['headers']} {body}")
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"6")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    answer.say("started")
    await send({"type": "http.response.body", "body": b"[1]", "more_body": True})
    if answer.way == "slow":
        await _sleep(0.2)
    answer.fail_in_the_middle()
    await send({"type": "http.response.body", "body": b"[2]"})
    answer.say("end")


async def _sleep(seconds):
    if "trio" in sys.modules and "hypercorn.trio" in sys.modules:
        import trio

        await trio.sleep(seconds)
    else:
        await asyncio.sleep(seconds)


async def lifespan(receive, send):
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    await guards_asgi.get(scope["path"].split("/")[1], guards_asgi["mute"])(scope, receive, send)


# ── WSGI ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Body:
    def __init__(self, answer):
        self.answer = answer

    def __iter__(self):
        yield b"[1]"
        if self.answer.way == "slow":
            time.sleep(0.2)
        self.answer.fail_in_the_middle()
        yield b"[2]"

    def close(self):
        self.answer.say("end")


def wsgi_site(environ, start_response):
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    sent = {name: value for name, value in environ.items() if name.startswith(("HTTP_", "QUERY_"))}
    answer = Answer(environ["PATH_INFO"], f"{sent} {body}")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "6")])
    answer.say("started")
    environ["wsgi.errors"].write(f"errors [{answer.token}] {answer.everything}\n")
    environ["wsgi.errors"].flush()
    return [b"[1]", b"[2]"] if answer.way == "list" else Body(answer)


def wsgi(environ, start_response):
    guard = guards_wsgi.get(environ["PATH_INFO"].split("/")[1], guards_wsgi["mute"])
    return guard(environ, start_response)


def _guarded(app, middleware):
    """Return one guard for each action."""
    return {action: app if BARE else middleware(app, {"children": {"action": action}}) for action in ACTIONS}


guards_asgi = _guarded(asgi_site, AsgiMiddleware)
guards_wsgi = _guarded(wsgi_site, WsgiMiddleware)

flask_app = Flask("marked")
flask_app.wsgi_app = wsgi
