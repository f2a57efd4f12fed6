"""Give a browser many responses with odd cookies, quickly, and read from its jar what became of each.

Each response comes from a host of its own, so that none disturbs another whatever its name, path or number; all are of
one site, so that none is a third party's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from browsers.browser import Browser, Cookie
from browsers.raw_server import RawServer, Request, page

AT_ONCE = 100  # cookies a site: Chromium starts to forget at 180, and a line may set two
SITE = ".site.localhost"
BEFORE = b"zz-before"
"""The value of the cookie that is there before the line comes."""

VISIT_ALL = """
    const ask = (number, path) => fetch(
        `http://c${number}.site.localhost:${location.port}${path}`,
        {mode: "no-cors", credentials: "include", cache: "no-store"}).catch(() => "a lost response is an outcome too");
    await Promise.all(PATHS.map(async (paths, number) => { for (const path of paths) await ask(number, path); }));
"""


class Response(NamedTuple):
    """One response, and the line that has set a cookie before it."""

    before: bytes
    head: bytes
    reads_bytes: bool
    """Whether to look at the bytes that the browser sends back, where the jar's listing shows text alone."""

    @classmethod
    def of(cls, line: bytes, status: int, headers: Iterable[tuple[bytes, bytes]]) -> Response:
        """*line* is the one that the app has sent, *headers* are what has left of its response."""
        fields = b"".join(b"%s: %s\r\n" % (name, value) for name, value in headers)
        head = b"HTTP/1.1 %d X\r\n%s" % (status, fields)
        return cls(line_before(line), head, not line.partition(b";")[0].isascii())


class Outcome(NamedTuple):
    """What became of a response's cookies."""

    verdict: str
    """P, S, D or X, as in the table."""
    kept: frozenset[tuple[bytes, bytes]]
    """Name and value of each cookie that the line has put into the jar."""
    sent: bytes
    """The Cookie header of the next request, where bytes are read."""


def line_before(line: bytes) -> bytes:
    """Return a line that sets a persistent cookie of the same name, for *line* to replace or to delete."""
    name, equals, _ = line.partition(b";")[0].partition(b"=")
    name = name.strip(b" \t").translate(None, b"\r\n\0") if equals else b""
    secure = b"; Secure; HttpOnly" if name.startswith(b"__") else b""
    return b"%s=%s; Path=/; Max-Age=3600%s" % (name, BEFORE, secure)


class Jars:
    """What one browser keeps of each response that it has been shown."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._known: dict[Response, Outcome] = {}
        self._batch: Sequence[Response] = ()
        self._had_before: set[int] = set()
        self._sent: dict[int, bytes] = {}

    def learn(self, responses: Iterable[Response]) -> None:
        """Show the browser those of the responses that it has not seen."""
        new = [one for one in dict.fromkeys(responses) if one not in self._known]
        self._browser.start_over()
        with RawServer(self._answer) as server:
            self._browser.open(f"http://site.localhost:{server.port}/")
            for start in range(0, len(new), AT_ONCE):
                self._batch, self._had_before, self._sent = new[start : start + AT_ONCE], set(), {}
                paths = [["/before", "/line"] + ["/sent"] * one.reads_bytes for one in self._batch]
                self._browser.run(VISIT_ALL.replace("PATHS", str(paths)))
                self._known.update(zip(self._batch, self._read()))
                self._browser.clear_cookies()

    def __getitem__(self, response: Response) -> Outcome:
        return self._known[response]

    def _answer(self, request: Request) -> bytes:
        if request.path not in ("/before", "/line", "/sent"):
            return page(b"<!doctype html><title>cookies</title>")
        head = b"HTTP/1.1 200 OK\r\n"
        number = number_of(request.host)
        sent = request.headers.get("cookie", "").encode("latin-1")
        if request.path == "/before":
            head += b"Set-Cookie: %s\r\n" % self._batch[number].before
        elif request.path == "/line":
            head = self._batch[number].head
            if BEFORE in sent:
                self._had_before.add(number)
        else:
            self._sent[number] = sent
        return head + b"Connection: close\r\nContent-Length: 0\r\n\r\n"

    def _read(self) -> list[Outcome]:
        jars: list[list[Cookie]] = [[] for _ in self._batch]
        for cookie in self._browser.cookies():
            if cookie.host.endswith(SITE):
                jars[number_of(cookie.host)].append(cookie)
        return [self._outcome(number, jar) for number, jar in enumerate(jars)]

    def _outcome(self, number: int, jar: list[Cookie]) -> Outcome:
        new = [cookie for cookie in jar if cookie.value != BEFORE]
        if any(cookie.is_persistent for cookie in new):
            verdict = "P"
        elif new:
            verdict = "S"
        else:
            verdict = "D" if not jar and number in self._had_before else "X"
        return Outcome(verdict, frozenset((cookie.name, cookie.value) for cookie in new), self._sent.get(number, b""))


def number_of(host: str) -> int:
    """Return the number of the response that comes from *host*."""
    return int(host.lstrip(".").removeprefix("c").removesuffix(SITE))
