"""Sites whose pages are to cause contacts at third parties, and the watch over what a browser does when it visits one.

Each page is there twice, guarded and bare; only a contact that the bare one makes says what the guarded one's silence
is worth.
"""

from __future__ import annotations

import abc
import contextlib
import resource
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from browsers.contact_sinks import WATCHED, Contact, Sinks, WatchedBrowser
from browsers.contact_vectors import Vector
from browsers.programs import wait_until
from browsers.two_sites import with_nonce

GUARDS = ("default", "bare")
"""What stands before the app; before "bare" there is nothing."""
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


class Site(abc.ABC):
    """Serves each vector's page at /GUARD/GROUP/NAME/, and sheets that show many of them in frames."""

    scheme: str

    def __init__(self, vectors: Sequence[Vector], silent_for: Mapping[str, frozenset[str]]) -> None:
        self.vectors = {(one.group, one.name): one for one in vectors}
        self.silent_for = silent_for
        """The vectors, by their labels, that make no contact in a browser even on a bare page."""
        _allow_many_sockets()
        self.sinks = Sinks([f"{vector.label}-{guard}" for vector in vectors for guard in GUARDS] + FENCES)
        self.served: Counter[str] = Counter()
        """How often which page has left."""
        self._sheets: list[bytes] = []

    @abc.abstractmethod
    def running(self) -> contextlib.AbstractContextManager[object]:
        """Serve until the block ends."""

    @property
    @abc.abstractmethod
    def origin(self) -> str:
        """Where the sheets are."""

    def start_browser(self, kind: str, folder: Path) -> WatchedBrowser:
        """Return a browser that can visit it, with its profile in *folder*."""
        return WATCHED[kind](folder, self.sinks)

    def address(self, vector: Vector, guard: str) -> str:
        """Return where a vector's page is."""
        return self.origin + path_of(vector, guard)

    def sheet(self, vectors: Iterable[Vector]) -> str:
        """Return where a page is, unguarded itself, that shows the page of each vector in a frame, guarded and bare."""
        urls = [self.address(vector, guard) for vector in vectors for guard in GUARDS]
        return self._put("".join(f'<iframe src="{url}"></iframe>' for url in urls))

    def fence(self, label: str) -> str:
        """Return where a page is that loads something from the third party *label*."""
        return self._put(f'<img src="//{self.sinks.host(label)}/x.png">')

    def _put(self, body: str) -> str:
        self._sheets.append(b"<!doctype html><title>sheet</title>" + body.encode())
        return f"{self.origin}/sheet/{len(self._sheets) - 1}"

    def sheet_at(self, path: str) -> bytes:
        """Return the page at *path*, which _put() has told."""
        return self._sheets[int(path.removeprefix("/sheet/"))]

    def response(self, vector: Vector, guard: str, file: str) -> tuple[int, list[tuple[str, str]], bytes]:
        """Return status, header fields and body of a vector's page, or of a *file* of its own."""
        if file and file not in vector.files:
            return 404, [("Content-Type", "text/plain")], b""
        kind, text, fields = vector.files[file] if file else (vector.kind, vector.page, vector.fields)
        typed = fields if kind is None else (("Content-Type", kind), *fields)
        filled = self.fill(text, vector, guard)
        return (
            200 if file else vector.status,
            [(name, self.fill(value, vector, guard)) for name, value in typed],
            filled.encode() if file else vector.encode(with_nonce(filled)),
        )

    def fill(self, text: str, vector: Vector, guard: str) -> str:
        """Return what a vector says with its third party in it."""
        host = self.sinks.host(f"{vector.label}-{guard}")
        escaped = f"{ord(host[0]):x}{host[1:]}"
        return text.replace("FAR", f"{self.scheme}://{host}").replace("HEXHOST", escaped).replace("HOST", host)


def measure_all(site: Site, kinds: Iterable[str] = WATCHED) -> list[Measured]:
    """Return what all of a site's vectors cause in browsers of these kinds."""
    measured = []
    with site.running():
        for kind in kinds:
            with tempfile.TemporaryDirectory() as folder:
                browser = site.start_browser(kind, Path(folder))
                with contextlib.closing(browser):
                    measured.append(_measure(site, browser))
    return measured


def _measure(site: Site, browser: WatchedBrowser) -> Measured:
    """Return the contacts that the site's pages cause in *browser*, bare and guarded."""
    watch = _Watch(site, browser)
    vectors = site.vectors.values()
    framed = [vector for vector in vectors if not vector.is_in_tab]
    for start in range(0, len(framed), ON_A_SHEET):
        sheet = framed[start : start + ON_A_SHEET]
        watch.visit(sheet, lambda some: [site.sheet(some)])
    in_tabs = [vector for vector in vectors if vector.is_in_tab]
    watch.visit(in_tabs, lambda some: [site.address(vector, guard) for vector in some for guard in GUARDS])
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

    def visit(self, vectors: Sequence[Vector], urls_of: Callable[[Sequence[Vector]], list[str]]) -> None:
        """Show the pages of *vectors*, and again those whose bare one has not made the contact that it can."""
        for _ in range(VISITS):
            lost = self._show(vectors, urls_of(vectors))
            vectors = vectors if lost else self._missing(vectors)
            if not vectors:
                return
        if lost:
            raise RuntimeError(f"{self._browser.name} was not given {sorted(lost)}")

    def _show(self, vectors: Sequence[Vector], urls: Sequence[str]) -> set[str]:
        """Show the pages at *urls*, wait for their contacts, and return what of *vectors* has not been served."""
        pages = {path_of(vector, guard) for vector in vectors for guard in GUARDS}
        self._site.served.clear()
        tabs = [self._browser.open_tab(url) for url in urls]
        if wait_until(lambda: pages <= self._site.served.keys()):
            wait_until(lambda: not self._missing(vectors), PATIENCE)
        self._wait_until_quiet()
        for tab in tabs:
            self._browser.close_tab(tab)
        return pages - self._site.served.keys()

    def _missing(self, vectors: Sequence[Vector]) -> list[Vector]:
        contacts = self.contacts()
        wanted = [vector for vector in vectors if vector.label not in self._site.silent_for[self._browser.name]]
        return [vector for vector in wanted if f"{vector.label}-bare" not in contacts]

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


def _allow_many_sockets() -> None:
    """Raise the soft limit of open files to the hard one: each third party has a socket."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
