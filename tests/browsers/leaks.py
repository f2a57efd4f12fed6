"""Contacts that pages cause at third parties, bare and guarded, in real browsers; and the tables of them in the docs.

Usage, from the project's folder: python tests/browsers/leaks.py
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from browsers import tls_vectors
from browsers.contact_sinks import Contact
from browsers.contact_vectors import GROUPS, SILENT_FOR, VECTORS, Vector
from browsers.contact_watch import Measured, Site, measure_all
from browsers.raw_server import RawServer, Request, page
from browsers.tls_site import TlsSite
from browsers.two_sites import SITE, WsgiApp, wsgi_answer
from privguard.wsgi import PrivacyMiddleware

SETTINGS = {"user_image_paths": ["/default/bug/", "/default/own/users-image/"]}


class PlainSite(Site):
    """The site over plain HTTP, as a WSGI app behind a server that sends what it is given."""

    scheme = "http"

    def __init__(self) -> None:
        super().__init__(VECTORS, SILENT_FOR)
        self._apps: Mapping[str, WsgiApp] = {"bare": self._app, "default": PrivacyMiddleware(self._app, SETTINGS)}
        self._server = RawServer(self._answer)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        with self.sinks, self._server:
            yield

    @property
    def origin(self) -> str:
        return f"http://{SITE}:{self._server.port}"

    def _answer(self, request: Request) -> bytes:
        parts = request.path.split("/")
        if parts[1] == "sheet":
            return page(self.sheet_at(request.path))
        if len(parts) != 5 or parts[1] not in self._apps or (parts[2], parts[3]) not in self.vectors:
            return page(b"nothing here", status=404, kind=b"text/plain")
        self.served[request.path] += 1
        hints: list[tuple[str, str]] = []

        def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            return self._apps[parts[1]]({**environ, "wsgi.early_hints": hints.extend}, start_response)

        answer = wsgi_answer(app, request)
        status = self.vectors[parts[2], parts[3]].status
        if not parts[4] and not answer.startswith(b"HTTP/1.1 %d " % status):
            raise AssertionError(f"{request.path}: refused instead of served, so that its silence proves nothing")
        if not hints:
            return answer
        lines = ["HTTP/1.1 103 Early Hints", *(f"{name}: {value}" for name, value in hints)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + answer

    def _app(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        _, guard, group, name, file = environ["PATH_INFO"].split("/")
        vector = self.vectors[group, name]
        if vector.early and not file:
            environ["wsgi.early_hints"]([("Link", self.fill(vector.early, vector, guard))])
        status, fields, body = self.response(vector, guard, file)
        start_response(f"{status} X", fields)
        return [bytes([byte]) for byte in body] if vector.is_streamed and not file else [body]


# ── the page in the docs ──────────────────────────────────────────────────────────────────────────────────────────────

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "leaks.md"
INTRODUCTION = """\
# Contacts, measured

This page is made by `make leaks`; do not edit it by hand.

{count} pages, each of which makes a browser contact a third party in another way, were shown to {versions}: once as
they are (*bare*), once behind privguard with its default settings (*guarded*). Each third party has a name and a port
of its own, so that the faintest contact is seen: a **look-up** of its name, a **connection** in which nothing is said,
a **TLS hello**, a whole **request**. Only the farthest one counts. A page that is silent even bare proves nothing: its
browser has a dash there, and its guarded visit is not counted as a success.

The pages on which users may link to images have that setting (`user_image_paths`). All pages are served on one machine:
over plain HTTP, through the WSGI middleware, and {more} more over HTTPS and HTTP/2, through the ASGI middleware. Of one
browser each the current version was asked, and Safari was not.

What an app, its own scripts or a visitor's click decide is in the last row of the first table: privguard does not
stop it, see [What privguard cannot stop](../explanation/what-privguard-cannot-stop.md).

"""
OVER_TLS = """\
## Over HTTPS and HTTP/2

Some contacts browsers make for secure pages alone: reports to the endpoints of `Reporting-Endpoints` or `Report-To`,
network error logging, alternative services; and Chromium obeys Early Hints over HTTP/2 alone. The third parties let
nobody finish a TLS handshake, so that of a request no more is seen than the hello, and of HTTP/3 only the look-up.
"""
WORDS = {
    Contact.LOOK_UP: ("look-up", "look-ups"),
    Contact.CONNECTION: ("connection", "connections"),
    Contact.TLS_HELLO: ("TLS hello", "TLS hellos"),
    Contact.REQUEST: ("request", "requests"),
}


def report(measured: Sequence[Measured]) -> str:
    """Return the page: what was measured class by class, then vector by vector."""
    versions = " and ".join(one.version for one in measured)
    counts = {"count": len(VECTORS), "more": len(tls_vectors.VECTORS)}
    lines = [INTRODUCTION.format(versions=versions, **counts) + "## By class\n"]
    lines += _by_class(GROUPS, VECTORS, measured)
    lines.append("\n" + OVER_TLS)
    lines += _by_class(tls_vectors.GROUPS, tls_vectors.VECTORS, measured)
    lines.append("\n## One by one\n")
    lines.append("What each page holds is in `tests/browsers/contact_vectors.py` and `tls_vectors.py`.\n")
    lines += _header("page", measured)
    for vector in [*VECTORS, *tls_vectors.VECTORS]:
        lines.append(_row(f"`{vector.label}`", *(cell for one in measured for cell in _cells(one, vector))))
    return "\n".join(lines) + "\n"


def _by_class(groups: Mapping[str, str], all_vectors: Sequence[Vector], measured: Sequence[Measured]) -> list[str]:
    lines = _header("way of contact", measured)
    for group, title in groups.items():
        vectors = [vector for vector in all_vectors if vector.group == group]
        cells = [cell for one in measured for cell in (_sum(one.bare, vectors), _sum(one.guarded, vectors))]
        lines.append(_row(f"{title} ({len(vectors)})", *cells))
    return lines


def _header(first: str, measured: Sequence[Measured]) -> list[str]:
    columns = [f"{one.version}, {guard}" for one in measured for guard in ("bare", "guarded")]
    return [_row(first, *columns), _row("---", *("---" for _ in columns))]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _sum(contacts: Mapping[str, Contact], vectors: Sequence[Vector]) -> str:
    counts = Counter(contacts[one.label] for one in vectors if one.label in contacts)
    return ", ".join(f"{count} {WORDS[contact][count > 1]}" for contact, count in sorted(counts.items())) or "0"


def _cells(one: Measured, vector: Vector) -> tuple[str, str]:
    if vector.label not in one.bare and vector.label not in one.guarded:
        return "–", "–"
    return _word(one.bare.get(vector.label)), _word(one.guarded.get(vector.label))


def _word(contact: Contact | None) -> str:
    return WORDS[contact][0] if contact is not None else "none"


def measure_both_sites() -> list[Measured]:
    """Return what all vectors cause in each browser, over plain HTTP and over HTTPS."""
    measured = zip(measure_all(PlainSite()), measure_all(TlsSite()))
    return [Measured(a.version, a.bare | b.bare, a.guarded | b.guarded) for a, b in measured]


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # what was taken out of which page is written down, line by line
    PAGE.write_text(report(measure_both_sites()))
