"""A WSGI site of many small pages, each of which answers in a way of its own; also as the Flask app around it."""

from __future__ import annotations

import contextvars
import io
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from flask import Flask
from odd_headers import text_headers
from site_parts import (
    BARE,
    COOKIES,
    POLICY,
    maximum_memory,
    say,
    say_in_thread,
    say_late,
    set_up_logging,
    tell,
    wait,
)
from werkzeug.test import Client

from privguard import flag_child
from privguard.flask import Privguard
from privguard.wsgi import PrivacyMiddleware

HEADERS = [("Content-Type", "text/plain"), *COOKIES]
CHUNK = bytes(64 * 1024)

framework = Flask("framework")


def token_of(environ):
    return environ.get("HTTP_X_TOKEN", "")


class Body:
    """A body that is told when it is closed, and tells."""

    def __init__(self, chunks, closed):
        self.chunks = chunks
        self.closed = closed

    def __iter__(self):
        return iter(self.chunks)

    def close(self):
        self.closed()


# ── pages that talk ──────────────────────────────────────────────────────────────────────────────────────────────────


def talk(environ, start_response, flag_at="never"):
    token = token_of(environ)
    if "HTTP_X_LATE" in environ:
        say_late(token)
    say("before", token)
    if flag_at == "begin":
        flag_child()
    say_in_thread("thread", token)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(contextvars.copy_context().run, say, "task", token)
    start_response("200 OK", [*HEADERS, ("Content-Length", "6")])
    say("started", token)

    def chunks():
        yield b"" if environ["REQUEST_METHOD"] == "HEAD" else b"[1]"
        if flag_at == "body":
            flag_child()
        say("between", token)
        yield b"" if environ["REQUEST_METHOD"] == "HEAD" else b"[2]"

    return Body(chunks(), lambda: say("after", token))


def slow(environ, start_response):
    wait(f"slow:{token_of(environ)}")
    return talk(environ, start_response)


def join(environ, start_response):
    return talk(environ, start_response, "begin")


def join_late(environ, start_response):
    return talk(environ, start_response, "body")


def join_and_fail(environ, start_response):
    """What a site flags in mid-stream may go wrong after it."""
    start_response("200 OK", HEADERS)
    yield b"[1]"
    flag_child()
    raise RuntimeError(f"secret {token_of(environ)}")


def join_and_raise(environ, start_response):
    flag_child()
    raise RuntimeError(f"secret {token_of(environ)}")


def join_and_ask_within(environ, start_response):
    """A page that asks another guarded app in the same process, as sites ask their own interface."""
    flag_child()
    start_response("200 OK", HEADERS)
    yield b"[1]"
    Client(within).get("/within")
    say("between", token_of(environ))
    yield b"[2]"


# ── pages that answer in odd but proper ways ─────────────────────────────────────────────────────────────────────────


def plain(environ, start_response):
    start_response("200 OK", list(HEADERS))
    return [b"plain"]


def echo(environ, start_response):
    received = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", list(HEADERS))
    return [received]


def stream(environ, start_response):
    start_response("200 OK", list(HEADERS))
    yield b"[1]"
    wait(f"stream:{token_of(environ)}")
    yield b"[2]"


def events(environ, start_response):
    """Server-sent events without an end."""
    token = token_of(environ)

    def chunks():
        while True:
            yield b"data: x\n\n"
            time.sleep(0.01)  # without a breath, waitress would never notice that nobody listens any more

    start_response("200 OK", [*HEADERS[1:], ("Content-Type", "text/event-stream")])
    return Body(chunks(), lambda: tell(f"closed:{token}"))


def closing(environ, start_response):
    token = token_of(environ)
    start_response("200 OK", list(HEADERS))
    return Body([b"[1]", b"[2]"], lambda: tell(f"closed:{token}"))


def write(environ, start_response):
    write = start_response("200 OK", list(HEADERS))
    write(b"[1]")
    wait(f"stream:{token_of(environ)}")
    write(b"[2]")
    return [b"[3]"]


def late(environ, start_response):
    """start_response is called when the first chunk is asked for."""
    start_response("200 OK", list(HEADERS))
    yield b"[1]"
    yield b"[2]"


def again(environ, start_response):
    """A response is replaced by that of an error before anything has left."""
    start_response("200 OK", [*HEADERS, ("X-First", "1")])
    try:
        raise KeyError("x")
    except KeyError as error:
        start_response("503 Try Later", [*HEADERS, ("X-Second", "1")], (type(error), error, error.__traceback__))
    return [b"second"]


def head(environ, start_response):
    start_response("200 OK", [*HEADERS, ("Content-Length", "5")])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"plain"]


def no_content(environ, start_response):
    start_response("204 No Content", list(HEADERS[1:]))
    return []


def not_modified(environ, start_response):
    start_response("304 Not Modified", [*HEADERS[1:], ("ETag", '"1"')])
    return []


def file(environ, start_response):
    """A file by the server's wrapper, or in blocks where the server has none."""
    content = io.FileIO(__file__)
    start_response("200 OK", [*HEADERS, ("Content-Length", str(Path(__file__).stat().st_size))])
    wrapper = environ.get("wsgi.file_wrapper")
    return wrapper(content, 8192) if wrapper else Body(iter(lambda: content.read(8192), b""), content.close)


def big(environ, start_response):
    before = maximum_memory()
    start_response("200 OK", list(HEADERS))
    for _ in range(int(environ["HTTP_X_CHUNKS"])):
        yield CHUNK
    yield b"grown by %d KiB" % (maximum_memory() - before)


def raise_before(environ, start_response):
    raise RuntimeError(f"before {token_of(environ)}")


def raise_after(environ, start_response):
    start_response("200 OK", list(HEADERS))
    yield b"[1]"
    raise RuntimeError(f"after {token_of(environ)}")


def early_hints(environ, start_response):
    send_hints = environ.get("wsgi.early_hints", lambda headers: None)
    send_hints([("Link", "</site.css>; rel=preload; as=style"), COOKIES[0]])
    return plain(environ, start_response)


def odd(environ, start_response):
    start_response("200 OK", text_headers(environ["HTTP_X_CASE"]))
    return [b"plain"]


PAGES = {
    "/slow": slow,
    "/join": join,
    "/join-late": join_late,
    "/join-and-fail": join_and_fail,
    "/join-and-raise": join_and_raise,
    "/join-and-ask-within": join_and_ask_within,
    "/apple-touch-icon.png": framework,
    "/apple-touch-icon-precomposed.png": raise_before,
    "/plain": plain,
    "/echo": echo,
    "/stream": stream,
    "/events": events,
    "/closing": closing,
    "/write": write,
    "/late": late,
    "/again": again,
    "/head": head,
    "/no-content": no_content,
    "/not-modified": not_modified,
    "/file": file,
    "/big": big,
    "/quiet/big": big,
    "/raise-before": raise_before,
    "/raise-after": raise_after,
    "/early-hints": early_hints,
    "/odd": odd,
}


def site(environ, start_response):
    return PAGES.get(environ["PATH_INFO"], talk)(environ, start_response)


def beside(guarded):
    """The whole site: a part that nobody guards, and the rest."""

    def whole(environ, start_response):
        return (site if environ["PATH_INFO"] == "/unguarded" else guarded)(environ, start_response)

    return whole


set_up_logging("before")
within = PrivacyMiddleware(plain)
application = beside(site if BARE else PrivacyMiddleware(site, POLICY))
flask_app = Flask("site")
flask_app.wsgi_app = site
flask_app.config["PRIVGUARD"] = POLICY
if not BARE:
    Privguard(flask_app)
flask_app.wsgi_app = beside(flask_app.wsgi_app)
set_up_logging("after")
