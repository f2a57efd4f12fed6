"""Contacts that pages cause at third parties, bare and guarded, in real browsers; and the table of them in the docs.

Usage, from the project's folder: python tests/browsers/leaks.py
"""

from __future__ import annotations

import contextlib
import logging
import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from browsers.contact_sinks import WATCHED, Contact, Sinks, WatchedBrowser
from browsers.contact_vectors import GROUPS, SILENT_FOR, VECTORS, Vector
from browsers.programs import wait_until
from browsers.raw_server import RawServer, Request, page
from browsers.two_sites import SITE, WsgiApp, with_nonce, wsgi_answer
from privguard.wsgi import PrivacyMiddleware

GUARDS = ("default", "bare")
"""What stands before the app; before "bare" there is nothing."""
SETTINGS = {"user_image_paths": ["/default/bug/", "/default/own/users-image/"]}
FENCES = [f"fence-{number}" for number in range(20)]
"""Third parties that nothing but the watch itself contacts."""
ON_A_SHEET = 60  # vectors
VISITS = 3  # of a page that has not made all contacts yet: on a busy machine a browser leaves hints out
PATIENCE = 6.0  # seconds for the contacts of one visit
QUIET = 0.6  # seconds without a contact after which no more is expected: each guarded page has a bare one behind it


@dataclass
class Measured:
    """What one browser did."""

    version: str
    bare: dict[str, Contact] = field(default_factory=dict)
    """By the vectors' labels."""
    guarded: dict[str, Contact] = field(default_factory=dict)


def path_of(vector: Vector, guard: str) -> str:
    return f"/{guard}/{vector.group}/{vector.name}/"


class Site:
    """Serves each vector's page at /GUARD/GROUP/NAME/, and sheets that show many of them in frames."""

    def __init__(self, vectors: Sequence[Vector]) -> None:
        self._vectors = {(one.group, one.name): one for one in vectors}
        self.sinks = Sinks([f"{vector.label}-{guard}" for vector in vectors for guard in GUARDS] + FENCES)
        self.served: Counter[str] = Counter()
        """How often which page has left."""
        self._sheets: list[bytes] = []
        self._apps: Mapping[str, WsgiApp] = {"bare": self._app, "default": PrivacyMiddleware(self._app, SETTINGS)}
        self._server = RawServer(self._answer)

    @contextlib.contextmanager
    def running(self) -> Iterator[Site]:
        with self.sinks, self._server:
            yield self

    def address(self, vector: Vector, guard: str) -> str:
        """Return where a vector's page is."""
        return f"http://{SITE}:{self._server.port}{path_of(vector, guard)}"

    def sheet(self, vectors: Iterable[Vector]) -> str:
        """Return where a page is, unguarded itself, that shows the page of each vector in a frame, guarded and bare."""
        urls = [self.address(vector, guard) for vector in vectors for guard in GUARDS]
        return self._put("".join(f'<iframe src="{url}"></iframe>' for url in urls))

    def fence(self, label: str) -> str:
        """Return where a page is that loads something from the third party *label*."""
        return self._put(f'<img src="http://{self.sinks.host(label)}/x.png">')

    def _put(self, body: str) -> str:
        self._sheets.append(b"<!doctype html><title>sheet</title>" + body.encode())
        return f"http://{SITE}:{self._server.port}/sheet/{len(self._sheets) - 1}"

    def _answer(self, request: Request) -> bytes:
        parts = request.path.split("/")
        if parts[1] == "sheet":
            return page(self._sheets[int(parts[2])])
        if len(parts) != 5 or parts[1] not in self._apps or (parts[2], parts[3]) not in self._vectors:
            return page(b"nothing here", status=404, kind=b"text/plain")
        self.served[request.path] += 1
        hints: list[tuple[str, str]] = []

        def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            return self._apps[parts[1]]({**environ, "wsgi.early_hints": hints.extend}, start_response)

        answer = wsgi_answer(app, request)
        status = self._vectors[parts[2], parts[3]].status
        if not parts[4] and not answer.startswith(b"HTTP/1.1 %d " % status):
            raise AssertionError(f"{request.path}: refused instead of served, so that its silence proves nothing")
        if not hints:
            return answer
        lines = ["HTTP/1.1 103 Early Hints", *(f"{name}: {value}" for name, value in hints)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + answer

    def _app(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        _, guard, group, name, file = environ["PATH_INFO"].split("/")
        vector = self._vectors[group, name]
        host = self.sinks.host(f"{vector.label}-{guard}")

        def fill(text: str) -> str:
            escaped = f"{ord(host[0]):x}{host[1:]}"
            return text.replace("FAR", f"http://{host}").replace("HEXHOST", escaped).replace("HOST", host)

        if file and file not in vector.files:
            start_response("404 X", [("Content-Type", "text/plain")])
            return []
        if file:
            kind, text, fields = vector.files[file]
            start_response("200 X", [("Content-Type", kind), *((name, fill(value)) for name, value in fields)])
            return [fill(text).encode()]
        if vector.early:
            environ["wsgi.early_hints"]([("Link", fill(vector.early))])
        fields = ((("Content-Type", vector.kind),) if vector.kind is not None else ()) + vector.fields
        body = vector.encode(with_nonce(fill(vector.page)))
        start_response(f"{vector.status} X", [(name, fill(value)) for name, value in fields])
        return [bytes([byte]) for byte in body] if vector.is_streamed else [body]


def measure(site: Site, browser: WatchedBrowser, vectors: Sequence[Vector]) -> Measured:
    """Return the contacts that the pages of *vectors* cause in *browser*, bare and guarded."""
    watch = _Watch(site, browser)
    framed = [vector for vector in vectors if not vector.is_in_tab]
    for start in range(0, len(framed), ON_A_SHEET):
        sheet = framed[start : start + ON_A_SHEET]
        watch.visit(sheet, [site.sheet(sheet)])
    in_tabs = [vector for vector in vectors if vector.is_in_tab]
    watch.visit(in_tabs, [site.address(vector, guard) for vector in in_tabs for guard in GUARDS])
    watch.settle()
    seen = watch.contacts()
    by_guard = {
        guard: {one.label: seen[key] for one in vectors if (key := f"{one.label}-{guard}") in seen} for guard in GUARDS
    }
    return Measured(browser.version(), by_guard["bare"], by_guard["default"])


class _Watch:
    """Shows pages to a browser until the contacts that they are to cause have been seen."""

    def __init__(self, site: Site, browser: WatchedBrowser) -> None:
        self._site = site
        self._browser = browser
        site.sinks.seen.clear()

    def contacts(self) -> dict[str, Contact]:
        """Return the farthest contact with each third party so far."""
        looked_up = dict.fromkeys(self._browser.looked_up(), Contact.LOOK_UP)
        return looked_up | self._site.sinks.seen

    def visit(self, vectors: Sequence[Vector], urls: Sequence[str]) -> None:
        """Show the pages at *urls*, and again while a bare page of *vectors* has not made the contact that it can."""
        silent = SILENT_FOR[self._browser.name]
        wanted = {f"{vector.label}-bare" for vector in vectors if vector.label not in silent}
        pages = {path_of(vector, guard) for vector in vectors for guard in GUARDS}
        for _ in range(VISITS):
            self._site.served.clear()
            tabs = [self._browser.open_tab(url) for url in urls]
            is_shown = wait_until(lambda: pages <= self._site.served.keys())
            is_enough = is_shown and wait_until(lambda: wanted <= self.contacts().keys(), PATIENCE)
            self._wait_until_quiet()
            for tab in tabs:
                self._browser.close_tab(tab)
            if is_enough:
                return
        if not is_shown:
            raise RuntimeError(f"{self._browser.name} has not asked for {sorted(pages - self._site.served.keys())}")

    def _wait_until_quiet(self) -> None:
        before: dict[str, Contact] = {}
        while wait_until(partial(self._has_more_than, before), QUIET):
            before = self.contacts()

    def _has_more_than(self, before: Mapping[str, Contact]) -> bool:
        return self.contacts() != before

    def settle(self) -> None:
        """Wait until look-ups up to now are written down: a later one is, which shows too that any would be."""
        for label in FENCES:
            tab = self._browser.open_tab(self._site.fence(label))
            is_seen = wait_until(partial(self._has_looked_up, label), 1)
            self._browser.close_tab(tab)
            if is_seen:
                return
        raise RuntimeError(f"{self._browser.name} looks names up unseen")

    def _has_looked_up(self, label: str) -> bool:
        return label in self._browser.looked_up()


def allow_many_sockets() -> None:
    """Raise the soft limit of open files to the hard one: each third party has a socket."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


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

The pages on which users may link to images have that setting (`user_image_paths`). All pages are served over plain HTTP
on one machine, so what browsers do only over HTTPS is not in the table: `NEL`, `Alt-Svc`, reports to
`Reporting-Endpoints`. Of one browser each the current version was asked, and Safari was not.

What an app, its own scripts or a visitor's click decide is in the last row: privguard does not stop it, see
[What privguard cannot stop](../explanation/what-privguard-cannot-stop.md).

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
    lines = [INTRODUCTION.format(count=len(VECTORS), versions=versions) + "## By class\n"]
    lines += _header("way of contact", measured)
    for group, title in GROUPS.items():
        vectors = [vector for vector in VECTORS if vector.group == group]
        cells = [cell for one in measured for cell in (_sum(one.bare, vectors), _sum(one.guarded, vectors))]
        lines.append(_row(f"{title} ({len(vectors)})", *cells))
    lines.append("\n## One by one\n")
    lines.append("What each page holds is in `tests/browsers/contact_vectors.py`.\n")
    lines += _header("page", measured)
    for vector in VECTORS:
        lines.append(_row(f"`{vector.label}`", *(cell for one in measured for cell in _cells(one, vector))))
    return "\n".join(lines) + "\n"


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


def measure_all(kinds: Iterable[str] = WATCHED) -> list[Measured]:
    """Return what all vectors cause in browsers of these kinds."""
    allow_many_sockets()
    measured = []
    with Site(VECTORS).running() as site:
        for kind in kinds:
            with tempfile.TemporaryDirectory() as folder:
                browser = WATCHED[kind](Path(folder), site.sinks)
                with contextlib.closing(browser):
                    measured.append(measure(site, browser, VECTORS))
    return measured


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # what was taken out of which page is written down, line by line
    PAGE.write_text(report(measure_all()))
