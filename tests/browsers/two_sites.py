"""Two servers on loopback: a site whose pages load things in every way there is, and the other one that records it."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import privguard
from browsers.load_vectors import Vector, pages
from browsers.raw_server import RawServer, Request, page

SITE, ELSEWHERE = "site.localhost", "elsewhere.localhost"
Answer = tuple[str, list[tuple[str, str]], str]
WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

TYPES = {
    "css": "text/css",
    "html": "text/html",
    "js": "text/javascript",
    "json": "application/json",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "png": "image/png",
    "svg": "image/svg+xml",
    "txt": "text/plain",
    "vtt": "text/vtt",
    "woff2": "font/woff2",
    "xsl": "text/xsl",
}
PREAMBLE = """\
const make = (name, properties) =>
    Object.assign(document.createElementNS("http://www.w3.org/1999/xhtml", name), properties);
const root = document.querySelector("body");
const keep = (one) => { (window.kept ??= []).push(one); return one; };  // or it is collected before it has begun
"""
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'
DOCUMENTS = {
    "html": ("text/html", "<!doctype html>\n<html><head><title>x</title>{head}</head><body>{body}</body></html>"),
    "xhtml": (
        "application/xhtml+xml",
        f'<?xml version="1.0"?>{{prolog}}<html {XHTML}><head><title>x</title>{{head}}</head>'
        "<body>{body}</body></html>",
    ),
    "svg": (
        "image/svg+xml",
        '<?xml version="1.0"?>{prolog}<svg xmlns="http://www.w3.org/2000/svg" width="300" height="150">'
        f'<foreignObject width="300" height="150"><div {XHTML}>{{head}}</div><body {XHTML}>{{body}}</body>'
        "</foreignObject></svg>",
    ),
}
# The kind of page -> the kind of document, and the statuses with which one page and the next are served.
KINDS = {
    "html": ("html", (200, 200)),
    "errors": ("html", (404, 500)),
    "xhtml": ("xhtml", (200, 200)),
    "svg": ("svg", (200, 200)),
}


class TwoSites:
    """The site serves pages full of vectors at /GUARD/KIND/page/NUMBER; what they load elsewhere is recorded.

    GUARD names what stands before the app; before "bare" there is nothing.
    """

    def __init__(self) -> None:
        self._pages = pages()
        self._vectors = {vector.name: vector for one in self._pages for vector in one}
        self.names = set(self._vectors)
        self._hits: set[tuple[str, str, str]] = set()
        self.handshakes = 0
        """How often somebody began to speak TLS to the other server."""
        self._sheet = b""
        self._put: dict[str, tuple[list[tuple[str, str]], str]] = {}
        self._guarded: dict[str, WsgiApp] = {"bare": self._app}
        self._near = RawServer(self._answer_near)
        self._far = RawServer(self._answer_far, self._count_handshake)

    def __enter__(self) -> TwoSites:
        with contextlib.ExitStack() as closing:
            closing.enter_context(self._near)
            closing.enter_context(self._far)
            self._closing = closing.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._closing.__exit__(*error)

    @property
    def near(self) -> str:
        return f"http://{SITE}:{self._near.port}"

    @property
    def far(self) -> str:
        return f"http://{ELSEWHERE}:{self._far.port}"

    def guard(self, name: str, middleware: Callable[[WsgiApp], WsgiApp]) -> None:
        """Serve the pages below /NAME/ through *middleware*."""
        self._guarded[name] = middleware(self._app)

    def put(self, path: str, body: str, *fields: tuple[str, str], kind: str = "text/html") -> str:
        """Serve one thing more at *path*, whose first part names the guard, and return its address."""
        doctype = "<!doctype html><title>x</title>" if kind == "text/html" else ""
        self._put[path] = [("Content-Type", kind), *fields], doctype + body.replace("FAR", self.far + path)
        return self.near + path

    def forget(self) -> None:
        """Forget what has been loaded so far."""
        self._hits.clear()
        self.handshakes = 0

    @property
    def hits(self) -> set[tuple[str, str, str]]:
        """Guard, kind and name of each vector that has reached the other server so far."""
        return self._hits.copy()  # another thread adds to it

    @property
    def contacts(self) -> int:
        """How often the other server was contacted in a new way."""
        return len(self.hits) + self.handshakes

    def reached(self, guard: str, kind: str) -> set[str]:
        """Return what pages of this kind have loaded elsewhere, by the vectors' names."""
        return {name for one, other, name in self.hits if (one, other) == (guard, kind)}

    def show(self, kind: str, *guards: str) -> str:
        """Return the address of a page, unguarded itself, that shows each page of this kind in a frame."""
        urls = [f"/{guard}/{kind}/page/{number}" for number in range(len(self._pages)) for guard in guards]
        frames = "".join(f'<iframe width="300" height="150" src="{url}"></iframe>' for url in urls)
        self._sheet = b"<!doctype html><title>sheet</title>" + frames.encode()
        return f"{self.near}/sheet"

    # ── the page's own server ────────────────────────────────────────────────────────────────────────────────────────

    def _answer_near(self, request: Request) -> bytes:
        guard = request.path.split("/")[1]
        if request.path == "/sheet":
            return page(self._sheet)
        if guard not in self._guarded:
            return page(b"nothing here", status=404, kind=b"text/plain")
        return wsgi_answer(self._guarded[guard], request)

    def _app(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        parts = path.split("/")
        if path in self._put:
            headers, body = self._put[path]
            status, body = "200 X", with_nonce(body)
        elif len(parts) == 5 and parts[3] == "page" and parts[4].isdecimal():
            status, headers, body = self._page(parts[1], parts[2], int(parts[4]))
        elif len(parts) == 6:
            status, headers, body = self._file(parts[1], parts[2], self._vectors[parts[4]], parts[5])
        else:  # an address that was meant for the other server, had a <base> been obeyed
            status, headers, body = "404 X", [("Content-Type", "text/plain")], ""
        start_response(status, headers)
        return [body.encode()]

    def _page(self, guard: str, kind: str, number: int) -> Answer:
        vectors = self._pages[number]
        document, statuses = KINDS[kind]
        mimetype, template = DOCUMENTS[document]

        def all_of(part: str) -> str:
            return "".join(self._fill(getattr(vector, part), guard, kind, vector) for vector in vectors)

        html = with_nonce(template.format(head=all_of("head"), body=all_of("body"), prolog=all_of("prolog")))
        fields = [(name, self._fill(value, guard, kind, one)) for one in vectors for name, value in one.fields]
        return f"{statuses[number % 2]} X", [("Content-Type", mimetype), *fields], html

    def _file(self, guard: str, kind: str, vector: Vector, name: str) -> Answer:
        stem, _, ending = name.rpartition(".")
        if ending == "redirect":
            return "302 X", [("Location", self._fill(f"FAR/x.{stem}", guard, kind, vector))], ""
        content = self._fill(vector.files.get(name, ""), guard, kind, vector)
        headers = [("Content-Type", TYPES[ending])] if ending in TYPES and stem else []
        return "200 X", headers, f"{{ {PREAMBLE} {content} }}" if name == "run.js" else content

    def _fill(self, text: str, guard: str, kind: str, vector: Vector) -> str:
        text = text.replace("FAR", f"{self.far}/{guard}/{kind}/{vector.name}")
        return text.replace("NEAR", f"{self.near}/{guard}/{kind}/file/{vector.name}").replace("NAME", vector.name)

    # ── the other server ─────────────────────────────────────────────────────────────────────────────────────────────

    def _answer_far(self, request: Request) -> bytes:
        if request.path != "/favicon.ico":  # for which a browser asks by itself, where a bare form has led it
            guard, kind, name, *_ = [*request.path.split("/")[1:], "", "", ""]
            self._hits.add((guard, kind, name))
        mimetype = TYPES.get(request.path.rpartition(".")[2], "text/plain")
        origin = request.headers.get("origin", "*")
        return page(
            b"",
            f"Access-Control-Allow-Origin: {origin}".encode(),
            b"Access-Control-Allow-Credentials: true",
            b"Cache-Control: no-store",
            kind=mimetype.encode(),
        )

    def _count_handshake(self, first_bytes: bytes) -> None:
        self.handshakes += 1


def with_nonce(html: str) -> str:
    """Return the page with its response's nonce; a bare one has no policy that would ask for it."""
    if "NONCE" not in html:
        return html
    try:
        return html.replace("NONCE", privguard.csp_nonce())
    except privguard.OutsideRequestError:
        return html


def wsgi_answer(app: WsgiApp, request: Request) -> bytes:
    """Return the whole response of a WSGI app in the bytes that it wants sent."""
    path, _, query = request.target.partition("?")
    host, _, port = request.headers.get("host", SITE).partition(":")
    fields = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in request.headers.items()}
    environ = {
        **fields,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": host,
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    head: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
        head[:] = [line.encode("latin-1") for line in lines]

    body = b"".join(app(environ, start_response))
    return b"\r\n".join([*head, b"Content-Length: %d" % len(body), b"Connection: close", b"", body])
