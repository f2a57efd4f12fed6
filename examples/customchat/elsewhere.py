"""The third party of the bare site, on loopback: it serves what it is asked for and notes each request."""

from base64 import b64decode
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

FONTS = b"""\
@font-face { font-family: "Elsewhere"; src: url("/font.woff2") format("woff2"); }
body h1, body h2, body h3 { font-family: "Elsewhere", serif; }
"""
# The smallest transparent GIF: one pixel by one.
PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
FILES = {
    "/fonts.css": ("text/css", FONTS),
    "/tracker.js": ("text/javascript", b"window.__tracked = true;\n"),
    "/pixel.gif": ("image/gif", PIXEL),
}
KEPT_HITS = 10_000


class Elsewhere:
    """A WSGI application: `hits` has the path of every request that reached it, oldest first."""

    def __init__(self) -> None:
        self.hits: list[str] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        self.hits.append(path)
        del self.hits[:-KEPT_HITS]
        # There is no font: a browser that asks for it has made its contact all the same.
        mimetype, content = FILES.get(path, ("text/plain", b""))
        headers = [("Content-Type", mimetype), ("Content-Length", str(len(content)))]
        start_response("200 OK" if path in FILES else "404 Not Found", headers)
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [content]


def create_app() -> Elsewhere:
    """Return a third party that nobody has contacted yet."""
    return Elsewhere()
