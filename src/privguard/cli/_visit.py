"""What a browser gets from a running site, measured over HTTP: a tour of its pages, and a request for its icon."""

from __future__ import annotations

import http.client
import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from .. import _cookies, _csp
from .._cookies import Lifetime
from ._sites import LOOPBACK, DemoServer

TOUR = (
    *("/", "/demo/chat", "/boards/", "/boards/window-seat", "/join", "/login", "/privacy"),
    *("/static/site.css", "/static/site.js", "/static/logo.svg"),
)
ICON = "/favicon.ico"
_CSP = "content-security-policy"


@dataclass(frozen=True, slots=True)
class Visit:
    """What one visit leaves behind."""

    cookies: dict[str, str]
    """Name and attributes of each cookie that is there after the browser was closed."""
    hosts: dict[str, list[str]]
    """Each third-party host that a page names and that its policy lets the browser load from; and what for."""
    log_lines: list[str]
    """What the server wrote when the browser asked for the icon."""

    @property
    def counts(self) -> tuple[int, int, int]:
        return len(self.cookies), len(self.hosts), len(self.log_lines)


def visit(site: DemoServer) -> Visit:
    """Take the tour of a running site as a browser does, then ask for its icon."""
    cookies: dict[str, str] = {}
    hosts: dict[str, list[str]] = {}
    for path in TOUR:
        response, body, _ = _get(site, path)
        _keep_cookies(cookies, response)
        if response.getheader("Content-Type", "").startswith("text/html"):
            for kind, url in third_party_loads(site.origin + path, body.decode(), _policies(response)):
                kinds = hosts.setdefault(urlsplit(url).netloc, [])
                if kind not in kinds:
                    kinds.append(kind)
    return Visit(cookies, hosts, _log_lines(site))


def _get(site: DemoServer, path: str) -> tuple[http.client.HTTPResponse, bytes, object]:
    connection = http.client.HTTPConnection(LOOPBACK, site.server_port, timeout=10)
    try:
        connection.connect()
        own_address = connection.sock.getsockname()
        connection.request("GET", path, headers={"Host": urlsplit(site.origin).netloc})
        response = connection.getresponse()
        return response, response.read(), own_address
    finally:
        connection.close()


# ── cookies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _keep_cookies(kept: dict[str, str], response: http.client.HTTPResponse) -> None:
    for text in response.msg.get_all("Set-Cookie", []):
        cookie = text.encode("latin-1")
        kind = _cookies.lifetime(cookie, now=time.time, date=time.time)
        name = _cookies.cookie_name(cookie).decode("latin-1")
        if kind in (Lifetime.PERSISTENT, Lifetime.DOUBTFUL):
            kept[name] = text.partition(";")[2].strip()
        else:
            kept.pop(name, None)


# ── third parties ────────────────────────────────────────────────────────────────────────────────────────────────────


def _policies(response: http.client.HTTPResponse) -> list[dict[str, tuple[str, ...]]]:
    """Every Content-Security-Policy of a response; a comma separates two (CSP3 §2.2.2)."""
    return [_csp.parse(one) for value in response.msg.get_all(_CSP, []) for one in value.split(",")]


def third_party_loads(
    page: str, html: str, policies: Iterable[dict[str, tuple[str, ...]]]
) -> Iterator[tuple[str, str]]:
    """Yield kind and address of what *html* has a browser load from another origin, and all *policies* admit."""
    origin = _origin(page)
    scan = _Loads()
    scan.feed(html)
    for kind, directive, written in scan.found:
        url = urljoin(page, written)
        if urlsplit(url).scheme not in ("http", "https") or _origin(url) == origin:
            continue
        if not directive or all(_csp.admits(one, directive, url, own_origin=origin) for one in policies):
            yield kind, url


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class _Loads(HTMLParser):
    """What a page loads by itself: kind, the directive that judges it, and the address as it is written."""

    _LINKS = (
        ("stylesheet", "style sheet", "style-src-elem"),
        ("icon", "icon", "img-src"),
        ("manifest", "manifest", "manifest-src"),
        ("modulepreload", "script", "script-src-elem"),
        ("prefetch", "prefetch", "default-src"),
        ("preload", "preload", "default-src"),
        # no policy judges these, and both tell the third party's name server or server of the visit
        ("preconnect", "connection", ""),
        ("dns-prefetch", "look-up", ""),
    )
    _TAGS = (
        ("script", "src", "script", "script-src-elem"),
        ("img", "src", "image", "img-src"),
        ("iframe", "src", "frame", "frame-src"),
        ("audio", "src", "sound", "media-src"),
        ("video", "src", "video", "media-src"),
        ("video", "poster", "image", "img-src"),
        ("source", "src", "video", "media-src"),
        ("object", "data", "plug-in", "object-src"),
        ("embed", "src", "plug-in", "object-src"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        for wanted, attribute, kind, directive in self._TAGS:
            if tag == wanted and attributes.get(attribute):
                self.found.append((kind, directive, attributes[attribute]))
        if tag == "link" and attributes.get("href"):
            relations = attributes.get("rel", "").lower().split()
            self.found += [(kind, one, attributes["href"]) for rel, kind, one in self._LINKS if rel in relations]


# ── the log ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Lines(logging.Handler):
    """Keeps what is written about one client's request."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def _log_lines(site: DemoServer) -> list[str]:
    lines = _Lines()
    site.log.addHandler(lines)
    try:
        _, _, own_address = _get(site, ICON)
        site.wait_for_end(own_address)
    finally:
        site.log.removeHandler(lines)
    return [one.getMessage() for one in lines.records if getattr(one, "client", None) == own_address]
