"""What the tests of sinks share: visitors with a mark in every place, served as servers do it, on WSGI and ASGI."""

from __future__ import annotations

import asyncio
import contextvars
import io
import json
import logging

import privguard
from privguard.asgi import PrivacyMiddleware as AsgiMiddleware
from privguard.wsgi import PrivacyMiddleware as WsgiMiddleware

PLACES = ("query", "header", "cookie", "body", "file")
BODIES = ("form", "multipart", "json")
SETTINGS = {"children": {"action": "mute"}}
log = logging.getLogger("site")


class Visitor:
    """One request: *who* is "ordinary", "child" (by a field), "flagged" (by the app), or "quiet" (the favicon's)."""

    def __init__(self, who: str, body: str = "form", number: int = 0) -> None:
        self.who = who
        self.number = number
        self.path = "/favicon.ico" if who == "quiet" else "/join"
        self.marks = {place: f"{place}-{who}-{number}-4711" for place in PLACES}
        self.query = f"q={self.marks['query']}" if who != "quiet" else ""
        self.headers = {"X-Told": self.marks["header"], "Cookie": f"c={self.marks['cookie']}", "Host": "site.test"}
        self.body = b""
        if who != "quiet":
            self.headers["Content-Type"], self.body = getattr(self, f"_{body}")("9" if who == "child" else "30")
            self.headers["Content-Length"] = str(len(self.body))

    def _form(self, age: str) -> tuple[str, bytes]:
        return "application/x-www-form-urlencoded", f"name={self.marks['body']}&age={age}".encode()

    def _json(self, age: str) -> tuple[str, bytes]:
        return "application/json", json.dumps({"name": self.marks["body"], "age": int(age)}).encode()

    def _multipart(self, age: str) -> tuple[str, bytes]:
        field = '--b\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n{}\r\n'.format
        named = f'; filename="{self.marks["file"]}"'
        parts = field("name", "", self.marks["body"]), field("age", "", age), field("file", named, "x")
        return "multipart/form-data; boundary=b", ("".join(parts) + "--b--\r\n").encode()

    def environ(self) -> dict:
        named = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in self.headers.items()}
        environ = {
            "REQUEST_METHOD": "POST" if self.body else "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "QUERY_STRING": self.query,
            "SERVER_NAME": "site.test",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "192.0.2.7",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **named,
        }
        environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
        environ["CONTENT_LENGTH"] = environ.pop("HTTP_CONTENT_LENGTH", "")
        return environ

    def scope(self) -> dict:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST" if self.body else "GET",
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "root_path": "",
            "query_string": self.query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in self.headers.items()],
            "client": ("192.0.2.7", 4711),
            "server": ("site.test", 80),
        }


def told(visitor: Visitor, body: bytes) -> str:
    """What a careless app says of its visitor."""
    query, header, cookie = (visitor.marks[place] for place in ("query", "header", "cookie"))
    return f"{query} {header} {cookie} {body.decode()}"


def wsgi_app(visitor: Visitor, work):
    """Return an app that calls *work* with what it was told, flags the child, and calls it again."""

    def app(environ, start_response):
        text = told(visitor, environ["wsgi.input"].read())
        work("first", text)
        if visitor.who == "flagged":
            privguard.flag_child()
        work("second", text)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"x"]

    return app


def asgi_app(visitor: Visitor, work):
    async def app(scope, receive, send):
        message = await receive()
        text = told(visitor, message["body"])
        await asyncio.sleep(0)
        work("first", text)
        await asyncio.sleep(0)
        if visitor.who == "flagged":
            privguard.flag_child()
        work("second", text)
        await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})

    return app


def serve_wsgi(app, visitor: Visitor) -> bytes:
    """Serve one request in a context of its own, as a thread of a server does."""

    def serve() -> bytes:
        body = app(visitor.environ(), lambda *given: None)
        try:
            return b"".join(body)
        finally:
            if hasattr(body, "close"):
                body.close()

    return contextvars.Context().run(serve)


async def serve_asgi(app, visitor: Visitor) -> bytes:
    """Serve one request in the running task."""
    chunks = []
    bodies = [visitor.body]

    async def receive():
        if bodies:
            return {"type": "http.request", "body": bodies.pop(), "more_body": False}
        return await asyncio.Event().wait()  # the visitor stays

    async def send(message):
        chunks.append(message.get("body", b""))

    await app(visitor.scope(), receive, send)
    return b"".join(chunks)


def run_all(served) -> None:
    """Run the coroutines *served* interleaved, each in a task and context of its own."""

    async def run() -> None:
        tasks = [asyncio.create_task(one, context=contextvars.Context()) for one in served]
        failures = [one for one in await asyncio.gather(*tasks, return_exceptions=True) if one is not None]
        assert [one for one in failures if not isinstance(one, (bytes, ValueError))] == []

    asyncio.run(run())


def guarded(way: str, app, settings=None):
    middleware = WsgiMiddleware if way == "wsgi" else AsgiMiddleware
    return middleware(app, settings or SETTINGS)


def visit(way: str, visitor: Visitor, work, *, guard: bool = True, around=lambda app: app, inside=lambda app: app):
    """Serve *visitor* with the marked app; *around* and *inside* wrap the guard and what it guards."""
    app = inside((wsgi_app if way == "wsgi" else asgi_app)(visitor, work))
    app = around(guarded(way, app) if guard else app)
    if way == "wsgi":
        serve_wsgi(app, visitor)
    else:
        run_all([serve_asgi(app, visitor)])
